# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request that a hook has edited: the rules for it, and the plan."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts, parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import RequestFormatError, parse_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import InterfaceError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import rules
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import REFUSE, Options, Plan
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import of_format_error, planned, refused
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError


def with_request(plan: Plan, request: Data, facts: Data, definition: Data, options: Options) -> Plan:
    """``plan`` with ``request`` instead of its own; the same ``plan`` if they are equal or the plan is a refusal.

    A request that breaks a rule is refused, and so is any change of the request of a removal. ``facts``,
    ``definition``, ``options``: those that the plan was made from. Raises DefinitionError, FactsError,
    StateFormatError.
    """
    if request == plan.request or plan.decision == REFUSE:
        return plan
    host, name = parse_facts(facts), parse_definition(definition).vdsm_name
    try:
        if plan.record["networks"].get(plan.network, {}).get("remove"):
            raise RequestError(
                "",
                plan.active_interface,
                f"The request was changed, but a removal of the network {plan.network} does not use it.",
                "Do not change the request, and run again.",
            )
        _check(request, host, name)
        kept = [event for event in plan.warnings if "Loss" not in event["values"]]
        return planned(replace(plan, warnings=kept), request, host, options, options.keep_vlan_name)
    except (InterfaceError, RequestError, RequestFormatError) as error:
        return refused(plan, error, options.host)


def check_request(request: Data, facts: Data, definition: Data) -> Data:
    """Return ``request`` ({networks, bondings, options}) if it creates the network of ``definition`` on the host of
    ``facts`` and follows the rules.

    Raises RequestError for a broken rule, also for a wrong form; DefinitionError, FactsError, StateFormatError.
    """
    host, name = parse_facts(facts), parse_definition(definition).vdsm_name
    try:
        _check(request, host, name)
        rules.check(host, *parse_request(request, host.state), name)
    except RequestFormatError as error:
        raise of_format_error(error) from error
    return request


def _check(request: Data, facts: Facts, name: str) -> None:
    """Raise RequestError unless the request contains the network ``name``, and no others but existing ones."""
    networks, _bonds = parse_request(request, facts.state)
    if name not in networks or networks[name].remove:
        raise RequestError(
            "", "", f"The request does not contain the network {name}.", f"Keep {name} in networks, and run again."
        )
    unknown = sorted(set(networks) - {name} - set(facts.records()))
    if unknown:
        raise RequestError(
            "",
            "",
            f"The request contains the network {unknown[0]}, which the host does not have.",
            f"Remove {unknown[0]}; only {name} and existing networks are allowed. Then run again.",
        )
