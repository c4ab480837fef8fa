# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The digest of an nmstate state."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts.digest import digest


def one(**iface):
    return digest({"interfaces": [dict({"name": "eth1", "type": "ethernet", "state": "up"}, **iface)]})["interfaces"][0]


def test_an_empty_state_has_all_parts():
    assert digest({}) == {
        "interfaces": [],
        "routes": {"config": []},
        "route-rules": {"config": []},
        "dns-resolver": {"config": {}, "running": {}},
    }


@pytest.mark.parametrize(
    "gone",
    [
        {"name": "lo", "type": "loopback", "state": "up"},
        {"name": "vnet0", "type": "tun", "state": "ignore"},
        {"name": "vnet0", "type": "tun", "state": "up"},
        {"name": "macvtap0", "type": "mac-vtap", "state": "up"},
        {"name": "vethc", "type": "veth", "state": "ignore"},
        {"name": "wlan0", "type": "wifi", "state": "up"},
    ],
)
def test_guests_and_hidden_devices_are_removed(gone):
    state = {"interfaces": [gone, {"name": "eth1", "type": "veth", "state": "up"}]}
    assert [iface["name"] for iface in digest(state, hidden={"wlan0"})["interfaces"]] == ["eth1"]


def test_interfaces_are_sorted_and_slim():
    state = {
        "interfaces": [
            {"name": "eth2", "type": "ethernet", "state": "up"},
            {
                "name": "eth1",
                "type": "ethernet",
                "state": "up",
                "mtu": 1500,
                "mac-address": "52:54:00:0C:01:01",
                "controller": "bond4",
                "ethtool": {"feature": {}},
                "lldp": {"enabled": False},
                "min-mtu": 68,
                "identifier": "name",
            },
        ]
    }
    assert digest(state)["interfaces"] == [
        {
            "name": "eth1",
            "type": "ethernet",
            "state": "up",
            "mtu": 1500,
            "mac-address": "52:54:00:0C:01:01",
            "controller": "bond4",
        },
        {"name": "eth2", "type": "ethernet", "state": "up"},
    ]


def test_unmanaged_is_only_named():
    assert one(state="ignore", ipv4={"enabled": True, "address": []}, mtu=1500) == {
        "name": "eth1",
        "type": "ethernet",
        "state": "ignore",
        "mtu": 1500,
    }


@pytest.mark.parametrize(
    ("stack", "small"),
    [
        ({"enabled": False, "dhcp": False, "forwarding": False}, {"enabled": False}),
        (
            {
                "enabled": True,
                "dhcp": True,
                "auto-route-metric": -1,
                "auto-dns": False,
                "address": [{"ip": "10.0.0.1", "prefix-length": 24, "valid-life-time": "5sec"}],
            },
            {"enabled": True, "dhcp": True, "auto-dns": False, "address": [{"ip": "10.0.0.1", "prefix-length": 24}]},
        ),
        (
            {"enabled": True, "dhcp": True, "auto-route-metric": 900, "dhcp-client-id": "01:aa", "dhcp-timeout": 5},
            {"enabled": True, "dhcp": True, "auto-route-metric": 900, "dhcp-client-id": "01:aa"},
        ),
        (
            {"enabled": True, "dhcp": True, "auto-route-metric": 0},
            {"enabled": True, "dhcp": True, "auto-route-metric": 0},
        ),
    ],
)
def test_address_family(stack, small):
    assert one(ipv4=stack)["ipv4"] == small


def test_bond_vlan_and_bridge():
    bond = {"mode": "active-backup", "port": ["eth2", "eth1"], "options": {"miimon": 100}, "ports-config": []}
    assert one(**{"link-aggregation": bond})["link-aggregation"] == {
        "mode": "active-backup",
        "port": ["eth2", "eth1"],
        "options": {"miimon": 100},
    }
    assert one(vlan={"id": 5, "base-iface": "bond4", "protocol": "802.1q", "reorder-headers": True})["vlan"] == {
        "id": 5,
        "base-iface": "bond4",
    }
    assert one(vlan={"id": 5, "base-iface": "bond4", "protocol": "802.1ad"})["vlan"]["protocol"] == "802.1ad"
    state = {
        "interfaces": [
            {
                "name": "br",
                "type": "linux-bridge",
                "state": "up",
                "bridge": {
                    "options": {
                        "stp": {"enabled": True, "forward-delay": 4, "hello-time": 2},
                        "gc-timer": 299,
                        "group-forward-mask": 8,
                    },
                    "port": [{"name": "vnet0"}, {"name": "eth1", "stp-priority": 32, "vlan": {"mode": "trunk"}}],
                },
            },
            {"name": "vnet0", "type": "tun", "state": "ignore"},
        ]
    }
    assert digest(state)["interfaces"][0]["bridge"] == {
        "options": {"stp": {"enabled": True, "forward-delay": 4}, "group-forward-mask": 8},
        "port": [{"name": "eth1", "vlan": {"mode": "trunk"}}],
    }
