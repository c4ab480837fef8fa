# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid requests are rejected with an error that names the key."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState, StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import (
    NETWORK_KEYS,
    RequestFormatError,
    parse_request,
    recorded_networks,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desired

NOTHING = HostState(None)
STATIC = {"nic": "eth1", "ipaddr": "192.0.2.10", "netmask": "255.255.255.0"}


@pytest.mark.parametrize(
    "attributes, key, said",
    [
        ({"mtuu": 1}, "mtuu", "did you mean 'mtu'?"),
        ({"nic": 1}, "nic", "1 (integer)"),
        ({"nic": "eth1", "bonding": "bond4"}, "bonding", "and the NIC eth1"),
        ({"nic": "eth1", "vlan": "10"}, "vlan", "'10' (string)"),
        ({"nic": "eth1", "vlan": 10.0}, "vlan", "(float)"),
        ({"nic": "eth1", "vlan": True}, "vlan", "(boolean)"),
        ({"nic": "eth1", "vlan": 4095}, "vlan", "0 to 4094"),
        ({"nic": "enp175s0f1np1", "vlan": 3000}, "vlan", "1 to 15 characters"),
        ({"vlan": 10}, "vlan", "requires a 'nic' or a 'bonding'"),
        ({"bridged": False}, "nic", "requires a 'nic' or a 'bonding'"),
        ({"bridged": "false"}, "bridged", "'false' (string)"),
        ({"mtu": 67}, "mtu", "68 to 65535"),
        ({"mtu": "1500"}, "mtu", "(string)"),
        ({"nic": "eth1", "bridged": False, "stp": True}, "stp", "without a bridge"),
        ({"bootproto": "bootp"}, "bootproto", "'none' or 'dhcp'"),
        ({**STATIC, "bootproto": "dhcp"}, "ipaddr", "and bootproto 'dhcp'"),
        ({**STATIC, "ipaddr": "192.0.2.300"}, "ipaddr", "IPv4 address"),
        ({**STATIC, "ipaddr": "2001:db8::1"}, "ipaddr", "IPv4 address"),
        ({**STATIC, "netmask": "24"}, "netmask", "255.255.255.0"),
        ({**STATIC, "netmask": "0.0.0.255"}, "netmask", "255.255.255.0"),
        ({**STATIC, "netmask": None}, "netmask", "255.255.255.0"),
        ({**STATIC, "prefix": 24}, "prefix", "and the netmask"),
        ({"nic": "eth1", "ipaddr": "192.0.2.10", "prefix": 33}, "prefix", "0 to 32"),
        ({"netmask": "255.255.255.0"}, "netmask", "without an 'ipaddr'"),
        ({"gateway": "192.0.2.1"}, "gateway", "without an 'ipaddr'"),
        ({**STATIC, "gateway": "192.0.2"}, "gateway", "IPv4 address"),
        ({"ipv6addr": "2001:db8::1/129"}, "ipv6addr", "2001:db8::1/64"),
        ({"ipv6addr": "192.0.2.1/24"}, "ipv6addr", "2001:db8::1/64"),
        ({"ipv6addr": "2001:db8::1/64", "dhcpv6": True}, "ipv6addr", "and dhcpv6"),
        ({"ipv6gateway": "2001:db8::1"}, "ipv6gateway", "without an 'ipv6addr'"),
        ({"nameservers": "192.0.2.53", "defaultRoute": True}, "nameservers", "a list"),
        ({"nameservers": ["ns1"], "defaultRoute": True}, "nameservers[0]", "DNS server"),
        ({"nameservers": ["192.0.2.53"]}, "nameservers", "without the default route"),
        ({"switch": "ovs"}, "switch", "'ovs' (string)"),
        ({"remove": True, "nic": "eth1"}, "nic", "must not have other attributes"),
        ({"remove": "yes"}, "remove", "'yes' (string)"),
        ("eth1", "", "a mapping"),
    ],
)
def test_networks(attributes, key, said):
    with pytest.raises(RequestFormatError) as caught:
        parse_request({"networks": {"red": attributes}}, NOTHING)
    assert caught.value.key == ("networks.red." + key).rstrip(".")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["", "a-name-too-long-", "-red", "red net", "red:1", "red/1"])
def test_invalid_bridge_names(name):
    with pytest.raises(RequestFormatError, match="1 to 15 characters"):
        parse_request({"networks": {name: {"nic": "eth1"}}}, NOTHING)
    # VDSM's rule is for bridges only
    assert parse_request({"networks": {name: {"nic": "eth1", "bridged": False}}}, NOTHING)[0][name].holder == "eth1"


@pytest.mark.parametrize(
    "attributes, key, said",
    [
        ({}, "nics", "got null"),
        ({"nics": "eth2"}, "nics", "'eth2' (string)"),
        ({"nics": []}, "nics", "a list of NIC names"),
        ({"nics": ["eth2"], "options": "mode"}, "options", "mode=1 miimon=100"),
        ({"nics": ["eth2"], "options": 1}, "options", "1 (integer)"),
        ({"nics": ["eth2"], "slaves": []}, "slaves", "unknown key"),
        ({"nics": ["eth2"], "switch": "ovs"}, "switch", "legacy"),
    ],
)
def test_bonds(attributes, key, said):
    with pytest.raises(RequestFormatError) as caught:
        parse_request({"bondings": {"bond4": attributes}}, NOTHING)
    assert caught.value.key == "bondings.bond4." + key
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "request_, key",
    [
        ("x", "request"),
        ({"nets": {}}, "request.nets"),
        ({"networks": []}, "networks"),
        ({"bondings": "bond4"}, "bondings"),
        ({"networks": {"red": {"nic": "eth1"}, "blue": {"nic": "eth1"}}}, "networks.blue"),
        (
            {"networks": {"red": {"nic": "eth1", "vlan": 1}, "blue": {"nic": "eth1", "vlan": 1, "bridged": False}}},
            "networks.blue",
        ),
        (
            {"networks": {"red": {"nic": "eth1", "defaultRoute": True}, "blue": {"nic": "eth2", "defaultRoute": True}}},
            "networks.blue.defaultRoute",
        ),
        ({"networks": {"gone": {"remove": True}}}, "networks.gone"),
    ],
)
def test_requests(request_, key):
    with pytest.raises(RequestFormatError) as caught:
        desired(request_)
    assert caught.value.key == key


def test_every_known_key_can_be_used():
    values = {
        "vlan": 10,
        "bridged": True,
        "mtu": 1500,
        "stp": False,
        "bootproto": "none",
        "ipaddr": "192.0.2.10",
        "netmask": "255.255.255.0",
        "gateway": "192.0.2.1",
        "ipv6addr": "2001:db8::10/64",
        "ipv6gateway": "2001:db8::1",
        "dhcpv6": False,
        "ipv6autoconf": False,
        "defaultRoute": True,
        "nameservers": ["192.0.2.53"],
        "switch": "legacy",
        "remove": False,
        "hostQos": {},
        "custom": {"a": "b"},
        "blockingdhcp": True,
        "nic": "eth1",
    }
    assert set(values) == set(NETWORK_KEYS) - {"bonding", "prefix"}  # which exclude nic and netmask
    assert parse_request({"networks": {"red": values}}, NOTHING)[0]["red"].ipv4 == ("192.0.2.10", 24)


@pytest.mark.parametrize("attributes", [{"netmask": "255.255.254.0"}, {"prefix": 23}])
def test_the_prefix_length(attributes):
    assert parse_request({"networks": {"red": {"nic": "eth1", "ipaddr": "192.0.2.10", **attributes}}}, NOTHING)[0][
        "red"
    ].ipv4 == ("192.0.2.10", 23)


def test_addresses_are_in_canonical_spelling():
    red = parse_request({"networks": {"red": {"ipv6addr": "2001:DB8:0::10", "ipv6gateway": "::"}}}, NOTHING)[0]["red"]
    assert (red.ipv6, red.ipv6gateway) == (("2001:db8::10", 128), None)


def test_a_record_without_bridged_has_no_bridge_to_remove():
    assert recorded_networks({"red": {"nic": "eth1"}}, NOTHING)["red"].bridged is False


@pytest.mark.parametrize(
    "arguments, key",
    [
        ({"current": {"nics": {}}}, "current"),
        ({"current": {"interfaces": ["eth1"]}}, "current.interfaces[0]"),
        ({"current": "x"}, "current"),
        ({"current": {"interfaces": [], "routes": []}}, "current.routes"),
        ({"running": []}, "running"),
        ({"profiles": "x"}, "profiles"),
        ({"running": {"networks": {"red": "x"}}}, "running.networks.red"),
        ({"running": {"networks": {"red": {"nic": "eth1", "vlan": "x"}}}}, "running.networks.red"),
    ],
)
def test_data_about_the_host_is_validated(arguments, key):
    with pytest.raises(StateFormatError) as caught:
        desired({"networks": {}}, **arguments)
    assert caught.value.key == key
