# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""An nmstate state reduced to what matters for a change: no counters, offload features, lifetimes, or VM taps.

A host with a hundred VMs shows a megabyte of state; facts of that size double the controller's work.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

# Devices of running VMs and containers, which are not part of the network configuration.
_OF_GUESTS = ("tun", "mac-vtap")
_IP = (
    "enabled",
    "dhcp",
    "autoconf",
    "address",
    "auto-dns",
    "auto-gateway",
    "auto-routes",
    "auto-route-table-id",
    "auto-route-metric",
    "dhcp-client-id",
    "dhcp-duid",
    "dhcp-send-hostname",
    "dhcp-custom-hostname",
    "addr-gen-mode",
    "token",
    "allow-extra-address",
)
_BRIDGE_OPTIONS = ("stp", "group-forward-mask", "multicast-snooping", "mac-ageing-time")
_VLAN = ("id", "base-iface", "protocol", "registration-protocol", "reorder-headers", "loose-binding")
# What nmstate shows for "not set".
_UNSET = {
    "auto-route-metric": -1,
    "protocol": "802.1q",
    "registration-protocol": "none",
    "reorder-headers": True,
    "loose-binding": False,
}


def digest(state: Mapping, hidden: Collection[str] = ()) -> dict:
    """The parts of ``state`` (from ``nmstatectl show``) from which the desired state is computed. Pure.

    Left out: loopback, taps and macvtaps (as interfaces and as bridge ports), unmanaged veths (containers), and the
    interfaces named in ``hidden``. Interfaces are sorted by name.
    """
    gone = {iface["name"] for iface in state.get("interfaces") or [] if _of_a_guest(iface)} | set(hidden)
    interfaces = [
        _interface(iface, gone)
        for iface in state.get("interfaces") or []
        if iface["name"] not in gone and iface.get("type") != "loopback"
    ]
    return {
        "interfaces": sorted(interfaces, key=lambda iface: iface["name"]),
        "routes": {"config": (state.get("routes") or {}).get("config") or []},
        "route-rules": {"config": (state.get("route-rules") or {}).get("config") or []},
        "dns-resolver": {key: (state.get("dns-resolver") or {}).get(key) or {} for key in ("config", "running")},
    }


def without_guests(state: Mapping) -> dict:
    """A copy of ``state`` with all its keys, but without taps of guests, as interfaces and as bridge ports. Pure. A
    desired state is compared with
    this: taps are not named, and are not a difference on a bridge.
    """
    gone = {iface["name"] for iface in state.get("interfaces") or [] if _of_a_guest(iface)}
    interfaces = []
    for iface in state.get("interfaces") or []:
        if iface["name"] not in gone:
            bridge = iface.get("bridge")
            ports = (
                {
                    key: [port for port in bridge[key] or [] if port["name"] not in gone]
                    for key in ("port", "ports")
                    if key in bridge
                }
                if bridge
                else {}
            )
            interfaces.append(dict(iface, bridge=dict(bridge, **ports)) if ports else iface)
    return dict(state, interfaces=interfaces)


def _of_a_guest(iface: Mapping) -> bool:
    return iface.get("type") in _OF_GUESTS or (iface.get("type") == "veth" and iface.get("state") == "ignore")


def _interface(iface: Mapping, gone: Collection[str]) -> dict:
    small = {key: iface[key] for key in ("name", "type", "state", "controller", "mac-address", "mtu") if key in iface}
    if iface.get("state") == "ignore":
        return small  # not managed by NetworkManager: only its existence matters
    for family in ("ipv4", "ipv6"):
        if family in iface:
            small[family] = _ip(iface[family])
    if "link-aggregation" in iface:
        small["link-aggregation"] = {
            key: value
            for key, value in iface["link-aggregation"].items()
            if key in ("mode", "port", "ports", "options")
        }
    if "vlan" in iface:
        small["vlan"] = _only(iface["vlan"], _VLAN)
    if "bridge" in iface:
        small["bridge"] = _bridge(iface["bridge"], gone)
    return small


def _ip(stack: Mapping) -> dict:
    if not stack.get("enabled"):
        return {"enabled": False}
    small = _only(stack, _IP)
    if "address" in small:
        small["address"] = [
            {key: address[key] for key in ("ip", "prefix-length") if key in address} for address in small["address"]
        ]
    return small


def _bridge(bridge: Mapping, gone: Collection[str]) -> dict:
    small: dict[str, Any] = {}
    for key in ("port", "ports"):  # nmstate uses both spellings
        if key in bridge:
            small[key] = [
                {name: port[name] for name in ("name", "vlan") if port.get(name)}
                for port in bridge[key] or []
                if port["name"] not in gone
            ]
    if "options" in bridge:
        options = _only(bridge["options"], _BRIDGE_OPTIONS)
        if "stp" in options:
            options["stp"] = _only(options["stp"], ("enabled", "forward-delay"))
        small["options"] = options
    return small


def _only(values: Mapping, wanted: Iterable[str]) -> dict:
    return {key: values[key] for key in wanted if key in values and values[key] != _UNSET.get(key)}
