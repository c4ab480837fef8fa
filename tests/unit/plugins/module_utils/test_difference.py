# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables of desired against current nmstate states: only what differs is left."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.difference import difference, mtu_raises, without

OFF = {"enabled": False}
CURRENT = {
    "interfaces": [
        {"name": "eth2", "type": "ethernet", "state": "up", "mtu": 1500, "mac-address": "52:54:00:0B:01:01", "ipv4": OFF, "ipv6": OFF},
        {"name": "bond4", "type": "bond", "state": "up", "mtu": 1500, "mac-address": "52:54:00:0B:01:01", "ipv4": OFF, "ipv6": OFF,
         "link-aggregation": {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"miimon": 100, "lacp_rate": "fast", "xmit_hash_policy": "layer2+3"}}},
        {"name": "bond4.3000", "type": "vlan", "state": "up", "mtu": 1500, "vlan": {"id": 3000, "base-iface": "bond4", "protocol": "802.1q"},
         "ipv4": {"enabled": True, "dhcp": True, "auto-dns": True, "auto-gateway": True, "auto-routes": True, "auto-route-table-id": 0,
                  "address": [{"ip": "10.88.0.60", "prefix-length": 24}]}, "ipv6": OFF},
        {"name": "br1", "type": "linux-bridge", "state": "up", "mtu": 1500, "ipv4": OFF,
         "ipv6": {"enabled": True, "dhcp": False, "autoconf": False,
                  "address": [{"ip": "fd00:80::5", "prefix-length": 64}, {"ip": "fe80::1", "prefix-length": 64}]},
         "bridge": {"options": {"stp": {"enabled": False, "forward-delay": 15}}, "port": [{"name": "eth5", "stp-priority": 32}]}},
        {"name": "eth9", "type": "ethernet", "state": "ignore", "mtu": 1500},
    ],
    "routes": {"config": [{"destination": "0.0.0.0/0", "next-hop-address": "10.80.0.1", "next-hop-interface": "eth1", "table-id": 254, "metric": 100}]},
    "route-rules": {"config": [{"ip-from": "10.80.0.0/24", "priority": 3200, "route-table": 66322802}]},
    "dns-resolver": {"config": {"server": ["10.80.0.1"]}, "running": {"server": ["10.80.0.1"]}},
}

HOLDS = {
    "the same MTU": {"interfaces": [{"name": "eth2", "state": "up", "mtu": 1500}]},
    "a MAC in other letters": {"interfaces": [{"name": "eth2", "state": "up", "mac-address": "52:54:00:0b:01:01"}]},
    "a bond's ports in another order": {"interfaces": [{"name": "bond4", "type": "bond", "state": "up",
                                        "link-aggregation": {"mode": "802.3ad", "port": ["eth3", "eth2"]}}]},
    "bond options as VDSM numbers them": {"interfaces": [{"name": "bond4", "state": "up", "link-aggregation": {
        "mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"miimon": "100", "lacp_rate": "1", "xmit_hash_policy": "2"}}}]},
    "a VLAN without its protocol": {"interfaces": [{"name": "bond4.3000", "type": "vlan", "state": "up", "vlan": {"id": 3000, "base-iface": "bond4"}}]},
    "DHCP whatever the leased address": {"interfaces": [{"name": "bond4.3000", "state": "up", "ipv4": {
        "enabled": True, "dhcp": True, "auto-dns": True, "auto-gateway": True, "auto-routes": True, "auto-route-table-id": 254}}]},
    "IPv6 spelled out, the link-local address aside": {"interfaces": [{"name": "br1", "state": "up", "ipv6": {
        "enabled": True, "dhcp": False, "autoconf": False, "address": [{"ip": "fd00:80:0::0005", "prefix-length": 64}]}}]},
    "a bridge's port by name": {"interfaces": [{"name": "br1", "type": "linux-bridge", "state": "up",
                                "bridge": {"port": [{"name": "eth5"}], "options": {"stp": {"enabled": False}}}}]},
    "absent what is not there": {"interfaces": [{"name": "eth1.7", "state": "absent"}]},
    "a route in table 0, which is the main one": {"routes": {"config": [
        {"destination": "0.0.0.0/0", "next-hop-address": "10.80.0.1", "next-hop-interface": "eth1", "table-id": 0}]}},
    "an absent route that is not there": {"routes": {"config": [
        {"destination": "0.0.0.0/0", "next-hop-address": "10.80.0.9", "next-hop-interface": "eth1", "table-id": 0, "state": "absent"}]}},
    "a rule": {"route-rules": {"config": [{"ip-from": "10.80.0.0/24", "priority": 3200, "route-table": 66322802}]}},
    "the DNS servers": {"dns-resolver": {"config": {"server": ["10.80.0.1"]}}},
    "an empty DNS search": {"dns-resolver": {"config": {"search": []}}},
}


@pytest.mark.parametrize("desired", HOLDS.values(), ids=HOLDS.keys())
def test_what_holds_is_not_named(desired):
    assert difference(desired, CURRENT) == {}


DIFFERS = {
    "an MTU": ({"name": "eth2", "state": "up", "mtu": 9000, "mac-address": "52:54:00:0b:01:01"}, {"name": "eth2", "state": "up", "mtu": 9000}),
    "a missing port": ({"name": "bond4", "state": "up", "mtu": 1500, "link-aggregation": {"mode": "802.3ad", "port": ["eth2"]}},
                       {"name": "bond4", "state": "up", "link-aggregation": {"mode": "802.3ad", "port": ["eth2"]}}),
    "a bond option": ({"name": "bond4", "state": "up", "link-aggregation": {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"lacp_rate": "0"}}},
                      {"name": "bond4", "state": "up",
                       "link-aggregation": {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"lacp_rate": "0"}}}),
    "DHCP to be off": ({"name": "bond4.3000", "type": "vlan", "state": "up", "ipv4": OFF, "ipv6": OFF},
                       {"name": "bond4.3000", "type": "vlan", "state": "up", "ipv4": OFF}),
    "addresses of an interface whose MAC holds, to be pinned": (
        {"name": "br1", "state": "up", "mac-address": None, "ipv6": OFF},) * 2,
    "a new interface": ({"name": "ovirtmgmt", "type": "linux-bridge", "state": "up", "mtu": 1500},) * 2,
    "an interface that nmstate ignores": ({"name": "eth9", "state": "up", "mtu": 1500},) * 2,
    "STP": ({"name": "br1", "state": "up", "bridge": {"port": [{"name": "eth5"}], "options": {"stp": {"enabled": True}}}},) * 2,
    "the table of the lease's routes": ({"name": "bond4.3000", "state": "up", "ipv4": {"enabled": True, "dhcp": True, "auto-route-table-id": 77}},) * 2,
    "an interface to be removed": ({"name": "br1", "state": "absent"},) * 2,
}


@pytest.mark.parametrize("wanted, left", DIFFERS.values(), ids=DIFFERS.keys())
def test_only_what_differs_is_left(wanted, left):
    assert difference({"interfaces": [{"name": "eth2", "state": "up", "mtu": 1500}, wanted]}, CURRENT)["interfaces"] == [left]


def test_routes_rules_and_dns_that_differ_are_left_alone_with_themselves():
    route = {"destination": "0.0.0.0/0", "next-hop-address": "10.80.0.1", "next-hop-interface": "ovirtmgmt", "table-id": 0}
    gone = {"destination": "0.0.0.0/0", "next-hop-address": "10.80.0.1", "next-hop-interface": "eth1", "table-id": 0, "state": "absent"}
    rule = {"ip-to": "10.80.0.0/24", "priority": 3200, "route-table": 66322802}
    desired = {"routes": {"config": [route, gone]}, "route-rules": {"config": [rule]}, "dns-resolver": {"config": {"server": []}}}
    # 0 means any table in what is absent
    assert difference(desired, CURRENT) == {**desired, "routes": {"config": [route, {**gone, "table-id": 254}]}}


def test_rules_that_hold_are_told_again_when_addresses_move():
    rules = CURRENT["route-rules"]
    moving = {"interfaces": [{"name": "bond4.3000", "state": "up", "ipv4": OFF}], "route-rules": rules}
    assert difference(moving, CURRENT)["route-rules"] == rules
    assert difference({"route-rules": rules}, CURRENT) == {}


def test_the_inputs_stay_as_they_are():
    desired, current = copy.deepcopy(DIFFERS["an MTU"][0]), copy.deepcopy(CURRENT)
    difference({"interfaces": [desired]}, current)
    assert (desired, current) == (DIFFERS["an MTU"][0], CURRENT)


def test_mtu_raises_are_the_interfaces_that_differ_by_a_higher_mtu_only_bases_first():
    change = {"interfaces": [
        {"name": "bond4.3000", "type": "vlan", "state": "up", "mtu": 9000},
        {"name": "bond4", "type": "bond", "state": "up", "mtu": 9000},
        {"name": "eth2", "state": "up", "mtu": 1400},
        {"name": "br1", "state": "up", "mtu": 9000, "ipv4": OFF},
        {"name": "ovirtmgmt", "state": "up", "mtu": 9000},
    ]}
    assert mtu_raises(change, CURRENT) == [{"name": "bond4", "mtu": 9000, "was": 1500}, {"name": "bond4.3000", "mtu": 9000, "was": 1500}]


def test_without_leaves_nothing_when_nothing_is_left():
    change = {"interfaces": [{"name": "bond4", "mtu": 9000}]}
    assert without(change, ["bond4"]) == {}
    assert without(change, ["eth2"]) == change


@pytest.mark.parametrize("servers, told", [(["10.80.0.1"], True), ([], False)])
def test_dns_servers_that_hold_are_told_again_when_addresses_move(servers, told):
    desired = {"interfaces": [{"name": "bond4.3000", "state": "up", "ipv4": OFF}], "dns-resolver": {"config": {"server": servers}}}
    current = dict(CURRENT, **{"dns-resolver": {"config": {"server": servers}}})
    assert ("dns-resolver" in difference(desired, current)) == told
