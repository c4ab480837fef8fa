# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a part of a desired nmstate state equals the host's state, although nmstate shows it differently. Pure."""

from __future__ import annotations

import ipaddress
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# "0" and 254 are both the main table (nmstate: RouteEntry, table-id 0 means unset).
_MAIN_TABLES = (None, 0, 254)
# nmstate's defaults for a dynamic family (nmstate schema, BaseInterface ipv4/ipv6).
_IP_DEFAULTS = {
    "enabled": False,
    "dhcp": False,
    "autoconf": False,
    "auto-dns": True,
    "auto-gateway": True,
    "auto-routes": True,
    "auto-route-table-id": 0,
    "auto-route-metric": -1,
    "prefix-route-metric": -1,
    "dhcp-send-hostname": True,
    "dhcp-custom-hostname": "",
    "token": "::",
}
_PORTS = ("port", "ports")  # nmstate uses both spellings
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
# The values of keys that nmstate does not show.
_DEFAULTS = {
    "lldp": {"enabled": False},
    "accept-all-mac-addresses": False,
    "wait-ip": "any",
    "controller": "",
    "identifier": "name",
    "mptcp": {"address-flags": []},
}
# Keys that nmstate shows but that cannot be set (nmstate: "ignored when applying").
_READ_ONLY = (
    "driver",
    "permanent-mac-address",
    "pci-address",
    "min-mtu",
    "max-mtu",
    "neighbors",
    "gc-timer",
    "hello-timer",
    "allow-extra-address",
    "allow-extra-ports",
)
_MAC = re.compile(r"([0-9a-fA-F]{2}:){5,}[0-9a-fA-F]{2}$")
_EMPTIED = ("vlan", "ovs-db", "external_ids", "other_config")
_UNORDERED = ("port", "ports", "address-flags", "trunk-tags")
_MULTICAST_ROUTER = ("disabled", "auto", "enabled")
# ethtool's names of kernel features (nmstate: ETHTOOL_FEATURE_CLI_ALIAS).
_FEATURES = {
    "rx": "rx-checksum",
    "rx-checksumming": "rx-checksum",
    "ufo": "tx-udp-fragmentation",
    "tso": "tx-tcp-segmentation",
    "tcp-segmentation-offload": "tx-tcp-segmentation",
    "gso": "tx-generic-segmentation",
    "generic-segmentation-offload": "tx-generic-segmentation",
    "gro": "rx-gro",
    "generic-receive-offload": "rx-gro",
    "lro": "rx-lro",
    "large-receive-offload": "rx-lro",
    "rxvlan": "rx-vlan-hw-parse",
    "rx-vlan-offload": "rx-vlan-hw-parse",
    "txvlan": "tx-vlan-hw-insert",
    "tx-vlan-offload": "tx-vlan-hw-insert",
    "ntuple": "rx-ntuple-filter",
    "ntuple-filters": "rx-ntuple-filter",
    "rxhash": "rx-hashing",
    "receive-hashing": "rx-hashing",
}


def same_type(want: str | None, now: str | None) -> bool:
    """Whether an interface of the type ``now`` is one of the type ``want``."""
    return want in (None, "unknown", now) or {want, now} == {"ethernet", "veth"}


def holds(key: str, want: Any, now: Mapping, have: Mapping) -> bool:
    """Whether the interface ``now`` has the value ``want`` for ``key``. ``have``: ``{name: interface}`` of all."""
    is_now = now.get(key, _DEFAULTS.get(key))
    if key in _READ_ONLY:
        return True
    if want is None:  # as held() has what was not set
        return is_now in (None, "", _DEFAULTS.get(key))
    if key == "copy-mac-from":
        source = have.get(want) or {}
        return bool(source) and any(
            _equal(now.get("mac-address"), source.get(mac)) for mac in ("mac-address", "permanent-mac-address")
        )
    if key == "profile-name":
        return want == now.get(key, now["name"])
    if key in ("ipv4", "ipv6"):
        return _same_ip(want, is_now or {})
    if key == "link-aggregation":
        return _same_bond(want, is_now or {})
    if key == "bridge":
        return _same_bridge(want, is_now or {})
    if key == "ethernet" and want.get("auto-negotiation"):
        want = {name: value for name, value in want.items() if name not in ("speed", "duplex")}
    return subset(want, is_now, key)


def _same_ip(want: Mapping, now: Mapping) -> bool:
    if not want.get("enabled", True):
        return not now.get("enabled", False)
    dynamic = want.get("dhcp") or want.get("autoconf")
    for key, value in want.items():
        if key == "address":
            is_now = _addresses(now.get("address"))
            # static addresses beside those from DHCP and routers, or all addresses; the order does not matter (nmstate
            # sorts them, too)
            extra = dynamic or want.get("allow-extra-address")
            if any(pair not in is_now for pair in _addresses(value)) or not (
                extra or set(_addresses(value)) == set(is_now)
            ):
                return False
        elif key in _READ_ONLY:
            continue
        elif value is None:
            if now.get(key) not in (None, _IP_DEFAULTS.get(key)):
                return False
        elif key == "auto-route-table-id":
            if not (value in _MAIN_TABLES and now.get(key) in _MAIN_TABLES) and value != now.get(key):
                return False
        elif key in _DYNAMIC_ONLY and not dynamic:
            continue
        elif not _equal(value, now.get(key, _IP_DEFAULTS.get(key))):
            return False
    return True


def _addresses(entries: Iterable[Mapping] | None) -> list[tuple]:
    pairs = [(ipaddress.ip_address(entry["ip"]), int(entry["prefix-length"])) for entry in entries or []]
    # The kernel's link-local address is not configuration.
    return [pair for pair in pairs if not (pair[0].version == 6 and pair[0].is_link_local)]


def _same_bond(want: Mapping, now: Mapping) -> bool:
    if "mode" in want and want["mode"] != now.get("mode"):
        return False
    ports = want.get("port", want.get("ports"))
    if ports is not None and sorted(ports) != sorted(now.get("port", now.get("ports")) or []):
        return False
    have = now.get("options") or {}
    rest = {key: value for key, value in want.items() if key not in ("mode", "options", *_PORTS)}
    return all(
        _bond_value(key, value) == _bond_value(key, have.get(key)) for key, value in (want.get("options") or {}).items()
    ) and subset(rest, now)


def _bond_value(option: str, value: object) -> str:
    text = {True: "1", False: "0"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    names = _BOND_NAMES.get(option, ())
    return names[int(text)] if text.isdigit() and int(text) < len(names) else text


def _same_bridge(want: Mapping, now: Mapping) -> bool:
    return _same_ports(want, now) and subset({key: value for key, value in want.items() if key not in _PORTS}, now)


def _same_ports(want: Mapping, now: Mapping) -> bool:
    ports = want.get("port", want.get("ports"))
    if ports is None:
        return True
    current = {port["name"]: port for port in now.get("port", now.get("ports")) or []}
    named = {port["name"] for port in ports}
    return (named <= set(current) if want.get("allow-extra-ports") else named == set(current)) and all(
        subset(port, current[port["name"]]) for port in ports
    )


def bridge_left(want: Mapping, now: Mapping) -> Mapping:
    """A changed bridge without its ports, if the ports do not differ: nmstate detaches ports that are not named,
    including those that a guest has attached since.
    """
    return {key: value for key, value in want.items() if key not in _PORTS} if now and _same_ports(want, now) else want


def subset(want: Any, now: Any, key: str = "") -> bool:
    """Whether ``now`` has every leaf of ``want``, the value of ``key``."""
    if isinstance(want, dict):
        if not want:  # says nothing, but for these, which it empties
            return key not in _EMPTIED or not now
        names = _FEATURES if key == "feature" else {}
        return isinstance(now, dict) and all(
            subset(value, now.get(names.get(name, name)), name) for name, value in want.items()
        )
    if key in _READ_ONLY:
        return True
    if isinstance(want, list):
        return _same_list(want, now or [], key)
    if key == "multicast-router" and str(want) in "012":
        want = _MULTICAST_ROUTER[int(want)]
    if key.startswith("multicast-") and key.endswith("-interval") and str(want).isdigit() and isinstance(now, int):
        return abs(int(want) - now) <= 1  # rounded by kernels of another HZ (nmstate: INTEGER_ROUNDED_OPTIONS)
    return _equal(want, now)


def _same_list(want: list, now: Any, key: str) -> bool:
    if not isinstance(now, list):
        return False
    if key in _UNORDERED:
        return len(want) == len(now) and all(any(subset(item, other) for other in now) for item in want)
    name = next(
        (
            field
            for field in ("name", "id")
            if want and all(isinstance(entry, dict) and field in entry for entry in want)
        ),
        "",
    )
    if not name:
        return len(want) == len(now) and all(subset(item, other) for item, other in zip(want, now))
    return all(
        (entry.get("state") == "absent")
        != any(subset({key: value for key, value in entry.items() if key != "state"}, item) for item in now)
        for entry in want
    )


def _equal(want: Any, now: Any) -> bool:
    """Whether nmstate treats two values as equal: it accepts text for numbers and booleans, and ignores case in MAC
    addresses.
    """
    if want == now or (want in (None, "") and now in (None, "")):
        return True
    if isinstance(now, bool) or isinstance(want, bool):
        return {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }.get(str(want).lower()) is now
    number, other = _number(want), _number(now)
    if number is not None:
        return number == other
    return bool(_MAC.match(str(want))) and str(want).lower() == str(now).lower()


def _number(value: object) -> int | None:
    try:
        return value if isinstance(value, int) else int(value, 0) if isinstance(value, str) else None
    except ValueError:
        return None


def same_route(want: Mapping, now: Mapping) -> bool:
    """Whether the route ``now`` is the one that ``want`` names, with all that it states."""
    if not _same_address(want.get("destination"), now.get("destination")):
        return want.get("destination") is None and want.get("state") == "absent" and _rest_of_route(want, now)
    return _rest_of_route(want, now)


def _rest_of_route(want: Mapping, now: Mapping) -> bool:
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
        elif not _equal(value, now.get(key)):
            return False
    return True


def _same_address(want: str | None, now: str | None) -> bool:
    if not want or not now:
        return (want or "") == (now or "")
    return ipaddress.ip_interface(want) == ipaddress.ip_interface(now)


def same_rule(want: Mapping, now: Mapping) -> bool:
    """Whether the policy rule ``now`` is the one that ``want`` names, with all that it states."""
    for key, value in want.items():
        if key == "state":
            continue
        if key in ("ip-from", "ip-to"):
            if not _same_address(value, now.get(key)):
                return False
        elif key == "route-table":
            if not (value in _MAIN_TABLES and now.get(key) in _MAIN_TABLES) and value != now.get(key):
                return False
        elif not _equal(value, now.get(key)):
            return False
    return True
