# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of all effects of a transaction, and the data that they receive.

An effect has no state. Its input is in the request; what to do and to undo is plain data, its part of the journal.
"""

from __future__ import annotations

from ..facts import digest
from ..sources import networkmanager, nmstatectl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any


class EffectError(Exception):
    """The host rejected a change of an effect; ``details`` (plain data) are written to the status."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.details = details


class RequestError(Exception):
    """The request for an effect is invalid; the text says what and why. Nothing was changed."""


class Host:
    """The host's current network; each source is read once, on first use."""

    def __init__(self) -> None:
        self._current: dict | None = None
        self._objects: dict | None = None

    @property
    def current(self) -> dict:
        """The nmstate state, without guests' devices."""
        if self._current is None:
            self._current = digest.without_guests(nmstatectl.show())
        return self._current

    @property
    def objects(self) -> dict:
        """NetworkManager's objects, see networkmanager.objects()."""
        if self._objects is None:
            self._objects = networkmanager.objects()
        return self._objects


class Plan:
    """A request and its differences from the host.

    ``request``: ``{state, settings, record, persistent}``. ``missing``, ``present``: ``{name of the effect: what is
    missing, the host's current values}``.
    """

    def __init__(self, request: dict, host: Host) -> None:
        self.request = request
        self.host = host
        self.missing: dict[str, Any] = {}
        self.present: dict[str, Any] = {}


class Context:
    """What an effect knows about its transaction while it runs, and how it reports.

    ``entry``: the journal's. ``tell(**values)`` adds values to the status and returns it, ``log(text)`` writes to the
    host's system log. ``repairs``: what say() has reported. ``seconds``: bounds of steps, ``{apply, checkpoint}``.
    """

    def __init__(
        self, entry: dict, tell: Callable[..., dict], log: Callable[[object], None], repairs: Sequence[str] = ()
    ) -> None:
        self.entry = entry
        self.tell = tell
        self.log = log
        self.repairs = list(repairs)
        self.seconds: dict[str, int] = {}

    @property
    def persistent(self) -> bool:
        return bool(self.entry["persistent"])

    def say(self, text: str) -> None:
        """Report what was done to restore the old state."""
        self.log(text)
        self.repairs.append(text)
        self.tell(repairs=self.repairs)


class Effect:
    """One kind of change that a transaction makes. An effect defines the methods that it needs.

    They are called in this order; ``part`` is what snapshot() returned, ``prepared`` what seal() did. With an empty
    part, an effect has nothing to do, and only commit() is called.
    """

    name = ""  # in the request, the plan and the journal
    live = True  # whether it touches the running network, so that a guard is needed

    def missing(self, plan: Plan) -> Any:
        """The part of the request that differs from the host; empty if nothing does. Raises RequestError."""

    def read(self, plan: Plan) -> Any:
        """The host's current values of what is missing."""

    def snapshot(self, plan: Plan) -> Any:
        """Its part of the journal: what to do, and what an undo needs in addition to snapshot.take() and the
        profiles.
        """

    def devices(self, part: Any) -> Collection[str]:
        """The devices that it affects, in addition to those that the nmstate state names."""
        return ()

    def seconds(self, part: Any) -> int:
        """Maximum seconds of prepare() and put() if they may restart address configuration. nmstate's own time is
        bounded already.
        """
        return 0

    def prepare(self, part: Any, context: Context) -> None:
        """Do what must be done before nmstate applies its state. Raises EffectError."""

    def put(self, part: Any, context: Context) -> None:
        """Make the change. Raises EffectError."""

    def seal(self, part: Any, context: Context) -> Any:
        """Do everything in the commit that can fail; returns the plain data that commit() and discard() need. Raises
        OSError.
        """

    def commit(self, prepared: Any) -> dict:
        """Finish after the commit point. Must not fail and must be idempotent. Returns values for the status."""
        return {}

    def discard(self, prepared: Any) -> None:
        """Remove what seal() has created, also at an early boot."""

    def undo(self, part: Any, context: Context) -> list[dict]:
        """Restore what the profiles and the snapshot of the network do not contain; returns what still differs, as
        snapshot.compare() does. Called again after a kill.
        """
        return []
