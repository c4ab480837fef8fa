# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The requirements for a hypervisor, and the differences between operating system families. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ARCHITECTURES = ("x86_64", "ppc64le", "s390x", "aarch64")
PYTHON, NETWORKMANAGER, NMSTATE = "3.9", "1.40", "2.0"


@dataclass(frozen=True)
class Family:
    """An operating system family: its oldest supported release (and that of distributions with other version numbers),
    and its names.
    """

    release: int
    packages: tuple[str, ...]
    nmstate_packages: tuple[str, ...]
    nmstate_hint: str
    chrony_unit: str
    chrony_conf: str
    releases: Mapping[str, int] = field(default_factory=dict)


FAMILIES = {
    "RedHat": Family(
        release=9,
        releases={"Fedora": 40},
        packages=("NetworkManager", "chrony", "tuned"),
        nmstate_packages=("nmstate",),
        nmstate_hint="enable the repository AppStream, which contains the package nmstate",
        chrony_unit="chronyd",
        chrony_conf="/etc/chrony.conf",
    ),
    "Debian": Family(
        release=12,
        releases={"Ubuntu": 24},
        packages=("network-manager", "chrony", "tuned"),
        nmstate_packages=(),
        nmstate_hint='this distribution has no package for it. Install nmstatectl in /usr/local/bin (built with "cargo '
        'install --locked nmstatectl"), or set host_deploy_nmstate_packages to a package in your repositories',
        chrony_unit="chrony",
        chrony_conf="/etc/chrony/chrony.conf",
    ),
}


def system_problems(facts: Mapping[str, Any]) -> list[str]:
    """The problems of a host by Ansible's ``facts`` (os_family, distribution, distribution_major_version, python)."""
    problems = []
    name, distribution = facts["os_family"], facts["distribution"]
    family = FAMILIES.get(name)
    if family is None:
        problems.append("got operating system family %s, expected %s" % (name, ", ".join(FAMILIES)))
    major = str(facts["distribution_major_version"])
    oldest = family.releases.get(distribution, family.release) if family else 0
    if re.fullmatch("[0-9]+", major) and int(major) < oldest:
        problems.append("got %s %s, expected %d or later" % (distribution, major, oldest))
    python = "%(major)s.%(minor)s" % facts["python"]["version"]
    if not at_least(python, PYTHON):
        problems.append(
            "got Python %s, expected %s or later: install it and set ansible_python_interpreter" % (python, PYTHON)
        )
    return problems


def tool_problems(probe: Mapping[str, str], family: Family, nmstate_packages: list[str]) -> list[str]:
    """The problems of a host, from the output of probe.sh. ``nmstate_packages``: packages to install if nmstatectl is
    missing.
    """
    problems = []
    if probe["uid"] != "0":
        problems.append("Ansible is not root on the host: run with become")
    if probe["arch"] not in ARCHITECTURES:
        problems.append("got architecture %s, expected %s" % (probe["arch"], ", ".join(ARCHITECTURES)))
    if probe["nm_active"] != "active":
        problems.append(
            "NetworkManager is not active (%s): it must manage the network before the host can be added"
            % (probe["nm_active"] or "unknown")
        )
    if probe["nm_version"] and not at_least(probe["nm_version"], NETWORKMANAGER):
        problems.append("got NetworkManager %s, expected %s or later" % (probe["nm_version"], NETWORKMANAGER))
    if not probe["nmstate_version"] and not nmstate_packages:
        problems.append("nmstatectl is missing: %s" % family.nmstate_hint)
    if probe["nmstate_version"] and not at_least(probe["nmstate_version"], NMSTATE):
        problems.append(
            "got nmstate %s, expected %s or later: %s" % (probe["nmstate_version"], NMSTATE, family.nmstate_hint)
        )
    return problems


def refusal(problems: list[str]) -> str:
    """All ``problems`` in one sentence."""
    return "This host cannot become a hypervisor: %s. Nothing was changed." % "; ".join(problems)


def at_least(version: str, minimum: str) -> bool:
    """Whether ``version`` is not older than ``minimum``, both of numbers and dots."""
    have, need = ([int(number) for number in re.findall("[0-9]+", text)] for text in (version, minimum))
    return have >= need
