# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between two states of a host."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.facts_diff import difference

FACTS = {
    "profile_files": {"/etc/eth1": "aa"},
    "routes": [
        {
            "destination": "0.0.0.0/0",
            "next-hop-address": "192.0.2.1",
            "next-hop-interface": "br",
            "metric": 100,
            "table-id": 254,
        }
    ],
    "nmstate": {
        "interfaces": [
            {
                "name": "eth1",
                "type": "ethernet",
                "state": "up",
                "mac-address": "52:54:00:00:00:01",
                "mtu": 1500,
                "ipv4": {"enabled": False},
            },
            {
                "name": "bond4",
                "type": "bond",
                "state": "up",
                "link-aggregation": {"mode": "active-backup", "options": {"miimon": 100}, "port": ["eth1"]},
            },
            {"name": "bond4.10", "type": "vlan", "state": "up", "vlan": {"id": 10, "base-iface": "bond4"}},
            {
                "name": "br",
                "type": "linux-bridge",
                "state": "up",
                "ipv4": {"enabled": True, "dhcp": True, "address": [{"ip": "192.0.2.10", "prefix-length": 24}]},
                "bridge": {
                    "port": [{"name": "bond4.10"}],
                    "options": {"stp": {"enabled": False}, "mac-ageing-time": 300},
                },
            },
        ],
        "route-rules": {"config": [{"ip-from": "192.0.2.0/24", "route-table": 7}]},
        "dns-resolver": {"config": {}, "running": {"server": ["192.0.2.53"], "search": ["example.com"]}},
    },
}


def changed(where, value):
    facts = copy.deepcopy(FACTS)
    part = facts
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    return facts


@pytest.mark.parametrize(
    "after, lines",
    [
        (FACTS, []),
        (changed(("nmstate", "interfaces", 3, "bridge", "options", "mac-ageing-time"), 15), []),
        (
            changed(("profile_files", "/etc/eth1"), "bb"),
            ["- profile file /etc/eth1 sha256 aa", "+ profile file /etc/eth1 sha256 bb"],
        ),
        (changed(("nmstate", "interfaces", 0, "mtu"), 9000), ["- eth1: MTU 1500", "+ eth1: MTU 9000"]),
        (changed(("nmstate", "interfaces", 0, "state"), "down"), ["- eth1: ethernet up", "+ eth1: ethernet down"]),
        (changed(("nmstate", "interfaces", 1, "link-aggregation", "port"), []), ["- bond4: port eth1"]),
        (
            changed(("nmstate", "interfaces", 2, "vlan", "id"), 11),
            ["- bond4.10: VLAN 10 on bond4", "+ bond4.10: VLAN 11 on bond4"],
        ),
        (changed(("nmstate", "interfaces", 3, "ipv4", "address"), []), ["- br: address 192.0.2.10/24"]),
        (
            changed(("nmstate", "interfaces", 3, "bridge", "port"), [{"name": "eth2"}]),
            ["- br: port bond4.10", "+ br: port eth2"],
        ),
        (changed(("routes",), []), ["- route 0.0.0.0/0 via 192.0.2.1 dev br metric 100 table 254"]),
        (changed(("nmstate", "route-rules", "config"), []), ['- rule {"ip-from": "192.0.2.0/24", "route-table": 7}']),
        (changed(("nmstate", "dns-resolver", "running", "server"), []), ["- dns running server 192.0.2.53"]),
    ],
)
def test_difference(after, lines):
    assert difference(FACTS, after) == lines


def test_without_facts_everything_differs():
    assert all(line.startswith("- ") for line in difference(FACTS, {}))
