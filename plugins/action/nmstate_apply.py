# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's part of nmstate_apply; edge of plugin_utils/controller/network_change.py."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import network_change
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import Host, cleaned_up


class ActionModule(ActionBase):
    """Runs the module, which begins the transaction, and then drives the transaction to its end."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def cleanup(self, force=False):
        cleaned_up(lambda: ActionBase.cleanup(self, force))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        try:
            _validated, params = self.validate_argument_spec(argument_spec=arguments.nmstate_apply())
            arguments.check(params)
        except (AnsibleActionFail, arguments.ArgumentError) as exc:
            return {"failed": True, "changed": False, "msg": str(exc), "step": "begin", "rolled_back": False}
        return network_change.apply(Host(self, task_vars or {}), self._task.args, params, self._task.no_log)
