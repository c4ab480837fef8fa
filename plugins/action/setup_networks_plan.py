# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As mgmt_network_plan, with another producer of the plan: any network and bond of a host."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.action import mgmt_network_plan

OPTIONS = ("host_networks", "facts", "wait", "permit_loss", "keep_vlan_name")


class ActionModule(mgmt_network_plan.ActionModule):
    """Invalid arguments fail the task; a problem of the host is data."""

    ROLE = "setup_networks"
    OPTIONS = OPTIONS
    SPEC = {name: {"type": "raw"} for name in OPTIONS}
    FIXED = {"state": "present", "sync": "apply", "persistent": True, "policies": []}
