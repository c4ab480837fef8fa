# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes, route rules, and DNS of a desired state, by VDSM's rules.

A static network with an IPv4 gateway gets its own routing table and rules (source routing), so that replies use the
network on which the request arrived.
"""

from __future__ import annotations

import ipaddress
import zlib

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data

MAIN_TABLE = 254
# nmstate's value for the default table. In an absent entry, it means any table.
DEFAULT_TABLE = 0
RULE_PRIORITY = 3200
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


def table_of(device: str) -> int:
    """The number of the routing table that VDSM assigns to a device."""
    return zlib.adler32(device.encode("utf-8"))


def routes(network: Network, record: Network) -> list[Data]:
    """The default routes of ``network``, and the removal of those in its ``record``."""
    entries = []
    for version, gateway, former, dynamic in (
        (4, network.gateway, record.gateway, network.dhcpv4),
        (6, network.ipv6gateway, record.ipv6gateway, network.dhcpv6),
    ):
        if gateway:
            entries.append(_route(network.holder, gateway, EVERYWHERE[version], absent=not network.default_route))
            if former and former != gateway:
                entries.append(_route(network.holder, former, EVERYWHERE[version], absent=True))
        elif former and record.default_route and not network.remove and (dynamic or not network.default_route):
            entries.append(_route(network.holder, former, EVERYWHERE[version], absent=True))
    return entries


def source_routing(network: Network, record: Network, host: HostState) -> tuple[list[Data], list[Data]]:
    """(routes, rules) of the network's own table: absent for the former gateway, present for the new one.

    Unlike VDSM, this also removes entries of a changed address, prefix, or device, and does not mark unchanged entries
    as absent first.
    """
    new_routes, new_rules = _source_entries(network)
    old_routes, old_rules = [], []
    device = record.holder or network.holder
    if device and _is_outdated(network, record):
        old_routes = [
            route for route in host.running_routes if route.get("next-hop-interface") == device and not in_main(route)
        ]
        tables = {route["table-id"] for route in old_routes}
        old_rules = [rule for rule in host.rules if rule.get("route-table") in tables]
    return _replace(old_routes, new_routes), _replace(old_rules, new_rules)


def resolver(networks: dict[str, Network], running: dict[str, Network]) -> Data | None:
    """The ``dns-resolver`` section, None if no network has DNS settings."""
    said = [
        servers
        for servers in (_nameservers(network, running.get(name)) for name, network in networks.items())
        if servers is not None
    ]
    return {"config": {"server": [server for servers in said for server in servers]}} if said else None


def _nameservers(network: Network, record: Network | None) -> tuple[str, ...] | None:
    if network.default_route:
        return network.nameservers
    return () if record and record.default_route and record.nameservers else None


def _route(
    device: str | None, gateway: str, destination: str, table: int = DEFAULT_TABLE, absent: bool = False
) -> Data:
    route = {"destination": destination, "next-hop-address": gateway, "next-hop-interface": device, "table-id": table}
    return {**route, "state": "absent"} if absent else route


def _source_entries(network: Network) -> tuple[list[Data], list[Data]]:
    if not network.gateway or not network.ipv4:
        return [], []
    table, subnet = table_of(network.holder), _subnet(network)
    return (
        [
            _route(network.holder, network.gateway, EVERYWHERE[4], table),
            _route(network.holder, "0.0.0.0", subnet, table),
        ],
        [{key: subnet, "priority": RULE_PRIORITY, "route-table": table} for key in ("ip-from", "ip-to")],
    )


def _subnet(network: Network) -> str:
    return str(ipaddress.ip_interface("{}/{}".format(*network.ipv4)).network) if network.ipv4 else ""


def _is_outdated(network: Network, record: Network) -> bool:
    if network.remove or (network.ipv4 and record.dhcpv4) or (network.dhcpv4 and record.ipv4):
        return True
    return bool(record.gateway) and (record.gateway, record.holder, _subnet(record)) != (
        network.gateway,
        network.holder,
        _subnet(network),
    )


def in_main(route: Data) -> bool:
    """Whether a route is in the main table, in any of nmstate's notations."""
    return route.get("table-id") in (None, DEFAULT_TABLE, MAIN_TABLE)


def _replace(old: list[Data], new: list[Data]) -> list[Data]:
    def stays(entry: Data) -> bool:
        return any(all(entry.get(key) == value for key, value in other.items()) for other in new)

    return [{**entry, "state": "absent"} for entry in old if not stays(entry)] + new
