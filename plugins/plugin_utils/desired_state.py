# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a setupNetworks request to the nmstate state that a host is to have. Pure.

The layouts are VDSM's own (lib/vdsm/network/nmstate: linux_bridge.py, vlan.py, bond.py, route.py, dns.py), so that VDSM finds
what it would have made. Where it differs, it is because VDSM would lose something of a host that it has not set up itself:

- a bond that exists and is not in the request is not named, and so keeps its ports and options (VDSM resets it);
- a VLAN device is found by its base and tag, whatever its name (VDSM would make a second one beside ``vlan3000``);
- a bridge takes its port's MAC also when that is a VLAN or a bond of today (VDSM only for a NIC; the lease would change);
- the base of a VLAN keeps its addresses, a bond too (VDSM strips a bond that it does not know);
- source rules and tables of a former address, gateway or shape are taken away (VDSM leaves them behind);
- a gateway without an address makes no rules (VDSM writes rules without a subnet, which match everything).

What the old holder of the address has beyond a request's words is carried over by carry_over.py.
"""

from __future__ import annotations

import ipaddress

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils import routing

DEFAULT_MTU = 1500
OFF = {"ipv4": {"enabled": False}, "ipv6": {"enabled": False}}
# Documentation/networking/bonding.rst
_BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_NETWORK_KEYS = frozenset((
    "nic", "bonding", "vlan", "bridged", "mtu", "stp", "bootproto", "ipaddr", "netmask", "prefix", "gateway", "ipv6addr", "ipv6gateway", "dhcpv6",
    "ipv6autoconf", "defaultRoute", "nameservers", "switch", "remove", "custom", "hostQos", "blockingdhcp",
))
_BOND_KEYS = frozenset(("nics", "options", "hwaddr", "switch", "remove"))


class StateError(Exception):
    """The request cannot be put into a state; the text names the network or bond and the key."""


class Network:
    """One network of a request (or of the running configuration), with the names of its devices on this host."""

    def __init__(self, name, attributes, current, recorded=False):
        self.name = name
        self.attributes = attributes
        # a request without the key means bridged (VDSM: canonicalize.py); a record always says it
        self.bridged = bool(attributes.get("bridged", not recorded))
        self.base = attributes.get("bonding") or attributes.get("nic")
        self.tag = attributes.get("vlan")
        self.mtu = attributes.get("mtu", DEFAULT_MTU)
        self.vlan = vlan_device(current, self.base, self.tag) if self.tag is not None and self.base else None
        self.default_route = bool(attributes.get("defaultRoute"))
        self.removed = bool(attributes.get("remove"))

    @property
    def southbound(self):
        """The device right below the network: its VLAN or its base."""
        return self.vlan or self.base

    @property
    def holder(self):
        """The device that holds the network's addresses."""
        return self.name if self.bridged else self.southbound


def desired_state(request, current, running=None):
    """The nmstate state (dict) for ``request`` ({networks, bondings}: canonical setupNetworks attributes).

    ``current``: the host's nmstate state (at least interfaces). ``running``: {networks, bondings} as VDSM has recorded them.
    Interfaces come sorted by name; routes, route-rules and dns-resolver only when there is something to say.
    Raises StateError for attributes that are unknown or contradict each other.
    """
    running = running or {}
    now = {iface["name"]: iface for iface in current.get("interfaces") or []}
    known = running.get("networks") or {}
    check(request)
    networks = [Network(name, attributes, now) for name, attributes in sorted((request.get("networks") or {}).items())]
    before = {name: Network(name, attributes, now, recorded=True) for name, attributes in known.items()}
    interfaces = {}
    for name, bond in sorted((request.get("bondings") or {}).items()):
        interfaces[name] = _bond(name, bond, now.get(name))
    for network in networks:
        if network.removed:
            _remove(network, before, interfaces, now)
        else:
            _edit(network, before.get(network.name), interfaces)
            _add(network, interfaces, now)
    _raise_mtus(networks, before, interfaces, now, request)
    state = {"interfaces": [interfaces[name] for name in sorted(interfaces)]}
    state.update(routing.routing(networks, before))
    return state


def check(request):
    """Raise StateError for what is unknown in a request or contradicts itself."""
    for name, attributes in (request.get("networks") or {}).items():
        _check_keys("network", name, attributes, _NETWORK_KEYS)
        if attributes.get("remove"):
            continue
        if attributes.get("nic") and attributes.get("bonding"):
            raise StateError(f"network {name}: nic and bonding exclude each other")
        if not attributes.get("bridged", True) and not (attributes.get("nic") or attributes.get("bonding")):
            raise StateError(f"network {name}: a bridgeless network needs nic or bonding")
        if attributes.get("vlan") is not None and not (attributes.get("nic") or attributes.get("bonding")):
            raise StateError(f"network {name}: vlan needs nic or bonding")
    for name, attributes in (request.get("bondings") or {}).items():
        _check_keys("bond", name, attributes, _BOND_KEYS)
        if not attributes.get("remove") and not attributes.get("nics"):
            raise StateError(f"bond {name}: nics is missing")


def vlan_device(now, base, tag):
    """The name of the VLAN ``tag`` on ``base``: that of the device there is, else ``base.tag`` as VDSM names it."""
    for iface in now.values():
        if iface.get("type") == "vlan" and (iface.get("vlan") or {}).get("id") == tag and iface["vlan"].get("base-iface") == base:
            return iface["name"]
    return f"{base}.{tag}"


def _check_keys(kind, name, attributes, known):
    if not isinstance(attributes, dict):
        raise StateError(f"{kind} {name}: a mapping is needed, not {attributes!r}")
    unknown = sorted(set(attributes) - known)
    if unknown:
        raise StateError(f"{kind} {name}: unknown key {unknown[0]}; known are {', '.join(sorted(known))}")


def _add(network, interfaces, now):
    if network.base:
        base = interfaces.setdefault(network.base, {"name": network.base, "state": "up"})
        base["mtu"] = max(base.get("mtu", 0), network.mtu)
        if network.vlan:
            interfaces[network.vlan] = {"name": network.vlan, "type": "vlan", "state": "up", "mtu": network.mtu,
                                        "vlan": {"id": network.tag, "base-iface": network.base}}
            # a base that carries nothing yet must not start to ask for addresses of its own
            if (now.get(network.base) or {}).get("state") != "up":
                interfaces[network.base] = {**OFF, **base}
    addresses = ip_configuration(network)
    if not network.bridged:
        interfaces[network.southbound].update(addresses)
        return
    if network.southbound:
        interfaces[network.southbound].update(OFF)
    bridge = {"name": network.name, "type": "linux-bridge", "state": "up", "mtu": network.mtu}
    mac = (now.get(network.southbound) or {}).get("mac-address")
    if mac:
        bridge["mac-address"] = mac
    bridge["bridge"] = {"port": [{"name": network.southbound}] if network.southbound else [],
                        "options": {"stp": {"enabled": bool(network.attributes.get("stp", False))}}}
    interfaces[network.name] = {**bridge, **addresses}


def _edit(network, before, interfaces):
    """What a network leaves behind when it changes its shape."""
    if before is None:
        return
    if before.bridged and not network.bridged:
        interfaces[network.name] = {"name": network.name, "state": "absent"}
    if before.vlan and before.vlan != network.vlan:
        interfaces[before.vlan] = {"name": before.vlan, "state": "absent"}


def _remove(network, before, interfaces, now):
    was = before.get(network.name)
    if was is None:
        raise StateError(f"network {network.name}: it cannot be removed, for the host has no record of it")
    if was.bridged:
        interfaces[network.name] = {"name": network.name, "state": "absent"}
    if was.vlan:
        interfaces[was.vlan] = {"name": was.vlan, "state": "absent"}
    elif was.base and was.base not in interfaces:
        interfaces[was.base] = {"name": was.base, "state": "up", "mtu": DEFAULT_MTU, **OFF}


def _bond(name, bond, now):
    if bond.get("remove"):
        return {"name": name, "type": "bond", "state": "absent"}
    options = dict(word.split("=", 1) for word in (bond.get("options") or "").split() if "=" in word)
    mode = options.pop("mode", None)
    if mode is not None and mode.isdigit() and int(mode) < len(_BOND_MODES):
        mode = _BOND_MODES[int(mode)]
    aggregation = {"mode": mode or "balance-rr", "port": sorted(bond["nics"])}
    if mode is not None:
        aggregation["options"] = options
    iface = {"name": name, "type": "bond", "state": "up", "link-aggregation": aggregation}
    if bond.get("hwaddr"):
        iface["mac-address"] = bond["hwaddr"]
    return iface if now and now.get("state") == "up" else {**iface, **OFF}


def ip_configuration(network):
    """``{ipv4, ipv6}`` of a network in nmstate's words."""
    attributes = network.attributes
    dynamic = {"auto-dns": network.default_route and not attributes.get("nameservers"), "auto-gateway": True, "auto-routes": True,
               "auto-route-table-id": routing.table(network)}
    ipv4, ipv6 = {"enabled": False}, {"enabled": False}
    if attributes.get("ipaddr"):
        prefix = attributes.get("prefix") or ipaddress.ip_network(f"0.0.0.0/{attributes['netmask']}").prefixlen
        ipv4 = {"enabled": True, "dhcp": False, "address": [{"ip": attributes["ipaddr"], "prefix-length": int(prefix)}]}
    elif attributes.get("bootproto") == "dhcp":
        ipv4 = {"enabled": True, "dhcp": True, **dynamic}
    if attributes.get("ipv6addr"):
        address = ipaddress.ip_interface(attributes["ipv6addr"])
        ipv6 = {"enabled": True, "dhcp": False, "autoconf": False, "address": [{"ip": str(address.ip), "prefix-length": address.network.prefixlen}]}
    elif attributes.get("dhcpv6") or attributes.get("ipv6autoconf"):
        ipv6 = {"enabled": True, "dhcp": bool(attributes.get("dhcpv6")), "autoconf": bool(attributes.get("ipv6autoconf")), **dynamic}
    return {"ipv4": ipv4, "ipv6": ipv6}


def _raise_mtus(networks, before, interfaces, now, request):
    """Bases carry the largest MTU that anything on them needs, their bonds' ports follow (VDSM: NetworkingState.update_mtu)."""
    requested = {network.name for network in networks}
    removed = {network.name for network in networks if network.removed}
    for base in sorted({one.base for one in [*networks, *before.values()] if one.base}):
        iface = interfaces.get(base)
        if iface is None and base in now and any(one.base == base and one.name in removed for one in before.values()):
            iface = interfaces[base] = {"name": base, "state": "up"}
        if iface is None or iface["state"] != "up":
            continue
        needs = [network.mtu for network in networks if network.base == base and not network.removed]
        needs += [other.mtu for name, other in before.items() if other.base == base and name not in requested]
        ours = {one.vlan for one in [*networks, *before.values()] if one.vlan and one.base == base}
        needs += [other.get("mtu", DEFAULT_MTU) for other in now.values() if _is_vlan_of(other, base) and other["name"] not in ours]
        iface["mtu"] = max(needs, default=DEFAULT_MTU)
        _raise_ports(base, iface["mtu"], interfaces, now, request)


def _is_vlan_of(iface, base):
    return iface.get("type") == "vlan" and (iface.get("vlan") or {}).get("base-iface") == base and iface.get("state") == "up"


def _raise_ports(base, mtu, interfaces, now, request):
    # nmstate strips the addresses of ports that are named, so only those that must change are.
    ports = ((request.get("bondings") or {}).get(base) or {}).get("nics") or ((now.get(base) or {}).get("link-aggregation") or {}).get("port") or []
    for port in ports:
        if port in now and now[port].get("mtu") != mtu and port not in interfaces:
            interfaces[port] = {"name": port, "state": "up", "mtu": mtu}
