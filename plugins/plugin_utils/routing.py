# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes, source rules and DNS of networks, as VDSM asks nmstate for them (lib/vdsm/network/nmstate/route.py, dns.py). Pure."""

from __future__ import annotations

import ipaddress
import zlib

MAIN_TABLE = 254
_DEFAULT_TABLE = 0  # nmstate's word for "whichever is the default"
RULE_PRIORITY = 3200


def table(network):
    """The routing table of a network's learnt routes: the main one, or one of its own for a network off the default route."""
    return MAIN_TABLE if network.default_route else own_table(network)


def own_table(network):
    return zlib.adler32(network.holder.encode())


def routing(networks, before):
    """The parts ``routes``, ``route-rules`` and ``dns-resolver`` of the state for ``networks``; ``before``: recorded ones by name."""
    routes, rules, servers = [], [], None
    for network in networks:
        was = before.get(network.name)
        routes += _default_routes(network, was)
    for network in networks:
        was = before.get(network.name)
        source = _source_routing(network)
        old = _source_routing(was) if was and _source_changed(network, was) else ([], [])
        routes += source[0] + [dict(one, state="absent") for one in old[0] if one not in source[0]]
        rules += source[1] + [dict(one, state="absent") for one in old[1] if one not in source[1]]
        if network.default_route and not network.removed and "nameservers" in network.attributes:
            servers = network.attributes["nameservers"]
        elif servers is None and was and was.default_route and not network.default_route:
            servers = []
    state = {}
    if routes:
        state["routes"] = {"config": routes}
    if rules:
        state["route-rules"] = {"config": rules}
    if servers is not None:
        state["dns-resolver"] = {"config": {"server": list(servers)}}
    return state


def _default_routes(network, was):
    found = []
    for key, destination in (("gateway", "0.0.0.0/0"), ("ipv6gateway", "::/0")):
        gateway = None if network.removed else _gateway(network, key)
        old = _gateway(was, key) if was else None
        if gateway:
            found.append(_default(destination, gateway, network, absent=not network.default_route))
        if old and old != gateway and (was.default_route or not network.removed):
            found.append(_default(destination, old, was if network.removed else network, absent=True))
    return found


def _default(destination, gateway, network, absent):
    route = {"destination": destination, "next-hop-address": gateway, "next-hop-interface": network.holder, "table-id": _DEFAULT_TABLE}
    return dict(route, state="absent") if absent else route


def _gateway(network, key):
    value = network.attributes.get(key)
    return value if value and value != "::" else None


def _source_routing(network):
    """Answers leave by the network that they came in on: a table of its own per static IPv4 network with a gateway."""
    attributes = network.attributes
    if network.removed or not (attributes.get("ipaddr") and attributes.get("gateway")):
        return [], []
    mask = attributes.get("netmask") or attributes.get("prefix")
    subnet = str(ipaddress.ip_network(f"{attributes['ipaddr']}/{mask}", strict=False))
    own = own_table(network)
    hop = {"next-hop-interface": network.holder, "table-id": own}
    routes = [{"destination": "0.0.0.0/0", "next-hop-address": attributes["gateway"], **hop}, {"destination": subnet, "next-hop-address": "0.0.0.0", **hop}]
    return routes, [{key: subnet, "priority": RULE_PRIORITY, "route-table": own} for key in ("ip-from", "ip-to")]


def _source_changed(network, was):
    """Whether the old tables and rules would stay behind. VDSM misses a changed shape, subnet or mask; they are stale all the same."""
    return network.removed or _source_routing(network) != _source_routing(was)
