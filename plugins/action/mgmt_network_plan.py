# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/controller/management.py: validates the arguments, reads the host, and returns the plan."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments as apply_options
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import role_variables
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import Host, cleaned_up
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.management import Job
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain

OPTIONS = (
    "network",
    "state",
    "sync",
    "facts",
    "wait",
    "permit_loss",
    "keep_vlan_name",
    "persistent",
    "learn_vlan",
    "policies",
)
SPEC = {"return_facts": {"type": "bool"}, **{name: {"type": "raw"} for name in OPTIONS}}


class ActionModule(ActionBase):
    """Invalid arguments fail the task; a problem of the host is data."""

    ROLE = "configure_mgmt"
    OPTIONS, SPEC = OPTIONS, SPEC
    FIXED = {}  # arguments of a job that are no options of the role
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def cleanup(self, force=False):
        cleaned_up(lambda: ActionBase.cleanup(self, force))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validated, asked = self.validate_argument_spec(argument_spec=self.SPEC)
        missing = role_variables.missing_library()
        if missing:
            return {"failed": True, "changed": False, "msg": missing}
        given = {
            "%s_%s" % (self.ROLE, key): to_plain(asked[key], key) for key in self.OPTIONS if asked[key] is not None
        }
        specs = {self.ROLE: role_variables.specification(self.ROLE)}
        arguments, problems = role_variables.checked(specs, task_vars, self._templar, given)
        if not problems:
            problems = self._about_probes(arguments)
        if problems:
            msg = role_variables.refusal(problems)
            return {"failed": True, "changed": False, "msg": msg}
        arguments.update(self.FIXED)
        job = Job(Host(self, task_vars), {"arguments": arguments}, self._task.check_mode, self._task.no_log)
        job.plan()
        arguments.pop("facts", None)
        result = {"changed": False, **job.data, **job.for_ansible}
        hooked = any(arguments.get("%s_tasks" % hook) for hook in ("before", "after", "failure"))
        if hooked if asked.get("return_facts") is None else asked["return_facts"]:
            result["ansible_facts"] = {**result.get("ansible_facts", {}), "host_network": job.facts}
        return result

    def _about_probes(self, arguments):
        """Check probes beyond what an argument specification can express."""
        try:
            apply_options.check({"probes": arguments["probes"]})
        except apply_options.ArgumentError as exc:
            return ["%s_probes: %s" % (self.ROLE, str(exc).removesuffix(". Nothing was changed"))]
        return []
