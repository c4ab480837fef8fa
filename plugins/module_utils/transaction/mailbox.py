# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages between a transaction's guard and the controller: files in ``/run/ovirt-mgmt-network/<id>``.

From the guard: ``status.json``, after a failure ``diagnosis.json``, after a commit ``facts.json``. To the guard:
``confirm`` (the nonce of the status), ``cancel`` (a reason), ``facts`` (asks for facts.json), ``taken`` (everything
was received).
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
_RESERVE = 1 << 16  # bytes reserved for the status, so that it can be written if /run is full
_STALE_SECONDS = 1800  # age after which the messages of an ended transaction are removed
_POLL_SECONDS = 0.02  # polling interval for a file in memory
_unwritten: dict[str, dict] = {}  # {identity: status} that could not be published, but is valid for this process


def log(text: object) -> None:
    """Write a line to the host's system log, which receives the standard output of units."""
    try:
        sys.stdout.write("%s\n" % text)
        sys.stdout.flush()
    except (OSError, ValueError):  # a missing reader is not a reason to stop
        pass


def folder(identity: str) -> str:
    """The path of the transaction's mailbox."""
    return os.path.join(RUN, identity)


def reserve(identity: str) -> None:
    """Reserve space for the status in the mailbox (see publish). Raises OSError."""
    durable_files.reserve(os.path.join(folder(identity), "reserve"), _RESERVE)


def tell(identity: str, **values: Any) -> dict:
    """Merge ``values`` into the transaction's status and publish it atomically. Returns the whole status. If it cannot
    be published, it is kept in memory and published
    later: a full /run does not prevent an undo.
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
    """Publish what tell() could not publish, if there is space now."""
    if identity in _unwritten:
        try:
            publish(_unwritten[identity])
        except OSError:
            return
        del _unwritten[identity]


def publish(status: dict) -> None:
    """Write ``status`` for the controller atomically, using the reserved space if necessary. Raises OSError."""
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
    """The transaction's last status, None if unknown."""
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
    """Wait until the phase is one of ``phases`` or the transaction has ended, at most ``seconds``. Returns the
    status.
    """
    return wait_until(identity, lambda status: status.get("phase") in phases, seconds)


def wait_until(identity: str, reached: Callable[[dict], Any], seconds: float) -> dict | None:
    """Wait until ``reached(status)``, or the transaction has ended or is unknown, at most ``seconds``. Returns the
    status.
    """
    end = time.monotonic() + seconds
    while True:
        status = status_of(identity)
        if status is None or status.get("phase") in ENDED or reached(status) or time.monotonic() > end:
            return status
        time.sleep(_POLL_SECONDS)


def send(identity: str, name: str, text: str = "") -> None:
    """Send the message ``name`` (confirm, cancel, taken) to the guard. Raises OSError if the mailbox does not exist."""
    path = os.path.join(folder(identity), name)
    with open(path + ".new", "w", encoding="utf-8", opener=private_files.opener) as stream:
        stream.write(text)
    os.rename(path + ".new", path)


def received(identity: str, name: str) -> str | None:
    """The text of the message ``name``, None if it was not sent."""
    try:
        with open(os.path.join(folder(identity), name), encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def linger(identity: str, seconds: float) -> None:
    """Keep the mailbox until its content was received, at most ``seconds``, then remove it."""
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
    """Remove the mailboxes of transactions that ended long ago and whose guard is no longer alive
    (``alive(identity)``).
    """
    for identity in os.listdir(RUN) if os.path.isdir(RUN) else []:
        try:
            stale = time.time() - os.stat(os.path.join(folder(identity), "status.json")).st_mtime > _STALE_SECONDS
        except OSError:
            continue
        if stale and (status_of(identity) or {}).get("phase") in ENDED and not alive(identity):
            forget(identity)
