# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal of the one open transaction of a host, on disk and flushed: what undoes it, whatever happens.

A folder whose name is its state, changed by rename, which the file system does wholly or not at all:

``transaction``  open: not proven; a boot, or a guard that starts again, undoes it
``committed``    the rename to this name is the commit point; what is left to do is only ever carried forward
"""

from __future__ import annotations

import json
import os
import shutil
import time

from . import profiles

DISK = "/var/lib/ovirt-mgmt-network"
# Where nothing may be written to disk (stateless hosts), nothing has to outlive a boot either.
MEMORY = "/run/ovirt-mgmt-network/journal"


class BusyError(Exception):
    """Another transaction is open on this host; the text names its owner and age."""


def boot_id():
    """The kernel's id of this boot: tells a restarted guard from a restarted host."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def age(entry):
    """Seconds since ``entry`` was made, by the clock of this boot: nobody can set that one."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return now - entry["created_boot"] if entry["boot_id"] == boot_id() else now


def describe(entry):
    """Which transaction is open, whose, and for how long, in words."""
    return "another transaction is open on this host: %s, started %d s ago by %s" % (entry["id"], age(entry), entry["owner"])


def create(entry, places, code, base=DISK):
    """Write the journal: ``entry`` (dict), copies of ``places`` (profile files), ``code`` (``{relative path: bytes}``).

    It is complete and flushed before it gets its name. Returns its path. Raises BusyError when one is open, OSError when
    the disk is full or read-only (nothing is left behind then).
    """
    os.makedirs(base, mode=0o700, exist_ok=True)
    aside = os.path.join(base, "new-%s" % entry["id"])
    try:
        os.makedirs(os.path.join(aside, "files"), mode=0o700)
        for name, content in code.items():
            path = os.path.join(aside, "code", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as stream:
                stream.write(content)
        entry = dict(entry, boot_id=boot_id(), created_boot=time.clock_gettime(time.CLOCK_BOOTTIME), files=profiles.copy(places, os.path.join(aside, "files")))
        _write(os.path.join(aside, "journal.json"), entry)
        profiles.flush_tree(aside)
        _claim(aside, os.path.join(base, "transaction"))
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    profiles.flush([base])
    return os.path.join(base, "transaction")


def read(base=DISK):
    """``(state, entry)`` of the journal in ``base``: state ``open``, ``committed`` or ``""`` (then entry is None)."""
    for name, state in (("committed", "committed"), ("transaction", "open")):
        try:
            with open(os.path.join(base, name, "journal.json"), encoding="utf-8") as stream:
                return state, dict(json.load(stream), path=os.path.join(base, name), base=base)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return "", None


def find():
    """The journal of this host wherever it is: ``(state, entry)`` as read() gives it."""
    for base in (DISK, MEMORY):
        state, entry = read(base)
        if state:
            return state, entry
    return "", None


def update(entry, **values):
    """Add ``values`` to an open journal, flushed (what a boot needs to know of later steps)."""
    entry.update(values)
    path = os.path.join(entry["path"], "journal.json")
    _write(path + ".new", {key: value for key, value in entry.items() if key not in ("path", "base")})
    os.rename(path + ".new", path)
    profiles.flush([entry["path"]])


def commit_point(entry):
    """From the return of this function on the new state stays, whatever happens."""
    target = os.path.join(entry["base"], "committed")
    os.rename(entry["path"], target)
    profiles.flush([entry["base"]])
    entry["path"] = target


def close(entry):
    """Remove the journal: the transaction has ended. The name goes first, so that half a journal is never read."""
    gone = os.path.join(entry["base"], "ended-%s" % entry["id"])
    if os.path.isdir(entry["path"]):
        os.rename(entry["path"], gone)
        profiles.flush([entry["base"]])
    shutil.rmtree(gone, ignore_errors=True)
    try:
        os.rmdir(entry["base"])  # nothing of ours stays; other leftovers keep it
    except OSError:
        pass


def _claim(aside, target):
    # rename() onto a folder that has content fails: this is the lock, and it is never half taken.
    try:
        os.rename(aside, target)
    except OSError as exc:
        _state, other = read(os.path.dirname(target))
        if other is None:
            raise
        raise BusyError(describe(other)) from exc


def _write(path, data):
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(data, stream)
        stream.flush()
        os.fsync(stream.fileno())
