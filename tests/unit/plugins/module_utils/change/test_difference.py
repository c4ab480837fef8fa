# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Desired and current nmstate states: only differences remain."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.change.difference import (
    before,
    difference,
    held,
    mtu_cuts,
    mtu_raises,
    without,
)

OFF = {"enabled": False}
ETH3 = [{"ip": "192.0.2.1", "prefix-length": 24}, {"ip": "192.0.2.2", "prefix-length": 24}]
CURRENT = {
    "interfaces": [
        {
            "name": "eth2",
            "type": "ethernet",
            "state": "up",
            "mtu": 1500,
            "mac-address": "52:54:00:0B:01:01",
            "ipv4": OFF,
            "ipv6": OFF,
        },
        {
            "name": "bond4",
            "type": "bond",
            "state": "up",
            "mtu": 1500,
            "mac-address": "52:54:00:0B:01:01",
            "ipv4": OFF,
            "ipv6": OFF,
            "link-aggregation": {
                "mode": "802.3ad",
                "port": ["eth2", "eth3"],
                "options": {"miimon": 100, "lacp_rate": "fast", "xmit_hash_policy": "layer2+3"},
            },
        },
        {
            "name": "eth3",
            "type": "ethernet",
            "state": "up",
            "mtu": 1500,
            "ipv4": {"enabled": True, "address": ETH3},
            "ipv6": OFF,
            "ethtool": {"feature": {"rx-gro": True}, "ring": {"rx": 256}},
        },
        {
            "name": "bond4.3000",
            "type": "vlan",
            "state": "up",
            "mtu": 1500,
            "vlan": {"id": 3000, "base-iface": "bond4", "protocol": "802.1q"},
            "ipv4": {
                "enabled": True,
                "dhcp": True,
                "auto-dns": True,
                "auto-gateway": True,
                "auto-routes": True,
                "auto-route-table-id": 0,
                "address": [{"ip": "10.88.0.60", "prefix-length": 24}],
            },
            "ipv6": OFF,
        },
        {
            "name": "br1",
            "type": "linux-bridge",
            "state": "up",
            "mtu": 1500,
            "ipv4": OFF,
            "ipv6": {
                "enabled": True,
                "dhcp": False,
                "autoconf": False,
                "address": [{"ip": "fd00:80::5", "prefix-length": 64}, {"ip": "fe80::1", "prefix-length": 64}],
            },
            "bridge": {
                "options": {"stp": {"enabled": False, "forward-delay": 15}},
                "port": [{"name": "eth5", "stp-priority": 32}],
            },
        },
        {"name": "eth8", "type": "ethernet", "state": "down", "mtu": 1500},
        {"name": "eth9", "type": "ethernet", "state": "ignore", "mtu": 1500},
    ],
    "routes": {
        "config": [
            {
                "destination": "0.0.0.0/0",
                "next-hop-address": "10.80.0.1",
                "next-hop-interface": "eth1",
                "table-id": 254,
                "metric": 100,
            }
        ]
    },
    "route-rules": {"config": [{"ip-from": "10.80.0.0/24", "priority": 3200, "route-table": 66322802}]},
    "dns-resolver": {"config": {"server": ["10.80.0.1"]}, "running": {"server": ["10.80.0.1"]}},
}

HOLDS = {
    "the same MTU": {"interfaces": [{"name": "eth2", "state": "up", "mtu": 1500}]},
    "a MAC in other letters": {"interfaces": [{"name": "eth2", "state": "up", "mac-address": "52:54:00:0b:01:01"}]},
    "a bond's ports in another order": {
        "interfaces": [
            {
                "name": "bond4",
                "type": "bond",
                "state": "up",
                "link-aggregation": {"mode": "802.3ad", "port": ["eth3", "eth2"]},
            }
        ]
    },
    "bond options as VDSM numbers them": {
        "interfaces": [
            {
                "name": "bond4",
                "state": "up",
                "link-aggregation": {
                    "mode": "802.3ad",
                    "port": ["eth2", "eth3"],
                    "options": {"miimon": "100", "lacp_rate": "1", "xmit_hash_policy": "2"},
                },
            }
        ]
    },
    "a VLAN without its protocol": {
        "interfaces": [
            {"name": "bond4.3000", "type": "vlan", "state": "up", "vlan": {"id": 3000, "base-iface": "bond4"}}
        ]
    },
    "DHCP whatever the leased address": {
        "interfaces": [
            {
                "name": "bond4.3000",
                "state": "up",
                "ipv4": {
                    "enabled": True,
                    "dhcp": True,
                    "auto-dns": True,
                    "auto-gateway": True,
                    "auto-routes": True,
                    "auto-route-table-id": 254,
                },
            }
        ]
    },
    "IPv6 spelled out, the link-local address aside": {
        "interfaces": [
            {
                "name": "br1",
                "state": "up",
                "ipv6": {
                    "enabled": True,
                    "dhcp": False,
                    "autoconf": False,
                    "address": [{"ip": "fd00:80:0::0005", "prefix-length": 64}],
                },
            }
        ]
    },
    "a bridge's port by name": {
        "interfaces": [
            {
                "name": "br1",
                "type": "linux-bridge",
                "state": "up",
                "bridge": {"port": [{"name": "eth5"}], "options": {"stp": {"enabled": False}}},
            }
        ]
    },
    "absent what is not there": {"interfaces": [{"name": "eth1.7", "state": "absent"}]},
    "a route in table 0, which is the main one": {
        "routes": {
            "config": [
                {
                    "destination": "0.0.0.0/0",
                    "next-hop-address": "10.80.0.1",
                    "next-hop-interface": "eth1",
                    "table-id": 0,
                }
            ]
        }
    },
    "an absent route that is not there": {
        "routes": {
            "config": [
                {
                    "destination": "0.0.0.0/0",
                    "next-hop-address": "10.80.0.9",
                    "next-hop-interface": "eth1",
                    "table-id": 0,
                    "state": "absent",
                }
            ]
        }
    },
    "a rule": {"route-rules": {"config": [{"ip-from": "10.80.0.0/24", "priority": 3200, "route-table": 66322802}]}},
    "the DNS servers": {"dns-resolver": {"config": {"server": ["10.80.0.1"]}}},
    "text for a number, and a boolean": {
        "interfaces": [
            {
                "name": "br1",
                "state": "up",
                "bridge": {"options": {"stp": {"enabled": "false"}}, "port": [{"name": "eth5", "stp-priority": "32"}]},
            }
        ]
    },
    "LLDP that was never on, and no description": {
        "interfaces": [{"name": "br1", "state": "up", "lldp": {"enabled": False}, "description": ""}]
    },
    "the MAC of a port, copied": {"interfaces": [{"name": "bond4", "state": "up", "copy-mac-from": "eth2"}]},
    "what can only be read": {
        "interfaces": [
            {"name": "br1", "state": "up", "min-mtu": 68, "driver": "bridge", "wait-ip": "any", "profile-name": "br1"}
        ]
    },
    "an interface to be ignored": {"interfaces": [{"name": "br1", "state": "ignore"}]},
    "a NIC without a profile, absent": {"interfaces": [{"name": "eth8", "type": "ethernet", "state": "absent"}]},
    "addresses in another order, an extra one allowed": {
        "interfaces": [
            {
                "name": "eth3",
                "state": "up",
                "ipv4": {
                    "enabled": True,
                    "allow-extra-address": True,
                    "address": [{"ip": "192.0.2.2", "prefix-length": 24}],
                },
            }
        ]
    },
    "an ethtool feature by its short name": {
        "interfaces": [{"name": "eth3", "state": "up", "ethtool": {"feature": {"gro": True}, "ring": {"rx": "256"}}}]
    },
    "a port's VLAN filter that was never set": {
        "interfaces": [{"name": "br1", "state": "up", "bridge": {"port": [{"name": "eth5", "vlan": {}}]}}]
    },
    "an empty DNS search": {"dns-resolver": {"config": {"search": []}}},
}


@pytest.mark.parametrize("desired", HOLDS.values(), ids=HOLDS.keys())
def test_unchanged_interfaces_are_not_named(desired):
    assert difference(desired, CURRENT) == {}


DIFFERS = {
    "an MTU": (
        {"name": "eth2", "state": "up", "mtu": 9000, "mac-address": "52:54:00:0b:01:01"},
        {"name": "eth2", "state": "up", "mtu": 9000},
    ),
    "a missing port": (
        {"name": "bond4", "state": "up", "mtu": 1500, "link-aggregation": {"mode": "802.3ad", "port": ["eth2"]}},
        {"name": "bond4", "state": "up", "link-aggregation": {"mode": "802.3ad", "port": ["eth2"]}},
    ),
    # written anyway: with MAC and MTU, so that VDSM's first edit does not activate it again
    "a missing port, and what VDSM says of a bond": (
        {
            "name": "bond4",
            "type": "bond",
            "state": "up",
            "mtu": 1500,
            "mac-address": "52:54:00:0b:01:01",
            "link-aggregation": {"port": ["eth2"]},
        },
    )
    * 2,
    "only a higher MTU, which is raised in place": (
        {"name": "bond4", "type": "bond", "state": "up", "mtu": 9000, "mac-address": "52:54:00:0b:01:01"},
        {"name": "bond4", "type": "bond", "state": "up", "mtu": 9000},
    ),
    "a bond option": (
        {
            "name": "bond4",
            "state": "up",
            "link-aggregation": {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"lacp_rate": "0"}},
        },
        {
            "name": "bond4",
            "state": "up",
            "link-aggregation": {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"lacp_rate": "0"}},
        },
    ),
    "DHCP to be off": (
        {"name": "bond4.3000", "type": "vlan", "state": "up", "ipv4": OFF, "ipv6": OFF},
        {"name": "bond4.3000", "type": "vlan", "state": "up", "ipv4": OFF},
    ),
    "addresses of an interface whose MAC holds, to be pinned": (
        {"name": "br1", "state": "up", "mac-address": None, "ipv6": OFF},
    )
    * 2,
    "a new interface": ({"name": "ovirtmgmt", "type": "linux-bridge", "state": "up", "mtu": 1500},) * 2,
    "an interface that nmstate ignores": ({"name": "eth9", "state": "up", "mtu": 1500},) * 2,
    "STP, the ports holding": (
        {"name": "br1", "state": "up", "bridge": {"port": [{"name": "eth5"}], "options": {"stp": {"enabled": True}}}},
        {"name": "br1", "state": "up", "bridge": {"options": {"stp": {"enabled": True}}}},
    ),
    "a port's STP": ({"name": "br1", "state": "up", "bridge": {"port": [{"name": "eth5", "stp-priority": 8}]}},) * 2,
    "the table of the lease's routes": (
        {"name": "bond4.3000", "state": "up", "ipv4": {"enabled": True, "dhcp": True, "auto-route-table-id": 77}},
    )
    * 2,
    "LLDP": ({"name": "eth3", "state": "up", "lldp": {"enabled": True}},) * 2,
    "a description": ({"name": "eth3", "state": "up", "description": "uplink"},) * 2,
    "an ethtool feature": ({"name": "eth3", "state": "up", "ethtool": {"feature": {"rx-gro": False}}},) * 2,
    "virtual functions": ({"name": "eth3", "state": "up", "ethernet": {"sr-iov": {"total-vfs": 4}}},) * 2,
    "another's MAC": ({"name": "bond4", "state": "up", "copy-mac-from": "br1"},) * 2,
    "a multicast router": ({"name": "br1", "state": "up", "bridge": {"options": {"multicast-router": 2}}},) * 2,
    "another type": ({"name": "br1", "type": "bond", "state": "up"},) * 2,
    "an interface to be removed": ({"name": "br1", "state": "absent"},) * 2,
}


@pytest.mark.parametrize("wanted, left", DIFFERS.values(), ids=DIFFERS.keys())
def test_only_differences_remain(wanted, left):
    assert difference({"interfaces": [{"name": "eth2", "state": "up", "mtu": 1500}, wanted]}, CURRENT)[
        "interfaces"
    ] == [left]


def test_only_differing_routes_rules_and_dns_remain():
    route = {
        "destination": "0.0.0.0/0",
        "next-hop-address": "10.80.0.1",
        "next-hop-interface": "ovirtmgmt",
        "table-id": 0,
    }
    gone = {
        "destination": "0.0.0.0/0",
        "next-hop-address": "10.80.0.1",
        "next-hop-interface": "eth1",
        "table-id": 0,
        "state": "absent",
    }
    rule = {"ip-to": "10.80.0.0/24", "priority": 3200, "route-table": 66322802}
    desired = {
        "routes": {"config": [route, gone]},
        "route-rules": {"config": [rule]},
        "dns-resolver": {"config": {"server": []}},
    }
    # 0 means any table in what is absent
    assert difference(desired, CURRENT) == {**desired, "routes": {"config": [route, {**gone, "table-id": 254}]}}


def test_unchanged_rules_are_repeated_when_addresses_move():
    rules = CURRENT["route-rules"]
    moving = {"interfaces": [{"name": "bond4.3000", "state": "up", "ipv4": OFF}], "route-rules": rules}
    assert difference(moving, CURRENT)["route-rules"] == rules
    assert difference({"route-rules": rules}, CURRENT) == {}


def test_a_nic_whose_profile_is_removed():
    gone = {"name": "eth8", "state": "absent"}
    assert difference({"interfaces": [gone]}, CURRENT, profiled={"eth8"})["interfaces"] == [gone]


@pytest.mark.parametrize("config, left", [({}, True), ({"server": [], "search": []}, True)])
def test_servers_that_are_purged(config, left):
    assert bool(difference({"dns-resolver": {"config": config}}, CURRENT)) == left
    assert not difference({"dns-resolver": {"config": config}}, dict(CURRENT, **{"dns-resolver": {"config": {}}}))


def test_before_and_the_part_that_only_nmstate_shows():
    change = {
        "interfaces": [
            {
                "name": "eth3",
                "mtu": 9000,
                "lldp": {"enabled": True},
                "ethtool": {"feature": {"rx-gro": False}},
                "ipv4": {"enabled": True, "address": [{"ip": "192.0.2.9", "prefix-length": 24}], "dhcp": False},
            },
            {"name": "new", "lldp": {"enabled": True}},
        ],
        "dns-resolver": {"config": {"server": []}},
    }
    assert before(change, CURRENT) == {
        "interfaces": [
            {
                "name": "eth3",
                "mtu": 1500,
                "lldp": None,
                "ethtool": {"feature": {"rx-gro": True}},
                "ipv4": {"enabled": True, "address": ETH3, "dhcp": None},
            }
        ],
        "dns-resolver": {"config": {"server": ["10.80.0.1"]}},
    }
    assert held(change, CURRENT) == {
        "interfaces": [
            {
                "name": "eth3",
                "lldp": None,
                "ethtool": {"feature": {"rx-gro": True}},
                "ipv4": {"enabled": True, "dhcp": None},
            }
        ]
    }
    assert difference(held(change, CURRENT), CURRENT) == {}


def test_the_inputs_are_not_modified():
    desired, current = copy.deepcopy(DIFFERS["an MTU"][0]), copy.deepcopy(CURRENT)
    difference({"interfaces": [desired]}, current)
    assert (desired, current) == (DIFFERS["an MTU"][0], CURRENT)


def test_mtu_raises_are_the_interfaces_that_differ_by_a_higher_mtu_only_bases_first():
    change = {
        "interfaces": [
            {"name": "bond4.3000", "type": "vlan", "state": "up", "mtu": 9000},
            {"name": "bond4", "type": "bond", "state": "up", "mtu": 9000},
            {"name": "eth2", "state": "up", "mtu": 1400},
            {"name": "br1", "state": "up", "mtu": 9000, "ipv4": OFF},
            {"name": "ovirtmgmt", "state": "up", "mtu": 9000},
        ]
    }
    assert mtu_raises(change, CURRENT) == [
        {"name": "bond4", "mtu": 9000, "was": 1500},
        {"name": "bond4.3000", "mtu": 9000, "was": 1500},
    ]


def test_without_returns_an_empty_state():
    change = {"interfaces": [{"name": "bond4", "mtu": 9000}]}
    assert without(change, ["bond4"]) == {}
    assert without(change, ["eth2"]) == change


@pytest.mark.parametrize("servers, told", [(["10.80.0.1"], True), ([], False)])
def test_unchanged_dns_servers_are_repeated_when_addresses_move(servers, told):
    desired = {
        "interfaces": [{"name": "bond4.3000", "state": "up", "ipv4": OFF}],
        "dns-resolver": {"config": {"server": servers}},
    }
    current = dict(CURRENT, **{"dns-resolver": {"config": {"server": servers}}})
    assert ("dns-resolver" in difference(desired, current)) == told


def test_mtu_cuts_are_the_interfaces_that_differ_by_a_lower_mtu_only_bases_last():
    mac = next(iface for iface in CURRENT["interfaces"] if iface["name"] == "bond4").get("mac-address", "")
    change = {
        "interfaces": [
            {"name": "bond4", "type": "bond", "state": "up", "mtu": 1300, "mac-address": mac.lower()},
            {"name": "bond4.3000", "type": "vlan", "state": "up", "mtu": 1300},
            {"name": "eth2", "state": "up", "mtu": 1400},
            {"name": "br1", "state": "up", "mtu": 1300, "ipv4": OFF},
            {"name": "ovirtmgmt", "state": "absent"},
        ]
    }
    assert [(cut["name"], cut["mtu"]) for cut in mtu_cuts(change, CURRENT)] == [
        ("bond4.3000", 1300),
        ("bond4", 1300),
        ("eth2", 1400),
    ]
    assert not mtu_raises(change, CURRENT)


def test_a_bond_that_is_to_get_another_mac_is_not_only_cut():
    bond = {"name": "bond4", "type": "bond", "state": "up", "mtu": 1300, "mac-address": "02:00:00:00:00:99"}
    assert mtu_cuts({"interfaces": [bond]}, CURRENT) == []
