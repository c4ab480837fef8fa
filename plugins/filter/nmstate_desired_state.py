# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/state/generate.py: turns a setupNetworks request into an nmstate state."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.filter_edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desired


def nmstate_desired_state(request, current, running=None, profiles=None, keep_vlan_name=False):
    """See nmstate_desired_state.yml."""
    return call(
        "nmstate_desired_state",
        (RequestFormatError, StateFormatError),
        lambda **arguments: desired(**arguments).state,
        {
            "request": request,
            "current": current,
            "running": running,
            "profiles": profiles,
            "keep_vlan_name": keep_vlan_name,
        },
    )


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"nmstate_desired_state": nmstate_desired_state}
