# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare a network on the host with its definition, attribute by attribute, as the engine does.

Compares the engine's seventeen attributes, with its asymmetries, and ``stp`` of VM networks, which the engine does not
compare although it is part of the definition. As in the engine, custom properties, the bond below, and the NIC are not
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import (
    canonical,
    is_real,
    is_unspecified,
    prefix_length,
    same_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import Definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data

NONE, DHCP, STATIC, AUTOCONF, DHCP_AND_AUTOCONF = "none", "dhcp", "static", "autoconf", "poly_dhcp_autoconf"
QOS_ATTRIBUTES = ("outAverageLinkShare", "outAverageUpperLimit", "outAverageRealTime")


def actual_configuration(device: Data, nameservers: Sequence[str] = (), **link: Any) -> Data:
    """The actual configuration of a host, from its capabilities, in the format for compare().

    ``device``: entry of nics, bondings, vlans, bridges or networks (VDSM's keys: mtu as text, addr, netmask, gateway,
    dhcpv4 ...). ``nameservers``: the host's. ``link``: bridged (bool), vlan (int or None), switch (str), stp (bool, or
    None without a bridge). Returns {mtu, bridged, vlan, switch, stp,
    ipv4: {boot_protocol, address, netmask, gateway}, ipv6: {boot_protocol, address, prefix, gateway},
    ipv4_default_route, qos, nameservers}; missing values are None.
    """
    mtu = device.get("mtu")
    return {
        "mtu": int(mtu) if mtu not in (None, "") else None,
        "bridged": link.get("bridged", False),
        "vlan": link.get("vlan"),
        "switch": link.get("switch", "legacy"),
        "stp": link.get("stp"),
        "ipv4": ipv4_configuration(device),
        "ipv6": ipv6_configuration(device),
        "ipv4_default_route": device.get("ipv4defaultroute"),
        "qos": _qos_from_caps(device.get("hostQos")),
        "nameservers": list(nameservers),
    }


def ipv4_configuration(device: Data) -> Data:
    """{boot_protocol: none|dhcp|static, address, netmask, gateway (None if missing)} of a capabilities entry.

    As in the engine, the DHCP flag has precedence; otherwise an address means static.
    """
    address = device.get("addr") or None
    protocol = DHCP if device.get("dhcpv4") else STATIC if address else NONE
    gateway = device.get("gateway") or next(iter(device.get("ipv4gateways") or []), None)
    return {"boot_protocol": protocol, "address": address, "netmask": device.get("netmask") or None, "gateway": gateway}


def ipv6_configuration(device: Data) -> Data:
    """{boot_protocol: none|dhcp|autoconf|poly_dhcp_autoconf|static, address, prefix (int), gateway} of a capabilities
    entry.
    """
    address, _slash, prefix = next(iter(device.get("ipv6addrs") or []), "").partition("/")
    flags = (bool(device.get("dhcpv6")), bool(device.get("ipv6autoconf")))
    protocol = {(True, True): DHCP_AND_AUTOCONF, (True, False): DHCP, (False, True): AUTOCONF}.get(
        flags, STATIC if address else NONE
    )
    gateway = device.get("ipv6gateway")
    if not is_real(gateway):
        gateway = next(iter(device.get("ipv6gateways") or []), gateway) or None
    return {
        "boot_protocol": protocol,
        "address": address or None,
        "prefix": int(prefix) if prefix else None,
        "gateway": gateway,
    }


def compare(definition: Definition, actual: Data, attachment: Data | None = None) -> list[Data]:
    """Every compared attribute, in the engine's order: [{attribute, desired, actual, in_sync}].

    ``definition``: from parse_definition(). ``actual``: from actual_configuration(). ``attachment``: settings of the
    network for this host only, if
    any: {ipv4: {boot_protocol, address, netmask, gateway},
    ipv6: {boot_protocol, address, prefix, gateway}, dns_servers: [..], qos: {link_share, upper_limit, real_time}}, each
    part optional. IP attributes are only compared for families in the attachment, QoS only if either side has it.
    """
    attachment = attachment or {}
    entries = [
        _equal("mtu", definition.mtu, actual["mtu"]),
        _equal("bridged", definition.vm_network, actual["bridged"]),
        _equal("vlan", definition.vlan_tag, actual["vlan"]),
        _equal("switchType", definition.switch, actual["switch"]),
    ]
    entries += _ipv4(attachment.get("ipv4"), actual["ipv4"])
    entries += _ipv6(attachment.get("ipv6"), actual["ipv6"])
    entries += _qos(attachment.get("qos"), actual["qos"])
    if definition.default_route:
        entries.append(_dns(attachment.get("dns_servers") or definition.dns_servers, actual["nameservers"]))
    has_default_route = bool(actual["ipv4_default_route"]) or is_real(actual["ipv6"]["gateway"])
    entries.append(_equal("default_route", definition.default_route, has_default_route))
    if definition.vm_network and actual["stp"] is not None:
        entries.append(_equal("stp", definition.stp, actual["stp"]))
    return entries


def differences(definition: Definition, actual: Data, attachment: Data | None = None) -> list[Data]:
    """The entries of compare() that are out of sync: [{attribute, desired, actual}]; empty if the network complies."""
    return [
        {key: entry[key] for key in ("attribute", "desired", "actual")}
        for entry in compare(definition, actual, attachment)
        if not entry["in_sync"]
    ]


def _entry(attribute: str, desired: object, actual: object, in_sync: bool) -> Data:
    return {"attribute": attribute, "desired": desired, "actual": actual, "in_sync": in_sync}


def _equal(attribute: str, desired: object, actual: object) -> Data:
    return _entry(attribute, desired, actual, desired == actual)


def _ipv4(desired: Data | None, actual: Data) -> list[Data]:
    if not desired:
        return []
    entries = [_equal("ipv4_boot_protocol", desired["boot_protocol"], actual["boot_protocol"])]
    if desired["boot_protocol"] == STATIC and actual["boot_protocol"] == STATIC:
        mask, has = desired.get("netmask"), actual.get("netmask")
        same_mask = prefix_length(mask) == prefix_length(has) if mask is not None and has is not None else mask == has
        entries.append(_entry("ipv4_netmask", mask, has, same_mask))
        entries += _addresses("ipv4", desired, actual)
    return entries


def _ipv6(desired: Data | None, actual: Data) -> list[Data]:
    if not desired:
        return []
    entries = [_equal("ipv6_boot_protocol", desired["boot_protocol"], actual["boot_protocol"])]
    if desired["boot_protocol"] == STATIC and actual["boot_protocol"] == STATIC:
        entries.append(_equal("ipv6_prefix", desired.get("prefix"), actual.get("prefix")))
        entries += _addresses("ipv6", desired, actual)
    return entries


def _addresses(family: str, desired: Data, actual: Data) -> list[Data]:
    """Address and gateway. An unspecified address counts as none, for IPv4 in the desired values, for IPv6 in the
    actual values.
    """
    entries = []
    for key in ("address", "gateway"):
        wanted, present = desired.get(key), actual.get(key) or None
        zero, other = (wanted, present) if family == "ipv4" else (present, wanted)
        in_sync = wanted == present or same_address(wanted, present) or (is_unspecified(zero) and other is None)
        entries.append(_entry(f"{family}_{key}", wanted, present, in_sync))
    return entries


def _qos(desired: Data | None, actual: Data | None) -> list[Data]:
    if desired is None and actual is None:
        return []
    keys = ("link_share", "upper_limit", "real_time")
    return [_equal(name, (desired or {}).get(key), (actual or {}).get(key)) for name, key in zip(QOS_ATTRIBUTES, keys)]


def _dns(desired: Sequence[str], actual: Sequence[str]) -> Data:
    """In sync if the host has at least the expected servers, in any order."""
    has = {canonical(server) for server in actual}
    return _entry("dns_configuration", list(desired), list(actual), {canonical(server) for server in desired} <= has)


def _qos_from_caps(host_qos: Data | None) -> Data | None:
    """Convert VDSM's units to the engine's: link share unchanged, limits from bit/s to Mb/s."""
    out = (host_qos or {}).get("out")
    if not out:
        return None

    def value(curve: str, unit: int) -> int | None:
        rate = (out.get(curve) or {}).get("m2")
        return int(rate) // unit if rate is not None else None

    return {"link_share": value("ls", 1), "upper_limit": value("ul", 1000000), "real_time": value("rt", 1000000)}
