# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for any network and bond of a host, by table."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import Options
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.producer import plan_networks
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import (
    bond,
    by_dhcp,
    device,
    host,
    managed_host,
    nic_host,
    static,
)

RED = {"on": "bond1", "vlan_tag": 10, "mtu": 9000}


def recorded(**changes):
    """The record of the network red of busy_host()."""
    return {"bonding": "bond1", "vlan": 10, "bridged": True, "mtu": 9000, "bootproto": "none", **changes}


def busy_host(guests=(), bonds=None, **parts):
    """ovirtmgmt over eth1, by DHCP; red over VLAN 10 of bond1 (eth2, eth3); on eth0, a bridge that is not recorded."""
    mgmt = managed_host()
    red = device(mtu="9000", ports=["bond1.10", *guests], stp="off")
    caps = {**red, "iface": "red", "bridged": True, "southbound": "bond1.10", "switch": "legacy", "vlanid": 10}
    running = {
        "networks": {**mgmt["running"]["networks"], "red": recorded()},
        "bondings": {"bond1": {"nics": ["eth2", "eth3"]}} if bonds is None else bonds,
    }
    return {
        **mgmt,
        "bondings": {"bond1": bond("eth2", "eth3", mtu="9000")},
        "vlans": {"bond1.10": {**device(mtu="9000"), "iface": "bond1", "vlanid": 10}},
        "bridges": {**mgmt["bridges"], "red": red, "br0": device(ports=["eth0"], stp="off")},
        "networks": {**mgmt["networks"], "red": caps},
        "running": running,
        **parts,
    }


def plan(facts, networks=None, bonds=None, **options):
    return plan_networks(facts, {"networks": networks or {}, "bonds": bonds or {}}, Options("h1", **options))


def changes(made):
    return [
        (entry.get("network") or entry.get("bond"), entry["attribute"], entry["desired"], entry["actual"])
        for entry in made.differences
    ]


@pytest.mark.parametrize(
    "networks, bonds",
    [
        ({"red": RED}, None),
        ({"red": {**RED, "ipv4": {"method": "none"}, "ipv6": {"method": "none"}}}, None),
        ({"red": RED}, {"bond1": {"ports": ["eth3", "eth2"], "mode": "active-backup", "options": {"miimon": 100}}}),
        ({"ovirtmgmt": {"on": "eth1"}}, None),
        ({"ovirtmgmt": {"on": "eth1", "ipv4": {"method": "dhcp"}, "default_route": True}}, None),
        ({"gone": None}, {"bond7": None}),
    ],
)
def test_in_sync(networks, bonds):
    made = plan(busy_host(), networks, bonds)
    assert (made.decision, made.differences, made.request["networks"], made.state) == ("in_sync", [], {}, {})


@pytest.mark.parametrize(
    "networks, bonds, expected",
    [
        ({"red": {**RED, "mtu": 1500}}, {}, [("red", "mtu", 1500, 9000)]),
        ({"red": {**RED, "vm_network": False}}, {}, [("red", "bridged", False, True)]),
        ({"red": {**RED, "vlan_tag": 11}}, {}, [("red", "vlan", 11, 10)]),
        ({"red": {**RED, "stp": True}}, {}, [("red", "stp", True, False)]),
        ({"red": {**RED, "ipv4": {"method": "dhcp"}}}, {}, [("red", "ipv4_boot_protocol", "dhcp", "none")]),
        ({"red": None}, {}, [("red", "network", None, "red")]),
        ({"blue": {"on": "bond1", "vlan_tag": 11}}, {}, [("blue", "network", "blue", None)]),
        ({"inner": {}}, {}, [("inner", "network", "inner", None)]),
        ({}, {"bond1": {"ports": ["eth2", "eth3"], "mode": 4}}, [("bond1", "mode", "4", "1")]),
        (
            {},
            {"bond1": {"ports": ["eth2", "eth3"], "options": {"miimon": 50}}},
            [("bond1", "options.miimon", "50", "100")],
        ),
    ],
)
def test_only_what_differs_is_asked_for(networks, bonds, expected):
    made = plan(busy_host(), {**networks, "ovirtmgmt": {"on": "eth1"}}, bonds)
    assert (made.decision, changes(made)) == ("change", expected)
    assert set(made.request["networks"]) == set(networks)
    named = {interface["name"] for interface in made.state["interfaces"]}
    assert not named & {"eth0", "eth1", "br0", "ovirtmgmt"}


def test_the_interface_below_is_compared():
    facts = busy_host(bridges={}, networks={}, vlans={}, running={"networks": {}, "bondings": {}})
    facts.update(managed_host())
    made = plan(facts, {"ovirtmgmt": {"on": "eth2"}})
    assert changes(made) == [("ovirtmgmt", "interface", "eth2", "eth1")]


def test_the_bond_below_a_network_is_listed_as_it_is():
    request = plan(busy_host(), {"red": {**RED, "mtu": 1500}}).request
    assert request["bondings"] == {
        "bond1": {
            "nics": ["eth2", "eth3"],
            "options": "mode=1 miimon=100",
            "switch": "legacy",
            "hwaddr": "52:54:00:00:00:02",
        }
    }


@pytest.mark.parametrize(
    "wanted, options",
    [
        ({"mode": "active-backup", "options": {"updelay": 200}}, "mode=1 miimon=100 updelay=200"),
        ({"options": {"miimon": 50}}, "mode=1 miimon=50"),
        ({"mode": "802.3ad"}, "mode=4"),
    ],
)
def test_options_of_a_bond_stay_unless_the_mode_changes(wanted, options):
    request = plan(busy_host(), {}, {"bond1": {"ports": ["eth2", "eth3"], **wanted}}).request
    assert request["bondings"]["bond1"]["options"] == options


def test_a_network_that_vdsm_does_not_know_is_only_recorded():
    made = plan(busy_host(bonds={}), {"red": RED})
    assert changes(made) == [("red", "persistence", "recorded", "missing")]
    assert (made.decision, made.state, set(made.record["networks"])) == ("change", {}, {"red"})


def test_unsaid_addresses_are_those_of_the_host():
    request = plan(managed_host(static()), {"ovirtmgmt": {"on": "eth1", "mtu": 9000}}).request["networks"]["ovirtmgmt"]
    assert (request["ipaddr"], request["gateway"], request["defaultRoute"]) == ("192.0.2.10", "192.0.2.1", True)
    request = plan(nic_host(), {"ovirtmgmt": {"on": "eth1", "default_route": True}}).request["networks"]["ovirtmgmt"]
    assert (request["bootproto"], request["defaultRoute"]) == ("dhcp", True)


def test_the_default_route_is_taken_over():
    wanted = {"on": "eth2", "default_route": True, "ipv4": {"method": "dhcp"}}
    request = plan(managed_host(), {"front": wanted}).request["networks"]
    assert (request["front"]["defaultRoute"], request["ovirtmgmt"]["defaultRoute"]) == (True, False)


def test_a_static_network_without_a_bridge():
    ipv4 = {"address": "198.51.100.5", "prefix": 24}
    wanted = {"on": "bond1", "vlan_tag": 20, "vm_network": False, "mtu": 9000, "ipv4": ipv4}
    made = plan(busy_host(), {"storage": wanted})
    (vlan,) = (entry for entry in made.state["interfaces"] if entry["name"] == "bond1.20")
    assert vlan["ipv4"]["address"] == [{"ip": "198.51.100.5", "prefix-length": 24}]
    assert made.record["networks"]["storage"]["ipaddr"] == "198.51.100.5"


def test_a_bridge_on_nothing():
    (bridge,) = plan(busy_host(), {"inner": {"mtu": 2000}}).state["interfaces"]
    assert (bridge["name"], bridge["mtu"], bridge["bridge"]["port"]) == ("inner", 2000, [])


@pytest.mark.parametrize(
    "facts, networks, bonds, code, words",
    [
        (busy_host(), {"blue": {"on": "eth9"}}, {}, 23, "no NIC 'eth9'"),
        (busy_host(), {"blue": {"on": "eth2"}}, {}, 24, "port of the bond bond1"),
        (busy_host(), {"blue": {"on": "eth0"}}, {}, 24, "port of the bridge br0"),
        (busy_host(), {"blue": {"on": "eth1"}}, {}, 21, "already has the untagged network ovirtmgmt"),
        (busy_host(), {"blue": {"on": "bond1", "vlan_tag": 10}}, {}, 21, "already has the network red"),
        (busy_host(), {"blue": {"on": "eth1", "vlan_tag": 7, "mtu": 9000}}, {}, 21, "differ in their MTU"),
        (busy_host(), {"blue": {"on": "bond1.10"}}, {}, 23, "is a VLAN device"),
        (busy_host(max_mtu={"eth2": 1500}), {"red": {**RED, "mtu": 4000}}, {}, 21, "supports at most 1500"),
        (busy_host(), {"red": {**RED, "dns_servers": ["192.0.2.53"]}}, {}, 21, "no default route"),
        (busy_host(), {"ovirtmgmt": {"on": "eth1", "ipv4": {"method": "none"}}}, {}, 21, "no IPv4 or IPv6"),
        (busy_host(), {"ovirtmgmt": None}, {}, 21, "control connection uses"),
        (busy_host(), {"br0": None}, {}, 27, "not a network in VDSM's record"),
        (busy_host(["vnet1"]), {"red": None}, {}, 21, "in use by vnet1"),
        (busy_host(["vnet1"]), {"red": {**RED, "vm_network": False}}, {}, 21, "in use by vnet1"),
        (busy_host(), {}, {"bond1": None}, 31, "removes the bond"),
        (
            host("eth0", nics={"eth0": by_dhcp()}),
            {},
            {"bond1": {"ports": ["eth0", "eth1"]}},
            24,
            "the control connection",
        ),
        (busy_host(), {}, {"bond2": {"ports": ["eth1", "eth0"]}}, 24, "it cannot be a port of bond2"),
        (busy_host(), {}, {"bond2": {"ports": ["eth2", "eth3"]}}, 24, "port of the bond bond1"),
        (busy_host(), {}, {"bond2": {"ports": ["eth8", "eth9"]}}, 23, "no NIC 'eth8'"),
        (busy_host(), {}, {"bond1": {"ports": ["eth2"]}}, 21, "only the port eth2"),
        (busy_host(), {}, {"bond1": {"ports": ["eth2", "eth3"], "mode": 0}}, 21, "does not support"),
        (busy_host(), {"blue": {"on": "bond9", "vlan_tag": 5}}, {}, 23, "no NIC 'bond9'"),
        (
            busy_host(unmanaged={"eth1": "it is strictly unmanaged"}),
            {"ovirtmgmt": {"on": "eth1", "mtu": 9000}},
            {},
            23,
            "eth1",
        ),
        (busy_host(in_memory={"networks": ["red"]}), {"red": {**RED, "mtu": 1500}}, {}, 21, "until the next boot only"),
    ],
)
def test_refused(facts, networks, bonds, code, words):
    made = plan(facts, networks, bonds)
    assert (made.decision, made.state, made.request["networks"]) == ("refuse", {}, {})
    assert made.event["name"] == "SETUP_NETWORK_FAILED" and words in made.event["message"]
    assert made.event["values"]["VdsmError"] == code
    assert made.remedy


def test_a_bond_and_its_networks_go_together():
    made = plan(busy_host(), {"red": None}, {"bond1": None})
    assert made.decision == "change"
    assert {(one["name"], one["state"]) for one in made.state["interfaces"] if one.get("state") == "absent"} >= {
        ("red", "absent"),
        ("bond1", "absent"),
    }


def test_router_announcements_alone_are_in_sync_although_the_host_has_dhcpv6_with_them():
    facts = busy_host()
    facts["running"]["networks"]["red"] = recorded(ipv6autoconf=True)
    auto = {"dhcpv6": True, "ipv6autoconf": True, "ipv6addrs": ["2001:db8::99/64"], "ipv6gateway": "fe80::1"}
    facts["bridges"]["red"].update(auto)
    facts["networks"]["red"].update(auto)
    assert plan(facts, {"red": {**RED, "ipv6": {"method": "auto"}}}).decision == "in_sync"
    assert plan(facts, {"red": {**RED, "ipv6": {"method": "dhcp"}}}).decision == "change"
