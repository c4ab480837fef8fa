# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages between a transaction's guard and the controller: files in ``/run/ovirt-mgmt-network/<id>``.

From the guard: ``status.json``, after a failure ``diagnosis.json``, after a commit ``facts.json``. To the guard:
``confirm`` (the nonce of the status), ``cancel`` (a reason), ``taken`` (all has arrived).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time

from ..privacy import private_files
from ..sources import durable_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

RUN = durable_files.RUN
LAST = os.path.join(RUN, "last.json")
FACTS = "facts.json"
ENDED = ("committed", "undone", "failed")
_RESERVE = 1 << 16  # bytes for the status, which must be told in a full /run too
_STALE_SECONDS = 1800  # after which what an ended transaction has told is of no use to anybody
_POLL_SECONDS = 0.02  # between two looks at a file in memory
_unwritten: dict[str, dict] = {}  # {identity: status} that could not be published: true for this process all the same


def log(text: object) -> None:
    """A line in the host's journal: the units' standard output goes there."""
    try:
        sys.stdout.write("%s\n" % text)
        sys.stdout.flush()
    except (OSError, ValueError):  # nobody to write to is no reason to stop
        pass


def folder(identity: str) -> str:
    """The path of the transaction's mailbox."""
    return os.path.join(RUN, identity)


def reserve(identity: str) -> None:
    """Keep room for the status in the mailbox (see publish). Raises OSError."""
    durable_files.reserve(os.path.join(folder(identity), "reserve"), _RESERVE)


def tell(identity: str, **values: Any) -> dict:
    """Merge ``values`` into the transaction's status and publish it (atomic). Returns the whole status.

    What cannot be published is kept for the next time, and for this process: a full /run stops no undo.
    """
    status = dict(status_of(identity) or {"id": identity, "timeline": []}, **values)
    if "phase" in values:
        status["timeline"] = status["timeline"] + [{"phase": values["phase"], "at": round(time.time(), 3)}]
    try:
        publish(status)
        _unwritten.pop(identity, None)
    except OSError as exc:
        _unwritten[identity] = status
        log("cannot publish the status %s: %s" % (values, exc))
    return status


def tell_again(identity: str) -> None:
    """Publish what tell() could not, if there is room by now."""
    if identity in _unwritten:
        try:
            publish(_unwritten[identity])
        except OSError:
            return
        del _unwritten[identity]


def publish(status: dict) -> None:
    """Write ``status`` for the controller (atomic), in the reserved room if there is no other. Raises OSError."""
    path = folder(status["id"])
    private_files.folder(path)
    try:
        _publish(path, status)
    except OSError as exc:
        reserved = os.path.join(path, "reserve")
        if exc.errno != errno.ENOSPC or not os.path.exists(reserved):
            raise
        os.unlink(reserved)
        _publish(path, status)


def _publish(path: str, status: dict) -> None:
    durable_files.write_json(os.path.join(path, "status.json"), status)
    if status.get("phase") in ENDED:
        last = {key: status.get(key) for key in ("id", "phase", "reason", "step", "exact", "repairs", "boot")}
        durable_files.write_json(LAST, last)


def status_of(identity: str) -> dict | None:
    """The transaction's status as last told, None when nothing is known of it."""
    if identity in _unwritten:
        return _unwritten[identity]
    for path in (os.path.join(folder(identity), "status.json"), LAST):
        try:
            with open(path, encoding="utf-8") as stream:
                status = json.load(stream)
        except (OSError, ValueError):
            continue
        if status.get("id") == identity:
            return status
    return None


def wait_for(identity: str, phases: Collection[str], seconds: float) -> dict | None:
    """The status as soon as its phase is one of ``phases`` or it has ended, else as it is after ``seconds``."""
    return wait_until(identity, lambda status: status.get("phase") in phases, seconds)


def wait_until(identity: str, reached: Callable[[dict], Any], seconds: float) -> dict | None:
    """The status as soon as ``reached(status)`` or it has ended or nothing is known of it, else as it is after
    ``seconds``.
    """
    end = time.monotonic() + seconds
    while True:
        status = status_of(identity)
        if status is None or status.get("phase") in ENDED or reached(status) or time.monotonic() > end:
            return status
        time.sleep(_POLL_SECONDS)


def send(identity: str, name: str, text: str = "") -> None:
    """Leave the message ``name`` (confirm, cancel, taken) for the guard. Raises OSError when it is gone."""
    path = os.path.join(folder(identity), name)
    with open(path + ".new", "w", encoding="utf-8", opener=private_files.opener) as stream:
        stream.write(text)
    os.rename(path + ".new", path)


def received(identity: str, name: str) -> str | None:
    """The text of that message, None when it has not come."""
    try:
        with open(os.path.join(folder(identity), name), encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def linger(identity: str, seconds: float) -> None:
    """Keep the mailbox until its content was taken, ``seconds`` at most, then remove it."""
    end = time.monotonic() + seconds
    while received(identity, "taken") is None and time.monotonic() < end:
        tell_again(identity)
        time.sleep(0.1)
    forget(identity)


def forget(identity: str) -> None:
    """Remove the mailbox."""
    _unwritten.pop(identity, None)
    shutil.rmtree(folder(identity), ignore_errors=True)


def sweep(alive: Callable[[str], bool]) -> None:
    """Remove the mailboxes of transactions that ended long ago and whose guard, by ``alive(identity)``, did not live to
    do so itself.
    """
    for identity in os.listdir(RUN) if os.path.isdir(RUN) else []:
        try:
            stale = time.time() - os.stat(os.path.join(folder(identity), "status.json")).st_mtime > _STALE_SECONDS
        except OSError:
            continue
        if stale and (status_of(identity) or {}).get("phase") in ENDED and not alive(identity):
            forget(identity)
