# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects ``mtu`` and ``mtu_cut``: interfaces of the nmstate state that only need another MTU get it in the profile
and the kernel, without an activation and without packet loss: a larger one before nmstate's change, a smaller one after
it. The undo is covered by profiles and snapshot, which have the old MTU.
"""

from __future__ import annotations

from ..change import difference
from ..sources import kernel, networkmanager, nmcli
from .base import Context, Effect, EffectError, Plan


class MtuInPlace(Effect):
    """Its part is ``[{name, mtu, was}]``, bases first. These interfaces are removed from the state that nmstate
    applies.
    """

    name = "mtu"

    def snapshot(self, plan: Plan) -> list[dict]:
        return difference.mtu_raises(plan.missing["state"], plan.host.current)

    def prepare(self, part: list[dict], context: Context) -> None:
        _set(part, context)


class MtuCut(Effect):
    """As MtuInPlace, with smaller MTUs, bases last: nmstate has cut those above by then."""

    name = "mtu_cut"

    def snapshot(self, plan: Plan) -> list[dict]:
        return difference.mtu_cuts(plan.missing["state"], plan.host.current)

    def put(self, part: list[dict], context: Context) -> None:
        _set(part, context)


def _set(part: list[dict], context: Context) -> None:
    active = networkmanager.active_connections_of(networkmanager.objects())
    for interface in part:
        name, mtu = interface["name"], interface["mtu"]
        profile = active.get(name)
        if profile:
            trouble = nmcli.modify(profile["uuid"], {"802-3-ethernet.mtu": mtu}, context.persistent)
            if trouble:
                raise EffectError("cannot set MTU in the profile of %s to %s: %s" % (name, mtu, trouble))
        trouble = kernel.set_mtu(name, mtu)
        if trouble:
            raise EffectError("cannot set MTU of %s to %s: %s" % (name, mtu, trouble))
