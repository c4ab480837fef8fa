# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All effects of a transaction as one: the list, and each verb for the whole of it.

A further effect is a file in this folder and a line in the list. The order is that of preparing and putting; what is
undone or sealed goes the other way.
"""

from __future__ import annotations

from .base import Context, Effect, Host, Plan
from .mtu_in_place import MtuInPlace
from .nmstate_state import NmstateState
from .profile_settings import ProfileSettings
from .vdsm_record import VdsmRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

EFFECTS: tuple[Effect, ...] = (MtuInPlace(), NmstateState(), ProfileSettings(), VdsmRecord())


def plan(request: dict) -> Plan:
    """What of ``request`` (see Plan) does not hold on this host, and what is there in its place. Raises RequestError."""
    result = Plan(request, Host())
    for effect in EFFECTS:
        result.missing[effect.name] = effect.missing(result) or {}
    for effect in EFFECTS:
        result.present[effect.name] = effect.read(result) if result.missing[effect.name] else {}
    return result


def live(missing: Mapping[str, Any]) -> bool:
    """Whether something that is ``missing`` (of a plan) touches the running network."""
    return any(effect.live and missing.get(effect.name) for effect in EFFECTS)


def parts(plan: Plan) -> dict[str, Any]:
    """The parts of the journal: ``{name of the effect: plain data}`` of those that have something to do."""
    found = {effect.name: effect.snapshot(plan) for effect in EFFECTS}
    return {name: part for name, part in found.items() if part}


def devices(parts: Mapping[str, Any]) -> set[str]:
    """The devices that the effects touch, beside those that the nmstate state names."""
    return {device for effect, part in _each(parts) for device in effect.devices(part)}


def seconds(parts: Mapping[str, Any]) -> dict[str, int]:
    """``{name of the effect: s}`` of those that may begin addresses anew: how long they may take."""
    return {effect.name: effect.seconds(part) for effect, part in _each(parts) if effect.seconds(part)}


def prepare(context: Context) -> None:
    """What comes before nmstate acts. Raises EffectError."""
    for effect, part in _each(context.entry["effects"]):
        effect.prepare(part, context)


def put(context: Context) -> None:
    """The change. Raises EffectError."""
    for effect, part in _each(context.entry["effects"]):
        effect.put(part, context)


def seal(context: Context, keep: Callable[[dict[str, Any]], None]) -> None:
    """All of the commit that may fail. ``keep(prepared)`` is told of it after each effect. Raises OSError."""
    prepared: dict[str, Any] = {}
    for effect, part in reversed(list(_each(context.entry["effects"]))):
        made = effect.seal(part, context)
        if made:
            prepared[effect.name] = made
            keep(dict(prepared))


def put_at_once(plan: Plan) -> dict:
    """Do what is missing in ``plan``, none of which is live, without a journal. Returns values for the status. Raises
    OSError.
    """
    entry: dict[str, Any] = {"persistent": plan.request["persistent"], "effects": parts(plan)}
    seal(Context(entry, lambda **_values: {}, lambda _text: None), lambda prepared: entry.update(prepared=prepared))
    return commit(entry)


def commit(entry: Mapping[str, Any]) -> dict:
    """After the commit point; may be called again. Returns values for the status."""
    status: dict[str, Any] = {}
    for effect in EFFECTS:
        status.update(effect.commit((entry.get("prepared") or {}).get(effect.name)))
    return status


def discard(entry: Mapping[str, Any]) -> None:
    """Take away what seal() has made, also early at a boot."""
    for effect in reversed(EFFECTS):
        effect.discard((entry.get("prepared") or {}).get(effect.name))


def undo(context: Context) -> Iterator[Callable[[], list[dict]]]:
    """The steps that bring back what profiles and the snapshot of the network do not, each to be called: it returns what
    still differs.
    """
    for effect, part in reversed(list(_each(context.entry["effects"]))):
        yield lambda effect=effect, part=part: effect.undo(part, context)


def _each(parts: Mapping[str, Any]) -> Iterator[tuple[Effect, Any]]:
    return ((effect, parts[effect.name]) for effect in EFFECTS if parts.get(effect.name))
