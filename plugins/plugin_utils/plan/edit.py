# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan whose request somebody (a hook) has edited."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import RequestError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import Options, Plan
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import refused, with_desired_state
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.request_rules import check_request


def with_request(plan: Plan, request: dict, facts: dict, definition: dict, options: Options) -> Plan:
    """``plan`` with ``request`` in the place of its own, checked by the engine's rules; ``plan`` when they are equal.

    A request that breaks a rule is a refusal, and so is any change of a removal's request. ``facts``, ``definition``
    and ``options`` are those that the plan was made from. Raises DefinitionError, FactsError, StateFormatError.
    """
    if request == plan.request:
        return plan
    try:
        if plan.record["networks"].get(plan.network, {}).get("remove"):
            raise RequestError(
                "",
                plan.active_interface,
                f"The request was changed, but a removal of the network {plan.network} does not use it.",
                "Do not change the request, and run again.",
            )
        check_request(request, facts, definition)
        record = {"networks": request["networks"], "bondings": request.get("bondings") or {}}
        return with_desired_state(replace(plan, request=request, record=record), facts, options.keep_vlan_name)
    except (RequestError, RequestFormatError) as error:
        return refused(plan, error, options.host)
