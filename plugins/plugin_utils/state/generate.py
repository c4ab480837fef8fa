# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a setupNetworks request to what a host shall have: the nmstate state by VDSM's layouts, and what VDSM loses.

The state is full: it names all that the request is about, whether it holds already or not. What already holds is left
out where it is applied, because naming an interface re-activates it.

Where the state differs from what VDSM would make of the same request, on purpose:

* A bond that is in use keeps its addresses when a network of a VLAN is made on it; one that the request describes
  without options keeps its mode. VDSM strips it of the former and turns it into balance-rr.
* The device of a VLAN is found by base and tag, and makes way for one of VDSM's name (``base.tag``) when it has
  another. VDSM would make that one beside it: the kernel refuses a second device with the same tag, and the whole edit
  fails.
* The MTU of a base is never cut below what a bridge or an address on it needs, also when the request does not name
  them. VDSM looks at VLANs only.
* Source routes and rules that a changed address, prefix or holder leaves behind are removed; those that stay are not
  called absent and present at once. VDSM leaves the former, and does the latter when the gateway changes.
* A base that no longer exists is not named when its network is removed. VDSM fails with a KeyError.
* SLAAC without DHCPv6 is asked for as both, for NetworkManager cannot have the one alone and asks for DHCPv6 only
  when routers tell it to. VDSM's state is refused by nmstate.
* A request that contradicts itself (a gateway without an address, a NIC and a bond) is refused; the state that VDSM's
  generator makes of a gateway without an address holds a route without a destination.
* What the holder of the addresses has besides goes with them: see combine.
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
    """What a request makes of a host. ``state``: {interfaces: [...] by name, routes, route-rules, dns-resolver}, each
    only when there is any. ``settings``: {device: {property: value}}, what profiles are to have beside the state, as
    nmstate_apply takes them. ``losses``: what of the holders of addresses can go nowhere.
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
    """What a parsed request makes of ``host``; the one walk over it.

    ``running``: {networks, bondings} as VDSM's persistence records them. ``profiles``: {device: facts of its active
    NetworkManager profile}, which know the DHCP identity. ``holders``: {network: device that has its addresses}, where
    that is known from elsewhere than the records. Raises RequestFormatError, StateFormatError.
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
        source = (
            None if network.remove else combine.source_of(network, records.get(name), host, (holders or {}).get(name))
        )
        if source is None:
            continue
        profile = profiles.get(source) or {}
        combine.carry_over(
            state, interfaces[network.holder], network, records.get(name), host.get(source), host, profile
        )
        wanted[network.holder] = settings.of_network(network, host.get(source), profile)
        mac = host.get(source).get("mac-address") or ""
        losses += settings.losses(source, profile, mac, moves=source != network.holder)
    combine.keep_search(state, host)
    for name, bond in bonds.items():
        if bond.hwaddr and not bond.remove and host.is_up(name) and host.is_bond(name):
            wanted[name] = {
                **wanted.get(name, {}),
                **settings.of_bond(bond, interfaces[name].get("mtu") or host.mtu(name)),
            }
    return Desired(state, {device: values for device, values in wanted.items() if values}, tuple(losses))


def desired(
    request: object,
    current: Data | None = None,
    running: Data | None = None,
    profiles: Mapping[str, Data] | None = None,
    keep_vlan_name: bool = False,
) -> Desired:
    """What ``request`` ({networks, bondings, options}, VDSM's canonical form) makes of a host whose nmstate state is
    ``current``, whole or as the facts digest it. ``keep_vlan_name``: whether the device of a VLAN keeps a name that is
    not VDSM's. The rest as of desire().
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
    """VDSM's part of the state; a fresh one, which shares nothing with the arguments."""
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
    """``records`` with the bridges that the host brought along (oVirt Node does) for networks that are to be
    bridgeless.

    Only a bridge of the network's name over the network's own port is taken for the network's.
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
