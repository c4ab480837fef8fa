# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removal of the management network."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import table_of
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import (
    bond,
    bridgeless_host,
    by_dhcp,
    managed_host,
    nic_host,
    static,
)
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import derive_removal

DEFINITION = {"name": "ovirtmgmt", "mtu": 9000, "dns_servers": ["192.0.2.99"]}
GONE = {"ovirtmgmt": {"remove": True}}
VLAN_ON_BOND = {
    "bondings": {"bond4": bond("eth2", "eth3")},
    "vlans": {"bond4.3000": {**by_dhcp(dhcpv4=False, addr=""), "iface": "bond4", "vlanid": 3000}},
    "port": "bond4.3000",
    "record": {"bonding": "bond4", "vlan": 3000, "bridged": True, "defaultRoute": True, "bootproto": "dhcp"},
}


def test_a_host_without_the_network_has_nothing_to_lose():
    result = derive_removal(nic_host(), DEFINITION)
    assert (result["decision"], result["request"]["networks"], result["record"]) == (
        "in_sync",
        {},
        {"networks": {}, "bondings": {}},
    )


@pytest.mark.parametrize(
    "facts, wanted, bonds",
    [
        (managed_host(), {"nic": "eth1", "bridged": False, "bootproto": "dhcp", "mtu": 1500, "nameservers": []}, {}),
        (managed_host(static()), {"nic": "eth1", "bridged": False, "ipaddr": "192.0.2.10", "gateway": "192.0.2.1"}, {}),
        (
            managed_host(**VLAN_ON_BOND),
            {"bonding": "bond4", "vlan": 3000, "bridged": False},
            {"bond4": {"remove": True}},
        ),
    ],
)
def test_the_addresses_of_a_bridge_return_to_the_device_below(facts, wanted, bonds):
    result = derive_removal(facts, DEFINITION, "h1")
    assert result["decision"] == "change" and result["exists"]
    assert {key: result["request"]["networks"]["ovirtmgmt"].get(key) for key in wanted} == wanted
    assert result["record"] == {"networks": GONE, "bondings": bonds}


def test_for_a_bridgeless_network_only_the_record_is_removed():
    result = derive_removal(bridgeless_host(), DEFINITION)
    assert (result["decision"], result["request"]["networks"], result["record"]["networks"]) == ("change", {}, GONE)


def test_a_bond_with_another_network_stays_recorded():
    facts = managed_host(**VLAN_ON_BOND)
    facts["running"]["networks"]["storage"] = {"bonding": "bond4", "vlan": 10, "bridged": False}
    assert derive_removal(facts, DEFINITION)["record"]["bondings"] == {}


def test_a_loss_is_refused_unless_it_is_permitted():
    bridge = {"name": "ovirtmgmt", "type": "linux-bridge", "state": "up", "ipv4": {"enabled": True, "dhcp": True}}
    profiles = {"ovirtmgmt": {"beyond_nmstate": ["the route 10.0.0.0/8 with onlink true"]}}
    facts = managed_host(profiles=profiles, nmstate={"interfaces": [bridge]})
    result = derive_removal(facts, DEFINITION, "h1")
    assert (result["decision"], result["event"]["id"]) == ("refuse", 1120)
    assert "onlink" in result["event"]["message"] and "configure_mgmt_permit_loss: [route_or_rule]" in result["remedy"]
    result = derive_removal(facts, DEFINITION, "h1", ["route_or_rule"])
    assert (result["decision"], [one["severity"] for one in result["warnings"]]) == ("change", ["WARNING"])


def test_a_bridge_over_several_ports_is_refused():
    facts = managed_host()
    facts["bridges"]["ovirtmgmt"]["ports"] = ["eth1", "eth2"]
    facts["networks"] = {}
    result = derive_removal(facts, DEFINITION, "h1")
    assert (result["decision"], result["event"]["name"]) == (
        "refuse",
        "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
    )
    assert result["remedy"] and result["record"] == {"networks": {}, "bondings": {}}


def test_a_bridge_that_networkmanager_does_not_manage_is_refused():
    result = derive_removal(managed_host(unmanaged={"eth1": "unmanaged"}), DEFINITION, "h1")
    assert (result["decision"], result["event"]["name"]) == (
        "refuse",
        "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
    )
    assert "NetworkManager does not manage eth1" in result["event"]["message"]


def routed(device, facts, table):
    """``facts`` with a static address on ``device`` and the routing table that VDSM gives it."""
    own = [
        {"destination": "0.0.0.0/0", "next-hop-address": "192.0.2.1", "next-hop-interface": device, "table-id": table}
    ]
    main = [{**own[0], "table-id": 254}]
    facts["nmstate"] = {
        "interfaces": [
            {"name": "eth1", "type": "ethernet", "state": "up", "mac-address": "52:54:00:00:00:01", "mtu": 1500},
            {
                "name": device,
                "type": "ethernet" if device == "eth1" else "linux-bridge",
                "state": "up",
                "mtu": 1500,
                "bridge": {"port": [{"name": "eth1"}]},
                "ipv4": {"enabled": True, "dhcp": False, "address": [{"ip": "192.0.2.10", "prefix-length": 24}]},
                "ipv6": {"enabled": False},
            },
        ],
        "routes": {"config": main + own},
        "route-rules": {"config": [{"ip-from": "192.0.2.0/24", "priority": 3200, "route-table": table}]},
    }
    return facts


@pytest.mark.parametrize("device, facts", [("ovirtmgmt", managed_host(static())), ("eth1", bridgeless_host(static()))])
def test_only_the_routing_table_of_the_network_is_removed(device, facts):
    table = table_of(device)
    facts = routed(device, facts, table)
    facts["running"]["networks"]["ovirtmgmt"].update(
        bootproto="none", ipaddr="192.0.2.10", netmask="255.255.255.0", gateway="192.0.2.1"
    )
    state = derive_removal(facts, DEFINITION)["state"]
    assert [(rule["route-table"], rule.get("state")) for rule in state["route-rules"]["config"]] == [(table, "absent")]
    gone = [route for route in state["routes"]["config"] if route.get("state") == "absent"]
    assert {(route["next-hop-interface"], route["table-id"]) for route in gone} == {(device, table)}
    assert not [
        route for route in state["routes"]["config"] if route not in gone and route["table-id"] == table_of("eth1")
    ]
    if device == "ovirtmgmt":
        named = {interface["name"]: interface for interface in state["interfaces"]}
        assert (named["ovirtmgmt"]["state"], named["eth1"]["ipv4"]["address"]) == (
            "absent",
            [{"ip": "192.0.2.10", "prefix-length": 24}],
        )
        assert [
            route for route in state["routes"]["config"] if route not in gone and route["next-hop-interface"] == "eth1"
        ]


def test_an_interface_gets_the_default_route_unless_another_network_has_it():
    facts = managed_host()
    assert derive_removal(facts, {**DEFINITION, "default_route": False})["request"]["networks"]["ovirtmgmt"][
        "defaultRoute"
    ]
    facts["running"]["networks"]["front"] = {"nic": "eth2", "bridged": False, "defaultRoute": True}
    assert not derive_removal(facts, DEFINITION)["request"]["networks"]["ovirtmgmt"]["defaultRoute"]
