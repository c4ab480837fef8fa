# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate a desired nmstate state: it must be well-formed, comparable with the output of nmstate, and undoable. Pure.

Keys: nmstate's schema (2.2.62: net_state.rs, ifaces/base.rs, ip.rs, route.rs). What nmstate itself rejects is left to
nmstate.
"""

from __future__ import annotations

import copy
import ipaddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

SECTIONS = ("interfaces", "routes", "route-rules", "dns-resolver", "hostname", "ovs-db", "ovn", "description")
_INTERFACE = (
    "name",
    "type",
    "state",
    "profile-name",
    "description",
    "identifier",
    "driver",
    "mac-address",
    "permanent-mac-address",
    "pci-address",
    "mtu",
    "min-mtu",
    "max-mtu",
    "wait-ip",
    "ipv4",
    "ipv6",
    "mptcp",
    "controller",
    "accept-all-mac-addresses",
    "copy-mac-from",
    "ovs-db",
    "802.1x",
    "lldp",
    "ethtool",
    "dispatch",
    "alt-names",
    "ethernet",
    "veth",
    "bridge",
    "link-aggregation",
    "vlan",
    "vxlan",
    "vrf",
    "mac-vlan",
    "mac-vtap",
    "infiniband",
    "macsec",
    "hsr",
    "ipvlan",
    "ip-tunnel",
    "libreswan",
    "patch",
    "dpdk",
)
_STATES = ("up", "down", "absent", "ignore")
_SECRETS = {"802.1x": ("private-key-password", "password"), "macsec": ("mka-cak",), "libreswan": ("psk",)}
# Settings outside of the profiles, which an undo cannot restore, and what to use instead.
_NOT_UNDONE = {
    "hostname": "the module ansible.builtin.hostname",
    "ovs-db": "ovs-vsctl",
    "ovn": "ovs-vsctl",
    "dispatch": "the module ansible.builtin.copy",
}
_KINDS_NOT_UNDONE = ("ovs-bridge", "ovs-interface", "ipsec")


class StateError(ValueError):
    """The desired state is invalid; the text names the interface or entry, the key, and what is expected."""


def checked(state: Any) -> dict:
    """A deep copy of ``state`` (the user's), with decimal text converted to numbers. Raises StateError if it is
    malformed.
    """
    if not isinstance(state, dict):
        raise StateError("state: got %s, expected a mapping" % _type(state))
    unknown = sorted(set(state) - set(SECTIONS), key=str)
    if unknown:
        raise StateError(
            "state: unknown key %s, expected one of %s" % (", ".join(map(str, unknown)), ", ".join(SECTIONS))
        )
    good = {
        key: _without_nulls(copy.deepcopy(value))
        for key, value in state.items()
        if value is not None and key != "description"
    }
    good["interfaces"] = [
        _interface(entry, number) for number, entry in enumerate(_list(good.get("interfaces"), "interfaces"))
    ]
    for section, check in (("routes", _route), ("route-rules", _rule)):
        if section in good:
            entries = _list(_mapping(good[section], section).get("config"), section + ": config")
            good[section]["config"] = [
                check(_mapping(entry, "%s: config[%d]" % (section, number)), "%s: config[%d]" % (section, number))
                for number, entry in enumerate(entries)
            ]
    if "dns-resolver" in good:
        config = _mapping(good["dns-resolver"], "dns-resolver").get("config")
        for key, value in _mapping(config if config is not None else {}, "dns-resolver: config").items():
            if not all(isinstance(text, str) for text in _list(value, "dns-resolver: %s" % key)):
                raise StateError("dns-resolver: %s: expected a list of strings" % key)
        for server in (config or {}).get("server") or []:
            _address(server.partition("%")[0], "dns-resolver: server")
    if not good["interfaces"]:
        del good["interfaces"]
    return good


def refuse(change: Mapping, current: Mapping) -> None:
    """Raise StateError if a part of ``change`` (the difference from ``current``) cannot be undone, or cannot be
    compared with the output of nmstate.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    for section in change:
        if section in _NOT_UNDONE:
            raise StateError(
                "%s: got %s, the host has %s; this change cannot be undone with the network. Use %s"
                % (section, _short(change[section]), _short(current.get(section)), _NOT_UNDONE[section])
            )
    known = set(have) | {iface["name"] for iface in change.get("interfaces") or []}
    for iface in change.get("interfaces") or []:
        _refuse_interface(iface, have.get(iface["name"]) or {}, known)
    for entry in (change.get("routes") or {}).get("config") or []:
        if "vrf-name" in entry:
            raise StateError(
                "routes: vrf-name: nmstate does not show this key, so it cannot be compared; set the VRF's table-id"
            )


def _refuse_interface(iface: Mapping, now: Mapping, known: Collection[str]) -> None:
    name = iface["name"]
    kind = iface.get("type") or now.get("type")
    if kind in _KINDS_NOT_UNDONE:
        raise StateError("%s: a change of type %s cannot be undone with the network" % (name, kind))
    for key in iface:
        if key in _NOT_UNDONE:
            raise StateError("%s: %s: this cannot be undone with the network. Use %s" % (name, key, _NOT_UNDONE[key]))
        if key not in _INTERFACE and key not in now:
            raise StateError("%s: %s: unknown key, or nmstate does not show it, so it cannot be compared" % (name, key))
        secrets = [secret for secret in _SECRETS.get(key, ()) if isinstance(iface[key], dict) and secret in iface[key]]
        if secrets:
            raise StateError(
                "%s: %s: %s: nmstate hides this value, so it cannot be compared; set it with nmcli"
                % (name, key, ", ".join(secrets))
            )
    if iface.get("identifier", "name") != "name":
        raise StateError(
            "%s: identifier: got %s, expected name; set the name of the interface to its device name"
            % (name, iface["identifier"])
        )
    source = iface.get("copy-mac-from")
    if source and source not in known:
        raise StateError("%s: copy-mac-from: no interface %s on this host" % (name, source))


def _interface(entry: Any, number: int) -> dict:
    iface = _mapping(entry, "interfaces[%d]" % number)
    name = iface.get("name")
    if not isinstance(name, str) or not name:
        raise StateError("interfaces[%d]: name: got %s, expected a device name" % (number, _short(name)))
    if iface.get("state", "up") not in _STATES:
        raise StateError("%s: state: got %s, expected one of %s" % (name, _short(iface["state"]), ", ".join(_STATES)))
    if iface.get("mtu") is not None:
        iface["mtu"] = _integer(iface["mtu"], "%s: mtu" % name)
    if iface.get("mac-address") is not None and not isinstance(iface["mac-address"], str):
        raise StateError("%s: mac-address: got %s, expected a string" % (name, _short(iface["mac-address"])))
    for section in (
        "bridge",
        "link-aggregation",
        "vlan",
        "vxlan",
        "vrf",
        "ethernet",
        "ethtool",
        "lldp",
        "ipv4",
        "ipv6",
    ):
        if section in iface:
            _mapping(iface[section], "%s: %s" % (name, section))
    for section in ("bridge", "link-aggregation", "vrf"):
        for key in ("port", "ports"):
            if key in iface.get(section, {}):
                iface[section][key] = [
                    _port(port, section, "%s: %s: %s" % (name, section, key))
                    for port in _list(iface[section][key], "%s: %s: %s" % (name, section, key))
                ]
    for family, version in (("ipv4", 4), ("ipv6", 6)):
        if "address" in iface.get(family, {}):
            where = "%s: %s: address" % (name, family)
            iface[family]["address"] = [
                _interface_address(_mapping(address, where), version, where)
                for address in _list(iface[family]["address"], where)
            ]
    return iface


def _without_nulls(value: Any) -> Any:
    """nmstate treats null as not set."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _port(port: Any, section: str, where: str) -> Any:
    if section == "bridge":
        if not isinstance(port, dict) or not isinstance(port.get("name"), str):
            raise StateError("%s: got %s, expected mappings with a name" % (where, _short(port)))
    elif not isinstance(port, str):
        raise StateError("%s: got %s, expected names" % (where, _short(port)))
    return port


def _interface_address(entry: dict, version: int, where: str) -> dict:
    address = _address(entry.get("ip"), where, version)
    length = _integer(entry.get("prefix-length"), where + ": prefix-length")
    if not 0 <= length <= address.max_prefixlen:
        raise StateError("%s: prefix-length: got %s, expected 0 to %s" % (where, length, address.max_prefixlen))
    return dict(entry, **{"prefix-length": length})


def _route(entry: dict, where: str) -> dict:
    if entry.get("destination"):
        _network(entry["destination"], where + ": destination")
    if entry.get("next-hop-address"):
        _address(entry["next-hop-address"], where + ": next-hop-address")
    return _numbers(entry, ("metric", "table-id", "weight"), where)


def _rule(entry: dict, where: str) -> dict:
    for key in ("ip-from", "ip-to"):
        if entry.get(key):
            _network(entry[key], "%s: %s" % (where, key))
    return _numbers(entry, ("priority", "route-table"), where)


def _numbers(entry: dict, keys: Collection[str], where: str) -> dict:
    return {
        key: _integer(value, "%s: %s" % (where, key)) if key in keys and value is not None else value
        for key, value in entry.items()
    }


def _address(text: Any, where: str, version: int | None = None) -> Any:
    try:
        if not isinstance(text, str):
            raise ValueError
        address = ipaddress.ip_address(text)
    except ValueError:
        raise StateError("%s: got %s, expected an IP address" % (where, _short(text))) from None
    if version and address.version != version:
        raise StateError("%s: got %s, expected an IPv%d address" % (where, text, version))
    return address


def _network(text: Any, where: str) -> None:
    try:
        if not isinstance(text, str):
            raise ValueError
        ipaddress.ip_interface(text)
    except ValueError:
        raise StateError("%s: got %s, expected a network such as 192.0.2.0/24" % (where, _short(text))) from None


def _integer(value: Any, where: str) -> int:
    try:
        if isinstance(value, (bool, float)):
            raise ValueError
        return int(value)
    except (TypeError, ValueError):
        raise StateError("%s: got %s, expected an integer" % (where, _short(value))) from None


def _mapping(value: Any, where: str) -> dict:
    if not isinstance(value, dict):
        raise StateError("%s: got %s, expected a mapping" % (where, _short(value)))
    return value


def _list(value: Any, where: str) -> list:
    if value is None:
        return []
    if not isinstance(value, list):
        raise StateError("%s: got %s, expected a list" % (where, _short(value)))
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _type(value: object) -> str:
    return type(value).__name__
