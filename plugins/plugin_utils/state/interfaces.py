# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Interfaces of a desired state: base, VLAN, bridge, and bond of each network, in VDSM's layouts.

All functions modify a dict {interface name: nmstate interface}, which the caller converts to a sorted list.
"""

from __future__ import annotations

from collections import Counter

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import BOND_MODES, Bond, Network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import DEFAULT_MTU
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import MAIN_TABLE, table_of

OFF = {"ipv4": {"enabled": False}, "ipv6": {"enabled": False}}


def no_ip() -> Data:
    """Both families disabled, as a new dict."""
    return {family: dict(stack) for family, stack in OFF.items()}


def network_interfaces(networks: dict[str, Network], running: dict[str, Network], host: HostState) -> dict[str, Data]:
    """The interfaces of all ``networks`` of a request, without bonds. ``running``: VDSM's record."""
    records = {name: running.get(name, Network(name=name)) for name in networks}
    interfaces = _bases(networks)
    for name, network in networks.items():
        interfaces.update(_vlan(network, records[name], host))
        interfaces.update(_bridge(network, records[name], host))
    for name, network in networks.items():
        _base_below_vlan(network, interfaces, host)
        _base_left_behind(network, records[name], interfaces, host)
    for name, network in networks.items():
        _vlan_left_behind(network, records[name], interfaces)
    _default_mtu_of_unused(networks, records, running, interfaces, host)
    return interfaces


def add_bonds(bonds: dict[str, Bond], running_bonds: Data, interfaces: dict[str, Data], host: HostState) -> None:
    """Complete ``interfaces`` with the bonds of a request. What a network sets for its bond has precedence."""
    for name, bond in bonds.items():
        if bond.remove:
            interfaces[name] = {"name": name, "type": "bond", "state": "absent"}
            continue
        interface = {"name": name, "type": "bond", "state": "up", "link-aggregation": _aggregation(bond, host)}
        if bond.hwaddr:
            interface["mac-address"] = bond.hwaddr
        # VDSM removes the addresses of every bond that it did not create; here, a bond in use keeps them.
        if name not in running_bonds and not host.has_stack(name):
            interface.update(no_ip())
        interfaces[name] = {**interface, **interfaces.get(name, {})}


def _bases(networks: dict[str, Network]) -> dict[str, Data]:
    bases: dict[str, Data] = {}
    for network in networks.values():
        if network.remove or not network.base:
            continue
        base = bases.setdefault(network.base, {"name": network.base, "state": "up", "mtu": 0})
        base["mtu"] = max(base["mtu"], network.mtu)
        if network.vlan is None:
            base.update(no_ip() if network.bridged else addresses(network))
    return bases


def _vlan(network: Network, record: Network, host: HostState) -> dict[str, Data]:
    if network.remove:
        return {record.device: {"name": record.device, "state": "absent"}} if record.device else {}
    if network.vlan is None or network.device is None:
        return {}
    replaced = host.get(network.replaces)
    interface = {
        "name": network.device,
        "type": "vlan",
        "state": "up",
        "mtu": network.mtu,
        "vlan": {**(replaced.get("vlan") or {}), "id": network.vlan, "base-iface": network.base},
        **(no_ip() if network.bridged else addresses(network)),
    }
    # If it has its own MAC address, it keeps it; otherwise it follows the base.
    mac = replaced.get("mac-address")
    if mac and mac != host.get(network.base).get("mac-address"):
        interface["mac-address"] = mac
    return {network.device: interface}


def _bridge(network: Network, record: Network, host: HostState) -> dict[str, Data]:
    if network.remove or not network.bridged:
        return {record.name: {"name": record.name, "state": "absent"}} if record.bridged else {}
    bridge = {"port": [{"name": network.port}] if network.port else [], "options": {"stp": {"enabled": network.stp}}}
    interface = {
        "name": network.name,
        "type": "linux-bridge",
        "state": "up",
        "mtu": network.mtu,
        "bridge": bridge,
        **addresses(network),
    }
    # The DHCP server identifies the host by it. nmstate's copy-mac-from would use the permanent MAC address, which may
    # not be in use.
    mac = host.get(network.replaces or network.port).get("mac-address")
    if mac:
        interface["mac-address"] = mac
    return {network.name: interface}


def addresses(network: Network) -> Data:
    """ipv4 and ipv6 of the device with the network's addresses."""
    dynamic = {
        "auto-dns": network.default_route and not network.nameservers,
        "auto-gateway": True,
        "auto-routes": True,
        "auto-route-table-id": MAIN_TABLE if network.default_route else table_of(network.holder),
    }
    ipv4: Data = {"enabled": False}
    if network.ipv4:
        ipv4 = {"enabled": True, "dhcp": False, "address": [_address(*network.ipv4)]}
    elif network.dhcpv4:
        ipv4 = {"enabled": True, "dhcp": True, **dynamic}
    ipv6: Data = {"enabled": False}
    if network.ipv6:
        ipv6 = {"enabled": True, "dhcp": False, "autoconf": False, "address": [_address(*network.ipv6)]}
    elif network.dhcpv6 or network.ipv6autoconf:
        # NetworkManager does not support autoconf alone, and uses DHCPv6 only if routers announce it.
        ipv6 = {"enabled": True, "dhcp": True, "autoconf": network.ipv6autoconf, **dynamic}
    return {"ipv4": ipv4, "ipv6": ipv6}


def _address(ip: str, prefix: int) -> Data:
    return {"ip": ip, "prefix-length": prefix}


def _base_below_vlan(network: Network, interfaces: dict[str, Data], host: HostState) -> None:
    # Otherwise NetworkManager would start DHCP on the base.
    if network.remove or network.vlan is None or host.is_up(network.base):
        return
    base = interfaces[network.base or ""]
    if "ipv4" not in base and "ipv6" not in base:
        base.update(no_ip())


def _base_left_behind(network: Network, record: Network, interfaces: dict[str, Data], host: HostState) -> None:
    gone = not network.remove or not record.base or record.vlan is not None
    if gone or record.base in interfaces or record.base not in host.interfaces:
        return
    interfaces[record.base] = {
        "name": record.base,
        "state": "up",
        "mtu": host.mtu(record.base) or DEFAULT_MTU,
        **no_ip(),
    }


def _vlan_left_behind(network: Network, record: Network, interfaces: dict[str, Data]) -> None:
    for device in (record.device, network.replaces):
        if device and device != network.device and device not in interfaces:
            interfaces[device] = {"name": device, "state": "absent"}


def _default_mtu_of_unused(
    networks: dict[str, Network],
    records: dict[str, Network],
    running: dict[str, Network],
    interfaces: dict[str, Data],
    host: HostState,
) -> None:
    users = Counter(record.base for record in running.values() if record.base)
    for name, network in networks.items():
        base = records[name].base
        if not base or base == network.base or users[base] != 1 or host.mtu(base) in (None, DEFAULT_MTU):
            continue
        interfaces.setdefault(base, {"name": base})["mtu"] = DEFAULT_MTU


def _aggregation(bond: Bond, host: HostState) -> Data:
    options = dict(bond.options or {})
    mode = options.pop("mode", "")
    if bond.options is None and host.is_bond(bond.name):
        # A request without options must not change an existing bond to VDSM's default, balance-rr.
        mode = (host.get(bond.name).get("link-aggregation") or {}).get("mode") or ""
    number = bond.mode if not mode or mode.isdecimal() else ""
    aggregation: Data = {"mode": BOND_MODES[int(number)] if number else mode, "port": list(bond.nics)}
    if bond.options:
        aggregation["options"] = options
    return aggregation
