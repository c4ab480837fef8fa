# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of the open transaction of a host, on disk and flushed. It contains everything for an undo.

The journal is a folder. Its name is its state, which is changed by an atomic rename:

``transaction``  open: not verified; a boot, or a restarted guard, undoes it
``committed``    the rename to this name is the commit point; the remaining steps are only ever completed
``aside-<id>``   of another boot, or damaged: never used again, kept for the administrator

A journal is valid in the boot in which it was created and in the next boot, whose early-boot unit ends it. The unit
exists before the journal gets its name, so the next boot undoes whatever a power failure leaves in the profile files.
If the unit did not run or failed, days can pass, and the profile files may have been changed on purpose. From then on,
the journal is only used if it knows each profile file (known()); otherwise it is set aside and reported.
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
# If nothing may be written to disk (stateless hosts), nothing has to survive a boot either.
MEMORY = durable_files.RUN + "/journal"
# Bytes reserved for the undo, in addition to the size of the copies, so that it can write even if the disk fills up in
# the meantime.
_RESERVE = 1 << 18


class BusyError(Exception):
    """Another transaction is open on this host. The text contains its owner and age."""


def boot_id() -> str:
    """The kernel's ID of this boot. Distinguishes a restarted guard from a restarted host."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def age(entry: dict) -> float:
    """Seconds since ``entry`` was created, by the clock of this boot, which cannot be set."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return now - entry["created_boot"] if entry["boot_id"] == boot_id() else now


def describe(entry: dict) -> str:
    """The message for an open transaction: its ID, owner, and age."""
    return "another transaction is open on this host: %s, started %d s ago by %s" % (
        entry["id"],
        age(entry),
        entry["owner"],
    )


def create(
    entry: dict, places: Sequence[str], code: Mapping[str, bytes], base: str, arm: Callable[[], None] | None = None
) -> dict:
    """Write the journal: ``entry`` (dict), copies of ``places`` (profile files), ``code`` (``{relative path: bytes}``).

    It gets its name after it is complete and flushed and ``arm()`` was called. Returns the entry in the format of
    read(). Raises BusyError if a transaction is open, OSError if the disk is full or read-only (nothing is left behind
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
    """Increment the number of starts of the guard of ``entry`` and return it (1: it was never killed). Raises
    OSError.
    """
    handle = os.open(os.path.join(entry["path"], "lives"), os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, b"x")
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def lives(entry: dict) -> int:
    """The number of starts of the guard of ``entry``."""
    try:
        return os.stat(os.path.join(entry["path"], "lives")).st_size
    except FileNotFoundError:
        return 0


def first_boot(entry: dict) -> bool:
    """Whether this is the first boot that processes ``entry``. Recorded on disk, if possible."""
    try:
        os.unlink(os.path.join(entry["path"], "first-boot"))  # deleting requires no space on a full disk
        durable_files.sync(entry["path"])
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def put_back(entry: dict, places: Sequence[str]) -> list[str]:
    """Restore ``places`` from the copies in ``entry``; returns the changed paths.

    Raises profile_files.IncompleteError, with nothing changed, if the copies are damaged; OSError if they cannot be
    written.
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
    """The state of the profile files ``now`` (``{path: digest}``) relative to ``entry``: ``before`` the change,
    ``mixed`` from before and after, or "". Pure.
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
    """The journal of this host in any of its places: ``(state, entry)`` in the format of read()."""
    for base in (DISK, MEMORY):
        state, entry = read(base)
        if state:
            return state, entry
    return "", None


def update(entry: dict, **values: Any) -> None:
    """Add ``values`` to an open journal, flushed, for a boot that has to know about later steps. Raises OSError."""
    entry.update(values)
    content = {key: value for key, value in entry.items() if key not in ("path", "base")}
    durable_files.write_json(os.path.join(entry["path"], "journal.json"), content, durable=True)


def commit_point(entry: dict) -> None:
    """The commit point: after this function returns, the new state is permanent. Raises OSError if the journal is still
    open.
    """
    source, target = entry["path"], os.path.join(entry["base"], "committed")
    os.rename(source, target)
    entry["path"] = target
    try:
        durable_files.sync(entry["base"])
    except OSError:
        # Raises on a file system that rejects all changes: then the name is "committed" and cannot be changed back.
        os.rename(target, source)
        entry["path"] = source
        raise


def is_committed(entry: dict) -> bool:
    """Whether the folder of ``entry`` has its final name, independent of the result of the rename."""
    return os.path.basename(entry["path"]) == "committed"


def close(entry: dict) -> None:
    """Remove the journal of an ended transaction. The name is removed first, so that a partial journal is never read.
    Raises OSError.
    """
    gone = os.path.join(entry["base"], "ended-%s" % entry["id"])
    if os.path.isdir(entry["path"]):
        os.rename(entry["path"], gone)
        durable_files.sync(entry["base"])
    sweep(entry["base"])


def put_aside(entry: dict) -> str:
    """Set the journal aside for the administrator; returns its path. Raises OSError."""
    target = os.path.join(entry["base"], "aside-%s" % entry["id"])
    os.rename(entry["path"], target)
    entry["path"] = target
    durable_files.sync(entry["base"])
    return target


def sweep(base: str) -> None:
    """Delete remainders of ended journals in ``base``, and ``base`` if it is empty."""
    for name in os.listdir(base) if os.path.isdir(base) else []:
        if name.startswith("ended-"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(base)  # removed, unless other files are in it


def _claim(aside: str, target: str) -> None:
    # rename() onto a folder with content fails: this is the lock, and it is atomic.
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
