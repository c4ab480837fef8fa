# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a setupNetworks request to the desired state of a host: nmstate by VDSM's layouts, and profile settings.

The state is complete: it contains everything that the request is about, even if the host has it already. What the host
has is left out when the state is applied, because nmstate re-activates each interface that a state names.

The state differs from the one that VDSM generates from the same request on purpose:

* A bond in use keeps its addresses if a network with a VLAN is created on it, and a bond without options in the request
  keeps its mode. VDSM removes the addresses and changes the mode to balance-rr.
* A VLAN device is identified by base and tag. If it does not have VDSM's name (``base.tag``), it is replaced. VDSM
  creates its device in addition: the kernel rejects a second device with the same tag, and the whole edit fails.
* The MTU of a base is never lower than a bridge or an address on it requires, even if the request does not contain
  them. VDSM considers VLANs only.
* Source routes and rules are removed if the address, the prefix, or the holder changes. Those that stay are not stated
  as absent and present at once. VDSM keeps the former, and does the latter if the gateway changes.
* If the base of a removed network does not exist, it is ignored. VDSM fails with a KeyError.
* SLAAC without DHCPv6 is requested as both, because NetworkManager does not support it alone, and uses DHCPv6 only
  if routers announce it. nmstate rejects VDSM's state.
* A request that contradicts itself (a gateway without an address, a NIC and a bond) is refused. For a gateway without
  an address, VDSM generates a route without a destination.
* Everything else that the holder of the addresses has moves with them: see combine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import (
    HostState,
    bridge_ports,
    check_mapping,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import (
    Bond,
    Network,
    RequestFormatError,
    parse_request,
    recorded_networks,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import DEFAULT_MTU
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state import mtu
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over import combine, settings
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import Loss
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.interfaces import add_bonds, network_interfaces
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import resolver, routes, source_routing


@dataclass(frozen=True)
class Desired:
    """The result of a request. ``state``: nmstate {interfaces: [...] by name, routes, route-rules, dns-resolver}, each
    only if there is any. ``settings``: {device: {property: value}} of NetworkManager profiles, as for nmstate_apply.
    ``losses``: what cannot move with the addresses.
    """

    state: Data
    settings: dict[str, Data] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()


def desire(
    networks: dict[str, Network],
    bonds: dict[str, Bond],
    host: HostState,
    running: Data | None = None,
    profiles: Mapping[str, Data] | None = None,
    holders: Mapping[str, str] | None = None,
) -> Desired:
    """The desired state of ``host`` for a parsed request.

    ``running``: {networks, bondings} as VDSM's persistence records them. ``profiles``: {device: facts of its active
    NetworkManager profile}. ``holders``: {network: device that has its addresses}, used if the records do not tell.
    Raises RequestFormatError, StateFormatError.
    """
    check_mapping("running", running)
    check_mapping("profiles", profiles)
    running, profiles = running or {}, profiles or {}
    records = _with_foreign_bridges(recorded_networks(running.get("networks") or {}, host), networks, host)
    for name, network in networks.items():
        if network.remove and name not in records:
            raise RequestFormatError(
                f"networks.{name}", "cannot be removed, because VDSM's record of the host does not contain it"
            )
    state = _by_vdsms_layouts(networks, bonds, records, running.get("bondings") or {}, host)
    interfaces = {interface["name"]: interface for interface in state.get("interfaces") or []}
    wanted: dict[str, Data] = {}
    losses: list[Loss] = []
    for name, network in networks.items():
        record = records.get(name)
        device = combine.source_of(network, record, host, (holders or {}).get(name))
        if network.remove or device is None:
            continue
        source, profile = host.get(device), profiles.get(device) or {}
        combine.carry_over(state, interfaces[network.holder], network, record, source, host, profile)
        wanted[network.holder] = settings.of_network(network, source, profile)
        losses += settings.losses(device, profile, source.get("mac-address") or "", moves=device != network.holder)
    combine.keep_search(state, host)
    for name, bond in bonds.items():
        if bond.hwaddr and not bond.remove and host.is_up(name) and host.is_bond(name):
            stated = settings.of_bond(bond, interfaces[name].get("mtu") or host.mtu(name))
            wanted[name] = {**wanted.get(name, {}), **stated}
    return Desired(state, {device: values for device, values in wanted.items() if values}, tuple(losses))


def desired(
    request: object,
    current: Data | None = None,
    running: Data | None = None,
    profiles: Mapping[str, Data] | None = None,
    keep_vlan_name: bool = False,
) -> Desired:
    """The desired state of a host for ``request`` ({networks, bondings, options}, VDSM's canonical form).

    ``current``: the nmstate state of the host, complete or as in the facts. ``keep_vlan_name``: whether a VLAN device
    keeps a name that is not VDSM's. For the rest, see desire().
    """
    host = HostState(current)
    return desire(*parse_request(request, host, keep_vlan_name), host, running, profiles)


def _by_vdsms_layouts(
    networks: dict[str, Network],
    bonds: dict[str, Bond],
    records: dict[str, Network],
    running_bonds: Data,
    host: HostState,
) -> Data:
    """The state without what moves with the addresses. It shares no data with the arguments."""
    interfaces = network_interfaces(networks, records, host)
    add_bonds(bonds, running_bonds, interfaces, host)
    mtu.settle(interfaces, host)
    state: Data = {"interfaces": [interfaces[name] for name in sorted(interfaces)]} if interfaces else {}
    all_routes: list[Data] = []
    all_rules: list[Data] = []
    for name, network in networks.items():
        record = records.get(name, Network(name=name))
        own_routes, own_rules = source_routing(network, record, host)
        all_routes += routes(network, record) + own_routes
        all_rules += own_rules
    if all_routes:
        state["routes"] = {"config": all_routes}
    if all_rules:
        state["route-rules"] = {"config": all_rules}
    dns = resolver(networks, records)
    if dns:
        state["dns-resolver"] = dns
    return state


def _with_foreign_bridges(
    records: dict[str, Network], networks: dict[str, Network], state: HostState
) -> dict[str, Network]:
    """``records`` with existing bridges of the host (as on oVirt Node) for networks that will be bridgeless.

    Only a bridge with the network's name on the network's own port belongs to the network.
    """
    all_records = dict(records)
    for name, network in networks.items():
        bridge = state.get(name)
        if (
            network.bridged
            or network.remove
            or bridge.get("type") != "linux-bridge"
            or not {network.port, network.replaces} & set(bridge_ports(bridge))
        ):
            continue
        device = network.replaces or network.device
        record = records.get(name) or Network(
            name=name, base=network.base, vlan=network.vlan, device=device, mtu=state.mtu(name) or DEFAULT_MTU
        )
        all_records[name] = replace(record, bridged=True)
    return all_records
