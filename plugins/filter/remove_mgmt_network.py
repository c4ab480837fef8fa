# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/plan/remove.py: the decision how to remove the management network from a host."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.filter_edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import FactsError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import Options
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.remove import plan_removal


def remove_mgmt_network(facts, definition, host="", permit_loss=None):
    """See remove_mgmt_network.yml."""
    return call(
        "remove_mgmt_network",
        (DefinitionError, FactsError, StateFormatError),
        _decide,
        {"facts": facts, "definition": definition, "host": host, "permit_loss": permit_loss},
    )


def _decide(facts, definition, **options):
    plan = plan_removal(facts, definition, Options(**options))
    return {**plan.decision_dict(), "record": plan.record, "state": plan.state}


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"remove_mgmt_network": remove_mgmt_network}
