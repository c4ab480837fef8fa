# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of a transaction: the protocol with the guard, over shell lines with timeouts.

It uses shell lines and files instead of modules, because every round trip uses the network path that is being changed,
and a module needs a hundred times the bytes of a line.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from typing import Any

RUN = "/run/ovirt-mgmt-network"  # module_utils/transaction/mailbox.py, RUN
ENDED = ("committed", "undone", "failed")
_ROUND = 10  # maximum seconds that a shell line waits on the host
_PAUSE = 0.5  # interval between attempts to reach a host that does not answer


class Unreachable(Exception):
    """The host did not answer in time. ``status``: the last known status (dict). ``confirmed``: whether the change may
    have been confirmed.
    """

    def __init__(self, message: str, status: dict[str, Any], confirmed: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.confirmed = confirmed


def waiting(identity: str, phases: tuple[str, ...], seconds: float = _ROUND) -> str:
    """A shell line that prints the transaction's status once its phase is one of ``phases``, or after ``seconds``."""
    wanted = "|".join('*\'"phase": "%s"\'*' % phase for phase in phases)
    return (
        "f=%s/%s/status.json; i=0; while [ $i -lt %d ]; do s=$(cat $f 2>/dev/null || cat %s/last.json 2>/dev/null); "
        'case "$s" in %s) break;; esac; sleep 0.1; i=$((i+1)); done; printf \'%%s\\n\' "$s"'
        % (RUN, identity, seconds * 10, RUN, wanted)
    )


def leaving(identity: str, name: str, text: str) -> str:
    """A shell line that sends the message ``name`` to the guard."""
    path = "%s/%s/%s" % (RUN, identity, name)
    return "umask 077; printf %%s %s > %s.new && mv %s.new %s" % (shlex.quote(text), path, path, path)


class Steering:
    """Drives a transaction. ``execute(line) -> stdout`` runs a shell line on the host; ``reset()`` closes the
    connection, so that the next line opens a new one. If the connection fails, both raise ``unreachable`` (an exception
    class, or a tuple of them) and are retried. ``facts``: request the facts after a commit.
    """

    def __init__(
        self,
        identity: str,
        execute: Callable[..., Any],
        reset: Callable[..., Any],
        unreachable: Any,
        clock: Any = time,
        facts: bool = False,
    ) -> None:
        self.identity = identity
        self._execute = execute
        self._reset = reset
        self._unreachable = unreachable
        self._clock = clock
        self._facts = facts
        self.status: dict[str, Any] = {}
        self._confirmed = False

    def await_applied(self, seconds: float) -> dict[str, Any]:
        """Wait until the change is applied or has ended, over a separate connection. Returns the status. Raises
        Unreachable after ``seconds``.
        """
        return self._until(waiting(self.identity, ("applied",) + ENDED), ("applied",) + ENDED, seconds, anew=True)

    def prove(self, seconds: float) -> dict[str, Any]:
        """Connect over a new connection and read the nonce that the host wrote after the change."""
        return self._until(waiting(self.identity, ("applied",) + ENDED, 1), ("applied",) + ENDED, seconds, anew=True)

    def confirm(self, nonce: str, seconds: float) -> dict[str, Any]:
        """Confirm with the nonce and wait for the end. Returns the last status."""
        self._confirmed = True
        lines = [leaving(self.identity, "confirm", nonce), waiting(self.identity, ENDED)]
        if self._facts:
            lines.insert(0, leaving(self.identity, "facts", ""))
        return self._until("; ".join(lines), ENDED, seconds)

    def take(self) -> dict[str, Any]:
        """Fetch what the guard has left, and tell it that it was received; the guard then cleans up.

        That is the fact host_network after a commit, the diagnosis after a failure, {} if there is none. Best effort:
        otherwise the guard cleans up later.
        """
        name = "facts" if self.status.get("phase") == "committed" else "diagnosis"
        shown = "cat %s/%s/%s.json 2>/dev/null" % (RUN, self.identity, name)
        try:
            return document(self._execute("%s; %s" % (shown, leaving(self.identity, "taken", ""))))
        except self._unreachable:
            return {}

    def _until(self, line: str, phases: tuple[str, ...], seconds: float, anew: bool = False) -> dict[str, Any]:
        end = self._clock.monotonic() + seconds
        trouble = "the status of the transaction %s cannot be read" % self.identity
        while True:
            try:
                if anew:
                    self._reset()
                    anew = False
                status = parse(self._execute(line), self.identity)
                if status:
                    self.status = status
                    if status.get("phase") in phases:
                        return status
            except self._unreachable as exc:
                trouble, anew = str(exc) or type(exc).__name__, True
            if self._clock.monotonic() > end:
                raise Unreachable(trouble, self.status, self._confirmed)
            self._clock.sleep(_PAUSE)


def document(text: str) -> dict[str, Any]:
    """The facts or the diagnosis printed by the host (dict), {} if invalid."""
    try:
        content = json.loads(text[text.find("{") :])
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def parse(text: str, identity: str) -> dict[str, Any] | None:
    """The status printed by the host (dict), or None if it belongs to another transaction."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    try:
        status = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return status if isinstance(status, dict) and status.get("id") == identity else None
