# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capabilities of a host, with the keys and value types of VDSM's getVdsCaps, from raw sources. Pure.

Source of the rules: VDSM, lib/vdsm/network/netinfo. Differences from VDSM, which omits data that decisions need: teams
are listed, a device with several gateways lists all of them (the preferred one is ``gateway``), the hops of a multipath
default route count, and ``ipv4defaultroute`` refers to the device's own route.
"""

from __future__ import annotations

import fnmatch
import ipaddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

DUMMY_BRIDGE = ";vdsmdummy;"  # libvirt's placeholder on VDSM hosts
# Properties of a bond that are state, not options (VDSM: link/bond/sysfs_options.py, EXCLUDED_BONDING_ENTRIES).
_NO_BOND_OPTIONS = (
    "slaves",
    "active_slave",
    "mii_status",
    "queue_id",
    "ad_aggregator",
    "ad_num_ports",
    "ad_actor_key",
    "ad_partner_key",
    "ad_partner_mac",
    "ad_actor_system",
)
# Defaults of the bonding driver (bonding.rst; bond_main.c), as the last word in sysfs. Used only if neither VDSM's dump
# nor the kernel is available (kernel.bond_defaults()). Options that are not listed here are not reported then, because
# their default is unknown.
_BOND_DEFAULTS = {
    "ad_actor_sys_prio": "65535",
    "ad_select": "0",
    "ad_user_port_key": "0",
    "all_slaves_active": "0",
    "arp_all_targets": "0",
    "arp_interval": "0",
    "arp_ip_target": "",
    "arp_missed_max": "2",
    "arp_validate": "0",
    "downdelay": "0",
    "fail_over_mac": "0",
    "lacp_active": "1",
    "lacp_rate": "0",
    "lp_interval": "1",
    "miimon": "0",
    "min_links": "0",
    "num_grat_arp": "1",
    "num_unsol_na": "1",
    "packets_per_slave": "1",
    "peer_notif_delay": "0",
    "primary": "",
    "primary_reselect": "0",
    "resend_igmp": "1",
    "updelay": "0",
    "use_carrier": "1",
    "xmit_hash_policy": "0",
}
_MIIMON_WITHOUT_ARP = (
    "100"  # of modes 4, 5, and 6, which do not support ARP monitoring (bond_options.c, bond_option_mode_set())
)
# Only the options of a bridge that a change would lose, or on which a decision depends.
_BRIDGE_OPTIONS = (
    ("forward_delay", "forward_delay"),
    ("group_fwd_mask", "group_fwd_mask"),
    ("mcast_snooping", "multicast_snooping"),
    ("vlan_filtering", "vlan_filtering"),
)


def capabilities(
    links: Collection[Mapping],
    traits: Mapping,
    routes: Collection[Mapping],
    state: Mapping,
    managed: Collection[str],
    running: Mapping,
    hidden_nics: Collection[str] = (),
) -> dict:
    """``{nics, bondings, vlans, bridges, teams, networks, nameservers, max_mtu}`` of a host.

    ``links``, ``traits``, ``routes``: from kernel.py. ``state``: output of nmstatectl show. ``managed``: names of the
    devices that NetworkManager manages. ``running``: ``{networks, bondings}`` of VDSM. ``hidden_nics``: patterns of
    NICs to leave out.
    """
    kinds = classify(links, traits, managed, hidden_nics)
    hidden = {link["ifname"] for link in links if kinds.get(link["ifname"]) is None}
    config = {iface["name"]: iface for iface in state.get("interfaces") or []}
    document: dict[str, Any] = {"nics": {}, "bondings": {}, "vlans": {}, "bridges": {}, "teams": {}}
    for link in links:
        name = link["ifname"]
        if kinds.get(name):
            own = _OWN[kinds[name]](
                link, traits.get(name) or {}, [port["ifname"] for port in links if port.get("master") == name], hidden
            )
            document[kinds[name]][name] = dict(own, **_common(link, routes, config.get(name) or {}))
    document["networks"] = _networks(running.get("networks") or {}, document)
    document["nameservers"] = ((state.get("dns-resolver") or {}).get("running") or {}).get("server") or []
    # A driver without a limit reports 0; use the limit of IPv4 then.
    document["max_mtu"] = {
        link["ifname"]: link.get("max_mtu") or 65535 for link in links if link["ifname"] in document["nics"]
    }
    return document


def classify(
    links: Iterable[Mapping], traits: Mapping, managed: Collection[str], hidden_nics: Collection[str] = ()
) -> dict:
    """``{device: nics|bondings|vlans|bridges|teams|None}``; None for devices of guests and containers, hidden devices,
    and devices that no network can use.
    """
    kinds = {
        "bond": "bondings",
        "vlan": "vlans",
        "bridge": "bridges",
        "team": "teams",
        "": "nics",
        "ipoib": "nics",
        "dsa": "nics",
    }
    if_managed = (
        "veth",
        "dummy",
    )  # of a container if NetworkManager does not manage it, otherwise a NIC of a nested or test host
    of_guests = {link.get("address") for link in links if _kind(link) in ("macvtap", "macvlan")}
    result = {}
    for link in links:
        name, kind = link["ifname"], _kind(link)
        result[name] = "nics" if kind in if_managed and name in managed else kinds.get(kind)
        trait = traits.get(name) or {}
        if result[name] == "nics" and (
            link.get("link_type") not in ("ether", "infiniband")
            or trait.get("tap")
            or (trait.get("virtual_function") and link.get("address") in of_guests)  # assigned to a VM
            or any(fnmatch.fnmatchcase(name, pattern) for pattern in hidden_nics)
        ):
            result[name] = None
        if name == DUMMY_BRIDGE:
            result[name] = None
    return result


def _kind(link: Mapping) -> str:
    return (link.get("linkinfo") or {}).get("info_kind", "")


def _data(link: Mapping) -> dict:
    return (link.get("linkinfo") or {}).get("info_data") or {}


def _nic(link: Mapping, trait: Mapping, _ports: list[str], _hidden: Collection[str]) -> dict:
    own = {"hwaddr": link.get("address", ""), "speed": trait.get("speed", 0)}
    port = (link.get("linkinfo") or {}).get("info_slave_data") or {}
    if (link.get("linkinfo") or {}).get("info_slave_kind") == "bond":
        own["permhwaddr"] = port.get("perm_hwaddr", "")
        if "ad_aggregator_id" in port:
            own["ad_aggregator_id"] = str(port["ad_aggregator_id"])
    return own


def _bond(link: Mapping, trait: Mapping, ports: list[str], _hidden: Collection[str]) -> dict:
    data = _data(link)
    own = {
        "hwaddr": link.get("address", ""),
        "slaves": sorted(ports),
        "active_slave": data.get("active_slave") or "",
        "opts": bond_options(trait.get("bond") or {}, trait.get("bond_defaults")),
        "speed": trait.get("speed", 0),
        "switch": "legacy",
    }
    partner = data.get("ad_info") or {}
    if partner.get("aggregator") and partner.get("partner_mac"):
        own["ad_aggregator_id"], own["ad_partner_mac"] = str(partner["aggregator"]), partner["partner_mac"]
    return own


def bond_options(values: Mapping, defaults: Mapping | None = None) -> dict:
    """VDSM's ``opts`` of a bond from the words in sysfs: always the mode, and the options that differ from their
    defaults; numbers as text. ``defaults``: the words in sysfs of a new bond of this mode; if unknown (None or {}), a
    table is used.
    """
    known = (
        {name: _bond_word(name, text) for name, text in defaults.items()}
        if defaults
        else dict(
            _BOND_DEFAULTS,
            **({"miimon": _MIIMON_WITHOUT_ARP} if values.get("mode", "").split()[-1:] in (["4"], ["5"], ["6"]) else {}),
        )
    )
    options = {}
    for name, text in values.items():
        value = _bond_word(name, text)
        # An option that is missing in the host's own defaults has no value there.
        default = known.get(name, "" if defaults else value)
        if name == "mode" or (value and value != default and name not in _NO_BOND_OPTIONS):
            options[name] = value
    return options


def _bond_word(name: str, text: str) -> str:
    words = text.split()
    return ",".join(words) if name == "arp_ip_target" else words[-1] if words else ""


def _vlan(link: Mapping, _trait: Mapping, _ports: list[str], _hidden: Collection[str]) -> dict:
    return {"iface": link.get("link", ""), "vlanid": _data(link)["id"]}


def _bridge(link: Mapping, _trait: Mapping, ports: list[str], hidden: Collection[str]) -> dict:
    data = _data(link)
    options = {name: str(data[key]) for key, name in _BRIDGE_OPTIONS if key in data}
    if "group_fwd_mask" in options:
        options["group_fwd_mask"] = "0x%x" % int(
            options["group_fwd_mask"], 0
        )  # the format of sysfs and VDSM; iproute2 prints "0" for none
    return {
        "hwaddr": link.get("address", ""),
        "ports": sorted(port for port in ports if port not in hidden),
        "stp": "on" if data.get("stp_state") else "off",
        "opts": options,
    }


def _team(link: Mapping, _trait: Mapping, ports: list[str], _hidden: Collection[str]) -> dict:
    return {"hwaddr": link.get("address", ""), "ports": sorted(ports)}


_OWN = {"nics": _nic, "bondings": _bond, "vlans": _vlan, "bridges": _bridge, "teams": _team}


def _common(link: Mapping, routes: Iterable[Mapping], config: Mapping) -> dict:
    """The keys of every device: addresses, gateways, their origin, MTU (text, as in VDSM)."""
    entries = [entry for entry in link.get("addr_info") or [] if entry.get("scope") != "link" and entry.get("local")]
    four = [entry for entry in entries if entry["family"] == "inet"]
    # The engine uses the first one as the address: configured addresses come before autoconfigured and temporary ones.
    six = sorted(
        (entry for entry in entries if entry["family"] == "inet6"),
        key=lambda entry: (bool(entry.get("temporary")), bool(entry.get("dynamic"))),
    )
    gateways, gateways6 = (_gateways(link["ifname"], routes, family) for family in (4, 6))
    primary = _primary(four, gateways[0] if gateways else "")
    common = {
        "addr": primary["local"] if primary else "",
        "netmask": str(ipaddress.ip_network("0.0.0.0/%d" % primary["prefixlen"]).netmask) if primary else "",
        "ipv4addrs": ["%s/%d" % (entry["local"], entry["prefixlen"]) for entry in four],
        "ipv6addrs": ["%s/%d" % (entry["local"], entry["prefixlen"]) for entry in six],
        "gateway": gateways[0] if gateways else "",
        "ipv6gateway": gateways6[0] if gateways6 else "::",
        "ipv4defaultroute": any(
            _is_main(route) and route["family"] == 4 and route["dev"] == link["ifname"] for route in routes
        ),
        "dhcpv4": bool((config.get("ipv4") or {}).get("dhcp")),
        "dhcpv6": bool((config.get("ipv6") or {}).get("dhcp")),
        "ipv6autoconf": bool((config.get("ipv6") or {}).get("autoconf")),
        "mtu": str(link["mtu"]),
    }
    if len(gateways) > 1:
        common["ipv4gateways"] = gateways
    if len(gateways6) > 1:
        common["ipv6gateways"] = gateways6
    return common


def _gateways(device: str, routes: Iterable[Mapping], family: int) -> list[str]:
    """The distinct gateways of a device in all tables, the preferred one first: main table, then by metric."""
    own = [route for route in routes if route["dev"] == device and route["family"] == family]
    own.sort(key=lambda route: (not _is_main(route), route["metric"]))
    return list(dict.fromkeys(route["gateway"] for route in own))


def _is_main(route: Mapping) -> bool:
    return route["table"] in ("main", "254")


def _primary(addresses: Sequence[Mapping], gateway: str) -> Mapping | None:
    # VDSM: the first non-secondary address in the gateway's subnet, otherwise the first address.
    for entry in addresses if gateway and ":" not in gateway else []:
        if not entry.get("secondary") and ipaddress.ip_address(gateway) in ipaddress.ip_network(
            "%s/%d" % (entry["local"], entry["prefixlen"]), strict=False
        ):
            return entry
    return addresses[0] if addresses else None


_SHARED = (
    "addr",
    "netmask",
    "ipv4addrs",
    "ipv6addrs",
    "gateway",
    "ipv6gateway",
    "ipv4gateways",
    "ipv6gateways",
    "ipv4defaultroute",
    "dhcpv4",
    "dhcpv6",
    "ipv6autoconf",
    "mtu",
)


def _networks(records: Mapping, document: Mapping) -> dict:
    """The networks in VDSM's records whose device exists, as VDSM reports them."""
    networks = {}
    for name, record in records.items():
        bridged = bool(record.get("bridged", True))
        device = name if bridged else _record_device(record, document["vlans"])
        top = (
            document["bridges"].get(name)
            if bridged
            else next((document[kind][device] for kind in _OWN if device in document[kind]), None)
        )
        if not top:
            continue
        network = {key: top[key] for key in _SHARED if key in top}
        network.update(iface=device, bridged=bridged, switch=record.get("switch") or "legacy", southbound=device)
        if bridged:
            network.update(ports=top["ports"], stp=top["stp"], southbound=_southbound(top["ports"], document))
        else:
            network["interface"] = device
        if record.get("hostQos"):
            network["hostQos"] = record["hostQos"]
        if network["southbound"] in document["vlans"]:
            network["vlanid"] = document["vlans"][network["southbound"]]["vlanid"]
        networks[name] = network
    return networks


def _record_device(record: Mapping, vlans: Mapping) -> str:
    base = record.get("bonding") or record.get("nic") or ""
    tag = record.get("vlan")
    if tag in (None, ""):
        return base
    return next(
        (name for name, vlan in vlans.items() if (vlan["iface"], vlan["vlanid"]) == (base, int(tag))),
        "%s.%s" % (base, tag),
    )


def _southbound(ports: Iterable[str], document: Mapping) -> Any:
    for kind in ("bondings", "nics", "vlans"):
        own = [port for port in ports if port in document[kind]]
        if len(own) == 1:
            return own[0]
    return None
