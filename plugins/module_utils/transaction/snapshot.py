# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What "exactly the old state" means: the live network as the kernel and NetworkManager have it, and what differs
between two looks.

A host's network also changes by itself: guests start and stop, other NICs lose their carrier, containers come and go.
So two looks are compared within a scope (see scope.py): what the change can touch. The rest is reported apart.
"""

from __future__ import annotations

import json
import re

from ..sources.command import CommandError, run

_VOLATILE_ROUTE = ("flags", "expires", "cache", "metrics", "pref", "uid", "age", "nhid")
_NOT_CONFIGURED = ("local", "broadcast", "multicast", "anycast")
_WITHOUT_DEVICE = ("blackhole", "unreachable", "prohibit", "throw")
# Routes that a daemon learns from its neighbours come and go with them (rtnetlink.h, RTPROT_*;
# /etc/iproute2/rt_protos).
_LEARNED = (
    "gated",
    "mrt",
    "zebra",
    "bird",
    "dnrouted",
    "xorp",
    "ntk",
    "mrouted",
    "babel",
    "openr",
    "bgp",
    "isis",
    "ospf",
    "rip",
    "eigrp",
)
# Bond options that a user configures; the rest of the kernel's list follows from the ports (if_link.h, IFLA_BOND_*).
_BOND_STATE = ("active_slave", "ad_info", "all_slaves_active", "num_peer_notif", "num_unsol_na")
# What "ip link set type bridge" takes, by the name under which "ip -json link" shows it; timers, ids and counters are
# left out.
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
# Likewise of a port, by the kind of its controller ("ip link set type bridge_slave"). A bridge port's state follows
# from the others.
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
# Devices whose kind has options of its own that NetworkManager cannot change once the device is there.
_MADE_WITH = {
    "vxlan": ("id", "local", "local6", "group", "group6", "remote", "remote6", "port", "learning"),
    "vrf": ("table",),
    "macvlan": ("mode",),
    "macvtap": ("mode",),
    "ipvlan": ("mode", "flags"),
}
_GUEST_KINDS = ("tun", "macvtap", "ipvtap", "veth")
_SYSFS = "/sys/class/net"


def take():
    """The live state: ``{devices: {name: {...}}, guests: {name: controller}, routes: [..], rules: [..], dns: [..]}``
    (plain, comparable data).

    A device is ``{connection: uuid, mac, mtu, up, controller, kind, base, addresses: [str], bond, vlan, made_with,
    bridge, port, vlans, vfs}``; an option of a bridge that is not the host's own to say at the moment is None.
    Lifetimes, counters, link-local and temporary addresses are left out. Guests' taps are no devices here; of those on
    a bridge it is known on which. Raises CommandError when a tool does not answer.
    """
    managed, links = _managed(), _ip("-d", "addr", "show")
    found = _devices(links, managed)
    routes = [
        route(one, found, family) for family in (4, 6) for one in _ip("-%d" % family, "route", "show", "table", "all")
    ]
    rules = [dict(one, family=family) for family in (4, 6) for one in _ip("-%d" % family, "-d", "rule", "show")]
    return {
        "devices": found,
        "guests": guests(links, managed),
        "routes": _sorted(filter(None, routes)),
        "rules": _sorted(rules),
        "dns": _dns(),
    }


def devices():
    """The devices of take() alone, for a quick look."""
    return _devices(_ip("-d", "addr", "show"), _managed())


def _devices(links, managed):
    filters = _vlan_filters()
    return {
        link["ifname"]: device(
            link,
            managed[link["ifname"]]["connection"],
            filters.get(link["ifname"], []),
            _virtual_functions(link["ifname"]),
        )
        for link in links
        if link["ifname"] in managed and not _of_a_guest(link, managed)
    }


def compare(old, new, scope):
    """What differs between two snapshots within ``scope`` (see scope.touched), as ``[{device, what, old, new}]``; [] is
    exactly the old state.
    """
    return _differences(_part(old, scope, True), _part(new, scope, True))


def meanwhile(old, new, scope):
    """What differs outside of ``scope``, in the same form: what others did, or what happened, while the transaction was
    under way.
    """
    return _differences(_part(old, scope, False), _part(new, scope, False))


def differing(was, now):
    """The keys of a device in which ``now`` (a device of a snapshot, {} when it is gone) differs from ``was``."""
    return [key for key in was if not _same(was[key], now.get(key))]


def differing_options(was, now):
    """``{option: value it had}`` of two mappings of options, those left out of which either side can say nothing
    (None).
    """
    return {
        key: value
        for key, value in (was or {}).items()
        if value is not None and key in (now or {}) and now[key] is not None and now[key] != value
    }


def holders(snapshot, address):
    """Names of the devices of ``snapshot`` that hold ``address`` (no prefix)."""
    return [
        name
        for name, one in snapshot["devices"].items()
        if address in [text.split("/")[0] for text in one["addresses"]]
    ]


def devices_of(route_entry):
    """The devices that a route of a snapshot goes over (set of str; empty for a blackhole and its like)."""
    return {hop["dev"] for hop in route_entry.get("nexthops") or [route_entry] if hop.get("dev") not in (None, "lo")}


def guests(links=None, managed=None):
    """``{device: bridge}`` of the taps and veths on bridges that nobody has configured in NetworkManager: guests and
    containers.
    """
    managed = _managed() if managed is None else managed
    links = _ip("-d", "addr", "show") if links is None else links
    return {link["ifname"]: link["master"] for link in links if link.get("master") and _of_a_guest(link, managed)}


def device(link, connection, vlans=(), vfs=0):
    """A device of a snapshot from its entry of ``ip -d -json addr`` (pure)."""
    info = link.get("linkinfo") or {}
    kind, data = info.get("info_kind", ""), info.get("info_data") or {}
    words = PORT_OPTIONS.get(info.get("info_slave_kind"), ())
    addresses = [
        "%s/%s" % (one["local"], one["prefixlen"])
        for one in link.get("addr_info") or []
        if one.get("scope") != "link" and not one.get("temporary") and not one.get("tentative") and "local" in one
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


def route(one, devices, family):
    """A route of a snapshot from its entry of ``ip -json route`` (pure); None for what is not configuration or not over
    ``devices``.
    """
    kind = one.get("type", "unicast")
    if kind in _NOT_CONFIGURED or str(one.get("dst", "")).startswith(("fe80:", "ff00:")):
        return None
    if kind in _WITHOUT_DEVICE:
        if one.get("protocol") == "kernel":
            return None
    elif not devices_of(one) & set(devices):
        return None
    found = {key: value for key, value in one.items() if key not in _VOLATILE_ROUTE}
    if "nexthops" in found:
        found["nexthops"] = [
            {key: value for key, value in hop.items() if key not in _VOLATILE_ROUTE} for hop in found["nexthops"]
        ]
    return dict(found, family=family)


def _bridge(data):
    found = {key: value for key, value in data.items() if key in BRIDGE_OPTIONS}
    if data.get("bridge_id") != data.get("root_id"):
        # The kernel shows the timers that the root of the tree announces (br_stp.c, br_record_config_timeout_values()).
        found.update({key: None for key in _ROOT_TIMERS if key in found})
    if data.get("stp_state") and data.get("topology_change"):
        found["ageing_time"] = None  # short until the tree has settled (802.1D; br_stp.c, __br_set_topology_change())
    return found


def _same(was, now):
    if isinstance(was, dict) and isinstance(now, dict):
        # in keys that only one has, iproute2 differs from itself before an update
        return not differing_options(was, now) and bool(was) == bool(now)
    return was == now


def _part(snapshot, scope, inside):
    """``snapshot`` less what is outside (or ``inside``) of ``scope``."""
    devices = set(scope["devices"])
    rules = set(scope["rules"])

    def ours(kind, one):
        if kind == "dns":
            return one.get("interface") in devices | {None, ""}
        if kind == "rules":
            return one.get("priority") in rules or (scope["new_rules"] and 30000 <= one.get("priority", 0) < 32766)
        if one.get("type") in _WITHOUT_DEVICE:
            return (
                one.get("protocol") == "static"
            )  # as NetworkManager makes them; by hand they are of the protocol boot
        return bool(devices_of(one) & devices) and one.get("protocol") not in _LEARNED

    return {
        "devices": {name: one for name, one in snapshot["devices"].items() if (name in devices) == inside},
        **{kind: [one for one in snapshot[kind] if ours(kind, one) == inside] for kind in ("routes", "rules", "dns")},
    }


def _differences(old, new):
    found = []
    for name in sorted(set(old["devices"]) | set(new["devices"])):
        was, now = old["devices"].get(name), new["devices"].get(name)
        if was is None or now is None:
            found.append(
                {
                    "device": name,
                    "what": "device",
                    "old": "present" if was else "absent",
                    "new": "present" if now else "absent",
                }
            )
            continue
        found += [_difference(name, key, was[key], now.get(key)) for key in differing(was, now)]
    for key in ("routes", "rules", "dns"):
        if old[key] != new[key]:
            found.append(
                {
                    "device": "",
                    "what": key,
                    "old": [one for one in old[key] if one not in new[key]],
                    "new": [one for one in new[key] if one not in old[key]],
                }
            )
    return found


def _difference(name, key, was, now):
    if isinstance(was, dict) and isinstance(now, dict) and was and now:
        was = differing_options(was, now)
        now = {one: now[one] for one in was}
    return {"device": name, "what": key, "old": was, "new": now}


def _of_a_guest(link, managed):
    """A tap or veth that NetworkManager merely sees: of a running guest or container, which nobody has to configure."""
    seen = managed.get(link["ifname"])
    return (link.get("linkinfo") or {}).get("info_kind") in _GUEST_KINDS and (seen is None or seen["external"])


def _sorted(entries):
    return sorted(entries, key=lambda one: json.dumps(one, sort_keys=True))


def links():
    """The links of the host as ``ip -json link`` shows them (list of dict)."""
    return _ip("link", "show")


def _ip(*words):
    out = run(["ip", "-j", *words], timeout=10, check=True)[1]
    # Some releases of iproute2 print an empty object per suppressed entry.
    return [one for one in json.loads(out or "[]") if one]


def _managed():
    """``{device: {connection: uuid of its active connection or "", external: bool}}`` of what NetworkManager manages."""
    out = run(["nmcli", "-t", "-f", "DEVICE,STATE,CON-UUID", "device"], timeout=10, check=True)[1]
    found = {}
    for line in out.splitlines():
        name, state, uuid = [part.replace("\\:", ":") for part in re.split(r"(?<!\\):", line)]
        if state != "unmanaged" and name != "lo":
            found[name] = {"connection": uuid, "external": state.endswith("(externally)")}
    return found


def _vlan_filters():
    """``{device: [entry of "bridge -json vlan"]}``; {} where the tool is missing."""
    try:
        rc, out, _err = run(["bridge", "-j", "vlan", "show"], timeout=10)
    except CommandError:
        return {}
    shown = json.loads(out or "[]") if rc == 0 else []
    return {one["ifname"]: one.get("vlans") or [] for one in shown if one} if isinstance(shown, list) else {}


def _virtual_functions(name):
    try:
        with open("%s/%s/device/sriov_numvfs" % (_SYSFS, name), encoding="ascii") as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return 0


def _dns():
    """Resolver settings per interface as NetworkManager merged them (its DnsManager's Configuration)."""
    rc, out, _err = run(
        [
            "busctl",
            "--json=short",
            "get-property",
            "org.freedesktop.NetworkManager",
            "/org/freedesktop/NetworkManager/DnsManager",
            "org.freedesktop.NetworkManager.DnsManager",
            "Configuration",
        ],
        timeout=10,
    )
    if rc:
        return []
    return _sorted({key: value["data"] for key, value in one.items()} for one in json.loads(out)["data"])
