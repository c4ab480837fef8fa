# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking the management network from a host, by table."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.removal import derive_removal
from ansible_collections.ovirt.mgmt_network.tests.unit.plugins.plugin_utils.hosts import bond, bridgeless_host, by_dhcp, managed_host, nic_host, static

DEFINITION = {"name": "ovirtmgmt", "mtu": 9000, "dns_servers": ["192.0.2.99"]}
GONE = {"ovirtmgmt": {"remove": True}}
VLAN_ON_BOND = {
    "bondings": {"bond4": bond("eth2", "eth3")}, "vlans": {"bond4.3000": {**by_dhcp(dhcpv4=False, addr=""), "iface": "bond4", "vlanid": 3000}},
    "port": "bond4.3000", "record": {"bonding": "bond4", "vlan": 3000, "bridged": True, "defaultRoute": True, "bootproto": "dhcp"},
}


def test_a_host_without_the_network_has_nothing_to_lose():
    result = derive_removal(nic_host(), DEFINITION)
    assert (result["decision"], result["request"]["networks"], result["record"]) == ("in_sync", {}, {"networks": {}, "bondings": {}})


@pytest.mark.parametrize("facts, wanted, bonds", [
    (managed_host(), {"nic": "eth1", "bridged": False, "bootproto": "dhcp", "mtu": 1500, "nameservers": []}, {}),
    (managed_host(static()), {"nic": "eth1", "bridged": False, "ipaddr": "192.0.2.10", "gateway": "192.0.2.1"}, {}),
    (managed_host(**VLAN_ON_BOND), {"bonding": "bond4", "vlan": 3000, "bridged": False}, {"bond4": {"remove": True}}),
])
def test_the_addresses_of_a_bridge_go_to_what_it_stands_on(facts, wanted, bonds):
    result = derive_removal(facts, DEFINITION, "h1")
    assert result["decision"] == "change" and result["exists"]
    assert {key: result["request"]["networks"]["ovirtmgmt"].get(key) for key in wanted} == wanted
    assert result["record"] == {"networks": GONE, "bondings": bonds}


def test_of_a_bridgeless_network_only_the_record_goes():
    result = derive_removal(bridgeless_host(), DEFINITION)
    assert (result["decision"], result["request"]["networks"], result["record"]["networks"]) == ("change", {}, GONE)


def test_a_bond_that_carries_another_network_stays_recorded():
    facts = managed_host(**VLAN_ON_BOND)
    facts["running"]["networks"]["storage"] = {"bonding": "bond4", "vlan": 10, "bridged": False}
    assert derive_removal(facts, DEFINITION)["record"]["bondings"] == {}


def test_a_loss_is_refused_unless_it_is_permitted():
    facts = managed_host(profiles={"ovirtmgmt": {"beyond_nmstate": ["the route 10.0.0.0/8 with onlink true"]}})
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
    assert (result["decision"], result["event"]["name"]) == ("refuse", "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION")
    assert result["remedy"] and result["record"] == {}
