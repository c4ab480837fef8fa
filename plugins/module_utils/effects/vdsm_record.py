# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The effect ``record``: VDSM's persistence gets the networks and bonds, so that VDSM restores them at a boot.

All that may fail is written before the commit point, beside what counts; after it a rename makes it count.
"""

from __future__ import annotations

from ..sources import vdsm_persistence
from .base import Context, Effect, Plan


class VdsmRecord(Effect):
    """Request, missing and part are ``{networks, bondings}``; prepared is what vdsm_persistence.publish() takes."""

    name = "record"
    live = False

    def missing(self, plan: Plan) -> dict:
        record, persistent = plan.request.get("record") or {}, plan.request["persistent"]
        return {} if vdsm_persistence.record_in_sync(record, persistent=persistent) else record

    def snapshot(self, plan: Plan) -> dict:
        # all of it: what is missing is known only when it is sealed, for VDSM may write meanwhile
        return plan.request.get("record") or {}

    def seal(self, part: dict, context: Context) -> list[dict]:
        return vdsm_persistence.prepare_record(part, persistent=context.persistent)

    def commit(self, prepared: list[dict] | None) -> dict:
        trouble = ""
        for tree in prepared or []:
            try:
                vdsm_persistence.publish(tree)
            except OSError as exc:  # the network itself is committed: a warning, and VDSM adopts on the next run
                trouble = str(exc)
        return {"recorded": bool(prepared) and not trouble, "record_trouble": trouble}

    def discard(self, prepared: list[dict] | None) -> None:
        for tree in prepared or []:
            vdsm_persistence.discard(tree)
