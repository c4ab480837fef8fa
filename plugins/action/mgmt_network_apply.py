# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/controller/management.py: applies a plan and returns the result of the host."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import failures
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import Host, cleaned_up
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.management import Job
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain

SPEC = {
    "plan": {"type": "dict", "required": True},
    "request": {"type": "raw"},
    "conclude": {"type": "bool", "default": True},
    "failed_task": {"type": "dict"},
}


class ActionModule(ActionBase):
    """A failure of the host is data; the task itself only fails for invalid arguments."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def cleanup(self, force=False):
        cleaned_up(lambda: ActionBase.cleanup(self, force))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validated, asked = self.validate_argument_spec(argument_spec=SPEC)
        asked = to_plain(asked, "arguments")
        job = Job(Host(self, task_vars), self._data(asked["plan"]), self._task.check_mode, self._task.no_log)
        if asked["failed_task"]:
            self._fail(job, asked["failed_task"])
        elif "applied" not in job.data:
            job.apply(asked["request"])
        result = job.conclude() if asked["conclude"] else {"changed": self._changed(job), **job.data}
        result.update(job.for_ansible)
        if not self._task.diff:
            result.pop("diff", None)
        return result

    @staticmethod
    def _data(plan):
        """The job from the result of mgmt_network_plan or of this action, or from less if an earlier task failed."""
        known = ("arguments", "began", "plan", "change", "down", "failure", "applied", "edited")
        return {key: plan[key] for key in known if key in plan}

    @staticmethod
    def _fail(job, task):
        """Set the failure of another task as that of the job, unless the job already has one."""
        if not job.data["failure"]:
            job.data["failure"] = failures.of_task(task)
            if "unreachable" not in task:
                job.answers()

    @staticmethod
    def _changed(job):
        return bool((job.data.get("applied") or {}).get("changed"))
