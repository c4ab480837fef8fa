# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/controller/role_variables.py: validates the variables of roles and playbooks, of a task or of
hosts in the inventory.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import role_variables, variables

SPEC = {
    "roles": {"type": "list", "elements": "str", "default": []},
    "hosts": {"type": "list", "elements": "str"},
    "pattern": {"type": "raw"},
    "playbook": {"type": "str", "default": ""},
    "options": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """Contacts no host and requires no connection."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validated, asked = self.validate_argument_spec(argument_spec=SPEC)
        missing = role_variables.missing_library()
        if missing:
            return {"failed": True, "changed": False, "msg": missing}
        if asked["pattern"] is not None and not asked["hosts"]:
            return {"failed": True, "changed": False, "msg": self._unmatched(asked, task_vars)}
        specs = {role: role_variables.specification(role) for role in asked["roles"]}
        if asked["hosts"] is None:
            arguments, problems = role_variables.checked(specs, task_vars, self._templar)
            lines = list(dict.fromkeys(problems))
        else:
            arguments, problems = {}, {}
            if asked["playbook"]:  # it may have the name of a role
                specs[asked["playbook"]] = {**specs.get(asked["playbook"], {}), **asked["options"]}
            for host in asked["hosts"]:
                own = self._variables_of(host, task_vars)
                templar = self._templar.copy_with_new_env(available_variables=own)
                _arguments, problems[host] = role_variables.checked(specs, own, templar)
            lines = variables.by_host(problems)
        if lines:
            return {"failed": True, "changed": False, "msg": role_variables.refusal(lines)}
        return {"changed": False, "arguments": arguments}

    @staticmethod
    def _unmatched(asked, task_vars):
        limit = task_vars.get("ansible_limit")
        return variables.unmatched(
            asked["pattern"], asked["playbook"], task_vars["groups"], None if limit is None else str(limit)
        )

    def _variables_of(self, host, task_vars):
        """The variables of ``host``, overridden by those of this play, which hostvars do not contain."""
        here, there = (task_vars["hostvars"].raw_get(name) for name in (task_vars["inventory_hostname"], host))
        of_the_play = {
            name: value
            for name, value in task_vars.items()
            if name not in here or here[name] is not value and here[name] != value
        }
        return {**there, **of_the_play}
