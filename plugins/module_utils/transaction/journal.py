# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of the one open transaction of a host, on disk and flushed: what undoes it, whatever happens.

A folder whose name is its state, changed by rename, which the file system does wholly or not at all:

``transaction``  open: not proven; a boot, or a guard that starts again, undoes it
``committed``    the rename to this name is the commit point; what is left to do is only ever carried forward
``aside-<id>``   of another boot, or damaged: never used again, kept for a human to look at

A journal belongs to the boot that it was made in and to the next one, whose early-boot unit ends it: that unit is there
before the name is, so whatever a power cut leaves in the profile files, that boot undoes it. If the unit did not run or
did not succeed, days may lie between, and the profile files may be somebody's work of today. From then on the journal
is used only while each of them is one that it knows (known()); otherwise it is put aside and reported.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time

from ..privacy import private_files
from ..sources import durable_files, profile_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

DISK = durable_files.STATE
# Where nothing may be written to disk (stateless hosts), nothing has to outlive a boot either.
MEMORY = durable_files.RUN + "/journal"
# Bytes kept free for the undo, beside the size of the copies: a disk that fills up meanwhile does not keep it from
# writing.
_RESERVE = 1 << 18


class BusyError(Exception):
    """Another transaction is open on this host; the text names its owner and age."""


def boot_id() -> str:
    """The kernel's id of this boot: tells a restarted guard from a restarted host."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def age(entry: dict) -> float:
    """Seconds since ``entry`` was made, by the clock of this boot: nobody can set that one."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return now - entry["created_boot"] if entry["boot_id"] == boot_id() else now


def describe(entry: dict) -> str:
    """Which transaction is open, whose, and for how long, in words."""
    return "another transaction is open on this host: %s, started %d s ago by %s" % (
        entry["id"],
        age(entry),
        entry["owner"],
    )


def create(
    entry: dict, places: Sequence[str], code: Mapping[str, bytes], base: str, arm: Callable[[], None] | None = None
) -> dict:
    """Write the journal: ``entry`` (dict), copies of ``places`` (profile files), ``code`` (``{relative path: bytes}``).

    It is complete and flushed, and ``arm()`` has been called, before it gets its name. Returns the entry as read()
    gives it. Raises BusyError when one is open, OSError when the disk is full or read-only (nothing is left behind
    then).
    """
    private_files.folder(base)
    aside = os.path.join(base, "new-%s" % entry["id"])
    try:
        os.makedirs(os.path.join(aside, "files"), mode=0o700)
        durable_files.write_all(os.path.join(aside, "code"), code)
        copied = profile_files.copy(places, os.path.join(aside, "files"))
        entry = dict(entry, boot_id=boot_id(), created_boot=time.clock_gettime(time.CLOCK_BOOTTIME), files=copied)
        durable_files.write_json(os.path.join(aside, "journal.json"), entry, durable=True)
        durable_files.reserve(
            os.path.join(aside, "reserve"), _RESERVE + 2 * sum(os.lstat(path).st_size for path in copied)
        )
        for name in ("first-boot", "lives"):
            durable_files.write_all(aside, {name: b""})
        durable_files.sync_tree(aside)
        if arm is not None:
            arm()
        _claim(aside, os.path.join(base, "transaction"))
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        sweep(base)
        raise
    durable_files.sync(base)
    return dict(entry, path=os.path.join(base, "transaction"), base=base)


def begin_life(entry: dict) -> int:
    """Count one more life of the guard of ``entry`` and return which it is (1: it was never killed). Raises OSError."""
    handle = os.open(os.path.join(entry["path"], "lives"), os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, b"x")
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def lives(entry: dict) -> int:
    """How many lives the guard of ``entry`` has begun."""
    try:
        return os.stat(os.path.join(entry["path"], "lives")).st_size
    except FileNotFoundError:
        return 0


def first_boot(entry: dict) -> bool:
    """Whether this is the first boot that looks at ``entry``; no later one is told so again, if the disk takes that
    down.
    """
    try:
        os.unlink(os.path.join(entry["path"], "first-boot"))  # deleting needs no room on a full disk
        durable_files.sync(entry["path"])
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def put_back(entry: dict, places: Sequence[str]) -> list[str]:
    """Restore ``places`` from the copies in ``entry``; returns the paths that were touched.

    Raises profile_files.IncompleteError, with nothing touched, when the copies are not whole; OSError when they cannot
    be written.
    """
    source = os.path.join(entry["path"], "files")
    profile_files.check(source, entry["files"])
    try:
        return profile_files.restore(places, source)
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
    _discard(os.path.join(entry["path"], "reserve"))
    return profile_files.restore(places, source)


def known(entry: dict, now: Mapping[str, str]) -> str:
    """What the profile files ``now`` (``{path: digest}``) are to ``entry``: ``before`` the change, ``mixed`` of before
    and after, or "" (pure).
    """
    before = {path: digest for path, digest in entry["files"].items() if not path.startswith(profile_files.IN_MEMORY)}
    if now == before:
        return "before"
    after = entry.get("applied") or before
    paths = set(now) | set(before) | set(after)
    return "mixed" if all(now.get(path) in (before.get(path), after.get(path)) for path in paths) else ""


def read(base: str) -> tuple[str, dict | None]:
    """``(state, entry)`` of the journal in ``base``: state ``open``, ``committed`` or ``""`` (then entry is None).
    Raises OSError.
    """
    for name, state in (("committed", "committed"), ("transaction", "open")):
        try:
            with open(os.path.join(base, name, "journal.json"), encoding="utf-8") as stream:
                return state, dict(json.load(stream), path=os.path.join(base, name), base=base)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except ValueError as exc:
            raise OSError(
                "the journal %s is damaged (%s). Check the network of this host, then move this folder to another place"
                % (os.path.join(base, name), exc)
            ) from exc
    return "", None


def find() -> tuple[str, dict | None]:
    """The journal of this host wherever it is: ``(state, entry)`` as read() gives it."""
    for base in (DISK, MEMORY):
        state, entry = read(base)
        if state:
            return state, entry
    return "", None


def update(entry: dict, **values: Any) -> None:
    """Add ``values`` to an open journal, flushed (what a boot needs to know of later steps). Raises OSError."""
    entry.update(values)
    content = {key: value for key, value in entry.items() if key not in ("path", "base")}
    durable_files.write_json(os.path.join(entry["path"], "journal.json"), content, durable=True)


def commit_point(entry: dict) -> None:
    """From the return of this function on the new state stays, whatever happens. Raises OSError when it does not: the
    journal is open then.
    """
    source, target = entry["path"], os.path.join(entry["base"], "committed")
    os.rename(source, target)
    entry["path"] = target
    try:
        durable_files.sync(entry["base"])
    except OSError:
        # Raises in its turn on a file system that takes no change any more: then the name says committed, and nobody
        # can undo it.
        os.rename(target, source)
        entry["path"] = source
        raise


def is_committed(entry: dict) -> bool:
    """Whether the folder of ``entry`` has its last name, whatever became of the call that gave it."""
    return os.path.basename(entry["path"]) == "committed"


def close(entry: dict) -> None:
    """Remove the journal: the transaction has ended. The name goes first, so that half a journal is never read. Raises
    OSError.
    """
    gone = os.path.join(entry["base"], "ended-%s" % entry["id"])
    if os.path.isdir(entry["path"]):
        os.rename(entry["path"], gone)
        durable_files.sync(entry["base"])
    sweep(entry["base"])


def put_aside(entry: dict) -> str:
    """Take the journal out of use and keep it for a human; returns its path. Raises OSError."""
    target = os.path.join(entry["base"], "aside-%s" % entry["id"])
    os.rename(entry["path"], target)
    entry["path"] = target
    durable_files.sync(entry["base"])
    return target


def sweep(base: str) -> None:
    """Delete what journals that have ended left in ``base``, and ``base`` when nothing else is in it."""
    for name in os.listdir(base) if os.path.isdir(base) else []:
        if name.startswith("ended-"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(base)  # nothing of ours stays; other leftovers keep it


def _claim(aside: str, target: str) -> None:
    # rename() onto a folder that has content fails: this is the lock, and it is never half taken.
    try:
        os.rename(aside, target)
    except OSError as exc:
        _state, other = read(os.path.dirname(target))
        if other is None:
            raise
        raise BusyError(describe(other)) from exc


def _discard(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
