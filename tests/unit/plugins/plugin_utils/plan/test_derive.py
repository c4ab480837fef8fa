# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision about a host: new networks, existing ones, refusals, and their order."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import FactsError
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
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import derive

NOTHING = {"networks": {}, "bondings": {}, "options": {}}


def decide(facts, **keys):
    """Compute the decision and check its invariants: plain data, unmodified input, consistent keys and values."""
    before = copy.deepcopy(facts)
    found = derive(facts, {"name": "ovirtmgmt", **keys}, "h")
    assert facts == before
    assert json.loads(json.dumps(found)) == found
    assert (found["event"] is not None) == (found["decision"] == "refuse")
    assert (found["request"] == NOTHING) == (found["decision"] != "change")
    assert bool(found["differences"]) == (found["decision"] == "change")
    assert found["active_interface"] == facts["lastClientIface"]
    return found


def changes(found):
    return {entry["attribute"]: (entry["desired"], entry["actual"]) for entry in found["differences"]}


def test_the_founding_example():
    found = decide(founding_host(), vlan_tag=3000, mtu=9000)
    assert found == {
        "decision": "change",
        "network": "ovirtmgmt",
        "exists": False,
        "active_interface": "bond4.3000",
        "request": {
            "networks": {
                "ovirtmgmt": {
                    "bonding": "bond4",
                    "vlan": 3000,
                    "bridged": True,
                    "mtu": 9000,
                    "stp": False,
                    "bootproto": "dhcp",
                    "dhcpv6": False,
                    "ipv6autoconf": False,
                    "defaultRoute": True,
                    "nameservers": [],
                    "switch": "legacy",
                }
            },
            "bondings": {
                "bond4": {
                    "nics": ["eth2", "eth3"],
                    "options": "mode=1 miimon=100",
                    "switch": "legacy",
                    "hwaddr": "52:54:00:00:00:02",
                }
            },
            "options": {"connectivityCheck": True, "connectivityTimeout": 120, "commitOnSuccess": True},
        },
        "differences": [
            {"attribute": "network", "desired": "ovirtmgmt", "actual": None},
            {"attribute": "interface", "desired": "ovirtmgmt", "actual": "bond4.3000"},
            {"attribute": "mtu", "desired": 9000, "actual": 1500},
            {"attribute": "bridged", "desired": True, "actual": False},
        ],
        "event": None,
        "warnings": [],
        "remedy": "",
    }


@pytest.mark.parametrize(
    "facts, keys, expected",
    [
        (nic_host(), {}, {"network", "interface", "bridged"}),
        (nic_host(dual_stack()), {"vm_network": False}, {"network"}),
        (nic_host(dual_stack()), {"vm_network": False, "mtu": 1400}, {"network", "mtu"}),
        (nic_host(), {"dns_servers": ["192.0.2.99"]}, {"network", "interface", "bridged", "dns_configuration"}),
        (nic_host(), {"default_route": False}, {"network", "interface", "bridged", "default_route"}),
        (vlan_host(), {"vlan_tag": 10}, {"network", "interface", "bridged"}),
        (vlan_host(name="eth1.0", tag=0), {}, {"network", "interface", "bridged"}),
        (nic_host(), {"vlan_tag": 0}, {"network", "interface", "bridged"}),
    ],
)
def test_a_new_network_lists_its_changes(facts, keys, expected):
    found = decide(facts, **keys)
    assert (found["decision"], found["exists"], set(changes(found))) == ("change", False, expected)


def test_the_name_on_the_host_may_be_another():
    found = decide(nic_host(), name="Management of site 1", vdsm_name="on1")
    assert (found["network"], list(found["request"]["networks"]), changes(found)["network"]) == (
        "on1",
        ["on1"],
        ("on1", None),
    )


@pytest.mark.parametrize(
    "facts, keys",
    [
        (managed_host(), {}),
        (managed_host(), {"dns_servers": ["192.0.2.53"]}),
        (managed_host(by_dhcp(mtu="9000")), {"mtu": 9000}),
        (managed_host(static()), {}),
        (managed_host(), {"vlan_tag": 0}),
        (bridgeless_host(), {"vm_network": False}),
        (bridgeless_host(networks={}), {"vm_network": False}),
        (managed_host(port="eth1.10", vlans={"eth1.10": {"iface": "eth1", "vlanid": 10}}), {"vlan_tag": 10}),
        (managed_host(port="eth1.0", vlans={"eth1.0": {"iface": "eth1", "vlanid": 0}}), {}),
        ({key: value for key, value in managed_host().items() if key != "running"}, {}),
        (
            managed_host(
                port="bond0",
                bondings={"bond0": bond("eth0", mode="0")},
                running={
                    "networks": {"ovirtmgmt": {"bonding": "bond0", "bridged": True}},
                    "bondings": {"bond0": {"nics": ["eth0"]}},
                },
            ),
            {},
        ),
    ],
)
def test_an_existing_network_that_complies_is_not_changed(facts, keys):
    found = decide(facts, **keys)
    assert (found["decision"], found["exists"], found["remedy"], found["warnings"]) == ("in_sync", True, "", [])


@pytest.mark.parametrize(
    "facts, keys, expected",
    [
        (managed_host(), {"mtu": 9000}, {"mtu": (9000, 1500)}),
        (managed_host(), {"vlan_tag": 10}, {"vlan": (10, None)}),
        (managed_host(port="v", vlans={"v": {"iface": "eth1", "vlanid": 10}}), {}, {"vlan": (None, 10)}),
        (managed_host(), {"vm_network": False}, {"bridged": (False, True)}),
        (bridgeless_host(), {}, {"bridged": (True, False)}),
        (managed_host(), {"stp": True}, {"stp": (True, False)}),
        (managed_host(), {"dns_servers": ["192.0.2.99"]}, {"dns_configuration": (["192.0.2.99"], ["192.0.2.53"])}),
        (managed_host(), {"default_route": False}, {"default_route": (False, True)}),
        (managed_host(by_dhcp(ipv4defaultroute=False)), {}, {"default_route": (True, False)}),
        (managed_host(running={}), {}, {"persistence": ("recorded", "missing")}),
        (managed_host(networks={}, running={}), {}, {"persistence": ("recorded", "missing")}),
        (managed_host(running={}), {"mtu": 9000}, {"mtu": (9000, 1500), "persistence": ("recorded", "missing")}),
        (
            managed_host(port="bond0", bondings={"bond0": bond("eth0", "eth1")}),
            {},
            {"persistence": ("recorded", "missing")},
        ),
    ],
)
def test_an_existing_network_that_differs(facts, keys, expected):
    found = decide(facts, **keys)
    assert (found["decision"], found["exists"], changes(found)) == ("change", True, expected)
    assert "Sync the network ovirtmgmt" in found["remedy"]
    assert found["request"]["networks"]["ovirtmgmt"]["bootproto"] == "dhcp"


def test_every_difference_is_listed():
    found = decide(managed_host(), mtu=9000, vlan_tag=10, stp=True, dns_servers=["192.0.2.99"])
    assert set(changes(found)) == {"mtu", "vlan", "stp", "dns_configuration"}
    assert found["request"]["networks"]["ovirtmgmt"] == {
        "nic": "eth1",
        "vlan": 10,
        "bridged": True,
        "mtu": 9000,
        "stp": True,
        "bootproto": "dhcp",
        "dhcpv6": False,
        "ipv6autoconf": False,
        "defaultRoute": True,
        "nameservers": ["192.0.2.99"],
        "switch": "legacy",
    }


def test_the_ip_configuration_of_an_existing_network_is_its_own():
    wanted = decide(managed_host(dual_stack()), vm_network=False)["request"]["networks"]["ovirtmgmt"]
    assert (wanted["nic"], wanted["ipaddr"], wanted["ipv6addr"]) == ("eth1", "192.0.2.10", "2001:db8::10/64")


@pytest.mark.parametrize(
    "attachment, expected",
    [
        ({"ipv4": {"boot_protocol": "dhcp"}}, {}),
        ({"ipv4": {"boot_protocol": "static", "address": "192.0.2.10"}}, {"ipv4_boot_protocol": ("static", "dhcp")}),
        ({"dns_servers": ["192.0.2.99"]}, {"dns_configuration": (["192.0.2.99"], ["192.0.2.53"])}),
    ],
)
def test_an_attachment_is_compared(attachment, expected):
    assert changes(derive(managed_host(), {"name": "ovirtmgmt"}, "h", attachment)) == expected


def isolated(recorded):
    record = {
        "nic": "eth1",
        "bridged": True,
        "bootproto": "none",
        "ipaddr": "192.0.2.10",
        "netmask": "255.255.255.0",
        "defaultRoute": recorded,
    }
    return managed_host(static(gateway="", ipv4defaultroute=False), record=record)


@pytest.mark.parametrize(
    "facts, decision",
    [
        (nic_host(static(gateway="", ipv4defaultroute=False)), "change"),
        (isolated(False), "change"),
        (isolated(True), "in_sync"),
    ],
)
def test_a_default_route_without_a_gateway_is_a_warning_and_not_a_permanent_difference(facts, decision):
    found = decide(facts)
    assert found["decision"] == decision
    assert [warning["name"] for warning in found["warnings"]] == ["VDS_NETWORKS_OUT_OF_SYNC"]
    assert "has no gateway" in found["warnings"][0]["message"]


def test_a_lost_gateway_is_a_difference():
    facts = isolated(True)
    facts["running"]["networks"]["ovirtmgmt"]["gateway"] = "192.0.2.1"
    assert changes(decide(facts)) == {"default_route": (True, False)}


def test_a_gateway_out_of_the_subnet_is_a_warning():
    found = decide(nic_host(static(gateway="198.51.100.1")))
    assert [(warning["id"], warning["values"]) for warning in found["warnings"]] == [
        (10929, {"Gateway": "198.51.100.1"})
    ]


INTERFACE, BOND = (
    "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
    "INVALID_BOND_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
)
VLAN, SETUP = (
    "VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
    "SETUP_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
)


def one_port_bond(name, **parts):
    return host(
        name,
        bondings={"bond0": {**bond("eth0"), **by_dhcp()}},
        vlans={"bond0.10": {**by_dhcp(), "iface": "bond0", "vlanid": 10}},
        **parts,
    )


@pytest.mark.parametrize(
    "facts, keys, name, interface, words",
    [
        (host(""), {}, INTERFACE, "", "(none)"),
        (host("eth9"), {}, INTERFACE, "eth9", "not a NIC or a bond"),
        (host("br0", bridges={"br0": by_dhcp(ports=["eth1"])}), {}, INTERFACE, "br0", "br0 is a bridge"),
        (host("br0", bridges={"br0": by_dhcp(ports=["eth1"])}), {"vlan_tag": 5}, INTERFACE, "br0", "br0 is a bridge"),
        (nic_host(bridges={"br0": {"ports": ["eth1"]}}), {}, INTERFACE, "eth1", "port of the bridge br0"),
        (nic_host(bondings={"bond0": bond("eth0", "eth1")}), {}, INTERFACE, "eth1", "port of the bond bond0"),
        (managed_host(port="eth1", lastClientIface="eth1"), {}, INTERFACE, "eth1", "port of the bridge ovirtmgmt"),
        (managed_host(lastClientIface=""), {}, INTERFACE, "", "unknown"),
        (host("ovirtmgmt", bridges={"ovirtmgmt": by_dhcp(ports=["vnet0"])}), {}, INTERFACE, "ovirtmgmt", "has 0 ports"),
        (
            vlan_host(),
            {"vlan_tag": 11},
            VLAN,
            "eth1.10",
            "VLAN-ID (10), which is different from data-center definition (11)",
        ),
        (vlan_host(), {}, VLAN, "eth1.10", "VLAN-ID (10), which is different from data-center definition (none)"),
        (
            nic_host(),
            {"vlan_tag": 10},
            VLAN,
            "eth1",
            "VLAN-ID (none), which is different from data-center definition (10)",
        ),
        (founding_host(slaves=("eth2",)), {"vlan_tag": 9}, VLAN, "bond4.3000", "(3000)"),
        (one_port_bond("bond0"), {}, BOND, "bond0", "bond0 contains less than 2 active slaves"),
        (
            one_port_bond("bond0.10"),
            {"vlan_tag": 10},
            BOND,
            "bond0",
            "bond0.10 is on the bond bond0. bond0 has only the port eth0.",
        ),
        (founding_host(slaves=()), {"vlan_tag": 3000}, BOND, "bond4", "bond4 has no ports"),
        (
            managed_host(port="bond0", bondings={"bond0": bond("eth0")}),
            {"mtu": 9000},
            BOND,
            "bond0",
            "has only the port eth0",
        ),
        (nic_host(max_mtu={"eth1": 1500}), {"mtu": 9000}, SETUP, "eth1", "eth1 supports at most 1500"),
        (nic_host(device()), {}, SETUP, "eth1", "no IPv4 or IPv6"),
        (nic_host(), {"name": "eth3"}, SETUP, "eth1", "another device with that name"),
        (
            managed_host(nics={"eth2": by_dhcp()}, lastClientIface="eth2"),
            {},
            SETUP,
            "eth2",
            "already on ovirtmgmt (over eth1)",
        ),
        (bridgeless_host(lastClientIface="eth2"), {"vm_network": False}, SETUP, "eth2", "already on eth1"),
    ],
)
def test_refused(facts, keys, name, interface, words):
    found = decide(facts, **keys)
    event = found["event"]
    assert (found["decision"], event["name"], event["interface"], event["severity"]) == (
        "refuse",
        name,
        interface,
        "ERROR",
    )
    assert words in event["message"]
    assert event["message"].startswith("Failed to configure management network on host h")
    assert found["remedy"] == event["remedy"]
    assert found["remedy"].endswith("run again.")
    assert found["exists"] is ("ovirtmgmt" in {**facts["bridges"], **facts["networks"]})


BOND_RUNS = {
    "networks": {"ovirtmgmt": {"bonding": "bond0", "bridged": True}},
    "bondings": {"bond0": {"nics": ["eth0", "eth2"]}},
}
ON_BOND = managed_host(port="bond0", bondings={"bond0": bond("eth0", "eth2")}, running=BOND_RUNS)


@pytest.mark.parametrize(
    "facts, unsaved, expected",
    [
        (managed_host(), {"networks": ["ovirtmgmt"]}, {"persistence": ("recorded", "unsaved")}),
        (managed_host(running={}), {"networks": ["ovirtmgmt"]}, {"persistence": ("recorded", "missing")}),
        (ON_BOND, {"networks": [], "bondings": ["bond0"]}, {"persistence": ("recorded", "unsaved")}),
        (managed_host(), {"networks": ["red"], "bondings": ["bond7"]}, {}),
    ],
)
def test_unsaved_networks_are_reported_and_recorded(facts, unsaved, expected):
    found = decide({**facts, "unsaved": unsaved})
    assert changes(found) == expected
    assert [one["name"] for one in found["warnings"]] == ["HOST_NETWORKS_NOT_SAVED"]
    for name in [*unsaved.get("networks", []), *unsaved.get("bondings", [])]:
        assert name in found["warnings"][0]["message"]


def test_a_network_until_the_next_boot():
    facts = {
        **managed_host(),
        "in_memory": {"networks": ["ovirtmgmt"], "bondings": []},
        "unsaved": {"networks": ["ovirtmgmt"], "bondings": []},
    }
    assert derive(facts, {"name": "ovirtmgmt"}, "h", persistent=False)["decision"] == "in_sync"
    found = decide(facts)
    assert (found["decision"], found["event"]["id"]) == ("refuse", 1120)
    assert "until the next boot" in found["event"]["message"] and "Reboot the host" in found["remedy"]


QOS = {"out": {"ls": {"m2": 50}}}


def with_qos(**record):
    facts = managed_host()
    facts["networks"]["ovirtmgmt"]["hostQos"] = QOS
    facts["running"]["networks"]["ovirtmgmt"].update(hostQos=QOS, **record)
    return facts


def test_quality_of_service_and_custom_properties_of_the_engine_are_kept():
    assert decide(with_qos())["decision"] == "in_sync"  # the definition does not contain them
    network = decide(with_qos(custom={"bridge_opts": "x", "a": "b"}), mtu=9000)["request"]["networks"]["ovirtmgmt"]
    assert (network["hostQos"], network["custom"]) == (QOS, {"bridge_opts": "x", "a": "b"})
    assert decide(with_qos(custom={"bridge_opts": "x", "a": "b"}), vm_network=False)["request"]["networks"][
        "ovirtmgmt"
    ]["custom"] == {"a": "b"}


def test_another_quality_of_service_is_refused():
    same = {"qos": {"link_share": 50, "upper_limit": None, "real_time": None}}
    assert derive(with_qos(), {"name": "ovirtmgmt"}, "h", same)["decision"] == "in_sync"
    found = derive(with_qos(), {"name": "ovirtmgmt"}, "h", {"qos": {**same["qos"], "link_share": 70}})
    assert (found["decision"], found["event"]["id"]) == ("refuse", 1120)
    assert "outAverageLinkShare: 50 → 70" in found["event"]["message"]


@pytest.mark.parametrize(
    "facts, keys, device, why",
    [
        (nic_host(), {}, "eth1", "unmanaged"),
        (nic_host(), {}, "eth1", "external"),
        (host("oob0"), {}, "oob0", "unmanaged"),
        (vlan_host(), {"vlan_tag": 10}, "eth1.10", "unmanaged"),
        (vlan_host(), {"vlan_tag": 10}, "eth1", "unmanaged"),
        (vlan_host(), {"vlan_tag": 11}, "eth1", "unmanaged"),
        (founding_host(), {"vlan_tag": 3000}, "bond4", "external"),
        (founding_host(), {"vlan_tag": 3000}, "eth2", "unmanaged"),
        (managed_host(), {"mtu": 9000}, "ovirtmgmt", "external"),
        (managed_host(), {"mtu": 9000}, "eth1", "unmanaged"),
        (bridgeless_host(), {"vm_network": False, "mtu": 9000}, "eth1", "unmanaged"),
    ],
)
def test_a_device_that_networkmanager_does_not_manage_is_refused(facts, keys, device, why):
    found = decide({**facts, "unmanaged": {device: why}}, **keys)
    assert (found["decision"], found["event"]["name"], found["event"]["interface"]) == (
        "refuse",
        INTERFACE,
        facts["lastClientIface"],
    )
    assert (
        f"NetworkManager does not manage {device}" in found["event"]["message"]
        or f"{device} was configured by another program" in found["event"]["message"]
    )
    assert f"nmcli device set {device} managed yes" in found["remedy"]


def test_unmanaged_devices_of_other_networks_are_ignored():
    assert decide({**nic_host(), "unmanaged": {"eth2": "unmanaged"}})["decision"] == "change"
    assert decide({**managed_host(), "unmanaged": {"eth1": "unmanaged"}})["decision"] == "in_sync"


@pytest.mark.parametrize(
    "facts, keys, values",
    [
        (vlan_host(), {}, {"VlanId": 10, "MgmtVlanId": None}),
        (nic_host(max_mtu={"eth1": 1500}), {"mtu": 9000}, {"EngineMessage": "MTU_VALUE_INVALID"}),
        (founding_host(mode="6"), {"vlan_tag": 3000}, {"EngineMessage": "INVALID_BOND_MODE_FOR_BOND_WITH_VM_NETWORK"}),
        (
            bridgeless_host(lastClientIface="eth2"),
            {"vm_network": False},
            {"EngineMessage": "NETWORKS_ALREADY_ATTACHED_TO_IFACES"},
        ),
        (nic_host(), {"name": "eth3"}, {}),
    ],
)
def test_values_of_a_refusal(facts, keys, values):
    assert decide(facts, **keys)["event"]["values"] == values


def test_without_a_name_of_the_host():
    message = derive(host("br0", bridges={"br0": {}}), {"name": "ovirtmgmt"})["event"]["message"]
    assert message.startswith(
        "Failed to configure management network on the host. The host has an invalid interface (br0)"
    )


def test_invalid_input_raises():
    with pytest.raises(DefinitionError, match="^vlan_tag: "):
        derive(nic_host(), {"name": "ovirtmgmt", "vlan_tag": 1.5})
    with pytest.raises(FactsError, match="^facts: "):
        derive(None, {"name": "ovirtmgmt"})
