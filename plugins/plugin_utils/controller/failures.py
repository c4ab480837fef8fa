# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Convert Ansible's messages about failures to failures as data, see report/outcome.py. Pure."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import steps

_AROUND_A_FILTER = re.compile(r"^.*The filter plugin '[\w.]+' failed: \w+: ", re.DOTALL)
# Text that Ansible and its connection plugins put before an SSH error.
_AROUND_SSH = re.compile(
    r"^.*?\b(?:via|over) ssh: |^(?:Task failed: )?timed out waiting for ping module test: ", re.DOTALL
)
_RESTARTS = (".wait_for_connection", ".reboot")
_STEPS = {
    "mgmt_network_apply": steps.APPLY,
    "assert": steps.COMPARE,
    "host_deploy": steps.DEPLOY,
    "host_network_facts": steps.GATHER,
}


def failure(step: str, message: str, unreachable: bool = False) -> dict[str, Any]:
    """``{step, reason, unreachable}`` from a ``message`` of Ansible. ``step``: one of steps.py."""
    reason = connection_reason(message) if unreachable else _AROUND_A_FILTER.sub("", str(message))
    return {"step": step, "reason": reason, "unreachable": unreachable}


def of_task(task: dict[str, Any]) -> dict[str, Any]:
    """The failure of a task, from ``{task, action, msg, unreachable, refused}``: name, action, and message."""
    action, message = str(task.get("action") or ""), task.get("msg") or ""
    silent = bool(task.get("unreachable")) or ("." + action).endswith(_RESTARTS)
    step = steps.POLICIES if task.get("refused") else _STEPS.get(action.rpartition(".")[2], steps.TASK)
    found = failure(step, message, silent)
    return dict(found, task=str(task["task"])) if task.get("task") else found


def connection_reason(message: str) -> str:
    """The SSH error in Ansible's message about an unreachable host: its last line."""
    lines = [line.strip() for line in _AROUND_SSH.sub("", str(message)).splitlines() if line.strip()]
    return lines[-1] if lines else "the host does not answer"
