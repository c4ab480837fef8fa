# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard of a transaction under systemd, and the messages between it and whoever steers it.

The guard is a transient unit: it outlives SSH, nmstatectl and NetworkManager, and systemd starts it again when it is
killed (then it undoes). The early-boot unit does the same after a power cut, before NetworkManager reads the profiles.
Both run the code that the journal carries, for a module's own code is gone when the module ends.

Steering is by files in ``/run/ovirt-mgmt-network/<id>``: ``status.json`` from the guard, and after a failure
``diagnosis.json``; ``confirm``, ``cancel`` and ``taken`` to it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time

from .command import run

RUN = "/run/ovirt-mgmt-network"
LAST = os.path.join(RUN, "last.json")
BOOT_UNIT = "ovirt-mgmt-network-recover.service"
_UNITS = "/etc/systemd/system"
_WANTS = os.path.join(_UNITS, "NetworkManager.service.wants")
_ENTRY = "ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction"
ENDED = ("committed", "undone", "failed")


def log(text):
    """A line in the host's journal: the units' standard output goes there."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def source_code():
    """``{path: bytes}`` of every module of ours that is loaded: what the guard and the boot unit will run."""
    package = __name__.rsplit(".", 1)[0]
    code = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(package + ".") and getattr(module, "__file__", None):
            code[name.replace(".", "/") + ".py"] = module.__loader__.get_source(name).encode()
    return code


def unit_name(identity):
    return "ovirt-mgmt-network-%s.service" % identity


def launch(entry):
    """Start the guard of ``entry`` (an open journal) and return at once. Raises CommandError."""
    argv = ["systemd-run", "--quiet", "--collect", "--no-ask-password", "--unit=" + unit_name(entry["id"]),
            "--description=oVirt management network transaction " + entry["id"],
            "--property=Restart=on-failure", "--property=RestartSec=100ms", "--property=StartLimitIntervalSec=0",
            "--property=KillMode=control-group", "--property=OOMScoreAdjust=-900", "--property=TimeoutStopSec=5s",
            "--setenv=PYTHONPATH=" + os.path.join(entry["path"], "code"), "--setenv=PYTHONDONTWRITEBYTECODE=1"]
    run(argv + [entry["python"], "-m", _ENTRY, "run", entry["base"]], timeout=15, check=True)


def alive(identity):
    """Whether the guard of that transaction runs (or is about to be started again by systemd)."""
    out = run(["systemctl", "show", "--property=ActiveState", "--value", unit_name(identity)], timeout=10)[1]
    return out.strip() in ("active", "activating", "reloading", "deactivating")


def arm_boot(entry):
    """Install the early-boot unit that undoes (or carries forward) ``entry`` after a power cut. Raises OSError."""
    text = "\n".join((
        "# made by ovirt.mgmt_network for the open transaction %s; goes with it" % entry["id"],
        "[Unit]", "Description=Undo an unproven change of the oVirt management network",
        "DefaultDependencies=no", "After=local-fs.target", "Before=NetworkManager.service network-pre.target",
        "RequiresMountsFor=/etc /var/lib %s" % entry["base"],
        "ConditionPathExists=|%s/transaction" % entry["base"], "ConditionPathExists=|%s/committed" % entry["base"],
        "[Service]", "Type=oneshot", "Environment=PYTHONDONTWRITEBYTECODE=1",
        # the folder's name tells the state, so the code is at one of two places
        "ExecStart=/bin/sh -c 'for d in transaction committed; do if [ -d %s/$d ]; then PYTHONPATH=%s/$d/code exec %s -m %s boot %s; fi; done'"
        % (entry["base"], entry["base"], entry["python"], _ENTRY, entry["base"]), ""))
    os.makedirs(_WANTS, exist_ok=True)
    path = os.path.join(_UNITS, BOOT_UNIT)
    _write_flushed(path, text)
    link = os.path.join(_WANTS, BOOT_UNIT)
    if not os.path.islink(link):
        os.symlink(path, link)
    _flush_folder(_UNITS)
    _flush_folder(_WANTS)


def disarm_boot():
    """Remove the early-boot unit; nothing of ours stays."""
    for path in (os.path.join(_WANTS, BOOT_UNIT), os.path.join(_UNITS, BOOT_UNIT)):
        if os.path.lexists(path):
            os.unlink(path)
            _flush_folder(os.path.dirname(path))
    try:
        os.rmdir(_WANTS)
    except OSError:
        pass


def run_folder(identity):
    return os.path.join(RUN, identity)


def tell(identity, **values):
    """Merge ``values`` into the transaction's status and publish it (atomic). Returns the whole status."""
    folder = run_folder(identity)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = dict(status_of(identity) or {"id": identity, "timeline": []}, **values)
    if "phase" in values:
        status["timeline"] = status["timeline"] + [{"phase": values["phase"], "at": round(time.time(), 3)}]
    write_atomic(os.path.join(folder, "status.json"), status)
    if status.get("phase") in ENDED:
        write_atomic(LAST, {key: status.get(key) for key in ("id", "phase", "reason", "step", "exact", "repairs", "boot")})
    return status


def status_of(identity):
    """The transaction's status as last told (dict), or None when nothing is known of it."""
    for path in (os.path.join(run_folder(identity), "status.json"), LAST):
        try:
            with open(path, encoding="utf-8") as stream:
                status = json.load(stream)
        except (FileNotFoundError, ValueError):
            continue
        if status.get("id") == identity:
            return status
    return None


def message(identity, name, text=""):
    """Leave the message ``name`` (confirm, cancel, taken) for the guard. Raises OSError when it is gone."""
    path = os.path.join(run_folder(identity), name)
    with open(path + ".new", "w", encoding="utf-8") as stream:
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
    shutil.rmtree(run_folder(identity), ignore_errors=True)


def wait_for(identity, phases, seconds):
    """The status as soon as its phase is one of ``phases`` or it has ended, else as it is after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        status = status_of(identity)
        if status is None or status.get("phase") in phases or status.get("phase") in ENDED or time.monotonic() > end:
            return status
        time.sleep(0.05)


def write_atomic(path, data):
    """Publish ``data`` as JSON at ``path`` by a rename: readers see all of it or what was there before."""
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(data, stream)
    os.rename(path + ".new", path)


def _write_flushed(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
