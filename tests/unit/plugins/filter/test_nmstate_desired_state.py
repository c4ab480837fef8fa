# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter: plain data in and out, errors of one sentence, its documented examples in a play."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.ovirt.mgmt_network.plugins.filter import derive_mgmt_network
from ansible_collections.ovirt.mgmt_network.plugins.filter.nmstate_desired_state import FilterModule
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.change import difference
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import gather
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import BOND_KEYS, NETWORK_KEYS
from ansible_collections.ovirt.mgmt_network.tests.unit.builders import produced
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.tagged import exact_types, tagged

desired = FilterModule().filters()["nmstate_desired_state"]
UNIT = Path(__file__).resolve().parents[1]
DOCUMENTATION = yaml.safe_load(
    (UNIT.parents[2] / "plugins" / "filter" / "nmstate_desired_state.yml").read_text(encoding="utf-8")
)
REQUEST = {
    "networks": {"ovirtmgmt": {"nic": "eth1", "bootproto": "dhcp", "defaultRoute": True, "nameservers": []}},
    "bondings": {},
    "options": {},
}


def recorded_facts():
    """The facts of a lab host with its address by DHCP on bond4.3000, from the recording that the facts' tests use."""
    return {**gather.compose(produced.sources("bond_vlan")), "supportsIPv6": True}


def test_tagged_input_gives_plain_output():
    state = desired(
        tagged(REQUEST),
        tagged({"interfaces": [{"name": "eth1", "state": "up", "mac-address": "52:54:00:0C:01:01"}]}),
        tagged({}),
        tagged({}),
    )
    assert exact_types(state) <= {dict, list, str, int, bool}
    assert [interface["name"] for interface in state["interfaces"]] == ["eth1", "ovirtmgmt"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("x", {"interfaces": []}), "nmstate_desired_state: request: got 'x' (string), expected a mapping"),
        (
            ({"networks": {"red": {"mtuu": 1}}}, {"interfaces": []}),
            "nmstate_desired_state: networks.red.mtuu: unknown key, did you mean 'mtu'?",
        ),
        (
            ({"networks": {"red": {"vlan": "10"}}}, {"interfaces": []}),
            "nmstate_desired_state: networks.red.vlan: got '10' (string)",
        ),
        ((REQUEST, {"nics": {}}), "nmstate_desired_state: current: expected an nmstate state with a list 'interfaces'"),
        ((REQUEST, {"interfaces": []}, []), "nmstate_desired_state: running: got [] (list)"),
        ((REQUEST, {"interfaces": []}, {}, object()), "nmstate_desired_state: profiles: expected plain data"),
    ],
)
def test_errors_name_the_filter_and_the_key(arguments, message):
    with pytest.raises(AnsibleFilterError) as caught:
        desired(*arguments)
    assert message in str(caught.value)


def test_the_founding_example_from_the_facts_of_a_host():
    facts = recorded_facts()
    decision = derive_mgmt_network.derive_mgmt_network(facts, {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000})
    state = desired(decision["request"], current=facts["nmstate"], running=facts["running"], profiles=facts["profiles"])
    interfaces = {interface["name"]: interface for interface in state["interfaces"]}
    assert {name: interface["mtu"] for name, interface in interfaces.items()} == dict.fromkeys(
        ("bond4", "bond4.3000", "eth1", "eth2", "ovirtmgmt"), 9000
    )
    bridge = interfaces["ovirtmgmt"]
    assert bridge["mac-address"] == "52:54:00:0C:01:01"
    assert bridge["bridge"] == {"port": [{"name": "bond4.3000"}], "options": {"stp": {"enabled": False}}}
    assert (bridge["ipv4"]["dhcp"], bridge["ipv6"]["dhcp-duid"]) == (
        True,
        facts["profiles"]["bond4.3000"]["lease_duid"],
    )
    # the part to apply: only the MTU of the bond and its ports
    change = {
        interface["name"]: set(interface) for interface in difference.difference(state, facts["nmstate"])["interfaces"]
    }
    assert change["bond4"] == {"name", "type", "state", "mtu"}
    assert change["eth1"] == change["eth2"] == {"name", "state", "mtu"}


def test_all_keys_of_a_request_are_documented():
    words = " ".join(DOCUMENTATION["DOCUMENTATION"]["options"]["_input"]["description"])
    assert [key for key in (*NETWORK_KEYS, *BOND_KEYS) if f"C({key})" not in words] == []


def test_values_from_templates(tmp_path):
    checks = [
        "(request | ovirt.mgmt_network.nmstate_desired_state(current={'interfaces': []})).interfaces | "
        "map(attribute='name') == ['eth1', 'ovirtmgmt']",
        "(request | ovirt.mgmt_network.nmstate_desired_state({'interfaces': []}, running={})).interfaces[0].mtu == "
        "9000",
    ]
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"request": {"networks": {"ovirtmgmt": {"nic": "{{ 'eth' ~ 1 }}", "mtu": 9000}}}},
            "tasks": [{"ansible.builtin.assert": {"that": checks}}],
        }
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_HOME": str(tmp_path),
    }
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", "play.yml"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
