# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host must be to become a hypervisor, and what differs between the families of systems (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ARCHITECTURES = ("x86_64", "ppc64le", "s390x", "aarch64")
PYTHON, NETWORKMANAGER, NMSTATE = "3.9", "1.40", "2.0"


@dataclass(frozen=True)
class Family:
    """A family of systems: its oldest release (and that of a distribution with numbers of its own), and its names."""

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
        nmstate_hint="it is the package nmstate of AppStream: enable that repository",
        chrony_unit="chronyd",
        chrony_conf="/etc/chrony.conf",
    ),
    "Debian": Family(
        release=12,
        releases={"Ubuntu": 24},
        packages=("network-manager", "chrony", "tuned"),
        nmstate_packages=(),
        nmstate_hint='this distribution has no package of it: put nmstatectl (built by "cargo install --locked '
        'nmstatectl", or from your own package) into /usr/local/bin of the host, or name a package of your '
        "repositories in host_deploy_nmstate_packages",
        chrony_unit="chrony",
        chrony_conf="/etc/chrony/chrony.conf",
    ),
}


def system_problems(facts: Mapping[str, Any]) -> list[str]:
    """What keeps a host from becoming a hypervisor by Ansible's ``facts`` (os_family, distribution,
    distribution_major_version, python).
    """
    problems = []
    name, distribution = facts["os_family"], facts["distribution"]
    family = FAMILIES.get(name)
    if family is None:
        problems.append("its system is of the family %s, supported are %s" % (name, ", ".join(FAMILIES)))
    major = str(facts["distribution_major_version"])
    oldest = family.releases.get(distribution, family.release) if family else 0
    if re.fullmatch("[0-9]+", major) and int(major) < oldest:
        problems.append("%s %s is too old, needed is %d or newer" % (distribution, major, oldest))
    python = "%(major)s.%(minor)s" % facts["python"]["version"]
    if not at_least(python, PYTHON):
        problems.append(
            "Python %s is too old, needed is %s or newer: install one and point ansible_python_interpreter at it"
            % (python, PYTHON)
        )
    return problems


def tool_problems(probe: Mapping[str, str], family: Family, nmstate_packages: list[str]) -> list[str]:
    """Likewise by what probe.sh has printed. ``nmstate_packages``: what would be installed for a missing nmstatectl."""
    problems = []
    if probe["uid"] != "0":
        problems.append("Ansible is not root on it: run with become")
    if probe["arch"] not in ARCHITECTURES:
        problems.append("its architecture %s is not supported, only %s" % (probe["arch"], ", ".join(ARCHITECTURES)))
    if probe["nm_active"] != "active":
        problems.append(
            "NetworkManager is not active (%s): it has to manage the network before the host can be added"
            % (probe["nm_active"] or "unknown")
        )
    if probe["nm_version"] and not at_least(probe["nm_version"], NETWORKMANAGER):
        problems.append("NetworkManager %s is too old, needed is %s or newer" % (probe["nm_version"], NETWORKMANAGER))
    if not probe["nmstate_version"] and not nmstate_packages:
        problems.append("nmstatectl is missing: %s" % family.nmstate_hint)
    if probe["nmstate_version"] and not at_least(probe["nmstate_version"], NMSTATE):
        problems.append(
            "nmstate %s is too old, needed is %s or newer: %s"
            % (probe["nmstate_version"], NMSTATE, family.nmstate_hint)
        )
    return problems


def refusal(problems: list[str]) -> str:
    """All ``problems`` in one sentence."""
    return "This host cannot become a hypervisor: %s. Nothing was changed." % "; ".join(problems)


def at_least(version: str, minimum: str) -> bool:
    """Whether ``version`` is not older than ``minimum``, both of numbers and dots."""
    have, need = ([int(number) for number in re.findall("[0-9]+", text)] for text in (version, minimum))
    return have >= need
