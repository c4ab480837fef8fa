# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""For the bench: a last line with the action of every task that ran on some host, skipped ones left out."""

from __future__ import annotations

import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Prints ``actions: [...]`` at the end of a run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "actions"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._actions = []

    def v2_runner_on_ok(self, result, **_kwargs):
        self._actions.append(result._task.action)

    def v2_playbook_on_stats(self, stats):
        self._display.display("actions: " + json.dumps(self._actions))
