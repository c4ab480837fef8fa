# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect ``state``: the difference from the desired nmstate state, applied by nmstatectl under a checkpoint."""

from __future__ import annotations

import time

from ..change import desired_state, difference
from ..facts import digest, snapshot
from ..sources import networkmanager, nmcli, nmstatectl
from . import repair
from .base import Context, Effect, EffectError, Plan, RequestError


class NmstateState(Effect):
    """Missing is an nmstate state. The part is ``{change, held}``: what nmstate applies, and what an undo has to read
    from it.
    """

    name = "state"

    def missing(self, plan: Plan) -> dict:
        state, current = plan.request["state"], plan.host.current
        absent = any(iface.get("state") == "absent" for iface in state.get("interfaces") or [])
        try:
            change = difference.difference(state, current, networkmanager.profiled_devices() if absent else ())
            desired_state.refuse(change, current)
        except desired_state.StateError as exc:
            raise RequestError(str(exc)) from exc
        return change

    def read(self, plan: Plan) -> dict:
        return difference.before(plan.missing[self.name], plan.host.current)

    def snapshot(self, plan: Plan) -> dict:
        change, current = plan.missing[self.name], plan.host.current
        others = difference.mtu_raises(change, current) + difference.mtu_cuts(change, current)
        part = {
            "change": difference.without(change, [interface["name"] for interface in others]),
            "held": difference.held(change, current),
        }
        return part if any(part.values()) else {}

    def put(self, part: dict, context: Context) -> None:
        """Apply the change. Writes the checkpoint to the status, and before that the data to identify it if the guard
        is killed (see checkpoint.own).
        """
        if not part["change"]:
            return
        seconds, now = context.seconds, time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
        on_bridges = snapshot.guests()
        context.tell(
            foreign=sorted(networkmanager.checkpoint_paths()), apply_window=[now, now + seconds["apply"] * 1000]
        )
        result = nmstatectl.apply(
            part["change"], seconds["checkpoint"], bound=seconds["apply"], memory_only=not context.persistent
        )
        context.tell(checkpoint=result["checkpoint"])
        if result["error"]:
            raise EffectError(result["error"]["message"], error=result["error"])
        repair.reattach(on_bridges, context.log)

    def undo(self, part: dict, context: Context) -> list[dict]:
        """Try a reapply of the restored profile, then its activation."""
        held = part["held"]
        rest = _missing_of(held)
        for command, act in (
            ("device reapply", lambda name: nmcli.reapply(name, nmcli.ACTIVATION)),
            ("connection up ifname", nmcli.activate_on),
        ):
            for iface in rest:
                keys = ", ".join(_keys(iface))
                context.say("device %s: %s differed: ran nmcli %s %s" % (iface["name"], keys, command, iface["name"]))
                act(iface["name"])
            if rest:
                rest = _missing_of(held)
        return [
            {"device": iface["name"], "what": key, "old": iface[key], "new": None}
            for iface in rest
            for key in _keys(iface)
        ]


def _missing_of(held: dict) -> list[dict]:
    if not held:
        return []
    return difference.difference(held, digest.without_guests(nmstatectl.show())).get("interfaces") or []


def _keys(iface: dict) -> list[str]:
    return sorted(set(iface) - {"name", "type", "state"})
