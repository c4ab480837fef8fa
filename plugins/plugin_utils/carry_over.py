# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the holder of an address has beyond the words of a setupNetworks request moves along with the address. Pure.

A request knows one address per family, a gateway and DNS servers. A host may have more: secondary addresses, routes with
metrics and tables, a DHCP identity, search domains, a SLAAC address that hangs on the interface's name. Without them it
comes back as somebody else, or not at all.
"""

from __future__ import annotations

import ipaddress

# facts.profiles (module_utils/networkmanager.py) to nmstate's words, per family.
_IDENTITY = {
    "ipv4": (("dhcp_client_id", "dhcp-client-id"), ("ipv4_dhcp_hostname", "dhcp-custom-hostname")),
    "ipv6": (("dhcp_duid", "dhcp-duid"), ("ipv6_dhcp_hostname", "dhcp-custom-hostname")),
}


def carry_over(state, current, profiles=None):
    """``state`` (nmstate, as of desired_state()) with what its new address holders take over from the old ones.

    ``current``: the host's nmstate state. ``profiles``: facts.profiles by device. An interface takes over when it has
    addresses in ``state`` and one below it loses them; returns a new state, ``state`` stays as it is.
    """
    now = {iface["name"]: iface for iface in current.get("interfaces") or []}
    wanted = {iface["name"]: dict(iface) for iface in state["interfaces"]}
    moves = {}
    for name in wanted:
        for old in _below(name, wanted):
            if _has_addresses(now.get(old)) and not _has_addresses(wanted[old]) and _has_addresses(wanted[name]):
                moves[old] = name
    for old, new in moves.items():
        for family in ("ipv4", "ipv6"):
            wanted[new][family] = _family(family, wanted[new].get(family) or {}, now[old].get(family) or {}, (profiles or {}).get(old) or {},
                                          now[old].get("mac-address", ""))
    result = dict(state, interfaces=[wanted[name] for name in sorted(wanted)])
    routes = _routes((current.get("routes") or {}).get("config") or [], (state.get("routes") or {}).get("config") or [], moves)
    if routes:
        result["routes"] = {"config": ((state.get("routes") or {}).get("config") or []) + routes}
    search = ((current.get("dns-resolver") or {}).get("config") or {}).get("search")
    if search and moves and "dns-resolver" in state:
        result["dns-resolver"] = {"config": dict(state["dns-resolver"]["config"], search=search)}
    return _rules(result, current, moves)


def _below(name, wanted):
    """The interfaces that ``name`` stands on in the wanted state: a bridge's ports."""
    ports = ((wanted[name].get("bridge") or {}).get("port")) or []
    return [port["name"] for port in ports if port["name"] in wanted]


def _has_addresses(iface):
    return bool(iface) and any((iface.get(family) or {}).get("enabled") for family in ("ipv4", "ipv6"))


def _family(family, want, have, profile, mac):
    if not want.get("enabled") or not have.get("enabled"):
        return want
    want = dict(want)
    if want.get("dhcp") or want.get("autoconf"):
        for fact, key in _IDENTITY[family]:
            if profile.get(fact) not in (None, ""):
                want[key] = profile[fact]
        if profile.get(f"{family}_dhcp_send_hostname") is False:
            want["dhcp-send-hostname"] = False
        if family == "ipv6" and want.get("autoconf") and not want.get("token"):
            token = _token(have, mac)
            if token:
                want["token"] = token
    elif want.get("address") and have.get("address") and not have.get("dhcp"):
        known = {_text(one) for one in want["address"]}
        want["address"] = want["address"] + [
            {"ip": one["ip"], "prefix-length": one["prefix-length"]} for one in have["address"] if _text(one) not in known and not _link_local(one)]
    metric = profile.get(f"{family}_route_metric")
    if isinstance(metric, int) and metric >= 0 and (want.get("dhcp") or want.get("autoconf")):
        want["auto-route-metric"] = metric
    return want


def _token(have, mac):
    """The interface part of the one SLAAC address as nmstate's token, None when it follows from the MAC (or there is none)."""
    found = [ipaddress.ip_address(one["ip"]) for one in have.get("address") or [] if not _link_local(one) and one["prefix-length"] == 64]
    if len(found) != 1:
        return None
    part = int(found[0]) & ((1 << 64) - 1)
    return None if part == _eui64(mac) else str(ipaddress.IPv6Address(part))


def _eui64(mac):
    """RFC 4291, appendix A."""
    octets = [int(octet, 16) for octet in mac.split(":")] if mac.count(":") == 5 else []
    if not octets:
        return None
    return int.from_bytes(bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]]), "big")


def _routes(current, wanted, moves):
    """Routes over an old holder, told again for the new one, with metric and table; those that the state has already are left out."""
    known = {(one.get("destination"), one.get("next-hop-address", ""), one.get("next-hop-interface")) for one in wanted}
    found = []
    for one in current:
        new = moves.get(one.get("next-hop-interface"))
        if new is None:
            continue
        twin = (one.get("destination"), one.get("next-hop-address", ""), new)
        if twin not in known:
            found.append({key: value for key, value in dict(one, **{"next-hop-interface": new}).items() if key in (
                "destination", "next-hop-address", "next-hop-interface", "metric", "table-id", "weight", "route-type", "cwnd")})
    return found


def _rules(state, current, moves):
    """Policy rules live in the profile of an interface (nmstate: ``iface``); those of an old holder go to the new one."""
    rules = [dict(one, iface=moves[one["iface"]]) for one in (current.get("route-rules") or {}).get("config") or [] if one.get("iface") in moves]
    if not rules:
        return state
    return dict(state, **{"route-rules": {"config": ((state.get("route-rules") or {}).get("config") or []) + rules}})


def _text(entry):
    return f"{ipaddress.ip_address(entry['ip'])}/{entry['prefix-length']}"


def _link_local(entry):
    address = ipaddress.ip_address(entry["ip"])
    return address.version == 6 and address.is_link_local
