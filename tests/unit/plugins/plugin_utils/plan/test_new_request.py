# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request: inherited and defined values, and every rule with its EngineMessage name."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import parse_request, reported_bond
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import locate
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import rules
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import build_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import (
    bond,
    by_dhcp,
    device,
    dual_stack,
    founding_host,
    host,
    nic_host,
    static,
    vlan_host,
)


def request(facts, **keys):
    facts, definition = parse_facts(facts), parse_definition({"name": "ovirtmgmt", **keys})
    active = facts.active_interface
    made = build_request(facts, definition, locate(facts, active), facts.device(active))
    rules.check(facts, *parse_request(made, HostState(None)), "ovirtmgmt")
    return made


def network(facts, **keys):
    return request(facts, **keys)["networks"]["ovirtmgmt"]


DHCP = {
    "bootproto": "dhcp",
    "dhcpv6": False,
    "ipv6autoconf": False,
    "defaultRoute": True,
    "nameservers": [],
    "switch": "legacy",
}
BRIDGE = {"bridged": True, "stp": False, "mtu": 1500}


@pytest.mark.parametrize(
    "facts, keys, expected",
    [
        (nic_host(), {}, {"nic": "eth1", **BRIDGE, **DHCP}),
        (nic_host(), {"stp": True}, {"nic": "eth1", **BRIDGE, "stp": True, **DHCP}),
        (nic_host(), {"vm_network": False}, {"nic": "eth1", "bridged": False, "mtu": 1500, **DHCP}),
        (nic_host(), {"vlan_tag": 0}, {"nic": "eth1", **BRIDGE, **DHCP}),
        (vlan_host(name="mgmt"), {"vlan_tag": 10}, {"nic": "eth1", "vlan": 10, **BRIDGE, **DHCP}),
        (vlan_host(tag=0), {}, {"nic": "eth1", "vlan": 0, **BRIDGE, **DHCP}),
        (
            host("bond0", bondings={"bond0": {**bond("eth0", "eth1"), **by_dhcp()}}),
            {},
            {"bonding": "bond0", **BRIDGE, **DHCP},
        ),
        (
            founding_host(),
            {"vlan_tag": 3000, "mtu": 9000},
            {"bonding": "bond4", "vlan": 3000, **BRIDGE, "mtu": 9000, **DHCP},
        ),
    ],
)
def test_link(facts, keys, expected):
    assert network(facts, **keys) == expected


IP_KEYS = ("bootproto", "ipaddr", "netmask", "gateway", "dhcpv6", "ipv6autoconf", "ipv6addr", "ipv6gateway")
STATIC4 = {"bootproto": "none", "ipaddr": "192.0.2.10", "netmask": "255.255.255.0", "gateway": "192.0.2.1"}
NO6 = {"dhcpv6": False, "ipv6autoconf": False}
NO4 = {"bootproto": "none"}


@pytest.mark.parametrize(
    "entry, keys, expected",
    [
        (by_dhcp(), {}, {"bootproto": "dhcp", **NO6}),
        (static(), {}, {**STATIC4, **NO6}),
        (static(gateway=""), {}, {"bootproto": "none", "ipaddr": "192.0.2.10", "netmask": "255.255.255.0", **NO6}),
        (static(gateway="", ipv4gateways=["192.0.2.2", "192.0.2.3"]), {}, {**STATIC4, "gateway": "192.0.2.2", **NO6}),
        (static(netmask="24"), {}, {**STATIC4, **NO6}),
        (static(), {"default_route": False}, {**STATIC4, **NO6}),
        (dual_stack(), {}, {**STATIC4, **NO6, "ipv6addr": "2001:db8::10/64", "ipv6gateway": "2001:db8::1"}),
        (dual_stack(ipv6gateway="::"), {}, {**STATIC4, **NO6, "ipv6addr": "2001:db8::10/64"}),
        (dual_stack(), {"default_route": False}, {**STATIC4, **NO6, "ipv6addr": "2001:db8::10/64"}),
        (device(ipv6addrs=["2001:db8::10"]), {}, {**NO4, **NO6, "ipv6addr": "2001:db8::10/128"}),
        (device(ipv6addrs=["2001:db8::10/64"], dhcpv6=True), {}, {**NO4, "dhcpv6": True, "ipv6autoconf": False}),
        (device(ipv6addrs=["2001:db8::10/64"], ipv6autoconf=True), {}, {**NO4, "dhcpv6": False, "ipv6autoconf": True}),
        (by_dhcp(dhcpv6=True, ipv6autoconf=True), {}, {"bootproto": "dhcp", "dhcpv6": True, "ipv6autoconf": True}),
        (static(ipv6autoconf=True), {}, {**STATIC4, "dhcpv6": False, "ipv6autoconf": True}),
        (device(dhcpv4=True), {}, {"bootproto": "dhcp", **NO6}),
    ],
)
def test_ip_configuration_is_inherited(entry, keys, expected):
    found = network(nic_host(entry), **keys)
    assert {key: found[key] for key in IP_KEYS if key in found} == expected


def test_without_ipv6_in_the_kernel_ipv6_is_not_requested():
    found = network(nic_host(dual_stack(), supportsIPv6=False))
    assert (found["dhcpv6"], found["ipv6autoconf"], "ipv6addr" in found) == (False, False, False)


@pytest.mark.parametrize(
    "entry, keys, servers",
    [
        (by_dhcp(), {}, []),
        (by_dhcp(), {"dns_servers": ["192.0.2.99"]}, ["192.0.2.99"]),
        (static(), {}, ["192.0.2.53", "fe80::53%ovirtmgmt", "fe80::54%eth0"]),
        (static(), {"vm_network": False}, ["192.0.2.53", "fe80::53%eth1", "fe80::54%eth0"]),
        (static(), {"dns_servers": ["192.0.2.99"]}, ["192.0.2.99"]),
        (static(), {"default_route": False}, []),
        (static(), {"default_route": False, "dns_servers": ["192.0.2.99"]}, []),
        (device(dhcpv6=True), {}, []),
    ],
)
def test_name_servers(entry, keys, servers):
    assert (
        network(nic_host(entry, nameservers=["192.0.2.53", "fe80::53%eth1", "fe80::54%eth0"]), **keys)["nameservers"]
        == servers
    )


def test_the_bond_is_listed_unchanged():
    assert request(founding_host(), vlan_tag=3000)["bondings"] == {
        "bond4": {
            "nics": ["eth2", "eth3"],
            "options": "mode=1 miimon=100",
            "switch": "legacy",
            "hwaddr": "52:54:00:00:00:02",
        }
    }
    assert request(nic_host())["bondings"] == {}


def test_options():
    assert request(nic_host())["options"] == {
        "connectivityCheck": True,
        "connectivityTimeout": 120,
        "commitOnSuccess": True,
    }


@pytest.mark.parametrize(
    "opts, options",
    [
        ({"mode": "4", "miimon": "100", "lacp_rate": "1"}, "mode=4 lacp_rate=1 miimon=100"),
        ({"xmit_hash_policy": "2", "mode": "4"}, "mode=4 xmit_hash_policy=2"),
        ({"mode": "active-backup", "miimon": 100}, "mode=1 miimon=100"),
        ({}, "mode=0"),
        (None, "mode=0"),
    ],
)
def test_bond_options(opts, options):
    assert reported_bond("bond0", {"slaves": ["b", "a"], "opts": opts}).to_request() == {
        "nics": ["a", "b"],
        "options": options,
        "switch": "legacy",
    }


@pytest.mark.parametrize(
    "opts, stated",
    [
        ({"mode": "1"}, True),
        ({"mode": "1", "fail_over_mac": "2"}, True),
        ({"mode": "4", "fail_over_mac": "1"}, True),
        # nmstate: "MAC address cannot be specified in bond interface along with fail_over_mac active on active backup
        # mode"
        ({"mode": "1", "fail_over_mac": "1"}, False),
        ({"mode": "active-backup", "fail_over_mac": "active"}, False),
    ],
)
def test_the_mac_of_a_bond(opts, stated):
    entry = {"slaves": ["a", "b"], "opts": opts, "hwaddr": "52:54:00:00:00:02"}
    assert ("hwaddr" in reported_bond("bond0", entry).to_request()) is stated


@pytest.mark.parametrize(
    "mode, number",
    [
        ("0", "0"),
        ("6", "6"),
        ("7", ""),
        ("802.3ad", "4"),
        ("802.3ad 4", "4"),
        ("balance-alb", "6"),
        (1, "1"),
        ("fast", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_bond_mode(mode, number):
    assert reported_bond("bond0", {"opts": {"mode": mode}}).mode == number


def refused(facts, **keys):
    with pytest.raises(RequestError) as caught:
        request(facts, **keys)
    assert caught.value.remedy.endswith("run again.")
    return caught.value


@pytest.mark.parametrize("mode", ["0", "1", "2", "3", "4", "5", "6", "nonsense"])
@pytest.mark.parametrize("vm_network", [True, False])
def test_bond_modes_for_vm_networks(mode, vm_network):
    facts = founding_host(mode=mode)
    if vm_network and mode in ("0", "5", "6", "nonsense"):
        error = refused(facts, vlan_tag=3000, vm_network=vm_network)
        assert (error.engine_message, error.interface) == ("INVALID_BOND_MODE_FOR_BOND_WITH_VM_NETWORK", "bond4")
    else:
        assert request(facts, vlan_tag=3000, vm_network=vm_network)["bondings"]["bond4"]["options"].startswith(
            f"mode={mode}"
        )


@pytest.mark.parametrize(
    "name, good",
    [
        ("bond0", True),
        ("bond_fancy", True),
        ("bond", False),
        ("fancy_bond", False),
        ("bond.1", False),
        ("bondא", False),
    ],
)
def test_names_of_bonds(name, good):
    facts = host(name, bondings={name: {**bond("eth0", "eth1"), **by_dhcp()}})
    if good:
        assert network(facts)["bonding"] == name
    else:
        assert refused(facts).engine_message == "NETWORK_BOND_NAME_BAD_FORMAT"


@pytest.mark.parametrize(
    "facts, mtu, nic",
    [
        (nic_host(max_mtu={"eth1": 1500}), 9000, "eth1"),
        (vlan_host(max_mtu={"eth1": 8999}), 9000, "eth1"),
        (founding_host(max_mtu={"eth2": 9000, "eth3": 1500}), 9000, "eth3"),
        (founding_host(max_mtu={"eth2": 9000, "eth3": 9000}), 9000, None),
        (nic_host(max_mtu={"eth1": 0}), 65535, None),
        (nic_host(max_mtu={}), 65535, None),
        (nic_host(max_mtu={"eth0": 1500}), 9000, None),
    ],
)
def test_the_mtu_that_the_nics_support(facts, mtu, nic):
    vlan = facts["vlans"].get(facts["lastClientIface"], {}).get("vlanid")
    if nic is None:
        assert network(facts, vlan_tag=vlan, mtu=mtu)["mtu"] == mtu
    else:
        error = refused(facts, vlan_tag=vlan, mtu=mtu)
        assert (error.engine_message, error.interface) == ("MTU_VALUE_INVALID", nic)
        assert f"requires MTU {mtu}, but {nic} supports at most {facts['max_mtu'][nic]}" in str(error)


def beside(vlan=None, mtu="1500", base="eth1"):
    """The facts' networks and VLANs of one more network on ``base``."""
    if vlan is None:
        return {"networks": {"vms": {"iface": "vms", "southbound": base, "mtu": mtu}}, "vlans": {}}
    return {
        "networks": {"vms": {"iface": "vms", "southbound": "vv", "mtu": mtu, "vlanid": vlan}},
        "vlans": {"vv": {"iface": base, "vlanid": vlan}},
    }


UNTAGGED = "NETWORK_INTERFACES_NOT_EXCLUSIVELY_USED_BY_UNTAGGED_NETWORK"
UNMANAGED = "ACTION_TYPE_FAILED_HOST_NETWORK_ATTACHEMENT_ON_UNMANAGED_NETWORK"


@pytest.mark.parametrize(
    "tag, mtu, other, message",
    [
        (None, 1500, beside(), UNTAGGED),
        (None, 1500, beside(base="eth0"), None),
        (None, 1500, beside(5), None),
        (None, 1500, beside(5, "9000"), "NETWORK_MTU_DIFFERENCES"),
        (None, 9000, beside(5, "9000"), None),
        (10, 1500, beside(5, "9000"), None),
        (10, 1500, beside(), None),
        (10, 9000, beside(), "NETWORK_MTU_DIFFERENCES"),
        (10, 9000, beside(base="eth0"), None),
        (10, 1500, beside(10), UNMANAGED),
        (
            10,
            1500,
            {"networks": {}, "vlans": {}, "running": {"networks": {"vms": {"nic": "eth1", "vlan": 10}}}},
            UNMANAGED,
        ),
    ],
)
def test_other_networks_on_the_same_interface(tag, mtu, other, message):
    facts = (
        nic_host(**other)
        if tag is None
        else vlan_host(tag=tag, **{key: value for key, value in other.items() if key != "vlans"})
    )
    facts["vlans"].update(other["vlans"])
    if message is None:
        assert network(facts, vlan_tag=tag, mtu=mtu)["nic"] == "eth1"
    else:
        error = refused(facts, vlan_tag=tag, mtu=mtu)
        assert (error.engine_message, error.interface) == (message, "eth1")
        assert "vms" in str(error)


def test_the_networks_that_differ_are_listed_with_their_mtu():
    assert "ovirtmgmt(1500), vms(9000)" in str(refused(nic_host(**beside(5, "9000"))))


@pytest.mark.parametrize(
    "entry, message",
    [
        (device(), "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL"),
        (static(netmask=""), "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS"),
        (
            static(netmask="255.0.255.0"),
            "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS",
        ),
    ],
)
def test_ip_configurations_that_cannot_be_inherited(entry, message):
    error = refused(nic_host(entry))
    assert (error.engine_message, error.interface) == (message, "eth1")


@pytest.mark.parametrize("default_route, networks", [(True, ["ovirtmgmt", "old"]), (False, ["ovirtmgmt"])])
def test_a_former_default_route_network_loses_it(default_route, networks):
    old = {
        "nic": "eth0",
        "bridged": False,
        "defaultRoute": True,
        "nameservers": ["192.0.2.53"],
        "bootproto": "dhcp",
        "mtu": 1500,
    }
    other = {"nic": "eth2", "bridged": False, "defaultRoute": False}
    found = request(nic_host(running={"networks": {"old": old, "other": other}}), default_route=default_route)[
        "networks"
    ]
    assert list(found) == networks
    if default_route:
        assert found["old"] == {**old, "defaultRoute": False, "nameservers": []}
