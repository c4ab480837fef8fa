# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way back: the management network is taken from a host, and its addresses go to the plain NIC, bond or VLAN below.

VDSM's own removal leaves the interface without an address, which is right for any network but the one that the host is
reached over. So here the request is the same network as a bridgeless one, and only VDSM's record says that it is gone.
What VDSM gives to networks alone, a routing table of their own and rules that lead to it, goes as well.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DEFAULT_MTU, parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    ExistingNetwork,
    InterfaceError,
    check_facts,
    find_network,
    other_networks,
    recorded_networks,
    refuse_unmanaged,
    with_control_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import RequestError, build_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import (
    CHANGE,
    IN_SYNC,
    Options,
    Plan,
    digest_facts,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import refused, with_desired_state
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import (
    check_permitted,
    loss_warnings,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import table_of


def plan_removal(facts: dict, definition: dict, options: Options) -> Plan:
    """The plan that takes the network of ``definition`` from a host.

    Arguments and exceptions as of derive.plan_management_network(); of ``definition`` only the name matters. The
    request is empty for a network without a bridge, whose interface is plain already.
    """
    definition, facts = parse_definition(definition), check_facts(facts)
    permitted = check_permitted(options.permit_loss)
    name = definition["vdsm_name"]
    plan = Plan(IN_SYNC, name, active_interface=facts["lastClientIface"], facts_digest=digest_facts(facts))
    try:
        existing, record = find_network(facts, name), recorded_networks(facts).get(name)
        if existing is None and record is None:
            return plan
        plan = replace(
            plan,
            decision=CHANGE,
            exists=existing is not None,
            record=_record(facts, name, record, existing),
            differences=[{"attribute": "network", "desired": None, "actual": name}],
        )
        if existing is not None and existing.bridged:
            refuse_unmanaged(facts, existing.device)
            plain = {
                **definition,
                "vm_network": False,
                "stp": False,
                "vlan_tag": existing.position.vlan,
                "mtu": DEFAULT_MTU,
                "dns_servers": [],
                "default_route": not _rival(facts, name),
            }
            source = with_control_address(facts, existing.caps)
            plan = replace(
                plan,
                request=build_request(facts, plain, existing.position, source),
                warnings=loss_warnings(facts, existing.device, True, options.host, permitted),
            )
        plan = with_desired_state(plan, facts, keep_vlan_name=True)
        return replace(plan, state=_without_own_table(facts, plan.state, existing))
    except (InterfaceError, RequestError, RequestFormatError) as error:
        return refused(plan, error, options.host)


def _rival(facts: dict, name: str) -> bool:
    """Whether another network has the default route, which a plain interface otherwise gets."""
    return any(record.get("defaultRoute") for other, record in recorded_networks(facts).items() if other != name)


def _without_own_table(facts: dict, state: dict, existing: ExistingNetwork | None) -> dict:
    """``state`` less the routing table that a network has by VDSM's rules; absent where the host has it."""
    current, state = facts.get("nmstate") or {}, dict(state)
    table = table_of(existing.position.interface) if existing is not None else None
    for section, key in (("routes", "table-id"), ("route-rules", "route-table")):
        entries = [
            entry
            for entry in (state.get(section) or {}).get("config") or []
            if entry.get(key) != table or entry.get("state") == "absent"
        ]
        entries += [
            {**entry, "state": "absent"}
            for entry in (current.get(section) or {}).get("config") or []
            if table is not None and entry.get(key) == table
        ]
        state.pop(section, None)
        if entries:
            state[section] = {"config": entries}
    return state


def _record(facts: dict, name: str, record: dict | None, existing) -> dict:
    """What takes the network out of VDSM's record, and its bond when no other network is on it."""
    bond = (record or {}).get("bonding") or (existing.position.base if existing and existing.position.bonded else "")
    alone = bond and not any(one["base"] == bond for one in other_networks(facts, name))
    return {"networks": {name: {"remove": True}}, "bondings": {bond: {"remove": True}} if alone else {}}
