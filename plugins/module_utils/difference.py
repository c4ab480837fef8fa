# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Desired nmstate state minus what already holds: the smallest change.

nmstate applies again, and NetworkManager re-activates, every interface that a state merely names. So what already
holds is not named at all, and a run that has nothing to change makes no call.
"""

from __future__ import annotations

import ipaddress

# "0" and 254 are both the main table (nmstate: RouteEntry, table-id 0 means unset).
_MAIN_TABLES = (None, 0, 254)
# What nmstate assumes for a dynamic family when the state is silent (nmstate schema, BaseInterface ipv4/ipv6).
_IP_DEFAULTS = {"enabled": False, "dhcp": False, "autoconf": False, "auto-dns": True, "auto-gateway": True, "auto-routes": True, "auto-route-table-id": 0}
_DYNAMIC_ONLY = ("auto-dns", "auto-gateway", "auto-routes", "auto-route-table-id")
# Documentation/networking/bonding.rst: options that sysfs and VDSM number and nmstate names.
_BOND_NAMES = {
    "lacp_rate": ("slow", "fast"),
    "ad_select": ("stable", "bandwidth", "count"),
    "xmit_hash_policy": ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
    "fail_over_mac": ("none", "active", "follow"),
    "primary_reselect": ("always", "better", "failure"),
    "arp_validate": ("none", "active", "backup", "all", "filter", "filter_active", "filter_backup"),
    "arp_all_targets": ("any", "all"),
}


def difference(desired, current):
    """What of ``desired`` does not hold in ``current`` (both nmstate states, dicts), as a state to apply.

    Returns ``{}`` when all of it holds. Interfaces come with their name, type, state and only the keys that differ;
    routes, rules and DNS only when they differ. Nothing that ``desired`` does not name is ever in the result.
    """
    change = {}
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    interfaces = [left for left in (_interface(want, have.get(want["name"]), have) for want in desired.get("interfaces") or []) if left]
    if interfaces:
        change["interfaces"] = interfaces
    moved = any("ipv4" in one or "ipv6" in one for one in interfaces)
    # Rules, like servers below, are kept in the profile of some interface with addresses: told again, or they go with the old one.
    for section, same, told in (("routes", _same_route, False), ("route-rules", _same_rule, moved)):
        entries = _entries(desired.get(section), current.get(section), same, told)
        if entries:
            change[section] = {"config": entries}
    resolver = _resolver(desired.get("dns-resolver"), current.get("dns-resolver"), moved)
    if resolver:
        change["dns-resolver"] = resolver
    for key in desired:
        if key not in ("interfaces", "routes", "route-rules", "dns-resolver") and not _subset(desired[key], current.get(key)):
            change[key] = desired[key]
    return change


def mtu_raises(change, current):
    """The interfaces of ``change`` that differ only by an MTU above today's: ``[{name, mtu, was}]``, bases first.

    These need no re-activation: profile and kernel take a higher MTU while traffic flows.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    raises = []
    for iface in change.get("interfaces") or []:
        now = have.get(iface["name"])
        if now and set(iface) <= {"name", "type", "state", "mtu"} and now.get("state") == "up" and iface.get("state", "up") == "up":
            if iface["mtu"] > now.get("mtu", 0):
                raises.append({"name": iface["name"], "mtu": iface["mtu"], "was": now.get("mtu", 0)})
    # A VLAN's MTU is bounded by its base's (8021q), so bases come first.
    return sorted(raises, key=lambda one: ("vlan" in have[one["name"]], one["name"]))


def without(change, names):
    """``change`` less the interfaces called ``names``; ``{}`` when nothing is left."""
    rest = dict(change)
    rest["interfaces"] = [iface for iface in change.get("interfaces") or [] if iface["name"] not in names]
    if not rest["interfaces"]:
        del rest["interfaces"]
    return rest


def _interface(want, now, have):
    absent = want.get("state") in ("absent", "down")
    if now is None or now.get("state") in ("absent", "ignore"):
        return None if absent else dict(want)
    if absent:
        return None if want["state"] == now.get("state") else dict(want)
    left = {key: value for key, value in want.items() if key not in ("name", "type", "state") and not _holds(key, value, now, have)}
    if not left and now.get("state") == "up":
        return None
    if "mac-address" in want and ("ipv4" in left or "ipv6" in left):
        # It will be activated again, and a bond or bridge may then get another MAC (systemd's MACAddressPolicy): pin today's.
        left["mac-address"] = want["mac-address"]
    return {**{key: want[key] for key in ("name", "type", "state") if key in want}, **left}


def _holds(key, want, now, have):
    is_now = now.get(key)
    if key == "mac-address":
        return (want or "").lower() == (is_now or "").lower()
    if key in ("ipv4", "ipv6"):
        return _same_ip(want, is_now or {})
    if key == "link-aggregation":
        return _same_bond(want, is_now or {})
    if key == "bridge":
        return _same_bridge(want, is_now or {}, now["name"], have)
    return _subset(want, is_now)


def _same_ip(want, now):
    if not want.get("enabled", True):
        return not now.get("enabled", False)
    dynamic = want.get("dhcp") or want.get("autoconf")
    for key, value in want.items():
        if key == "address":
            is_now = _addresses(now.get("address"))
            # what is static beside what DHCP and routers give, or all there is
            if any(one not in is_now for one in _addresses(value)) or not (dynamic or _addresses(value) == is_now):
                return False
        elif key == "auto-route-table-id":
            if not (value in _MAIN_TABLES and now.get(key) in _MAIN_TABLES) and value != now.get(key):
                return False
        elif key in _DYNAMIC_ONLY and not dynamic:
            continue
        elif value != now.get(key, _IP_DEFAULTS.get(key)):
            return False
    return True


def _addresses(entries):
    found = [(ipaddress.ip_address(entry["ip"]), int(entry["prefix-length"])) for entry in entries or []]
    # The kernel's own link-local address is nobody's configuration.
    return [pair for pair in found if not (pair[0].version == 6 and pair[0].is_link_local)]


def _same_bond(want, now):
    if "mode" in want and want["mode"] != now.get("mode"):
        return False
    ports = want.get("port", want.get("ports"))
    if ports is not None and sorted(ports) != sorted(now.get("port", now.get("ports")) or []):
        return False
    have = now.get("options") or {}
    return all(_bond_value(key, value) == _bond_value(key, have.get(key)) for key, value in (want.get("options") or {}).items())


def _bond_value(option, value):
    text = {True: "1", False: "0"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    names = _BOND_NAMES.get(option, ())
    return names[int(text)] if text.isdigit() and int(text) < len(names) else text


def _same_bridge(want, now, name, have):
    ports = want.get("port", want.get("ports"))
    if ports is not None:
        current_ports = {port["name"]: port for port in now.get("port", now.get("ports")) or []}
        if {port["name"] for port in ports} != set(current_ports):
            return False
        if not all(_subset(port, current_ports[port["name"]]) for port in ports):
            return False
    return _subset({key: value for key, value in want.items() if key not in ("port", "ports")}, now)


def _subset(want, now):
    """Whether every leaf of ``want`` is in ``now`` (lists are compared whole)."""
    if isinstance(want, dict):
        return isinstance(now, dict) and all(_subset(value, now.get(key)) for key, value in want.items())
    return want == now


def _entries(want, now, same, told):
    have = (now or {}).get("config") or []
    left = []
    for entry in (want or {}).get("config") or []:
        absent = entry.get("state") == "absent"
        exists = any(same(entry, one) for one in have)
        if exists == absent or (told and not absent):
            # To nmstate the default table means any table in what is absent: a table of its own would go with the main one's.
            left.append(dict(entry, **{"table-id": 254}) if absent and entry.get("table-id") == 0 else entry)
    return left


def _same_route(want, now):
    if not _same_address(want.get("destination"), now.get("destination")):
        return want.get("destination") is None and want.get("state") == "absent" and _rest_of_route(want, now)
    return _rest_of_route(want, now)


def _rest_of_route(want, now):
    for key, value in want.items():
        if key in ("state", "destination"):
            continue
        if key == "table-id":
            if not (value in _MAIN_TABLES and now.get(key) in _MAIN_TABLES) and value != now.get(key):
                return False
        elif key == "next-hop-address":
            if not _same_address(value, now.get(key)):
                return False
        elif key == "metric":
            if value not in (-1, None) and value != now.get(key):
                return False
        elif value != now.get(key):
            return False
    return True


def _same_address(want, now):
    if not want or not now:
        return (want or "") == (now or "")
    return ipaddress.ip_interface(want) == ipaddress.ip_interface(now)


def _same_rule(want, now):
    for key, value in want.items():
        if key == "state":
            continue
        if key in ("ip-from", "ip-to"):
            if not _same_address(value, now.get(key)):
                return False
        elif key == "route-table":
            if not (value in _MAIN_TABLES and now.get(key) in _MAIN_TABLES) and value != now.get(key):
                return False
        elif value != now.get(key):
            return False
    return True


def _resolver(want, now, moved):
    config = (want or {}).get("config")
    if config is None:
        return None
    have = (now or {}).get("config") or {}
    # Servers are kept in the profile of some interface: when addresses move they must be told again, or they go with the old one.
    told = moved and any(config.values())
    if not told and all((config.get(key) or []) == (have.get(key) or []) for key in config):
        return None
    return {"config": config}
