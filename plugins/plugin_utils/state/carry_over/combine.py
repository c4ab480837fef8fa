# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry over configuration that is not in the request to the device that gets the addresses.

A request contains one address per family, one gateway, and DNS servers. The current device may have more: secondary
addresses, routes with metrics and tables, policy rules, a DHCP identity, an IPv6 address that depends on the device
name, DNS servers, and search domains. Without them, the host would get another address or identity. For settings that
nmstate does not support, and for what cannot be carried over, see settings.
"""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import parse_address, same_address
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState, is_dynamic
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.identity import dhcp_identity, slaac
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.routes import (
    add_routes,
    add_rules,
    keep_preference,
)

FAMILIES = ("ipv4", "ipv6")


def source_of(network: Network, record: Network | None, host: HostState, holder: str | None = None) -> str | None:
    """The device that currently has the network's addresses, None if there is none: the network's own device if it has
    addresses; otherwise the device of its former layout; otherwise the device below it, or the one that this replaces;
    otherwise ``holder``.
    """
    former = record.holder if record else None
    return next(
        (
            device
            for device in (network.holder, former, network.port, network.replaces, holder)
            if device and host.has_stack(device)
        ),
        None,
    )


def carry_over(
    state: Data, holder: Data, network: Network, record: Network | None, source: Data, host: HostState, profile: Data
) -> None:
    """Complete ``state`` with everything that moves with the addresses of ``network`` from ``source`` to ``holder``
    (current and desired nmstate interfaces). ``record``: VDSM's. ``profile``: facts of the source's profile.
    """
    moves = source["name"] != holder["name"]
    mac = holder.get("mac-address") or source.get("mac-address") or ""
    for family in FAMILIES:
        stack, had = holder[family], source.get(family) or {}
        if is_dynamic(stack) and is_dynamic(had):
            stack.update(dhcp_identity(family, had, profile, mac, moves))
            if family == "ipv6":
                stack.update(slaac(had, profile, mac, moves))
            static = [_entry(address) for address in profile.get(f"{family}_addresses") or []]
            if static:
                stack["address"] = static
            if (had.get("auto-route-metric") or -1) >= 0:
                stack["auto-route-metric"] = had["auto-route-metric"]
        elif stack.get("address") and not is_dynamic(had):
            stack["address"] = _with_further_addresses(stack["address"][0], had)
    if moves:
        add_routes(state, holder, network, source, host)
        add_rules(state, holder, source, host)
        keep_preference(state, holder, network, source, host)
    _keep_servers(state, holder, network, record, source, host)


def _with_further_addresses(primary: Data, had: Data) -> list[Data]:
    """``primary`` among the other addresses of a static family, in the current order, on which the kernel's choice of a
    source address depends. Only ``primary`` if it is a new address, because the host is renumbered then.
    """
    addresses = [entry for entry in had.get("address") or [] if not _is_link_local(entry["ip"])]
    if not any(same_address(entry["ip"], primary["ip"]) for entry in addresses):
        return [primary]
    return [
        primary if same_address(entry["ip"], primary["ip"]) else {key: entry[key] for key in ("ip", "prefix-length")}
        for entry in addresses
    ]


def _entry(text: str) -> Data:
    ip, _slash, prefix = text.partition("/")
    return {"ip": ip, "prefix-length": int(prefix)}


def _is_link_local(ip: str) -> bool:
    address = parse_address(ip)
    return address is not None and address.version == 6 and address.is_link_local()


def _keep_servers(
    state: Data, holder: Data, network: Network, record: Network | None, source: Data, host: HostState
) -> None:
    """Static DNS servers beside DHCP are kept, because a request without servers does not refer to those set by the
    administrator.

    VDSM would remove them. They are only removed if VDSM's record says that they belong to the network.
    """
    servers = host.resolver.get("server")
    if (
        not servers
        or not network.default_route
        or network.nameservers != ()
        or network.ipv4
        or (record and record.nameservers)
    ):
        return
    state["dns-resolver"]["config"]["server"] = list(servers)
    for family in FAMILIES:
        if is_dynamic(holder[family]):
            holder[family]["auto-dns"] = (source.get(family) or {}).get("auto-dns", True)


def keep_search(state: Data, host: HostState) -> None:
    """Complete ``state`` with the search domains and options of the resolver."""
    # nmstate 2 keeps them if they are not set; but according to its documentation, and in nmstate 1, a config replaces
    # everything.
    config = (state.get("dns-resolver") or {}).get("config")
    for key in ("search", "options"):
        if config is not None and host.resolver.get(key):
            config[key] = list(host.resolver[key])
