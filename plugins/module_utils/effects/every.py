# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""All effects of a transaction: the list, and each method applied to all of them.

To add an effect, add a file to this folder and a line to the list. The list is in the order of prepare() and put();
undo() and seal() use the reverse order.
"""

from __future__ import annotations

import functools

from .base import Context, Effect, Host, Plan
from .mtu_in_place import MtuCut, MtuInPlace
from .nmstate_state import NmstateState
from .profile_settings import ProfileSettings
from .vdsm_record import VdsmRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

EFFECTS: tuple[Effect, ...] = (MtuInPlace(), NmstateState(), MtuCut(), ProfileSettings(), VdsmRecord())


def plan(request: dict) -> Plan:
    """The differences between ``request`` (see Plan) and this host, and the host's current values. Raises
    RequestError.
    """
    result = Plan(request, Host())
    for effect in EFFECTS:
        result.missing[effect.name] = effect.missing(result) or {}
    for effect in EFFECTS:
        result.present[effect.name] = effect.read(result) if result.missing[effect.name] else {}
    return result


def live(missing: Mapping[str, Any]) -> bool:
    """Whether something in ``missing`` (of a plan) affects the running network."""
    return any(effect.live and missing.get(effect.name) for effect in EFFECTS)


def parts(plan: Plan) -> dict[str, Any]:
    """The parts of the journal: ``{name of the effect: plain data}`` of the effects that have something to do."""
    all_parts = {effect.name: effect.snapshot(plan) for effect in EFFECTS}
    return {name: part for name, part in all_parts.items() if part}


def devices(parts: Mapping[str, Any]) -> set[str]:
    """The devices that the effects affect, in addition to those that the nmstate state names."""
    return {device for effect, part in _each(parts) for device in effect.devices(part)}


def seconds(parts: Mapping[str, Any]) -> dict[str, int]:
    """``{name of the effect: seconds}``: maximum duration of the effects that may restart address configuration."""
    return {effect.name: effect.seconds(part) for effect, part in _each(parts) if effect.seconds(part)}


def prepare(context: Context) -> None:
    """What must be done before nmstate applies its state. Raises EffectError."""
    for effect, part in _each(context.entry["effects"]):
        effect.prepare(part, context)


def put(context: Context) -> None:
    """The change. Raises EffectError."""
    for effect, part in _each(context.entry["effects"]):
        effect.put(part, context)


def seal(context: Context, keep: Callable[[dict[str, Any]], None]) -> None:
    """Everything in the commit that can fail. ``keep(prepared)`` is called after each effect. Raises OSError."""
    prepared: dict[str, Any] = {}
    for effect, part in reversed(list(_each(context.entry["effects"]))):
        made = effect.seal(part, context)
        if made:
            prepared[effect.name] = made
            keep(dict(prepared))


def put_at_once(plan: Plan) -> dict:
    """Apply ``plan``, if nothing in it affects the running network, without a journal. Returns values for the status.
    Raises OSError.
    """
    entry: dict[str, Any] = {"persistent": plan.request["persistent"], "effects": parts(plan)}
    seal(Context(entry, lambda **_values: {}, lambda _text: None), lambda prepared: entry.update(prepared=prepared))
    return commit(entry)


def commit(entry: Mapping[str, Any]) -> dict:
    """Finish after the commit point. Idempotent. Returns values for the status."""
    status: dict[str, Any] = {}
    for effect in EFFECTS:
        status.update(effect.commit((entry.get("prepared") or {}).get(effect.name)))
    return status


def discard(entry: Mapping[str, Any]) -> None:
    """Remove what seal() has created, also at an early boot."""
    for effect in reversed(EFFECTS):
        effect.discard((entry.get("prepared") or {}).get(effect.name))


def undo(context: Context) -> Iterator[Callable[[], list[dict]]]:
    """The functions that restore what the profiles and the snapshot of the network do not contain. Each returns what
    still differs.
    """
    for effect, part in reversed(list(_each(context.entry["effects"]))):
        yield functools.partial(effect.undo, part, context)


def _each(parts: Mapping[str, Any]) -> Iterator[tuple[Effect, Any]]:
    return ((effect, parts[effect.name]) for effect in EFFECTS if parts.get(effect.name))
