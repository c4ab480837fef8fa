# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all producers of a plan share: the desired state of its request, and the refusal made of an error."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import InterfaceError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import RequestError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import REFUSE, Plan
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import profile_settings
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desired_state


def with_desired_state(plan: Plan, facts: dict, keep_vlan_name: bool) -> Plan:
    """``plan`` with the nmstate state and the profile settings of its request; both are {} without a network in it.

    Raises RequestFormatError, StateFormatError.
    """
    if not plan.request["networks"]:
        return plan
    arguments = (plan.request, facts.get("nmstate"), facts.get("running"), facts.get("profiles"), keep_vlan_name)
    return replace(plan, state=desired_state(*arguments), settings=profile_settings(*arguments))


def refused(plan: Plan, error: InterfaceError | RequestError | RequestFormatError, host: str) -> Plan:
    """``plan`` as the refusal that ``error`` stands for: nothing of it is to be applied."""
    if isinstance(error, RequestFormatError):
        error = RequestError("", "", f"The request is invalid: {error}.", "Correct the request, and run again.")
    name = events.INVALID_INTERFACE if isinstance(error, InterfaceError) else events.SETUP_FAILED
    rule = error.engine_message if isinstance(error, RequestError) else ""
    values = {"EngineMessage": rule} if rule else {}
    return refused_with(plan, events.event(name, host, error.interface, str(error), error.remedy, **values))


def refused_with(plan: Plan, event: dict) -> Plan:
    """``plan`` refused with ``event``."""
    return Plan(
        REFUSE,
        plan.network,
        plan.exists,
        plan.active_interface,
        event=event,
        remedy=event["remedy"],
        facts_digest=plan.facts_digest,
    )
