# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect ``record``: writes the networks and bonds to VDSM's persistence, so that VDSM restores them at boot.

Everything that can fail is written to a temporary place before the commit point, and activated by a rename after it.
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
        # the whole record: the differences are known only at seal(), because VDSM may write in the meantime
        return plan.request.get("record") or {}

    def seal(self, part: dict, context: Context) -> list[dict]:
        return vdsm_persistence.prepare_record(part, persistent=context.persistent)

    def commit(self, prepared: list[dict] | None) -> dict:
        trouble = ""
        for tree in prepared or []:
            try:
                vdsm_persistence.publish(tree)
            except OSError as exc:  # only a warning: the network is committed, and the next run records it
                trouble = str(exc)
        return {"recorded": bool(prepared) and not trouble, "record_trouble": trouble}

    def discard(self, prepared: list[dict] | None) -> None:
        for tree in prepared or []:
            vdsm_persistence.discard(tree)
