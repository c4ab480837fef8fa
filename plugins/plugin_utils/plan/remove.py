# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way back: the management network is taken from a host, and its addresses go to the plain NIC, bond or VLAN below.

VDSM's own removal leaves the interface without an address, which is right for any network but the one that the host is
reached over. So here the request is the same network as a bridgeless one, and only VDSM's record says that it is gone.
What VDSM gives to networks alone, a routing table of their own and rules that lead to it, goes as well.
"""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DEFAULT_MTU, parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    InterfaceError,
    check_facts,
    find_network,
    other_networks,
    recorded_networks,
    refuse_unmanaged,
    with_control_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import RequestError, build_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import (
    check_permitted,
    loss_warnings,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desired_state
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.routes import table_of


def derive_removal(facts: dict, definition: dict, host: str = "", permit_loss: list[str] | None = None) -> dict:
    """Decide what takes the network of ``definition`` from a host.

    ``facts``, ``definition``, ``host``, ``permit_loss``: as of decision.derive(). Returns what that returns, and
    ``record``: {networks, bondings} that take network and bond out of VDSM's persistence, and ``state``: the nmstate
    state that the host is to have. ``request`` is empty for a network without a bridge, whose interface is plain
    already. Raises as derive() does, and what desired_state() raises.
    """
    definition, facts = parse_definition(definition), check_facts(facts)
    permitted = check_permitted(permit_loss)
    name = definition["vdsm_name"]
    record = recorded_networks(facts).get(name)
    result = {
        "decision": "in_sync",
        "network": name,
        "exists": False,
        "active_interface": facts["lastClientIface"],
        "request": {"networks": {}, "bondings": {}, "options": {}},
        "record": {"networks": {}, "bondings": {}},
        "state": {},
        "differences": [],
        "event": None,
        "warnings": [],
        "remedy": "",
    }
    try:
        existing = find_network(facts, name)
        if existing is None and record is None:
            return result
        result.update(decision="change", exists=existing is not None, record=_record(facts, name, record, existing))
        result["differences"] = [{"attribute": "network", "desired": None, "actual": name}]
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
            result["request"] = build_request(
                facts, plain, existing.position, with_control_address(facts, existing.caps)
            )
            result["warnings"] = loss_warnings(facts, existing.device, True, host, permitted)
        result["state"] = _state(facts, result["request"], existing)
        return result
    except InterfaceError as error:
        event = events.event(events.INVALID_INTERFACE, host, error.interface, str(error), error.remedy)
    except RequestError as error:
        values = {"EngineMessage": error.engine_message} if error.engine_message else {}
        event = events.event(events.SETUP_FAILED, host, error.interface, str(error), error.remedy, **values)
    return {**result, "decision": "refuse", "event": event, "remedy": event["remedy"], "record": {}}


def _rival(facts: dict, name: str) -> bool:
    """Whether another network has the default route, which a plain interface otherwise gets."""
    return any(record.get("defaultRoute") for other, record in recorded_networks(facts).items() if other != name)


def _state(facts: dict, request: dict, existing) -> dict:
    """The state of ``request``, less the routing table that a network has by VDSM's rules; absent where the host has
    it.
    """
    current = facts.get("nmstate") or {}
    found = (
        desired_state(request, facts.get("nmstate"), facts.get("running"), facts.get("profiles"), keep_vlan_name=True)
        if request["networks"]
        else {}
    )
    table = table_of(existing.position.interface) if existing is not None else None
    for section, key in (("routes", "table-id"), ("route-rules", "route-table")):
        entries = [
            one
            for one in (found.get(section) or {}).get("config") or []
            if one.get(key) != table or one.get("state") == "absent"
        ]
        entries += [
            {**one, "state": "absent"}
            for one in (current.get(section) or {}).get("config") or []
            if table is not None and one.get(key) == table
        ]
        found.pop(section, None)
        if entries:
            found[section] = {"config": entries}
    return found


def _record(facts: dict, name: str, record: dict | None, existing) -> dict:
    """What takes the network out of VDSM's record, and its bond when no other network is on it."""
    bond = (record or {}).get("bonding") or (existing.position.base if existing and existing.position.bonded else "")
    alone = bond and not any(one["base"] == bond for one in other_networks(facts, name))
    return {"networks": {name: {"remove": True}}, "bondings": {bond: {"remove": True}} if alone else {}}
