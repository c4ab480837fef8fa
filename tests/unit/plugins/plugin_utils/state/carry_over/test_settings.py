# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profile settings that move with the addresses, and losses."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import profile_settings as host_side
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import profile_properties
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import IAID, losses
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desired
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import by_dhcp, nic_host
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import derive

MAC = "52:54:00:0C:01:01"
FROM_MAC = "2001:db8::5054:ff:fe0c:101/64"
DHCP4 = {"bootproto": "dhcp", "defaultRoute": True, "nameservers": []}
BOTH = {**DHCP4, "dhcpv6": True, "ipv6autoconf": True}
STATIC = {"ipaddr": "192.0.2.10", "netmask": "255.255.255.0", "ipv6addr": "2001:db8::10/64"}


def settings(network, profile, bridged=True):
    stack = (
        {"enabled": True, "dhcp": True, "autoconf": True}
        if network.get("dhcpv6")
        else {"enabled": bool(network.get("ipv6addr"))}
    )
    eth1 = {
        "name": "eth1",
        "type": "ethernet",
        "state": "up",
        "mac-address": MAC,
        "ipv4": {"enabled": True, "dhcp": True},
        "ipv6": stack,
    }
    return desired(
        {"networks": {"ovirtmgmt": {"nic": "eth1", "bridged": bridged, **network}}},
        {"interfaces": [eth1]},
        {},
        {"eth1": profile},
    ).settings


@pytest.mark.parametrize(
    "network, profile, expected",
    [
        (DHCP4, {}, {}),
        (
            DHCP4,
            {"settings": {"connection.zone": "internal", "connection.mdns": 1}},
            {"connection.zone": "internal", "connection.mdns": 1},
        ),
        # only for families in use
        (
            DHCP4,
            {"settings": {"ipv6.ip6-privacy": 2, "ipv4.dhcp-vendor-class-identifier": "x"}},
            {"ipv4.dhcp-vendor-class-identifier": "x"},
        ),
        (
            STATIC,
            {"settings": {"ipv6.ip6-privacy": 2, IAID: "7"}, "lease_iaid": "00:00:00:07"},
            {"ipv6.ip6-privacy": 2},
        ),
        (BOTH, {"settings": {"ipv6.ip6-privacy": 2}}, {"ipv6.ip6-privacy": 2}),
        # the IAID in use, unless nmstate writes the same
        (BOTH, {"lease_iaid": "2a:83:5d:db"}, {IAID: "2a:83:5d:db"}),
        (BOTH, {"lease_iaid": "00:0c:01:01"}, {}),
        (BOTH, {"settings": {IAID: "ifname"}, "lease_iaid": "2a:83:5d:db"}, {IAID: "2a:83:5d:db"}),
        (BOTH, {"settings": {IAID: "mac"}}, {}),
        (BOTH, {"settings": {IAID: "ifname"}}, {}),
        (BOTH, {"settings": {IAID: "77"}}, {IAID: "77"}),
        (DHCP4, {"lease_iaid": "2a:83:5d:db"}, {}),
    ],
)
@pytest.mark.parametrize("bridged", [True, False])
def test_settings(network, profile, expected, bridged):
    device = "ovirtmgmt" if bridged else "eth1"
    found = settings(network, profile, bridged)
    assert found == ({device: expected} if expected else {})
    host_side.check(found, {device})


BOND_MAC = "52:54:00:0C:01:02"
ON_BOND = {**DHCP4, "bonding": "bond4", "vlan": 3000}


@pytest.mark.parametrize(
    "bond, mtu, now, expected",
    [
        ({"hwaddr": BOND_MAC.lower()}, 1500, {}, (BOND_MAC, 1500)),
        ({"hwaddr": BOND_MAC}, 9000, {}, (BOND_MAC, 9000)),
        # what the desired state lowers it to, as in the kernel
        ({"hwaddr": BOND_MAC}, 1500, {"mtu": 9000}, (BOND_MAC, 1500)),
        # the MAC follows the active port
        ({}, 1500, {}, None),
        # nothing for a new device, which nmstate writes itself
        ({"hwaddr": BOND_MAC}, 1500, None, None),
        ({"hwaddr": BOND_MAC}, 1500, {"state": "down"}, None),
        (None, 1500, {}, None),
    ],
)
def test_the_profile_of_a_bond_has_vdsms_settings(bond, mtu, now, expected):
    bondings = {"bond4": None if bond is None else {"nics": ["eth2", "eth3"], "options": "mode=1", **bond}}
    there = (
        []
        if now is None
        else [
            {
                "name": "bond4",
                "type": "bond",
                "state": "up",
                "mtu": 1500,
                "mac-address": BOND_MAC,
                "link-aggregation": {"mode": "active-backup", "port": ["eth2", "eth3"]},
                **now,
            }
        ]
    )
    found = desired(
        {"networks": {"ovirtmgmt": {**ON_BOND, "mtu": mtu}}, "bondings": bondings}, {"interfaces": there}, {}, {}
    ).settings
    assert found == ({} if expected is None else {"bond4": dict(zip(profile_properties.STATED, expected))})
    host_side.check(found, {"bond4"})


def test_a_removed_network_has_no_settings():
    assert (
        desired(
            {"networks": {"ovirtmgmt": None}}, {"interfaces": []}, {"networks": {"ovirtmgmt": {"nic": "eth1"}}}, {}
        ).settings
        == {}
    )


@pytest.mark.parametrize(
    "profile, expected",
    [
        ({}, []),
        ({"slaac_addresses": [FROM_MAC]}, []),
        ({"slaac_addresses": [FROM_MAC, "2001:db8:1::5054:ff:fe0c:101/64"]}, []),
        ({"slaac_addresses": ["2001:db8::1:2:3:4/64"]}, []),
        ({"slaac_addresses": ["2001:db8::1:2:3:4/64", "2001:db8:1::1:2:3:4/64"]}, []),
        ({"slaac_addresses": ["2001:db8::5/64", "2001:db8:1::6/64"]}, [("slaac_address", "2001:db8:1::6/64")]),
        ({"slaac_addresses": ["2001:db8::5/64", FROM_MAC]}, [("slaac_address", "2001:db8::5/64")]),
        ({"slaac_addresses": ["2001:db8::5/64", "2001:db8:1::6/64"], "token": "::5"}, []),
        (
            {"beyond_nmstate": ["the route 10.0.0.0/8 with onlink true"]},
            [("route_or_rule", "the route 10.0.0.0/8 with onlink true")],
        ),
    ],
)
def test_losses(profile, expected):
    assert [(loss.name, loss.values) for loss in losses("eth1", profile, MAC, moves=True)] == expected
    assert losses("eth1", profile, MAC, moves=False) == []


LOSING = {"slaac_addresses": ["2001:db8::5/64", "2001:db8:1::6/64"]}


def decide(**keys):
    eth1 = {"name": "eth1", "state": "up", "mac-address": MAC, "ipv4": {"enabled": True, "dhcp": True}}
    facts = nic_host(by_dhcp(), profiles={"eth1": LOSING}, nmstate={"interfaces": [eth1]})
    definition = {"name": "ovirtmgmt", **{key: keys.pop(key) for key in ("vm_network",) if key in keys}}
    return derive(facts, definition, "h", **keys)


def test_a_loss_is_refused_by_name_interface_and_value():
    found = decide()
    assert (found["decision"], found["event"]["id"], found["event"]["interface"]) == ("refuse", 1120, "eth1")
    for word in ("eth1", "2001:db8:1::6/64"):
        assert word in found["event"]["message"]
    assert "configure_mgmt_permit_loss: [slaac_address]" in found["remedy"]
    assert decide(permit_loss=["route_or_rule"])["decision"] == "refuse"


def test_a_permitted_loss_is_a_warning():
    found = decide(permit_loss=["slaac_address"])
    assert found["decision"] == "change"
    assert [(one["severity"], one["interface"], one["values"]) for one in found["warnings"]] == [
        ("WARNING", "eth1", {"Loss": "slaac_address"})
    ]
    assert "2001:db8:1::6/64" in found["warnings"][0]["message"]


def test_nothing_is_lost_on_the_same_device():
    assert decide(vm_network=False)["decision"] == "change"


@pytest.mark.parametrize("names", [["mac"], "slaac_address", [["slaac_address"]], {"slaac_address": True}])
def test_an_unknown_loss_is_invalid(names):
    with pytest.raises(DefinitionError, match="permit_loss.*slaac_address, route_or_rule"):
        decide(permit_loss=names)
