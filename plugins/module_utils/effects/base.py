# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every effect of a transaction answers to, and what it is given for that.

An effect keeps nothing itself. What it wants is in the request, what it has to do and to undo is plain data: its part
of the journal.
"""

from __future__ import annotations

from ..facts import digest
from ..sources import networkmanager, nmstatectl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any


class EffectError(Exception):
    """The host does not take what an effect does; ``details`` (plain data) go into the status."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.details = details


class RequestError(Exception):
    """What is asked of an effect cannot be used; the text says what and why. Nothing was touched."""


class Host:
    """The host's network as it is now; each source is read once, when somebody asks for it."""

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
    """A request and what of it does not hold on the host.

    ``request``: ``{state, settings, record, persistent}``. ``missing``, ``present``: ``{name of the effect: what is
    missing, what the host has in its place}``.
    """

    def __init__(self, request: dict, host: Host) -> None:
        self.request = request
        self.host = host
        self.missing: dict[str, Any] = {}
        self.present: dict[str, Any] = {}


class Context:
    """What an effect may know of its transaction while that runs, and how it speaks.

    ``entry``: the journal's. ``tell(**values)`` puts values into the status and returns it, ``log(text)`` writes to the
    host's journal. ``repairs``: what say() has reported. ``seconds``: bounds of steps, ``{apply, checkpoint}``.
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
        """Report what was done to bring the old state back."""
        self.log(text)
        self.repairs.append(text)
        self.tell(repairs=self.repairs)


class Effect:
    """One kind of thing that a transaction does. An effect defines the verbs that it needs.

    They are called in this order; ``part`` is what snapshot() returned, ``prepared`` what seal() did. With an empty part
    an effect has nothing to do, and is asked nothing but to commit().
    """

    name = ""  # in the request, the plan and the journal
    live = True  # whether it touches the running network, so that a guard is needed

    def missing(self, plan: Plan) -> Any:
        """What of the request does not hold; empty when all of it does. Raises RequestError."""

    def read(self, plan: Plan) -> Any:
        """What the host has in place of what is missing."""

    def snapshot(self, plan: Plan) -> Any:
        """Its part of the journal: what is to be done, and what an undo needs beside snapshot.take() and the profiles."""

    def devices(self, part: Any) -> Collection[str]:
        """The devices that it touches, beside those that the nmstate state names."""
        return ()

    def seconds(self, part: Any) -> int:
        """How long prepare() and put() may take, where they may begin addresses anew; nmstate's own has a bound already."""
        return 0

    def prepare(self, part: Any, context: Context) -> None:
        """Do what comes before nmstate acts. Raises EffectError."""

    def put(self, part: Any, context: Context) -> None:
        """Do it. Raises EffectError."""

    def seal(self, part: Any, context: Context) -> Any:
        """Do all of the commit that may fail; returns what commit() and discard() need (plain). Raises OSError."""

    def commit(self, prepared: Any) -> dict:
        """After the commit point: finish, fail never, do no harm when called again. Returns values for the status."""
        return {}

    def discard(self, prepared: Any) -> None:
        """Take away what seal() has made, also early at a boot."""

    def undo(self, part: Any, context: Context) -> list[dict]:
        """Bring back what the restored profiles and the snapshot of the network do not; returns what still differs, as
        snapshot.compare() has it. Called again after a kill.
        """
        return []
