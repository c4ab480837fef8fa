# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders of host facts for tests, in the format of host_network_facts, reduced to the keys that decisions use."""

from __future__ import annotations


def device(**properties):
    """A device of the capabilities without addresses, changed by ``properties``."""
    return {
        "addr": "",
        "netmask": "",
        "ipv4addrs": [],
        "gateway": "",
        "ipv4defaultroute": False,
        "dhcpv4": False,
        "ipv6addrs": [],
        "ipv6gateway": "::",
        "dhcpv6": False,
        "ipv6autoconf": False,
        "mtu": "1500",
        **properties,
    }


def by_dhcp(**properties):
    return device(
        **{
            "addr": "192.0.2.10",
            "netmask": "255.255.255.0",
            "ipv4addrs": ["192.0.2.10/24"],
            "gateway": "192.0.2.1",
            "ipv4defaultroute": True,
            "dhcpv4": True,
            **properties,
        }
    )


def static(**properties):
    return by_dhcp(**{"dhcpv4": False, **properties})


def dual_stack(**properties):
    return static(**{"ipv6addrs": ["2001:db8::10/64"], "ipv6gateway": "2001:db8::1", **properties})


def bond(*slaves, mode="1", **properties):
    return device(
        **{
            "slaves": list(slaves),
            "opts": {"mode": mode, "miimon": "100"},
            "hwaddr": "52:54:00:00:00:02",
            "switch": "legacy",
            **properties,
        }
    )


def host(active, **parts):
    """Facts of a host with the plain NICs eth0 to eth3; ``parts`` replace the maps (those of nics are added)."""
    nics = {f"eth{number}": device() for number in range(4)}
    return {
        "lastClientIface": active,
        "bondings": {},
        "vlans": {},
        "bridges": {},
        "networks": {},
        "nameservers": ["192.0.2.53"],
        "supportsIPv6": True,
        "running": {},
        **parts,
        "nics": {**nics, **parts.get("nics", {})},
    }


def nic_host(entry=None, **parts):
    """An address (by DHCP unless ``entry`` says otherwise) on the NIC eth1."""
    return host("eth1", nics={"eth1": entry or by_dhcp()}, **parts)


def vlan_host(entry=None, name="eth1.10", tag=10, **parts):
    return host(name, vlans={name: {**(entry or by_dhcp()), "iface": "eth1", "vlanid": tag}}, **parts)


def founding_host(name="bond4.3000", slaves=("eth3", "eth2"), mode="1", **parts):
    """The founding document's example: an address by DHCP on VLAN 3000 of bond4, which is eth2 and eth3."""
    return host(
        name,
        bondings={"bond4": bond(*slaves, mode=mode)},
        vlans={name: {**by_dhcp(), "iface": "bond4", "vlanid": 3000}},
        **{"max_mtu": {"eth2": 9000, "eth3": 9000}, **parts},
    )


def managed_host(entry=None, port="eth1", record=None, **parts):
    """A host whose bridge ovirtmgmt on ``port`` is recorded and has the address."""
    caps = {**(entry or by_dhcp()), "ports": [port, "vnet0"], "stp": "off"}
    network = {**caps, "iface": "ovirtmgmt", "bridged": True, "southbound": port, "switch": "legacy"}
    running = {
        "networks": {"ovirtmgmt": record or {"nic": port, "bridged": True, "defaultRoute": True, "bootproto": "dhcp"}},
        "bondings": {},
    }
    return host(
        "ovirtmgmt", **{"bridges": {"ovirtmgmt": caps}, "networks": {"ovirtmgmt": network}, "running": running, **parts}
    )


def bridgeless_host(entry=None, interface="eth1", **parts):
    """A host whose recorded bridgeless ovirtmgmt is ``interface``."""
    entry = entry or by_dhcp()
    network = {
        **entry,
        "iface": interface,
        "interface": interface,
        "bridged": False,
        "southbound": interface,
        "switch": "legacy",
    }
    running = {"networks": {"ovirtmgmt": {"nic": interface, "bridged": False, "defaultRoute": True}}, "bondings": {}}
    return host(
        interface, **{"nics": {interface: entry}, "networks": {"ovirtmgmt": network}, "running": running, **parts}
    )
