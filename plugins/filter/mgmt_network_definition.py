# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/model/definition.py: the validated and completed definition of the management network."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.filter_edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import (
    DefinitionError,
    parse_definition,
)


def mgmt_network_definition(definition):
    """See mgmt_network_definition.yml."""
    return call("mgmt_network_definition", (DefinitionError,), _completed, {"definition": definition})


def _completed(definition):
    return parse_definition(definition).to_dict()


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"mgmt_network_definition": mgmt_network_definition}
