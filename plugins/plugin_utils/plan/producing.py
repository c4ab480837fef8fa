# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Common code of all producers of a plan: request → rules → desired state and losses; refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import RequestFormatError, parse_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import InterfaceError, find_network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import rules
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import CHANGE, REFUSE, Options, Plan
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import LOSSES, Loss
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import Desired, desire


def planned(plan: Plan, request: Data, facts: Facts, options: Options, keep_vlan_name: bool) -> Plan:
    """``plan`` as a change by ``request``: with desired state, settings, record, and a warning for each loss.

    Raises RequestError for a violated rule and for a loss that is not permitted; InterfaceError, RequestFormatError,
    StateFormatError.
    """
    networks, bonds = parse_request(request, facts.state, keep_vlan_name)
    rules.check(facts, networks, bonds, plan.network)
    existing = find_network(facts, plan.network)
    holders = {plan.network: existing.device if existing else facts.active_interface}
    return with_desired(
        plan, request, desire(networks, bonds, facts.state, facts.running, facts.profiles, holders), options
    )


def with_desired(plan: Plan, request: Data, desired: Desired, options: Options) -> Plan:
    """``plan`` as a change by ``request`` to ``desired``. Raises RequestError for a loss that is not permitted."""
    warnings = _loss_warnings(desired.losses, options)
    return replace(
        plan,
        decision=CHANGE,
        request=request,
        state=desired.state,
        settings=desired.settings,
        record={key: request.get(key) or {} for key in ("networks", "bondings")},
        warnings=plan.warnings + warnings,
    )


def refused(
    plan: Plan, error: InterfaceError | RequestError | RequestFormatError, host: str, event: str = events.SETUP_FAILED
) -> Plan:
    """``plan`` refused because of ``error``. ``event``: the name of the event of a broken rule."""
    if isinstance(error, RequestFormatError):
        error = of_format_error(error)
    name = events.INVALID_INTERFACE if isinstance(error, InterfaceError) else event
    rule = error.engine_message if isinstance(error, RequestError) else ""
    values = {"EngineMessage": rule} if rule else {}
    return refused_with(plan, events.event(name, host, error.interface, str(error), error.remedy, **values))


def refused_with(plan: Plan, event: Data) -> Plan:
    """``plan`` refused with ``event``: without anything to apply."""
    return Plan(
        REFUSE,
        plan.network,
        plan.exists,
        plan.active_interface,
        event=event,
        remedy=event["remedy"],
        facts_digest=plan.facts_digest,
    )


def of_format_error(error: RequestFormatError) -> RequestError:
    """``error`` as a violated rule."""
    return RequestError(error.engine_message, "", f"The request is invalid: {error}.", rules.CORRECT)


def check_permitted(names: Sequence[str] | None) -> None:
    """Raise DefinitionError unless ``names`` is None or a list of names in LOSSES."""
    if names is not None and (not isinstance(names, (list, tuple)) or any(name not in list(LOSSES) for name in names)):
        raise DefinitionError("permit_loss", f"got {describe(names)}, expected a list of: {', '.join(LOSSES)}")


def _loss_warnings(losses: Sequence[Loss], options: Options) -> list[Data]:
    """An event for each permitted loss. Raises RequestError for the first one that is not permitted."""
    for loss in losses:
        if loss.name not in (options.permit_loss or ()):
            raise RequestError(
                "",
                loss.device,
                f"{loss.device} has {LOSSES[loss.name]}, which cannot move with its addresses to another device: "
                f"{loss.values}.",
                f"Remove it from {loss.device} (or make the IPv6 address static), or permit the loss with "
                f"{options.role}_permit_loss: [{loss.name}], and run again.",
            )
    return [
        events.event(
            events.LOSS, options.host, loss.device, f"Lost: {LOSSES[loss.name]}: {loss.values}.", Loss=loss.name
        )
        for loss in losses
    ]


def check_memory(facts: Facts, name: str, bond: str) -> None:
    """Raise RequestError when the network ``name`` or the ``bond`` below it ("" for none) is there until the next boot
    only.
    """
    networks, bonds = facts.in_memory.get("networks") or [], facts.in_memory.get("bondings") or []
    if name in networks or bond and bond in bonds:
        raise RequestError(
            "",
            bond or name,
            f"The network {name} was configured until the next boot only (configure_mgmt_persistent: false), and its "
            f"profiles are not on disk.",
            "Reboot the host to restore its old network, or set configure_mgmt_persistent: false, and run again.",
        )


def missing_record(facts: Facts, name: str, bond: str, persistent: bool) -> str:
    """What VDSM's record of the network ``name`` and its ``bond`` ("" for none) is: "" complete, missing, or unsaved
    (what it runs with is not what a boot brings).
    """
    recorded = facts.recorded_bonds()
    bonds = {bond} if bond and recorded is not None else set()
    if name not in facts.records() or not bonds <= set(recorded or ()):
        return "missing"
    unsaved = facts.unsaved
    if persistent and (name in (unsaved.get("networks") or []) or bonds & set(unsaved.get("bondings") or [])):
        return "unsaved"
    return ""


def unsaved_warnings(facts: Facts, host: str) -> list[Data]:
    """An event for what VDSM runs with and has not saved."""
    names = [f"network {name}" for name in facts.unsaved.get("networks") or []]
    names += [f"bond {name}" for name in facts.unsaved.get("bondings") or []]
    return [events.event(events.UNSAVED, host, Networks=", ".join(names))] if names else []
