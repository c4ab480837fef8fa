# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a setupNetworks request to the nmstate state that a host shall have: VDSM's layouts, and what VDSM loses.

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

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import (
    Current,
    check_mapping,
    check_state,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import (
    Bond,
    Network,
    RequestFormatError,
    parse_request,
    recorded_networks,
    with_foreign_bridges,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state import mtu
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over import combine
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.interfaces import add_bonds, network_interfaces
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import resolver, routes, source_routing


def desired_state(
    request: dict,
    current: dict | None = None,
    running: dict | None = None,
    profiles: dict | None = None,
    keep_vlan_name: bool = False,
) -> dict:
    """The nmstate state of ``request`` ({networks, bondings, options}, VDSM's canonical form) on one host.

    ``current``: its nmstate state, whole or as the facts digest it. ``running``: {networks, bondings} as VDSM's
    persistence records them. ``profiles``: {device: facts of its active NetworkManager profile}, which know the DHCP
    identity. ``keep_vlan_name``: whether the device of a VLAN keeps a name that is not VDSM's.
    Returns {interfaces: [...] by name, routes, route-rules, dns-resolver}, each only when there is any.
    Raises RequestFormatError, StateFormatError.
    """
    check_state(current)
    check_mapping("running", running)
    check_mapping("profiles", profiles)
    host = Current(current)
    networks, bonds = parse_request(request, host, keep_vlan_name)
    records = with_foreign_bridges(recorded_networks(running, host), networks, host)
    for name, network in networks.items():
        if network.remove and name not in records:
            raise RequestFormatError(
                f"networks.{name}", "cannot be removed, because VDSM's record of the host does not contain it"
            )
    state = generate(networks, bonds, records, (running or {}).get("bondings") or {}, host)
    return combine.carry_over(state, networks, records, host, profiles or {})


def generate(
    networks: dict[str, Network],
    bonds: dict[str, Bond],
    records: dict[str, Network],
    running_bonds: dict,
    host: Current,
) -> dict:
    """VDSM's part of desired_state(), from the parsed request and record."""
    interfaces = network_interfaces(networks, records, host)
    add_bonds(bonds, running_bonds, interfaces, host)
    mtu.settle(interfaces, host)
    state: dict = {"interfaces": [interfaces[name] for name in sorted(interfaces)]} if interfaces else {}
    all_routes, all_rules = [], []
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
