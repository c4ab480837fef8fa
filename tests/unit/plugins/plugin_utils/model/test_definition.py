# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions: accepted values, their conversion, and errors."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import (
    DefinitionError,
    parse_definition,
)

DEFAULTS = {
    "name": "ovirtmgmt",
    "vdsm_name": "ovirtmgmt",
    "description": "",
    "comment": "",
    "vm_network": True,
    "vlan_tag": None,
    "mtu": 1500,
    "stp": False,
    "dns_servers": [],
    "default_route": True,
    "switch": "legacy",
}


@pytest.mark.parametrize(
    "given, expected",
    [
        ({}, {}),
        ({"vlan_tag": 3000, "mtu": 9000}, {"vlan_tag": 3000, "mtu": 9000}),
        ({"vlan_tag": None}, {"vlan_tag": None}),
        ({"vlan_tag": 0}, {"vlan_tag": 0}),
        ({"vlan_tag": 4094}, {"vlan_tag": 4094}),
        ({"mtu": 0}, {"mtu": 1500}),
        ({"mtu": 68}, {"mtu": 68}),
        ({"mtu": 65535}, {"mtu": 65535}),
        ({"stp": "Yes"}, {"stp": True}),
        ({"vm_network": "off", "stp": "no"}, {"vm_network": False}),
        ({"default_route": "false"}, {"default_route": False}),
        ({"dns_servers": ["192.0.2.1", "2001:DB8:0::1", "192.0.2.1"]}, {"dns_servers": ["192.0.2.1", "2001:db8::1"]}),
        ({"dns_servers": ["FE80::1%eth0"]}, {"dns_servers": ["fe80::1%eth0"]}),
        ({"description": None, "comment": "by hand"}, {"comment": "by hand"}),
        ({"name": "Management of site 1", "vdsm_name": "on1"}, {"name": "Management of site 1", "vdsm_name": "on1"}),
        ({"name": "ovirtmgmt", "vdsm_name": None}, {}),
        ({"name": "fifteen-letters"}, {"name": "fifteen-letters", "vdsm_name": "fifteen-letters"}),
        ({"name": "mybond0"}, {"name": "mybond0", "vdsm_name": "mybond0"}),
        ({"switch": "legacy"}, {}),
        # as templates and surveys give them
        ({"vlan_tag": "3000", "mtu": " 9000 "}, {"vlan_tag": 3000, "mtu": 9000}),
        ({"vlan_tag": "0", "mtu": "0"}, {"vlan_tag": 0}),
        (
            {
                "vlan_tag": "",
                "mtu": "",
                "stp": "",
                "vm_network": "",
                "default_route": "",
                "dns_servers": "",
                "vdsm_name": "",
                "switch": "",
            },
            {},
        ),
        (
            {"mtu": None, "stp": None, "vm_network": None, "default_route": None, "dns_servers": None, "switch": None},
            {},
        ),
        ({"stp": "True", "default_route": "OFF", "vm_network": 1}, {"stp": True, "default_route": False}),
        ({"dns_servers": '["192.0.2.1"]'}, {"dns_servers": ["192.0.2.1"]}),
    ],
)
def test_accepted(given, expected):
    definition = parse_definition({"name": "ovirtmgmt", **given})
    assert definition.to_dict() == {**DEFAULTS, **expected}
    assert parse_definition(definition.to_dict()) == definition, "a parsed definition must be a definition"
    assert parse_definition(json.dumps({"name": "ovirtmgmt", **given})) == definition, (
        "so must its JSON text, as -e mgmt_network='{...}' gives it"
    )


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("vlan_tag", 3000.0, ["3000.0 (float)", "0 to 4094"]),
        ("vlan_tag", "3000.0", ["'3000.0' (string)", "0 to 4094"]),
        ("vlan_tag", "4095", ["'4095' (string)", "0 to 4094"]),
        ("vlan_tag", "vlan 10", ["'vlan 10' (string)"]),
        ("vlan_tag", "0x10", ["'0x10' (string)"]),
        ("vlan_tag", "1_0", ["'1_0' (string)"]),
        ("vlan_tag", "-1", ["'-1' (string)"]),
        ("vlan_tag", True, ["True (boolean)"]),
        ("vlan_tag", -1, ["-1 (integer)"]),
        ("vlan_tag", 4095, ["4095 (integer)"]),
        ("mtu", 67, ["67 (integer)", "68 to 65535"]),
        ("mtu", 65536, ["65536"]),
        ("mtu", -1, ["-1"]),
        ("mtu", "9000 bytes", ["'9000 bytes' (string)"]),
        ("mtu", 1500.0, ["1500.0 (float)"]),
        ("mtu", False, ["False (boolean)"]),
        ("stp", "maybe", ["'maybe' (string)", "true or false"]),
        ("stp", 2, ["2 (integer)"]),
        ("stp", 1.0, ["1.0 (float)"]),
        ("vm_network", [], ["[] (list)"]),
        ("dns_servers", "192.0.2.1", ["'192.0.2.1' (string)", "list"]),
        ("dns_servers", {"a": 1}, ["(mapping)"]),
        ("description", 3, ["3 (integer)", "string"]),
        ("switch", "ovs", ["'ovs' (string)", "'legacy'"]),
        ("name", "", ["'' (string)"]),
        ("name", None, ["got null"]),
        ("name", 7, ["7 (integer)"]),
        ("name", " ovirtmgmt", ["leading or trailing spaces"]),
        ("name", "ovirtmgmt\n", ["printable"]),
        ("name", "sixteen-letters-", ["vdsm_name", "1 to 15"]),
        ("name", "ovirt mgmt", ["vdsm_name"]),
        ("name", "réseau", ["vdsm_name"]),
        ("name", "bond0", ["not beginning with 'bond'"]),
        ("name", "bond", ["not beginning with 'bond'"]),
        ("name", "-mgmt", ["or '-'"]),
        ("vdsm_name", "bond1", ["not beginning with 'bond'"]),
        ("vdsm_name", "on 1", ["1 to 15"]),
        ("vdsm_name", "on1\n", ["1 to 15"]),
        ("vdsm_name", 5, ["5 (integer)"]),
    ],
)
def test_errors_name_the_key_the_value_and_what_is_expected(key, value, words):
    with pytest.raises(DefinitionError) as caught:
        parse_definition({"name": "ovirtmgmt", key: value})
    assert caught.value.key == key
    for word in [f"{key}: ", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "server", ["", "192.0.2.1/24", "192.0.2.04", "0.0.0.0", "::", "224.0.0.1", "dns.example.com", 7, None]
)
def test_name_servers_are_addresses(server):
    with pytest.raises(DefinitionError, match=r"^dns_servers\[1\]: ") as caught:
        parse_definition({"name": "ovirtmgmt", "dns_servers": ["192.0.2.1", server]})
    assert caught.value.key == "dns_servers[1]"


@pytest.mark.parametrize(
    "key, hint",
    [
        ("vlan", "did you mean 'vlan_tag'?"),
        ("dns_server", "did you mean 'dns_servers'?"),
        ("Name", "did you mean 'name'?"),
        ("zzz", "unknown key. Expected one of: name, "),
        (3, "unknown key. Expected one of: name, "),
    ],
)
def test_unknown_key(key, hint):
    with pytest.raises(DefinitionError) as caught:
        parse_definition({"name": "ovirtmgmt", key: 1})
    assert caught.value.key == str(key)
    assert hint in str(caught.value)


@pytest.mark.parametrize("raw", [None, [], "ovirtmgmt", 3])
def test_not_a_mapping(raw):
    with pytest.raises(DefinitionError, match="expected a mapping with at least the key 'name'"):
        parse_definition(raw)


def test_name_missing():
    with pytest.raises(DefinitionError, match="^name: this key is required"):
        parse_definition({"mtu": 1500})


@pytest.mark.parametrize(
    "given, message",
    [
        ({"vlan_tag": 5000}, "NETWORK_VLAN_OUT_OF_RANGE"),
        ({"mtu": 10}, "MTU_VALUE_INVALID"),
        ({"stp": True, "vm_network": False}, "NON_VM_NETWORK_CANNOT_SUPPORT_STP"),
        ({"name": "bond0"}, "NETWORK_CANNOT_CONTAIN_BOND_NAME"),
        ({"name": "bond of sites", "vdsm_name": "on1"}, "NETWORK_CANNOT_CONTAIN_BOND_NAME"),
        ({"comment": 1}, ""),
    ],
)
def test_the_engine_s_name_of_the_rule(given, message):
    with pytest.raises(DefinitionError) as caught:
        parse_definition({"name": "ovirtmgmt", **given})
    assert caught.value.engine_message == message


def test_the_input_is_not_modified():
    raw = {"name": "ovirtmgmt", "dns_servers": ["2001:DB8::1"]}
    parse_definition(raw).to_dict()["dns_servers"].append("192.0.2.1")
    assert raw == {"name": "ovirtmgmt", "dns_servers": ["2001:DB8::1"]}
