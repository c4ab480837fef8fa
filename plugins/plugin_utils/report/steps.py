# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that can fail on a host, with their names in results. ``step`` of a failure as data."""

from __future__ import annotations

CONNECT, GATHER, PLAN, POLICIES, APPLY = "connect", "gather", "plan", "policies", "apply"
COMPARE, REBOOT, DEPLOY, TASK = "compare", "reboot", "host_deploy", "task"
STEPS = {
    CONNECT: "Wait until the host answers",
    GATHER: "Gather the network capabilities",
    PLAN: "Plan the management network",
    POLICIES: "Enforce policies",
    APPLY: "Apply the change",
    COMPARE: "Compare with the definition",
    REBOOT: "Verify by a reboot",
    DEPLOY: "Prepare the host",
    TASK: "Run the tasks of a hook",
}
