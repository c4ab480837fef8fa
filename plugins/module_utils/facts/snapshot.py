# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot of the live network, as known to the kernel and NetworkManager. It defines "exactly the old state".

A host's network also changes independently: guests and containers start and stop, other NICs lose their carrier. So
snapshots are compared inside a scope (see scope.py), which is what the change can affect. Other differences are
reported separately.
"""

from __future__ import annotations

import json

from ..sources import kernel, networkmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

_VOLATILE_ROUTE = ("flags", "expires", "cache", "metrics", "pref", "uid", "age", "nhid")
_NOT_CONFIGURED = ("local", "broadcast", "multicast", "anycast")
WITHOUT_DEVICE = ("blackhole", "unreachable", "prohibit", "throw")
# Bond options that a user configures; others depend on the ports (if_link.h, IFLA_BOND_*).
_BOND_STATE = ("active_slave", "ad_info", "all_slaves_active", "num_peer_notif", "num_unsol_na")
# Options of "ip link set type bridge", by their names in "ip -json link"; without timers, IDs, and counters.
BRIDGE_OPTIONS = {
    **{
        name: name
        for name in (
            "stp_state",
            "forward_delay",
            "hello_time",
            "max_age",
            "ageing_time",
            "priority",
            "vlan_protocol",
            "vlan_default_pvid",
            "vlan_filtering",
            "vlan_stats_enabled",
            "vlan_stats_per_port",
            "group_fwd_mask",
            "mcast_snooping",
            "mcast_vlan_snooping",
            "no_linklocal_learn",
            "mcast_router",
            "mcast_query_use_ifaddr",
            "mcast_querier",
            "mcast_hash_max",
            "mcast_stats_enabled",
            "mcast_igmp_version",
            "mcast_mld_version",
            "nf_call_iptables",
            "nf_call_ip6tables",
            "nf_call_arptables",
            "fdb_max_learned",
        )
    },
    "group_addr": "group_address",
    "mcast_last_member_cnt": "mcast_last_member_count",
    "mcast_startup_query_cnt": "mcast_startup_query_count",
    "mcast_last_member_intvl": "mcast_last_member_interval",
    "mcast_membership_intvl": "mcast_membership_interval",
    "mcast_querier_intvl": "mcast_querier_interval",
    "mcast_query_intvl": "mcast_query_interval",
    "mcast_query_response_intvl": "mcast_query_response_interval",
    "mcast_startup_query_intvl": "mcast_startup_query_interval",
}
# The same for ports, by the kind of their controller ("ip link set type bridge_slave"). The state of a bridge port
# depends on the others.
PORT_OPTIONS = {
    "bridge": {
        **{
            name: name
            for name in (
                "priority",
                "cost",
                "hairpin",
                "guard",
                "root_block",
                "fastleave",
                "learning",
                "flood",
                "mcast_flood",
                "bcast_flood",
                "mcast_to_unicast",
                "neigh_suppress",
                "neigh_vlan_suppress",
                "group_fwd_mask",
                "vlan_tunnel",
                "isolated",
                "locked",
                "mab",
                "proxy_arp",
                "proxy_arp_wifi",
            )
        },
        "multicast_router": "mcast_router",
    },
    "bond": {"queue_id": "queue_id", "prio": "prio"},
}
_ROOT_TIMERS = ("forward_delay", "hello_time", "max_age")
# Kinds of devices with options that NetworkManager cannot change after the device was created.
_MADE_WITH = {
    "vxlan": ("id", "local", "local6", "group", "group6", "remote", "remote6", "port", "learning"),
    "vrf": ("table",),
    "macvlan": ("mode",),
    "macvtap": ("mode",),
    "ipvlan": ("mode", "flags"),
}
_GUEST_KINDS = ("tun", "macvtap", "ipvtap", "veth")


def take() -> dict:
    """The live state: ``{devices: {name: {...}}, guests: {name: controller}, routes: [..], rules: [..], dns: [..]}``
    (plain, comparable data).

    A device is ``{connection: uuid, mac, mtu, up, controller, kind, base, addresses: [str], bond, vlan, made_with,
    bridge, port, vlans, vfs}``; an option of a bridge that another host currently determines is None.
    Lifetimes, counters, link-local and temporary addresses are left out. Guests' taps are no devices here; of those on
    a bridge it is known on which. Raises CommandError, NetworkManagerError.
    """
    objects, links = networkmanager.objects(), _links()
    managed = networkmanager.connected_of(objects)
    present = _devices(links, managed)
    routes = [
        route(entry, present, family)
        for family in (4, 6)
        for entry in kernel.show("-%d" % family, "route", "show", "table", "all", strict=True)
    ]
    rules = [
        dict(entry, family=family)
        for family in (4, 6)
        for entry in kernel.show("-%d" % family, "-d", "rule", "show", strict=True)
    ]
    return {
        "devices": present,
        "guests": guests(links, managed),
        "routes": _sorted(filter(None, routes)),
        "rules": _sorted(rules),
        "dns": _sorted(networkmanager.dns_of(objects)),
    }


def devices() -> dict[str, dict]:
    """Only the devices of take(), which is faster."""
    return _devices(_links(), networkmanager.connected_of(networkmanager.objects()))


def _links() -> list[dict]:
    return kernel.show("-d", "addr", "show", strict=True)


def _devices(links: Iterable[Mapping], managed: Mapping) -> dict[str, dict]:
    filters = kernel.vlan_filters()
    return {
        link["ifname"]: device(
            link,
            managed[link["ifname"]]["connection"],
            filters.get(link["ifname"], []),
            kernel.virtual_functions(link["ifname"]),
        )
        for link in links
        if link["ifname"] in managed and not _of_a_guest(link, managed)
    }


def holders(snapshot: Mapping, address: str) -> list[str]:
    """Names of the devices in ``snapshot`` that have ``address`` (without prefix length)."""
    return [
        name
        for name, device in snapshot["devices"].items()
        if address in [text.split("/")[0] for text in device["addresses"]]
    ]


def devices_of(route_entry: Mapping) -> set[str]:
    """The devices of a route in a snapshot (set of str; empty for a blackhole route, for example)."""
    return {hop["dev"] for hop in route_entry.get("nexthops") or [route_entry] if hop.get("dev") not in (None, "lo")}


def guests(links: Iterable[Mapping] | None = None, managed: Mapping | None = None) -> dict[str, str]:
    """``{device: bridge}`` of the taps and veths on bridges that are not configured in NetworkManager: guests and
    containers.
    """
    ports = [
        link for link in (_links() if links is None else links) if link.get("master") and _kind(link) in _GUEST_KINDS
    ]
    if ports and managed is None:
        managed = networkmanager.connected_of(networkmanager.objects())
    return {link["ifname"]: link["master"] for link in ports if _of_a_guest(link, managed or {})}


def device(link: Mapping, connection: str, vlans: Iterable[dict] = (), vfs: int = 0) -> dict:
    """A device of a snapshot, from its entry in ``ip -d -json addr``. Pure."""
    info = link.get("linkinfo") or {}
    kind, data = info.get("info_kind", ""), info.get("info_data") or {}
    words = PORT_OPTIONS.get(info.get("info_slave_kind", ""), {})
    addresses = [
        "%s/%s" % (address["local"], address["prefixlen"])
        for address in link.get("addr_info") or []
        if address.get("scope") != "link"
        and not address.get("temporary")
        and not address.get("tentative")
        and "local" in address
    ]
    return {
        "connection": connection,
        "mac": link.get("address", ""),
        "mtu": link.get("mtu", 0),
        "up": "UP" in (link.get("flags") or []),
        "controller": link.get("master", ""),
        "kind": kind,
        "base": link.get("link", "") if kind != "veth" else "",
        "addresses": sorted(addresses),
        "bond": {key: value for key, value in data.items() if key not in _BOND_STATE} if kind == "bond" else {},
        "vlan": {
            "id": data.get("id"),
            "base": link.get("link", ""),
            "protocol": data.get("protocol"),
            "flags": data.get("flags"),
        }
        if kind == "vlan"
        else {},
        "made_with": {key: data.get(key) for key in _MADE_WITH.get(kind, ())},
        "bridge": _bridge(data) if kind == "bridge" else {},
        "port": {key: value for key, value in (info.get("info_slave_data") or {}).items() if key in words},
        "vlans": list(vlans),
        "vfs": vfs,
    }


def route(entry: Mapping, devices: Collection[str], family: int) -> dict | None:
    """A route of a snapshot, from its entry in ``ip -json route``; None if it is not configuration or does not use
    ``devices``. Pure.
    """
    kind = entry.get("type", "unicast")
    if kind in _NOT_CONFIGURED or str(entry.get("dst", "")).startswith(("fe80:", "ff00:")):
        return None
    if kind in WITHOUT_DEVICE:
        if entry.get("protocol") == "kernel":
            return None
    elif not devices_of(entry) & set(devices):
        return None
    result = {key: value for key, value in entry.items() if key not in _VOLATILE_ROUTE}
    if "nexthops" in result:
        result["nexthops"] = [
            {key: value for key, value in hop.items() if key not in _VOLATILE_ROUTE} for hop in result["nexthops"]
        ]
    return dict(result, family=family)


def _bridge(data: Mapping) -> dict:
    options = {key: value for key, value in data.items() if key in BRIDGE_OPTIONS}
    if data.get("bridge_id") != data.get("root_id"):
        # The kernel shows the timers of the root bridge (br_stp.c, br_record_config_timeout_values()).
        options.update({key: None for key in _ROOT_TIMERS if key in options})
    if data.get("stp_state") and data.get("topology_change"):
        options["ageing_time"] = (
            None  # short until the spanning tree has settled (802.1D; br_stp.c, __br_set_topology_change())
        )
    return options


def _of_a_guest(link: Mapping, managed: Mapping) -> bool:
    """Whether a tap or veth is not configured by NetworkManager: it belongs to a running guest or container."""
    seen = managed.get(link["ifname"])
    return _kind(link) in _GUEST_KINDS and (seen is None or seen["external"])


def _kind(link: Mapping) -> str:
    return (link.get("linkinfo") or {}).get("info_kind", "")


def _sorted(entries: Iterable[Any]) -> list:
    return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
