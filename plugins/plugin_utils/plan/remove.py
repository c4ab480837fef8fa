# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan the removal of the management network from a host.

Its addresses return to the underlying NIC, bond, or VLAN. VDSM's own removal leaves the interface without an address,
which is wrong for the network over which the host is reached. So the request turns the network into a bridgeless one,
and only VDSM's record is removed. The routing table and the rules that VDSM creates for a network are removed as well.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts, parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    ExistingNetwork,
    InterfaceError,
    find_network,
    refuse_unmanaged,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import DEFAULT_MTU
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import build_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import (
    CHANGE,
    IN_SYNC,
    Options,
    Plan,
    digest_facts,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import check_permitted, planned, refused
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import table_of


def plan_removal(facts: Data, definition: Data, options: Options) -> Plan:
    """The plan to remove the network of ``definition`` from a host.

    Arguments and exceptions as for derive.plan_management_network(); only the name in ``definition`` is used. The
    request is empty for a network without a bridge.
    """
    host, network = parse_facts(facts), parse_definition(definition)
    check_permitted(options.permit_loss)
    name = network.vdsm_name
    plan = Plan(IN_SYNC, name, active_interface=host.active_interface, facts_digest=digest_facts(facts))
    try:
        existing, record = find_network(host, name), host.records().get(name)
        if existing is None and record is None:
            return plan
        plan = replace(
            plan,
            decision=CHANGE,
            exists=existing is not None,
            differences=[{"attribute": "network", "desired": None, "actual": name}],
        )
        if existing is not None and existing.bridged:
            refuse_unmanaged(host, existing.device)
            plain = replace(
                network,
                vm_network=False,
                stp=False,
                vlan_tag=existing.position.vlan,
                mtu=DEFAULT_MTU,
                dns_servers=(),
                default_route=not _rival(host, name),
            )
            source = host.with_control_address(existing.caps)
            plan = planned(plan, build_request(host, plain, existing.position, source), host, options, True)
        record = _record(host, name, record or {}, existing)
        return replace(plan, state=_without_own_table(host, plan.state, existing), record=record)
    except (InterfaceError, RequestError, RequestFormatError) as error:
        return refused(plan, error, options.host)


def _rival(facts: Facts, name: str) -> bool:
    """Whether another network has the default route. Otherwise the plain interface gets it."""
    return any(record.get("defaultRoute") for other, record in facts.records().items() if other != name)


def _without_own_table(facts: Facts, state: Data, existing: ExistingNetwork | None) -> Data:
    """``state`` without the routing table that VDSM creates for a network; marked as absent if the host has it."""
    table = table_of(existing.position.interface) if existing is not None else None
    present = {"routes": ("table-id", facts.state.configured_routes), "route-rules": ("route-table", facts.state.rules)}
    state = dict(state)
    for section, (key, present_entries) in present.items():
        entries = (state.pop(section, None) or {}).get("config") or []
        entries = [entry for entry in entries if entry.get(key) != table or entry.get("state") == "absent"]
        entries += [{**entry, "state": "absent"} for entry in present_entries if table and entry.get(key) == table]
        if entries:
            state[section] = {"config": entries}
    return state


def _record(facts: Facts, name: str, record: Data, existing: ExistingNetwork | None) -> Data:
    """The update that removes the network from VDSM's record, and its bond if no other network is on it."""
    bond = record.get("bonding") or (existing.position.base if existing and existing.position.bonded else "")
    shared = any(network.base == bond for other, network in facts.host_networks().items() if other != name)
    return {"networks": {name: {"remove": True}}, "bondings": {bond: {"remove": True}} if bond and not shared else {}}
