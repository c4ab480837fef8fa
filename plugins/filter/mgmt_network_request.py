# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/plan/edit.py: validates a request that a hook may have edited."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.filter_edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import FactsError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.edit import check_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError


class _Told(Exception):
    """The message for a violated rule: the problem, the engine's name of the rule, and the remedy."""


def mgmt_network_request(request, facts, definition):
    """See mgmt_network_request.yml."""
    return call(
        "mgmt_network_request",
        (DefinitionError, FactsError, StateFormatError, _Told),
        _checked,
        {"request": request, "facts": facts, "definition": definition},
    )


def _checked(request, facts, definition):
    try:
        return check_request(request, facts, definition)
    except RequestError as error:
        rule = f" ({error.engine_message})" if error.engine_message else ""
        raise _Told(f"{error}{rule} {error.remedy} Nothing was changed.") from error


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"mgmt_network_request": mgmt_network_request}
