# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/deploy: the end of host_deploy, which fails if the network has changed."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import UNREACHABLE, Host
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import packed
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain

SPEC = {"plan": {"type": "dict", "required": True}, "clock_synchronised": {"type": "bool", "default": False}}
_SILENCE = (
    "%s did not answer after host_deploy, so its network cannot be compared. Check the host on its console, then run "
    "again."
)
_DEVIATION = (
    "The network of %s has changed during host_deploy, which must not change it:\n%s\n"
    "The host is still reachable. Likely causes: a package or service that configures networks, or the post tasks "
    "(host_deploy_post_tasks). Restore the lines marked with -, remove the cause, and run again."
)


class ActionModule(ActionBase):
    """Changes nothing."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validated, asked = self.validate_argument_spec(argument_spec=SPEC)
        plan, host = to_plain(asked["plan"], "plan"), Host(self, task_vars)
        # in check mode, the network of a host without nmstate is unknown
        trouble = self._trouble(host, plan["before"]) if plan["before"] else ""
        if trouble:
            return {"failed": True, "changed": False, "msg": trouble}
        return {
            "changed": False,
            "changed_network": False,
            "clock_synchronised": plan["clock_synchronised"] or asked["clock_synchronised"],
            "ended": time.time(),
            **{key: plan.get(key) for key in ("id", "packages", "ssh_port", "firewalld", "services_left_alone")},
        }

    @staticmethod
    def _trouble(host, before):
        try:
            result = host.module("host_network_facts", {})
        except UNREACHABLE:
            return _SILENCE % host.name
        if result.get("failed"):
            return result.get("msg") or "cannot read the network of the host"
        lines = packed.difference(before, result["ansible_facts"]["host_network"])
        return _DEVIATION % (host.name, "\n".join(lines)) if lines else ""
