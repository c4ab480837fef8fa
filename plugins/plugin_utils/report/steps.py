# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps at which the work on a host may fail, each as a result names it. Of a failure that is data, ``step``."""

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
    TASK: "A task of a hook",
}
