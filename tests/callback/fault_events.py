# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""For the fault suite: writes the start and the result of each task as JSON lines to the file OVIRT_FAULTS_EVENTS."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

APPLY, OF_THE_ROLE = "ovirt.mgmt_network.nmstate_apply", "ovirt.mgmt_network.mgmt_network_apply"
_KEPT = (
    "msg",
    "phase",
    "timeline",
    "step",
    "rolled_back",
    "exact",
    "repairs",
    "transaction",
    "changed",
    "recorded",
    "diagnosis",
    "proven",
    "not_probed",
    "meanwhile",
)


class CallbackModule(CallbackBase):
    """Flushes every line, because the play may be killed at any time."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fault_events"
    CALLBACK_NEEDS_ENABLED = True

    def _tell(self, **values):
        with open(os.environ["OVIRT_FAULTS_EVENTS"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(dict(values, at=time.time()), default=str) + "\n")

    def _ended(self, result, how):
        action, found = result._task.action, result._result
        if "applied" in found:  # the role's action to apply a change, whose failure is data
            action, found = APPLY, found["applied"]
            how = "failed" if found.get("failed") else how
        kept = {key: value for key, value in found.items() if key in _KEPT}
        self._tell(event="end", action=action, how=how, result=kept)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._tell(event="begin", action=APPLY if task.action == OF_THE_ROLE else task.action)

    def v2_runner_on_ok(self, result, **_kwargs):
        self._ended(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._ended(result, "failed")

    def v2_runner_on_unreachable(self, result):
        self._ended(result, "unreachable")
