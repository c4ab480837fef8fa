# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions of interfaces and networks: VLAN devices of any name, and unsuitable interfaces."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import FactsError, parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    InterfaceError,
    Position,
    find_network,
    interfaces_down,
    locate,
)
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import (
    bond,
    bridgeless_host,
    by_dhcp,
    device,
    dual_stack,
    founding_host,
    host,
    managed_host,
    nic_host,
    static,
    vlan_host,
)


@pytest.mark.parametrize(
    "facts, position",
    [
        (nic_host(), Position("eth1", "eth1", False, None)),
        (host("bond0", bondings={"bond0": bond("eth0", "eth1")}), Position("bond0", "bond0", True, None)),
        (vlan_host(), Position("eth1.10", "eth1", False, 10)),
        (vlan_host(name="vlan10"), Position("vlan10", "eth1", False, 10)),
        (vlan_host(name="eth0.99"), Position("eth0.99", "eth1", False, 10)),
        (vlan_host(name="eth1.10-fcoe"), Position("eth1.10-fcoe", "eth1", False, 10)),
        (founding_host(), Position("bond4.3000", "bond4", True, 3000)),
        (founding_host(name="mgmt"), Position("mgmt", "bond4", True, 3000)),
        (vlan_host(bridges={"br0": {"ports": ["eth1"]}}), Position("eth1.10", "eth1", False, 10)),
    ],
)
def test_position_by_capabilities_not_by_name(facts, position):
    assert locate(parse_facts(facts), facts["lastClientIface"]) == position


@pytest.mark.parametrize(
    "facts, words",
    [
        (host(""), ["unknown", "lastClientIface"]),
        (host("eth9"), ["eth9 is not a NIC or a bond"]),
        (host("br0", bridges={"br0": by_dhcp(ports=["eth1"])}), ["br0 is a bridge"]),
        (host("team0", teams={"team0": by_dhcp(ports=["eth1"])}), ["team0 is a team"]),
        (
            host("team0.5", teams={"team0": device()}, vlans={"team0.5": {"iface": "team0", "vlanid": 5}}),
            ["team0.5 is a VLAN on team0", "team0 is a team"],
        ),
        (
            host("br0.5", bridges={"br0": {}}, vlans={"br0.5": {"iface": "br0", "vlanid": 5}}),
            ["br0.5 is a VLAN on br0", "br0 is a bridge"],
        ),
        (
            host("q", vlans={"q": {"iface": "eth1.5", "vlanid": 7}, "eth1.5": {"iface": "eth1", "vlanid": 5}}),
            ["q is a VLAN on eth1.5", "eth1.5 is a VLAN itself"],
        ),
        (host("v", vlans={"v": {"vlanid": 7}}), ["v is a VLAN on an unknown device"]),
        (host("eth1", bondings={"bond0": bond("eth0", "eth1")}), ["eth1 is a port of the bond bond0"]),
        (vlan_host(bondings={"bond0": bond("eth0", "eth1")}), ["eth1 is a port of the bond bond0"]),
        (nic_host(bridges={"br0": {"ports": ["eth1"]}}), ["eth1 is a port of the bridge br0"]),
        (vlan_host(bridges={"br0": {"ports": ["eth1.10"]}}), ["eth1.10 is a port of the bridge br0"]),
    ],
)
def test_unsuitable_interfaces(facts, words):
    with pytest.raises(InterfaceError) as caught:
        locate(parse_facts(facts), facts["lastClientIface"])
    assert caught.value.interface == facts["lastClientIface"]
    assert caught.value.remedy.endswith("run again.")
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "facts, found",
    [
        (nic_host(), None),
        (managed_host(), ("ovirtmgmt", True, "eth1", None)),
        (managed_host(networks={}), ("ovirtmgmt", True, "eth1", None)),
        (managed_host(networks={}, running={}), ("ovirtmgmt", True, "eth1", None)),
        (managed_host(port="v5", vlans={"v5": {"iface": "eth2", "vlanid": 5}}), ("ovirtmgmt", True, "eth2", 5)),
        (bridgeless_host(), ("eth1", False, "eth1", None)),
        (bridgeless_host(networks={}), ("eth1", False, "eth1", None)),
        (bridgeless_host(networks={}, running={"networks": {"ovirtmgmt": {"nic": "eth7"}}}), None),
        (
            vlan_host(name="v", running={"networks": {"ovirtmgmt": {"nic": "eth1", "vlan": 10, "bridged": False}}}),
            ("v", False, "eth1", 10),
        ),
        (vlan_host(name="v", running={"networks": {"ovirtmgmt": {"nic": "eth1", "vlan": 11, "bridged": False}}}), None),
        (nic_host(running={"networks": {"ovirtmgmt": {"nic": "eth1", "bridged": True}}}), None),
        (nic_host(networks={"ovirtmgmt": {"iface": "ovirtmgmt", "bridged": True}}), None),
    ],
)
def test_find_network(facts, found):
    network = find_network(parse_facts(facts), "ovirtmgmt")
    assert (network and (network.device, network.bridged, network.position.base, network.position.vlan)) == found


def test_a_bridge_has_precedence_over_a_stale_report_of_its_port():
    network = find_network(
        parse_facts(managed_host(networks={"ovirtmgmt": {**device(), "iface": "eth1", "bridged": False}})), "ovirtmgmt"
    )
    assert (network.device, network.bridged, network.caps["addr"]) == ("ovirtmgmt", True, "192.0.2.10")


@pytest.mark.parametrize("stp, on", [("on", True), ("off", False), (True, True), (False, False)])
def test_spanning_tree_of_a_bridge(stp, on):
    facts = managed_host(networks={})
    facts["bridges"]["ovirtmgmt"]["stp"] = stp
    assert find_network(parse_facts(facts), "ovirtmgmt").stp is on


@pytest.mark.parametrize(
    "ports, words",
    [([], "has 0 ports"), (["eth0", "eth1", "vnet0"], "has 2 ports that are a NIC, a bond, or a VLAN: eth0, eth1")],
)
def test_a_bridge_without_exactly_one_port(ports, words):
    with pytest.raises(InterfaceError, match=words):
        find_network(parse_facts(host("ovirtmgmt", bridges={"ovirtmgmt": by_dhcp(ports=ports)})), "ovirtmgmt")


def test_the_networks_of_a_host():
    facts = host(
        "eth1",
        vlans={"v5": {"iface": "eth1", "vlanid": 5}},
        networks={
            "ovirtmgmt": {"iface": "eth0"},
            "vms": {"iface": "vms", "southbound": "v5", "mtu": "9000"},
            "store": {"iface": "eth2", "hostQos": {"out": {}}},
        },
        running={"networks": {"later": {"nic": "eth1", "vlan": 7, "mtu": 1400, "qos": False}, "vms": {"nic": "eth3"}}},
    )
    networks = parse_facts(facts).host_networks().values()
    assert [(one.name, one.base, one.vlan, one.mtu, bool(one.host_qos)) for one in networks] == [
        ("later", "eth1", 7, 1400, False),
        ("ovirtmgmt", "eth0", None, 1500, False),
        ("store", "eth2", None, 1500, True),
        ("vms", "eth1", 5, 9000, False),
    ]


SECONDARY = {"ipv4addrs": ["192.0.2.10/24", "192.0.2.20/25", "198.51.100.7/24"]}


@pytest.mark.parametrize(
    "entry, local, addr, netmask, ipv6",
    [
        (static(**SECONDARY), "192.0.2.10", "192.0.2.10", "255.255.255.0", []),
        (static(**SECONDARY), "192.0.2.20", "192.0.2.20", "255.255.255.128", []),
        (static(**SECONDARY), "198.51.100.7", "192.0.2.10", "255.255.255.0", []),
        (static(**SECONDARY, gateway=""), "198.51.100.7", "198.51.100.7", "255.255.255.0", []),
        (static(**SECONDARY), None, "192.0.2.10", "255.255.255.0", []),
        (
            dual_stack(ipv6addrs=["2001:db8::10/64", "2001:db8::20/64"]),
            "2001:db8:0::20",
            "192.0.2.10",
            "255.255.255.0",
            ["2001:db8::20/64", "2001:db8::10/64"],
        ),
    ],
)
def test_the_address_of_the_control_connection_comes_first(entry, local, addr, netmask, ipv6):
    chosen = parse_facts(host("eth1", control={"local": local} if local else None)).with_control_address(entry)
    assert (chosen["addr"], chosen["netmask"], chosen["ipv6addrs"]) == (addr, netmask, ipv6)


@pytest.mark.parametrize(
    "change, key",
    [
        ({"nics": None}, "nics"),
        ({"vlans": []}, "vlans"),
        ({"bridges": {"br0": "x"}}, "bridges"),
        ({"lastClientIface": None}, "lastClientIface"),
        ({"vlans": {"v": {"iface": "eth1"}}}, "vlans.v.vlanid"),
        ({"networks": "x"}, "networks"),
        ({"nameservers": "192.0.2.1"}, "nameservers"),
    ],
)
def test_invalid_facts(change, key):
    with pytest.raises(FactsError, match=f"^{key}: ") as caught:
        parse_facts({**nic_host(), **change})
    assert caught.value.key == key


@pytest.mark.parametrize("key", ["networks", "teams", "nameservers", "max_mtu", "running"])
def test_optional_parts_may_be_null(key):
    assert locate(parse_facts({**nic_host(), key: None}), "eth1").base == "eth1"


@pytest.mark.parametrize("key", ["nics", "bondings", "vlans", "bridges", "lastClientIface"])
def test_facts_with_a_part_missing(key):
    facts = nic_host()
    del facts[key]
    with pytest.raises(FactsError, match=f"^{key}: (this key is missing|expected a string)"):
        parse_facts(facts)


@pytest.mark.parametrize("facts", [None, [], "eth0"])
def test_facts_of_another_kind(facts):
    with pytest.raises(FactsError, match="^facts: expected a mapping"):
        parse_facts(facts)


def test_interfaces_that_are_down():
    def states(**state):
        return {"interfaces": [{"name": name.replace("_", "."), "state": value} for name, value in state.items()]}

    bonded = {
        "bondings": {"bond4": bond("eth2", "eth3")},
        "vlans": {"bond4.10": {**by_dhcp(), "iface": "bond4", "vlanid": 10}},
        "port": "bond4.10",
    }
    assert interfaces_down(managed_host(), "ovirtmgmt") == []
    assert interfaces_down(managed_host(nmstate=states(eth1="down", ovirtmgmt="up")), "other") == []
    assert interfaces_down(managed_host(nmstate=states(eth1="down", ovirtmgmt="up")), "ovirtmgmt") == ["eth1"]
    assert (
        interfaces_down(managed_host(**bonded, nmstate=states(eth2="down", eth3="up", bond4="up")), "ovirtmgmt") == []
    )
    assert interfaces_down(
        managed_host(**bonded, nmstate=states(eth2="down", eth3="down", bond4="up")), "ovirtmgmt"
    ) == ["eth2", "eth3"]
    assert interfaces_down(managed_host(**bonded, nmstate=states(bond4_10="down")), "ovirtmgmt") == ["bond4.10"]
