# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From Ansible's words about a failure to a failure as data, see report/outcome.py (pure)."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import steps

_AROUND_A_FILTER = re.compile(r"^.*The filter plugin '[\w.]+' failed: \w+: ", re.DOTALL)
# What Ansible and its connections put before SSH's own words.
_AROUND_SSH = re.compile(
    r"^.*?\b(?:via|over) ssh: |^(?:Task failed: )?timed out waiting for ping module test: ", re.DOTALL
)
_RESTARTS = (".wait_for_connection", ".reboot")
_STEPS = {"assert": steps.COMPARE, "host_deploy": steps.DEPLOY, "host_network_facts": steps.GATHER}


def failure(step: str, message: str, unreachable: bool = False) -> dict[str, Any]:
    """``{step, reason, unreachable}`` of a ``message`` by Ansible. ``step``: one of steps.py."""
    reason = connection_reason(message) if unreachable else _AROUND_A_FILTER.sub("", str(message))
    return {"step": step, "reason": reason, "unreachable": unreachable}


def of_task(task: dict[str, Any]) -> dict[str, Any]:
    """The failure of a task: ``{task, action, msg, unreachable, refused}``, its name, its action and what it says."""
    action, message = str(task.get("action") or ""), task.get("msg") or ""
    silent = bool(task.get("unreachable")) or ("." + action).endswith(_RESTARTS)
    step = steps.POLICIES if task.get("refused") else _STEPS.get(action.rpartition(".")[2], steps.TASK)
    found = failure(step, message, silent)
    return dict(found, task=str(task["task"])) if task.get("task") else found


def connection_reason(message: str) -> str:
    """SSH's own words of a message about a host that cannot be reached: its last line, after what Ansible says."""
    lines = [line.strip() for line in _AROUND_SSH.sub("", str(message)).splitlines() if line.strip()]
    return lines[-1] if lines else "the host does not answer"
