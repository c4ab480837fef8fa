# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MTUs of shared devices: a base has the largest MTU of the devices above it, the ports of a bond have the MTU of the
bond.
"""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState, bond_ports
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import DEFAULT_MTU


def settle(interfaces: dict[str, Data], host: HostState) -> None:
    """Complete ``interfaces`` ({name: desired nmstate interface}) with the MTUs that depend on others."""
    _bases(interfaces, host)
    _ports(interfaces, host)


def _bases(interfaces: dict[str, Data], host: HostState) -> None:
    needed: dict[str, list[int]] = {}
    for vlan in host.vlans():
        base, wanted = vlan["vlan"]["base-iface"], interfaces.get(vlan["name"], vlan)
        if wanted.get("state") == "absent":
            continue
        if interfaces.get(base, {}).get("state") == "absent" or (
            base not in interfaces and base not in host.interfaces
        ):
            continue
        needed.setdefault(base, []).append(wanted.get("mtu") or DEFAULT_MTU)
    for name, interface in interfaces.items():
        if "mtu" in interface and interface.get("state") != "absent":
            needed.setdefault(name, []).append(interface["mtu"])
    for base, mtus in needed.items():
        mtu = max([*mtus, *_needed_by_others(base, interfaces, host)])
        if base in interfaces or host.mtu(base) != mtu:
            interfaces.setdefault(base, {"name": base})["mtu"] = mtu


def _needed_by_others(base: str, interfaces: dict[str, Data], host: HostState) -> list[int]:
    """MTUs that are not in the state but that ``base`` must carry: of its bridges, and of its own addresses.

    VDSM only considers VLANs and would reduce these.
    """
    mtus = [bridge.get("mtu") or 0 for bridge in host.bridges_on(base) if bridge["name"] not in interfaces]
    named = interfaces.get(base, {})
    if "ipv4" not in named and "ipv6" not in named and host.has_stack(base):
        mtus.append(host.mtu(base) or 0)
    return mtus


def _ports(interfaces: dict[str, Data], host: HostState) -> None:
    changed = {}
    for name, interface in interfaces.items():
        if interface.get("type") != "bond" and not host.is_bond(name):
            continue
        absent = interface.get("state") == "absent"
        mtu = DEFAULT_MTU if absent else interface.get("mtu") or host.mtu(name) or DEFAULT_MTU
        for port in bond_ports(interface) or bond_ports(host.get(name)):
            if port in interfaces:
                # A port can also be the base of a VLAN, or the base of a network after it leaves the bond.
                if interfaces[port].get("state") != "absent":
                    interfaces[port]["mtu"] = max(interfaces[port].get("mtu", 0), mtu)
            elif host.mtu(port) not in (None, mtu):
                # Only then: nmstate removes the addresses of a port that is named, and re-activates it.
                changed[port] = {"name": port, "state": "up", "mtu": mtu}
    interfaces.update(changed)
