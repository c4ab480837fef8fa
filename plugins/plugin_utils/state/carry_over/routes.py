# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes, policy rules, and the preference among default routes when addresses move to another device."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import parse_address, same_address
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState, is_dynamic
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import EVERYWHERE, in_main, table_of

# NetworkManager, nm_device_get_route_metric_default().
_DEFAULT_METRIC = {"ethernet": 100, "veth": 100, "bond": 300, "vlan": 400, "linux-bridge": 425}


def add_routes(state: Data, holder: Data, network: Network, source: Data, host: HostState) -> None:
    """Add the static routes of ``source`` to ``state`` for ``holder``, with metrics and tables.

    The request has precedence: without the default route, there is none in the main table, and a new gateway replaces
    the current ones. The metric of a single default route is left to
    NetworkManager: VDSM does not set one, and its first edit would add a second route with the metric of a bridge.
    ``holder``, ``source``: desired and current nmstate interface.
    """
    wanted = (state.get("routes") or {}).get("config") or []
    for route in host.configured_routes:
        if route.get("next-hop-interface") != source["name"] or not _belongs(route, holder, network, source, host):
            continue
        moved = {**route, "next-hop-interface": holder["name"]}
        if _is_only_default(route, holder, source, host):
            moved.pop("metric", None)
        twin = next((entry for entry in wanted if entry.get("state") != "absent" and _same(entry, moved)), None)
        if twin is not None:
            twin.update({key: value for key, value in moved.items() if key not in twin})
        else:
            wanted.append(moved)
    if wanted:
        state["routes"] = {"config": wanted}


def add_rules(state: Data, holder: Data, source: Data, host: HostState) -> None:
    """Add the policy rules of ``source`` to ``state``; nmstate stores them in the profile of a device with addresses.

    These are the rules for a table of its routes, from or to one of its addresses, or with its name.
    """
    tables = {
        route.get("table-id")
        for route in host.configured_routes
        if route.get("next-hop-interface") == source["name"] and not in_main(route)
    }
    tables |= {
        stack["auto-route-table-id"]
        for stack in _stacks(source)
        if not in_main({"table-id": stack.get("auto-route-table-id")})
    }
    tables.discard(table_of(source["name"]))
    addresses = {entry["ip"] for stack in _stacks(source) for entry in stack.get("address") or []}
    wanted = (state.get("route-rules") or {}).get("config") or []
    for rule in host.rules:
        about = rule.get("route-table") in tables or rule.get("iif") == source["name"]
        ends = [(rule.get(key) or "").partition("/")[0] for key in ("ip-from", "ip-to")]
        if not about and not any(same_address(end, address) for end in ends for address in addresses):
            continue
        moved = {**rule, "iif": holder["name"]} if rule.get("iif") == source["name"] else dict(rule)
        if moved not in wanted:
            wanted.append(moved)
    if wanted:
        state["route-rules"] = {"config": wanted}


def keep_preference(state: Data, holder: Data, network: Network, source: Data, host: HostState) -> None:
    """Set the metric of the default route if another device has one, too, because a bridge has the worst default
    metric.
    """
    if not network.default_route:
        return
    for family, version in (("ipv4", 4), ("ipv6", 6)):
        if not _has_rival(family, version, holder, source, host):
            continue
        metric = _metric(family, version, source, host)
        stack = holder[family]
        if stack.get("dhcp") or stack.get("autoconf"):
            stack.setdefault("auto-route-metric", metric)
        for route in (state.get("routes") or {}).get("config") or []:
            mine = route.get("next-hop-interface") == holder["name"] and route.get("destination") == EVERYWHERE[version]
            if mine and in_main(route) and route.get("state") != "absent":
                route.setdefault("metric", metric)


def _belongs(route: Data, holder: Data, network: Network, source: Data, host: HostState) -> bool:
    destination = route.get("destination") or ""
    family, gateway = ("ipv6", network.ipv6gateway) if ":" in destination else ("ipv4", network.gateway)
    if route.get("state") == "absent" or not holder[family].get("enabled"):
        return False
    # A table created by VDSM belongs to the device; the new device has its own.
    if route.get("table-id") == table_of(source["name"]):
        return False
    if destination not in EVERYWHERE.values() or not in_main(route):
        return True
    if not network.default_route or is_dynamic(holder[family]) != is_dynamic(source.get(family) or {}):
        return False
    today = [
        entry.get("next-hop-address")
        for entry in host.configured_routes
        if _is_default(entry, source["name"]) and entry.get("destination") == destination
    ]
    return not gateway or any(same_address(gateway, address) for address in today)


def _is_only_default(route: Data, holder: Data, source: Data, host: HostState) -> bool:
    if not _is_default(route):
        return False
    family, version = ("ipv6", 6) if ":" in route["destination"] else ("ipv4", 4)
    own = [
        entry
        for entry in host.configured_routes
        if _is_default(entry, source["name"]) and entry["destination"] == route["destination"]
    ]
    return len(own) == 1 and not _has_rival(family, version, holder, source, host)


def _has_rival(family: str, version: int, holder: Data, source: Data, host: HostState) -> bool:
    own = (holder["name"], source["name"])
    defaults = [
        route for route in host.running_routes if _is_default(route) and route["destination"] == EVERYWHERE[version]
    ]
    if any(route.get("next-hop-interface") not in own for route in defaults):
        return True
    for name, interface in host.interfaces.items():
        stack = interface.get(family) or {}
        learns = (
            is_dynamic(stack)
            and stack.get("auto-gateway", True)
            and in_main({"table-id": stack.get("auto-route-table-id")})
        )
        if name not in own and host.is_up(name) and learns:
            return True
    return False


def _metric(family: str, version: int, source: Data, host: HostState) -> int:
    metrics = [
        route["metric"]
        for route in host.running_routes
        if _is_default(route, source["name"]) and route["destination"] == EVERYWHERE[version] and route.get("metric")
    ]
    stated = (source.get(family) or {}).get("auto-route-metric")
    return min(
        metrics,
        default=stated if isinstance(stated, int) and stated >= 0 else _DEFAULT_METRIC.get(source.get("type", ""), 100),
    )


def _is_default(route: Data, device: str = "") -> bool:
    return (
        route.get("destination") in EVERYWHERE.values()
        and in_main(route)
        and (not device or route.get("next-hop-interface") == device)
    )


def _same(route: Data, other: Data) -> bool:
    """Whether nmstate treats two routes as the same (it ignores the metric)."""
    hops = [entry.get("next-hop-address") or "" for entry in (route, other)]
    return (
        all(route.get(key) == other.get(key) for key in ("destination", "next-hop-interface"))
        and (hops[0] == hops[1] or same_address(*hops) or all(_is_no_hop(hop) for hop in hops))
        and (route.get("table-id") == other.get("table-id") or in_main(route) and in_main(other))
    )


def _is_no_hop(address: str) -> bool:
    parsed = parse_address(address)
    return not address or parsed is not None and int(parsed) == 0


def _stacks(interface: Data) -> list[Data]:
    return [interface.get(family) or {} for family in ("ipv4", "ipv6")]
