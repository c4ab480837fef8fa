# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's part of network_commit: writes the host's diagnosis after a failure."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import diagnosis_files


class ActionModule(ActionBase):
    """Runs the module and writes the diagnosis of a failure to files."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        try:
            _validated, params = self.validate_argument_spec(argument_spec=arguments.network_commit())
            arguments.check(params)
        except (AnsibleActionFail, arguments.ArgumentError) as exc:
            return {"failed": True, "changed": False, "msg": str(exc), "transaction": "", "phase": ""}
        result = self._execute_module(
            module_name="ovirt.mgmt_network.network_commit", module_args=self._task.args, task_vars=task_vars
        )
        found = result.pop("found", {})
        return diagnosis_files.kept(
            params, result, found, (task_vars or {}).get("inventory_hostname", "host"), self._task.no_log
        )
