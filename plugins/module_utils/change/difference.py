# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between the desired nmstate state and the host: the smallest change.

nmstate applies, and NetworkManager re-activates, every interface that a state names, even if nothing differs. So the
result names only what differs, and a run with nothing to change makes no call.
"""

from __future__ import annotations

import ipaddress
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
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
_TOLD_BY_KERNEL = (
    "name",
    "type",
    "state",
    "mtu",
    "mac-address",
    "controller",
    "copy-mac-from",
    "bridge",
    "link-aggregation",
    "vlan",
    "profile-name",
)
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
_PHYSICAL = ("ethernet", "infiniband")
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


def difference(desired: Mapping, current: Mapping, profiled: Collection[str] = ()) -> dict:
    """The part of ``desired`` that differs from ``current`` (both nmstate states), as a state to apply.

    ``profiled``: the devices that have a profile; it tells whether the profile of a NIC has to be removed. Returns
    ``{}`` if nothing differs. Interfaces have their name, type, state, and only the keys that differ; routes, rules,
    and DNS are present only if they differ. The result contains nothing that ``desired`` does not name.
    """
    change: dict[str, Any] = {}
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    interfaces = [
        rest
        for rest in (
            _interface(want, have.get(want["name"]), have, profiled) for want in desired.get("interfaces") or []
        )
        if rest
    ]
    if interfaces:
        change["interfaces"] = interfaces
    moved = any("ipv4" in iface or "ipv6" in iface for iface in interfaces)
    # Rules, like DNS servers below, are stored in the profile of an interface with addresses: without naming them
    # again, they would be lost with the old profile.
    for section, same, told in (("routes", _same_route, False), ("route-rules", _same_rule, moved)):
        entries = _entries(desired.get(section), current.get(section), same, told)
        if entries:
            change[section] = {"config": entries}
    resolver = _resolver(desired.get("dns-resolver"), current.get("dns-resolver"), moved)
    if resolver:
        change["dns-resolver"] = resolver
    for key in desired:
        if key not in ("interfaces", "routes", "route-rules", "dns-resolver") and not _subset(
            desired[key], current.get(key)
        ):
            change[key] = desired[key]
    return change


def before(change: Mapping, current: Mapping) -> dict:
    """The values in ``current`` for the keys of ``change`` (both nmstate states), None if not present. New interfaces
    are left out.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    present = {key: _in_place_of(value, current.get(key)) for key, value in change.items() if key != "interfaces"}
    there = [iface for iface in change.get("interfaces") or [] if iface["name"] in have]
    return dict(
        present,
        **(
            {"interfaces": [_in_place_of(iface, have[iface["name"]]) for iface in there]}
            if "interfaces" in change
            else {}
        ),
    )


def held(change: Mapping, current: Mapping) -> dict:
    """The part of before() that an undo has to read from nmstate, because the kernel's view of the network
    (snapshot.py) does not contain it. {} if there is none.
    """
    ifaces = []
    for iface in before(change, current).get("interfaces") or []:
        told = {key: value for key, value in iface.items() if key not in _TOLD_BY_KERNEL}
        for family in ("ipv4", "ipv6"):
            if isinstance(told.get(family), dict):
                told[family] = {key: value for key, value in told[family].items() if key != "address"}
        if told:
            ifaces.append(dict(told, name=iface["name"]))
    return {"interfaces": ifaces} if ifaces else {}


def _in_place_of(want: Any, is_now: Any) -> Any:
    if isinstance(want, dict) and isinstance(is_now, dict):
        return {key: _in_place_of(value, is_now.get(key)) for key, value in want.items()}
    if isinstance(want, list) and isinstance(is_now, list) and all(isinstance(entry, dict) for entry in want + is_now):
        wanted = {key for entry in want for key in entry}
        return [{key: value for key, value in entry.items() if key in wanted} for entry in is_now]
    return is_now


def mtu_raises(change: Mapping, current: Mapping) -> list[dict]:
    """The interfaces of ``change`` that differ only by a larger MTU: ``[{name, mtu, was}]``, bases first.

    They need no re-activation: profile and kernel accept a larger MTU without interrupting traffic.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    raises = []
    for iface in change.get("interfaces") or []:
        now = have.get(iface["name"])
        if (
            now
            and set(iface) <= {"name", "type", "state", "mtu"}
            and now.get("state") == "up"
            and iface.get("state", "up") == "up"
            and iface.get("mtu", 0) > now.get("mtu", 0)
        ):
            raises.append({"name": iface["name"], "mtu": iface["mtu"], "was": now.get("mtu", 0)})
    # A VLAN's MTU is bounded by its base's (8021q), so bases come first.
    return sorted(raises, key=lambda raised: ("vlan" in have[raised["name"]], raised["name"]))


def without(change: Mapping, names: Collection[str]) -> dict:
    """``change`` without the interfaces ``names``; ``{}`` if it is empty then."""
    rest = dict(change)
    rest["interfaces"] = [iface for iface in change.get("interfaces") or [] if iface["name"] not in names]
    if not rest["interfaces"]:
        del rest["interfaces"]
    return rest


def _interface(want: Mapping, now: Mapping | None, have: Mapping, profiled: Collection[str]) -> dict | None:
    if want.get("state") == "ignore":
        return None
    absent = want.get("state") in ("absent", "down")
    if now is None or now.get("state") in ("absent", "ignore"):
        return None if absent else dict(want)
    if absent:
        gone = now.get("state") == "down" and now.get("type") in _PHYSICAL and now["name"] not in profiled
        return None if gone or want["state"] == now.get("state") else dict(want)
    if not _same_type(want.get("type"), now.get("type")):
        return dict(want)
    rest = {
        key: value
        for key, value in want.items()
        if key not in ("name", "type", "state") and not _holds(key, value, now, have)
    }
    if not rest and now.get("state") == "up":
        return None
    if "bridge" in rest:
        rest["bridge"] = _bridge_left(rest["bridge"], now.get("bridge") or {})
    if "mac-address" in want and ("ipv4" in rest or "ipv6" in rest):
        # It will be activated again, which may change the MAC address of a bond or bridge (systemd's MACAddressPolicy):
        # set the current one.
        rest["mac-address"] = want["mac-address"]
    if want.get("type") == "bond" and not (set(rest) == {"mtu"} and rest["mtu"] > now.get("mtu", 0)):
        # The profile is written anyway. If it contains both, VDSM's first edit does not activate the bond again.
        rest.update({key: want[key] for key in ("mac-address", "mtu") if key in want})
    return {**{key: want[key] for key in ("name", "type", "state") if key in want}, **rest}


def _same_type(want: str | None, now: str | None) -> bool:
    return want in (None, "unknown", now) or {want, now} == {"ethernet", "veth"}


def _holds(key: str, want: Any, now: Mapping, have: Mapping) -> bool:
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
    return _subset(want, is_now, key)


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
    ) and _subset(rest, now)


def _bond_value(option: str, value: object) -> str:
    text = {True: "1", False: "0"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    names = _BOND_NAMES.get(option, ())
    return names[int(text)] if text.isdigit() and int(text) < len(names) else text


def _same_bridge(want: Mapping, now: Mapping) -> bool:
    return _same_ports(want, now) and _subset({key: value for key, value in want.items() if key not in _PORTS}, now)


def _same_ports(want: Mapping, now: Mapping) -> bool:
    ports = want.get("port", want.get("ports"))
    if ports is None:
        return True
    current = {port["name"]: port for port in now.get("port", now.get("ports")) or []}
    named = {port["name"] for port in ports}
    return (named <= set(current) if want.get("allow-extra-ports") else named == set(current)) and all(
        _subset(port, current[port["name"]]) for port in ports
    )


def _bridge_left(want: Mapping, now: Mapping) -> Mapping:
    """A changed bridge without its ports, if the ports do not differ: nmstate detaches ports that are not named,
    including those that a guest has attached since.
    """
    return {key: value for key, value in want.items() if key not in _PORTS} if now and _same_ports(want, now) else want


def _subset(want: Any, now: Any, key: str = "") -> bool:
    """Whether ``now`` has every leaf of ``want``, the value of ``key``."""
    if isinstance(want, dict):
        if not want:  # says nothing, but for these, which it empties
            return key not in _EMPTIED or not now
        names = _FEATURES if key == "feature" else {}
        return isinstance(now, dict) and all(
            _subset(value, now.get(names.get(name, name)), name) for name, value in want.items()
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
        return len(want) == len(now) and all(any(_subset(item, other) for other in now) for item in want)
    name = next(
        (
            field
            for field in ("name", "id")
            if want and all(isinstance(entry, dict) and field in entry for entry in want)
        ),
        "",
    )
    if not name:
        return len(want) == len(now) and all(_subset(item, other) for item, other in zip(want, now))
    return all(
        (entry.get("state") == "absent")
        != any(_subset({key: value for key, value in entry.items() if key != "state"}, item) for item in now)
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


def _entries(
    want: Mapping | None, now: Mapping | None, same: Callable[[Mapping, Mapping], bool], told: bool
) -> list[dict]:
    have = (now or {}).get("config") or []
    rest = []
    for entry in (want or {}).get("config") or []:
        absent = entry.get("state") == "absent"
        exists = any(same(entry, present) for present in have)
        if exists == absent or (told and not absent):
            # For absent routes, nmstate takes the default table for any table, so routes in other tables would be
            # removed as well.
            rest.append(dict(entry, **{"table-id": 254}) if absent and entry.get("table-id") == 0 else entry)
    return rest


def _same_route(want: Mapping, now: Mapping) -> bool:
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


def _same_rule(want: Mapping, now: Mapping) -> bool:
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


def _resolver(want: Mapping | None, now: Mapping | None, moved: bool) -> dict | None:
    config = (want or {}).get("config")
    if config is None:
        return None
    have = (now or {}).get("config") or {}
    if not config:  # nothing is to be configured
        return {"config": config} if any(have.values()) else None
    # DNS servers are stored in the profile of an interface: when addresses move, name them again, or they are lost with
    # the old profile.
    told = moved and any(config.values())
    if not told and all((config.get(key) or []) == (have.get(key) or []) for key in config):
        return None
    return {"config": config}
