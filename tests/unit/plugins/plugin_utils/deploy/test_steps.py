# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that host_deploy runs: none on a prepared host."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import steps, system

EL = system.FAMILIES["RedHat"]
ARGUMENTS = {
    "extra_packages": [],
    "firewall": "firewalld",
    "firewall_start": False,
    "clock": "chrony",
    "clock_required": False,
    "ntp_servers": [],
    "tuned_profile": "virtual-host",
    "services": ["libvirtd", "vdsmd"],
    "nm_slaves_order": "",
    "post_tasks": "",
}
PROBE = {
    "nmstate_version": "2.2.62",
    "missing": "",
    "ssh_port": "22",
    "unit.chronyd": "ready",
    "unit.tuned": "ready",
    "unit.firewalld": "ready",
    "unit.libvirtd": "ready",
    "unit.vdsmd": "unconfigured",
    "firewalld": "stopped",
    "vdsm_dir": "yes",
    "vdsm_id": "id",
    "clock_synchronised": "yes",
    "tuned_active": "virtual-host",
    "tuned_known": "yes",
}


@pytest.mark.parametrize(
    "arguments, probe, commands, check, expected",
    [
        ({}, {}, [], False, []),
        ({}, {}, [["firewall-cmd"]], False, ["firewall.yml"]),
        ({"firewall_start": True}, {"unit.firewalld": "idle"}, [], False, ["firewall.yml"]),
        ({"firewall": "none", "firewall_start": True}, {"unit.firewalld": "idle"}, [], False, []),
        ({}, {"vdsm_id": ""}, [], False, ["identity.yml"]),
        ({}, {"vdsm_dir": "", "vdsm_id": ""}, [], False, ["identity.yml"]),
        ({}, {"unit.chronyd": "idle"}, [], False, ["clock.yml"]),
        ({"clock": "none"}, {"unit.chronyd": "idle"}, [], False, []),
        ({"ntp_servers": ["a"]}, {}, [], False, ["clock.yml"]),
        ({"ntp_servers": ["a"]}, {"unit.chronyd": "masked"}, [], False, []),
        ({"clock_required": True}, {"clock_synchronised": ""}, [], False, ["clock_required.yml"]),
        ({"clock_required": True}, {"clock_synchronised": ""}, [], True, []),
        ({"clock_required": True}, {}, [], False, []),
        ({}, {"tuned_active": "balanced"}, [], False, ["tuned.yml"]),
        ({}, {"unit.tuned": "idle"}, [], False, ["tuned.yml"]),
        ({"tuned_profile": ""}, {"unit.tuned": "idle"}, [], False, []),
        ({}, {"tuned_active": "balanced", "tuned_known": ""}, [], False, []),
        ({}, {"tuned_active": "", "unit.tuned": "absent"}, [], False, []),
        ({}, {"unit.libvirtd": "idle"}, [], False, ["services.yml"]),
        ({"nm_slaves_order": "name"}, {}, [], False, ["networkmanager.yml"]),
        ({"post_tasks": "/x/post.yml"}, {"unit.libvirtd": "idle"}, [], False, ["services.yml", "/x/post.yml"]),
    ],
)
def test_only_steps_with_something_to_do(arguments, probe, commands, check, expected):
    assert steps.steps({**ARGUMENTS, **arguments}, {**PROBE, **probe}, EL, "id", commands, check) == expected


@pytest.mark.parametrize(
    "probe, installed, expected",
    [
        ({}, [], []),
        ({"missing": "chrony tuned"}, [], ["chrony", "tuned"]),
        ({"missing": "chrony tuned", "nmstate_version": ""}, [], ["nmstate"]),
        ({"missing": "chrony tuned", "nmstate_version": ""}, ["nmstate"], ["chrony", "tuned"]),
        ({"missing": "chrony tuned"}, ["chrony", "tuned"], []),
    ],
)
def test_packages_are_requested_once_and_nmstate_first(probe, installed, expected):
    assert steps.missing_packages({**PROBE, **probe}, ["nmstate"], installed) == expected


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({}, ["NetworkManager", "chrony", "tuned"]),
        ({"extra_packages": ["ovirt-host", "tuned"]}, ["NetworkManager", "chrony", "tuned", "ovirt-host"]),
        ({"packages": ["a"], "firewall_start": True}, ["a", "firewalld"]),
        ({"packages": [], "firewall_start": True, "firewall": "none"}, []),
    ],
)
def test_required_packages(arguments, expected):
    assert steps.packages({**ARGUMENTS, **arguments}, EL) == expected


@pytest.mark.parametrize(
    "arguments, probe, port, expected",
    [
        ({"ssh_port": 2222}, {}, None, 2222),
        ({}, {}, 2200, 22),
        ({}, {"ssh_port": ""}, "2200", 2200),
        ({}, {"ssh_port": ""}, None, 22),
    ],
)
def test_the_ssh_port(arguments, probe, port, expected):
    assert steps.ssh_port(arguments, {**PROBE, **probe}, port) == expected


@pytest.mark.parametrize(
    "arguments, check, expected",
    [
        ({}, False, "stopped"),
        ({"firewall": "none"}, False, "none"),
        ({"firewall_start": True}, False, "running"),
        ({"firewall_start": True}, True, "stopped"),
    ],
)
def test_the_state_of_firewalld(arguments, check, expected):
    assert steps.firewalld_at_the_end({**ARGUMENTS, **arguments}, PROBE, check) == expected


def test_the_output_of_probe_and_skipped_services():
    assert steps.parse("uid=0\r\nmissing=a b\nhardware_id=\nnoise\n") == {
        "uid": "0",
        "missing": "a b",
        "hardware_id": "",
    }
    assert steps.services_left_alone(ARGUMENTS, PROBE) == {"vdsmd": "unconfigured"}
    assert steps.units(ARGUMENTS, EL) == ["chronyd", "tuned", "firewalld", "libvirtd", "vdsmd"]
