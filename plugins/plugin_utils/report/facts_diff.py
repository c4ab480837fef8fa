# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a host's network at two points in time, one readable line per property.

Ignores values that change constantly: counters, lifetimes, link speeds, the ageing time of bridges (the kernel shortens
it while a spanning tree settles).
"""

from __future__ import annotations

import json
from typing import Any

_RESOLVER = ("server", "search")


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """``- line`` for properties that only ``before`` has, then ``+ line`` for those that only ``after`` has. Both are
    facts of host_network_facts.
    """
    return difference_of_lines(lines(before), lines(after))


def difference_of_lines(old: list[str], new: list[str]) -> list[str]:
    """The same for results of lines()."""
    return ["- " + line for line in old if line not in new] + ["+ " + line for line in new if line not in old]


def lines(facts: dict[str, Any]) -> list[str]:
    """The properties of a host's network, one line each."""
    state = facts.get("nmstate") or {}
    found = [
        f"profile file {path} sha256 {digest}" for path, digest in sorted((facts.get("profile_files") or {}).items())
    ]
    for interface in state.get("interfaces") or []:
        found += [f"{interface['name']}: {words}" for words in _interface(interface)]
    for route in facts.get("routes") or []:
        words = {key: route.get(key) for key in ("next-hop-address", "next-hop-interface", "metric", "table-id")}
        via, device, metric, table = (("-" if value in (None, "") else value) for value in words.values())
        found.append(f"route {route.get('destination')} via {via} dev {device} metric {metric} table {table}")
    found += [
        "rule " + json.dumps(rule, sort_keys=True) for rule in (state.get("route-rules") or {}).get("config") or []
    ]
    for kind, resolver in sorted((state.get("dns-resolver") or {}).items()):
        found += [f"dns {kind} {word} {value}" for word in _RESOLVER for value in (resolver or {}).get(word) or []]
    return found


def _interface(interface: dict[str, Any]) -> list[str]:
    found = [f"{interface.get('type')} {interface.get('state')}"]
    found += [f"{word} {interface[key]}" for key, word in (("mac-address", "MAC"), ("mtu", "MTU")) if key in interface]
    for family in ("ipv4", "ipv6"):
        stack = interface.get(family) or {}
        found.append(
            f"{family} {'on' if stack.get('enabled') else 'off'}, dhcp {bool(stack.get('dhcp'))}, autoconf "
            f"{bool(stack.get('autoconf'))}"
        )
        found += [f"address {one['ip']}/{one['prefix-length']}" for one in stack.get("address") or []]
    if "vlan" in interface:
        found.append(f"VLAN {interface['vlan'].get('id')} on {interface['vlan'].get('base-iface')}")
    bond, bridge = interface.get("link-aggregation") or {}, interface.get("bridge") or {}
    if bond:
        found.append(f"bond mode {bond.get('mode')} options {json.dumps(bond.get('options') or {}, sort_keys=True)}")
    if bridge:
        options = {key: value for key, value in (bridge.get("options") or {}).items() if key != "mac-ageing-time"}
        found.append(f"bridge options {json.dumps(options, sort_keys=True)}")
    ports = list(bond.get("port", bond.get("ports")) or []) + [
        port["name"] for port in bridge.get("port", bridge.get("ports")) or []
    ]
    return found + [f"port {port}" for port in ports]
