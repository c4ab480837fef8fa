# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/plan/derive.py: the decision about one host's management network."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.filter_edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import FactsError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.derive import plan_management_network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import Options


def derive_mgmt_network(
    facts, definition, host="", attachment=None, permit_loss=None, keep_vlan_name=False, persistent=True
):
    """See derive_mgmt_network.yml."""
    return call(
        "derive_mgmt_network",
        (DefinitionError, FactsError, StateFormatError),
        _decide,
        {
            "facts": facts,
            "definition": definition,
            "host": host,
            "attachment": attachment,
            "permit_loss": permit_loss,
            "keep_vlan_name": keep_vlan_name,
            "persistent": persistent,
        },
    )


def _decide(facts, definition, **options):
    return plan_management_network(facts, definition, Options(**options)).decision_dict()


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"derive_mgmt_network": derive_mgmt_network}
