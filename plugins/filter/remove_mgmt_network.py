# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/removal.py: what takes the management network from a host."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.desired_state_current import StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.desired_state_request import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.removal import derive_removal
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.topology import FactsError


def remove_mgmt_network(facts, definition, host="", permit_loss=None):
    """See remove_mgmt_network.yml."""
    return call(
        "remove_mgmt_network", (DefinitionError, FactsError, StateFormatError, RequestFormatError), derive_removal,
        {"facts": facts, "definition": definition, "host": host, "permit_loss": permit_loss},
    )


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"remove_mgmt_network": remove_mgmt_network}
