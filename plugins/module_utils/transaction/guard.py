# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard of a transaction under systemd, and the messages between it and whoever steers it.

The guard is a transient unit: it outlives SSH, nmstatectl and NetworkManager, and systemd starts it again when it is
killed (then it undoes). It runs the code that its folder carries, for a module's own code is gone when the module ends,
and the journal's when the transaction ends. The early-boot unit (boot_unit.py) has the journal's.

Steering is by files in ``/run/ovirt-mgmt-network/<id>``: ``status.json`` from the guard, and after a failure
``diagnosis.json``; ``confirm``, ``cancel`` and ``taken`` to it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import time

from ..privacy import private_files
from ..sources.command import CommandError, run
from . import journal

RUN = "/run/ovirt-mgmt-network"
LAST = os.path.join(RUN, "last.json")
ENTRY = "ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction.run"
ENDED = ("committed", "undone", "failed")
FIRST_WORD_SECONDS = 60  # for an interpreter to start on a busy host
_RESERVE = 1 << 16  # bytes for the status, which must be told in a full /run too
_STALE_SECONDS = 1800  # after which what an ended transaction has told is of no use to anybody
_unwritten = {}  # {identity: status} that could not be published: what is true for this process all the same


class SourceError(Exception):
    """The source of our own code is not to be had, so no guard could run it. Nothing was touched."""


def log(text):
    """A line in the host's journal: the units' standard output goes there."""
    try:
        sys.stdout.write("%s\n" % text)
        sys.stdout.flush()
    except (OSError, ValueError):  # nobody to write to is no reason to stop
        pass


def source_code():
    """``{path: bytes}`` of every module of ours that is loaded: what the guard and the boot unit will run. Raises
    SourceError.
    """
    package = __name__.rsplit(".", 2)[0]
    code = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(package + "."):
            try:
                text = module.__loader__.get_source(name)
            except (OSError, ImportError, AttributeError, ValueError) as exc:
                raise SourceError(_NO_SOURCE % (name, exc)) from exc
            room = hasattr(module, "__path__")  # what is at its door is often empty
            if not text and not room:
                raise SourceError(_NO_SOURCE % (name, "its loader has none"))
            # a loader may give the bytes of the file (PEP 302 wants text)
            code[name.replace(".", "/") + ("/__init__.py" if room else ".py")] = (
                text if isinstance(text, bytes) else (text or "").encode()
            )
    return code


_NO_SOURCE = (
    "the source of %s cannot be read (%s), and the guard that would undo the change runs from it. Nothing was changed. "
    "Run the play with Ansible's own execution of modules (strategy: linear, no accelerated strategy)"
)


_NOT_RUN = (
    "systemd cannot run it with %s (%s). Check that systemd may execute this interpreter (mount options, SELinux), "
    "or set "
    "ansible_python_interpreter to the system's Python; journalctl -u %s has more"
)


def unit_name(identity):
    return "ovirt-mgmt-network-%s.service" % identity


def launch(entry, code):
    """Start the guard of ``entry`` (an open journal) and return its status once it has said its first word.

    ``code``: see source_code(). Raises OSError when its folder cannot be written, CommandError when it cannot be
    started, or says nothing in time: then stop() it, for it may be alive.
    """
    folder = run_folder(entry["id"])
    journal.write_code(os.path.join(folder, "code"), code)
    journal.reserve(os.path.join(folder, "reserve"), _RESERVE)
    argv = [
        "systemd-run",
        "--quiet",
        "--collect",
        "--no-ask-password",
        "--unit=" + unit_name(entry["id"]),
        "--description=oVirt management network transaction " + entry["id"],
        # with Type=exec an interpreter that systemd may not execute is an error here
        "--property=Type=exec",
        "--property=Restart=on-failure",
        "--property=RestartSec=500ms",
        # enough for an undo that is killed again and again, and an end to a guard that cannot run at all
        "--property=StartLimitIntervalSec=300",
        "--property=StartLimitBurst=60",
        "--property=KillMode=control-group",
        "--property=OOMScoreAdjust=-900",
        "--property=TimeoutStopSec=5s",
        "--setenv=PYTHONPATH=" + os.path.join(folder, "code"),
    ]
    rc, _out, err = run(argv + [entry["python"], "-m", ENTRY, "run", entry["base"], entry["id"]], timeout=15)
    if rc:
        raise CommandError(
            _NOT_RUN % (entry["python"], err.strip() or "exit status %d" % rc, unit_name(entry["id"])), argv, rc
        )
    end = time.monotonic() + FIRST_WORD_SECONDS
    while True:
        status = status_of(entry["id"]) or {}
        if status.get("guard") or status.get("phase") in ENDED:
            return status
        if time.monotonic() > end or not alive(entry["id"]):
            raise CommandError(_NOT_RUN % (entry["python"], "it did not answer", unit_name(entry["id"])), argv)
        time.sleep(0.05)


def alive(identity):
    """Whether the guard of that transaction runs, or is about to be started again by systemd; True also when systemd
    does not tell.
    """
    try:
        rc, out, _err = run(["systemctl", "show", "--property=ActiveState", "--value", unit_name(identity)], timeout=10)
    except CommandError:
        return True
    return bool(rc) or out.strip() not in ("inactive", "failed")


def stop(identity):
    """End the guard of that transaction; returns whether it is certainly dead."""
    try:
        run(["systemctl", "stop", unit_name(identity)], timeout=20)
        run(["systemctl", "reset-failed", unit_name(identity)], timeout=10)
    except CommandError as exc:
        log(exc)
    return not alive(identity)


def run_folder(identity):
    return os.path.join(RUN, identity)


def tell(identity, **values):
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
        log("the status %s cannot be published: %s" % (values, exc))
    return status


def tell_again(identity):
    """Publish what tell() could not, if there is room by now."""
    if identity in _unwritten:
        try:
            publish(_unwritten[identity])
        except OSError:
            return
        del _unwritten[identity]


def publish(status):
    """Write ``status`` for those who steer (atomic), from the room that is kept for it if there is no other. Raises
    OSError.
    """
    folder = run_folder(status["id"])
    private_files.folder(folder)
    try:
        _publish(folder, status)
    except OSError as exc:
        reserve = os.path.join(folder, "reserve")
        if exc.errno != errno.ENOSPC or not os.path.exists(reserve):
            raise
        os.unlink(reserve)
        _publish(folder, status)


def _publish(folder, status):
    write_atomic(os.path.join(folder, "status.json"), status)
    if status.get("phase") in ENDED:
        write_atomic(
            LAST, {key: status.get(key) for key in ("id", "phase", "reason", "step", "exact", "repairs", "boot")}
        )


def status_of(identity):
    """The transaction's status as last told (dict), or None when nothing is known of it."""
    if identity in _unwritten:
        return _unwritten[identity]
    for path in (os.path.join(run_folder(identity), "status.json"), LAST):
        try:
            with open(path, encoding="utf-8") as stream:
                status = json.load(stream)
        except (OSError, ValueError):
            continue
        if status.get("id") == identity:
            return status
    return None


def message(identity, name, text=""):
    """Leave the message ``name`` (confirm, cancel, taken) for the guard. Raises OSError when it is gone."""
    path = os.path.join(run_folder(identity), name)
    with open(path + ".new", "w", encoding="utf-8", opener=private_files.opener) as stream:
        stream.write(text)
    os.rename(path + ".new", path)


def received(identity, name):
    """The text of that message, or None."""
    try:
        with open(os.path.join(run_folder(identity), name), encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def forget(identity):
    _unwritten.pop(identity, None)
    shutil.rmtree(run_folder(identity), ignore_errors=True)


def sweep():
    """Forget the transactions that ended long ago and whose guard did not live to do so itself."""
    for identity in os.listdir(RUN) if os.path.isdir(RUN) else []:
        path = os.path.join(run_folder(identity), "status.json")
        try:
            stale = time.time() - os.stat(path).st_mtime > _STALE_SECONDS
        except OSError:
            continue
        if stale and (status_of(identity) or {}).get("phase") in ENDED and not alive(identity):
            forget(identity)


def wait_for(identity, phases, seconds):
    """The status as soon as its phase is one of ``phases`` or it has ended, else as it is after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        status = status_of(identity)
        if status is None or status.get("phase") in phases or status.get("phase") in ENDED or time.monotonic() > end:
            return status
        time.sleep(0.05)


def write_atomic(path, data):
    """Publish ``data`` as JSON at ``path`` by a rename: readers see all of it or what was there before. Raises
    OSError, and leaves nothing then.
    """
    try:
        with open(path + ".new", "w", encoding="utf-8", opener=private_files.opener) as stream:
            json.dump(data, stream)
        os.rename(path + ".new", path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path + ".new")
        raise
