# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests of plays: writes the data of set_stats as JSON to the file OVIRT_ARTIFACT; AWX stores the same data as
artifacts of a job.
"""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Writes the artifacts once, at the end of a run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "artifact"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_stats(self, stats):
        with open(os.environ["OVIRT_ARTIFACT"], "w", encoding="utf-8") as stream:
            json.dump(stats.custom.get("_run", {}), stream, default=str)
