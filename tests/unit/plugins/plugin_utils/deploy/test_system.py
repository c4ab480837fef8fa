# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that host_deploy supports."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import system

FACTS = {
    "os_family": "RedHat",
    "distribution": "CentOS",
    "distribution_major_version": "9",
    "python": {"version": {"major": 3, "minor": 9}},
}
PROBE = {"uid": "0", "arch": "x86_64", "nm_active": "active", "nm_version": "1.52.1", "nmstate_version": "2.2.62"}
EL, DEBIAN = system.FAMILIES["RedHat"], system.FAMILIES["Debian"]


@pytest.mark.parametrize(
    "facts, problem",
    [
        ({}, ""),
        ({"distribution_major_version": "8"}, "got CentOS 8, expected 9 or later"),
        ({"distribution": "Fedora", "distribution_major_version": "39"}, "got Fedora 39, expected 40 or later"),
        ({"distribution": "Fedora", "distribution_major_version": "41"}, ""),
        ({"distribution_major_version": "Rawhide"}, ""),
        ({"os_family": "Debian", "distribution": "Debian", "distribution_major_version": "12"}, ""),
        (
            {"os_family": "Debian", "distribution": "Ubuntu", "distribution_major_version": "22"},
            "got Ubuntu 22, expected ",
        ),
        ({"os_family": "Suse"}, "got operating system family Suse, expected RedHat, Debian"),
        ({"python": {"version": {"major": 3, "minor": 6}}}, "got Python 3.6, expected 3.9 or later"),
        ({"python": {"version": {"major": 3, "minor": 14}}}, ""),
    ],
)
def test_systems(facts, problem):
    found = system.system_problems({**FACTS, **facts})
    assert len(found) == bool(problem) and "".join(found).startswith(problem)


@pytest.mark.parametrize(
    "probe, packages, problem",
    [
        ({}, [], ""),
        ({"uid": "1000"}, [], "Ansible is not root on the host"),
        ({"arch": "i686"}, [], "got architecture i686, expected x86_64, ppc64le, s390x, aarch64"),
        ({"nm_active": ""}, [], "NetworkManager is not active (unknown)"),
        ({"nm_version": "1.36.0"}, [], "got NetworkManager 1.36.0, expected 1.40 or later"),
        ({"nm_version": ""}, [], ""),
        ({"nmstate_version": ""}, [], "nmstatectl is missing: "),
        ({"nmstate_version": ""}, ["nmstate"], ""),
        ({"nmstate_version": "1.4.6"}, ["nmstate"], "got nmstate 1.4.6, expected 2.0 or later: "),
    ],
)
def test_tools(probe, packages, problem):
    found = system.tool_problems({**PROBE, **probe}, EL, packages)
    assert len(found) == bool(problem) and "".join(found).startswith(problem)


def test_all_problems_are_reported_at_once():
    found = system.tool_problems({**PROBE, "uid": "1", "arch": "riscv64", "nmstate_version": ""}, DEBIAN, [])
    said = system.refusal(found)
    assert len(found) == 3 and said.count("; ") == 2 and said.endswith("Nothing was changed.")
    assert "host_deploy_nmstate_packages" in said


@pytest.mark.parametrize(
    "version, minimum, expected",
    [
        ("1.40", "1.40", True),
        ("1.40.0", "1.40", True),
        ("1.9", "1.40", False),
        ("2", "1.40", True),
        ("3.10", "3.9", True),
    ],
)
def test_versions_are_numbers(version, minimum, expected):
    assert system.at_least(version, minimum) is expected
