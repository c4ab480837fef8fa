# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VLAN device that is not called ``base.tag``: VDSM does not support other names, so the device is created again, or
a warning describes the consequences.
"""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import (
    bond,
    bridgeless_host,
    by_dhcp,
    device,
    founding_host,
    managed_host,
)
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.nmstate import DHCP4, OFF
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import (
    derive,
    derive_removal,
    desired_state,
    profile_settings,
)

VLAN = {"attribute": "vlan_name", "desired": "bond4.3000", "actual": "mgmt3000"}
WARNING = "MANAGEMENT_NETWORK_ON_A_VLAN_DEVICE_THAT_VDSM_CANNOT_EDIT"
BELOW = {"bondings": {"bond4": bond("eth2", "eth3")}}


def vlans(name, base="bond4", tag=3000, **more):
    return {
        name: {**device(), "iface": base, "vlanid": tag},
        **{other: {**device(), "iface": below, "vlanid": 7} for other, below in more.items()},
    }


def there(name="mgmt3000", base="bond4", bonded=True, **more):
    """A host that is in sync, except for the name of the VLAN device."""
    record = {
        "bonding" if bonded else "nic": base,
        "vlan": 3000,
        "bridged": True,
        "defaultRoute": True,
        "bootproto": "dhcp",
    }
    facts = managed_host(
        port=name,
        record=record,
        vlans=vlans(name, base, **more),
        **({"bondings": {base: bond("eth2", "eth3")}} if bonded else {}),
    )
    facts["running"]["bondings"] = {base: {}} if bonded else {}
    return facts


def decide(facts, keep=False, **definition):
    return derive(facts, {"name": "ovirtmgmt", "vlan_tag": 3000, **definition}, "h", keep_vlan_name=keep)


# --- the decision ---


@pytest.mark.parametrize("vm_network", [True, False])
def test_a_new_network_reports_that_its_vlan_device_is_created_again(vm_network):
    found = decide(founding_host("mgmt3000"), vm_network=vm_network)
    assert found["decision"] == "change" and found["warnings"] == []
    assert found["differences"][-1] == VLAN
    assert found["request"]["networks"]["ovirtmgmt"]["vlan"] == 3000


def test_an_existing_network_only_differs_in_the_name():
    found = decide(there())
    assert (found["decision"], found["differences"], found["exists"], found["warnings"]) == ("change", [VLAN], True, [])
    assert decide(there("bond4.3000"))["decision"] == "in_sync"


def test_a_bridgeless_network_also_differs_in_the_name():
    entry = {**by_dhcp(), "iface": "bond4", "vlanid": 3000}
    facts = bridgeless_host(by_dhcp(), "mgmt3000", vlans={"mgmt3000": entry}, **BELOW)
    facts["running"] = {
        "networks": {"ovirtmgmt": {"bonding": "bond4", "vlan": 3000, "bridged": False, "defaultRoute": True}},
        "bondings": {"bond4": {}},
    }
    assert decide(facts, vm_network=False)["differences"] == [VLAN]


@pytest.mark.parametrize("facts, decision", [(there(), "in_sync"), (founding_host("mgmt3000"), "change")])
def test_a_kept_name_is_a_warning_with_the_consequences(facts, decision):
    found = decide(facts, keep=True)
    assert found["decision"] == decision
    assert VLAN not in found["differences"]
    assert [one["name"] for one in found["warnings"]] == [WARNING]
    assert (
        "the kernel rejects a second device for VLAN 3000 on bond4, so every edit by VDSM fails"
        in found["warnings"][0]["message"]
    )
    assert "which VDSM would call bond4.3000" in found["warnings"][0]["message"]


@pytest.mark.parametrize(
    "facts, reason",
    [
        (there("m3000", "enp134s0f0", bonded=False), None),
        (there("m3000", "enp134s0f0np0", bonded=False), "enp134s0f0np0.3000 is longer than 15 characters"),
        (there("bond4.3000"), None),
        (there(**{"bond4.3000": "eth1"}), "the host has another device named bond4.3000"),
        (there(inner="mgmt3000"), "inner is on top of it"),
    ],
)
def test_a_device_that_cannot_be_created_again_keeps_its_name(facts, reason):
    facts["nics"].update({"enp134s0f0": device(), "enp134s0f0np0": device()})
    found = decide(facts)
    kept = [one for one in found["warnings"] if one["name"] == WARNING]
    assert [reason in one["message"] for one in kept] == ([] if reason is None else [True])
    assert reason is None or found["decision"] == "in_sync"


def test_a_removal_keeps_the_name():
    facts = there()
    facts["nmstate"] = {
        "interfaces": [
            nmstate_bond(),
            nmstate_vlan(),
            {
                "name": "ovirtmgmt",
                "type": "linux-bridge",
                "state": "up",
                "mtu": 1500,
                "mac-address": MAC,
                "bridge": {"port": [{"name": "mgmt3000"}]},
                "ipv4": DHCP4,
            },
        ]
    }
    state = derive_removal(facts, {"name": "ovirtmgmt", "vlan_tag": 3000})["state"]
    assert {one["name"]: one["state"] for one in state["interfaces"]} == {
        "bond4": "up",
        "mgmt3000": "up",
        "ovirtmgmt": "absent",
    }


# --- the desired state ---

MAC, OTHER_MAC = "52:54:00:0C:01:02", "52:54:00:0C:01:99"
BY_DHCP = {"bonding": "bond4", "vlan": 3000, "bootproto": "dhcp", "defaultRoute": True, "nameservers": []}
STATIC = {
    "bonding": "bond4",
    "vlan": 3000,
    "ipaddr": "192.0.2.10",
    "netmask": "255.255.255.0",
    "gateway": "192.0.2.1",
    "defaultRoute": True,
}


def nmstate_bond():
    return {
        "name": "bond4",
        "type": "bond",
        "state": "up",
        "mtu": 1500,
        "mac-address": MAC,
        "ipv4": OFF,
        "ipv6": OFF,
        "link-aggregation": {"mode": "active-backup", "port": ["eth2", "eth3"]},
    }


def nmstate_vlan(name="mgmt3000", tag=3000, base="bond4", vlan=None, **more):
    return {
        "name": name,
        "type": "vlan",
        "state": "up",
        "mtu": 1500,
        "mac-address": MAC,
        "vlan": {"id": tag, "base-iface": base, **(vlan or {})},
        "ipv4": DHCP4,
        "ipv6": OFF,
        **more,
    }


def interfaces(network, *there_are, keep=False, profiles=None, running=None, **sections):
    current = {
        "interfaces": [nmstate_bond(), *there_are],
        **{key.replace("_", "-"): value for key, value in sections.items()},
    }
    state = desired_state({"networks": {"ovirtmgmt": network}}, current, running, profiles, keep_vlan_name=keep)
    return {one["name"]: one for one in state["interfaces"]}, state


def test_the_bridge_is_put_on_a_device_of_vdsm_s_name():
    found, _state = interfaces(BY_DHCP, nmstate_vlan())
    assert found["mgmt3000"] == {"name": "mgmt3000", "state": "absent"}
    assert found["bond4.3000"] == {
        "name": "bond4.3000",
        "type": "vlan",
        "state": "up",
        "mtu": 1500,
        "vlan": {"id": 3000, "base-iface": "bond4"},
        "ipv4": OFF,
        "ipv6": OFF,
    }
    assert found["ovirtmgmt"]["bridge"]["port"] == [{"name": "bond4.3000"}]
    # the DHCP server identifies the host by it
    assert found["ovirtmgmt"]["mac-address"] == MAC


@pytest.mark.parametrize("bridged, holder", [(True, "ovirtmgmt"), (False, "bond4.3000")])
def test_the_configuration_of_the_old_device_moves(bridged, holder):
    had = {
        "enabled": True,
        "dhcp": False,
        "address": [{"ip": "192.0.2.10", "prefix-length": 24}, {"ip": "198.51.100.10", "prefix-length": 25}],
    }
    routes = [
        {
            "destination": "10.0.0.0/8",
            "next-hop-address": "192.0.2.5",
            "next-hop-interface": "mgmt3000",
            "table-id": 254,
            "metric": 7,
        }
    ]
    rules = [{"family": "ipv4", "iif": "mgmt3000", "route-table": 99, "priority": 100}]
    found, state = interfaces(
        {**STATIC, "bridged": bridged}, nmstate_vlan(ipv4=had), routes={"config": routes}, route_rules={"config": rules}
    )
    assert found[holder]["ipv4"]["address"] == had["address"]
    assert {**routes[0], "next-hop-interface": holder} in state["routes"]["config"]
    assert {**rules[0], "iif": holder} in state["route-rules"]["config"]
    assert found["mgmt3000"]["state"] == "absent"


@pytest.mark.parametrize("bridged, holder", [(True, "ovirtmgmt"), (False, "bond4.3000")])
def test_the_host_is_the_same_to_the_dhcp_server(bridged, holder):
    profile = {"mgmt3000": {"lease_client_id": "ff:00:00:00:01:02", "settings": {"connection.zone": "internal"}}}
    network = {**BY_DHCP, "bridged": bridged}
    found, _state = interfaces(network, nmstate_vlan(), profiles=profile)
    assert found[holder]["ipv4"]["dhcp-client-id"] == "ff:00:00:00:01:02"
    settings = profile_settings(
        {"networks": {"ovirtmgmt": network}}, {"interfaces": [nmstate_bond(), nmstate_vlan()]}, None, profile
    )
    assert settings == {holder: {"connection.zone": "internal"}}


@pytest.mark.parametrize(
    "old, expected",
    [
        (nmstate_vlan(), {"vlan": {"id": 3000, "base-iface": "bond4"}}),
        (
            nmstate_vlan(**{"mac-address": OTHER_MAC}),
            {"vlan": {"id": 3000, "base-iface": "bond4"}, "mac-address": OTHER_MAC},
        ),
        (
            nmstate_vlan(vlan={"protocol": "802.1ad", "reorder-headers": False}),
            {"vlan": {"id": 3000, "base-iface": "bond4", "protocol": "802.1ad", "reorder-headers": False}},
        ),
    ],
)
def test_the_new_device_is_like_the_old_one(old, expected):
    found, _state = interfaces(BY_DHCP, old)
    assert {key: found["bond4.3000"][key] for key in ("vlan", "mac-address") if key in found["bond4.3000"]} == expected
    assert found["ovirtmgmt"]["mac-address"] == old["mac-address"]


def test_the_port_of_an_existing_bridge():
    bridge = {
        "name": "ovirtmgmt",
        "type": "linux-bridge",
        "state": "up",
        "mtu": 1500,
        "mac-address": MAC,
        "bridge": {"port": [{"name": "mgmt3000"}]},
        "ipv4": DHCP4,
    }
    found, _state = interfaces(BY_DHCP, nmstate_vlan(ipv4=OFF), bridge, running={"networks": {"ovirtmgmt": BY_DHCP}})
    assert found["mgmt3000"]["state"] == "absent"
    assert found["ovirtmgmt"]["bridge"]["port"] == [{"name": "bond4.3000"}]


def test_a_bridge_on_the_old_device_is_removed_for_a_bridgeless_network():
    bridge = {
        "name": "ovirtmgmt",
        "type": "linux-bridge",
        "state": "up",
        "mtu": 1500,
        "mac-address": MAC,
        "bridge": {"port": [{"name": "mgmt3000"}]},
        "ipv4": DHCP4,
    }
    found, _state = interfaces({**BY_DHCP, "bridged": False}, nmstate_vlan(ipv4=OFF), bridge)
    assert {name: one["state"] for name, one in found.items()} == {
        "bond4": "up",
        "bond4.3000": "up",
        "mgmt3000": "absent",
        "ovirtmgmt": "absent",
    }


@pytest.mark.parametrize(
    "others, keep, port",
    [
        ([], True, "mgmt3000"),
        ([nmstate_vlan("bond4.3000", 3001, ipv4=OFF)], False, "mgmt3000"),
        ([nmstate_vlan("inner", 7, "mgmt3000", ipv4=OFF)], False, "mgmt3000"),
        ([nmstate_vlan("inner", 7, "bond4", ipv4=OFF)], False, "bond4.3000"),
    ],
)
def test_if_the_old_device_is_kept(others, keep, port):
    found, _state = interfaces(BY_DHCP, nmstate_vlan(), *others, keep=keep)
    assert found["ovirtmgmt"]["bridge"]["port"] == [{"name": port}]
    assert found["mgmt3000"]["state"] == ("up" if port == "mgmt3000" else "absent")
