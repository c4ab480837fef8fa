# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One transaction on the host: journal, prepare, apply, prove, commit, or undo. Never a third state.

The module calls begin(), which ends once the guard runs. The guard, a process of its own under systemd, does the deeds
(guarded()), waits for the proof that only a new connection can give, and commits or undoes. The folder's name in
journal.py is the truth at any moment, also after a power cut (recovery.boot()).
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time

from . import diagnosis, difference, digest, guard, journal, netconf, networkmanager, nmstatectl, profile_settings, profiles, proof, recovery, snapshot
from .command import CommandError, run

# The checkpoint is the net below the guard: its timer ends after every bound of the guard's own steps, with this to spare.
CHECKPOINT_MARGIN = 60


class TransactionError(Exception):
    """The change cannot be begun; nothing was touched. The text says why and what to do."""


def plan(state, settings=None):
    """``(change, lacking, current)``: what of the nmstate ``state`` and of ``settings`` does not hold on this host, and the current state.

    ``settings``: ``{device: {property: value}}``, see profile_settings; without any, nobody is asked about them. What the host has in place
    of those that lack is in the current state, too.
    Raises TransactionError when they cannot be used.
    """
    # the same view as the facts': the taps of running VMs on a bridge are no difference
    current = digest.digest(nmstatectl.show())
    change = difference.difference(state, current)
    if not settings:
        return change, {}, current
    managed = networkmanager.objects()
    wanted = {one["name"] for one in state.get("interfaces") or [] if one.get("state", "up") == "up"}
    try:
        profile_settings.check(settings, wanted | set(networkmanager.active_connections_of(managed)))
    except profile_settings.SettingsError as exc:
        raise TransactionError("%s. Nothing was changed" % exc) from exc
    now = profile_settings.read(settings, managed)
    lacking = profile_settings.lacking(settings, now)
    return change, lacking, dict(current, settings=profile_settings.instead(lacking, now))


def concerned(settings, change, lacking):
    """Those of ``settings`` that are to be seen to: what is lacking, and all of a device whose profile nmstate writes again (pure)."""
    written = {one["name"] for one in change.get("interfaces") or []}
    return {device: wanted for device, wanted in (settings or {}).items() if device in lacking or device in written}


def begin(change, current, options):
    """Open a transaction for ``change`` and start its guard; return the status's first form.

    ``options``: ``timeout`` (s until the guard undoes without a confirmation), ``persistent`` (bool), ``record``
    ({networks, bondings} for VDSM), ``settings`` (those that are concerned()), ``keep`` (addresses that must be there afterwards),
    ``last_resort`` (none|reboot), ``owner`` (text). Raises TransactionError, with nothing touched.
    """
    recover_left_over()
    _wait_for_checkpoints(options.get("checkpoint_wait", 30))
    identity = "%s-%s" % (time.strftime("%Y%m%dT%H%M%S", time.gmtime()), secrets.token_hex(3))
    persistent = options["persistent"]
    base = journal.DISK if persistent else journal.MEMORY
    entry = {
        "id": identity, "owner": options["owner"], "python": sys.executable, "persistent": persistent, "change": change,
        "raises": difference.mtu_raises(change, current), "timeout": options["timeout"], "record": options["record"],
        "keep": options["keep"], "last_resort": options["last_resort"], "snapshot": snapshot.take(), "probes": options["probes"],
        "named": [iface["name"] for iface in change.get("interfaces", [])], "before": current,
        "settings": options["settings"],
    }
    try:
        entry["path"] = journal.create(entry, profiles.ON_DISK + profiles.IN_MEMORY, guard.source_code(), base)
        entry["base"] = base
    except journal.BusyError as exc:
        raise TransactionError("%s. Nothing was changed. Wait for its end, or end it: network_commit" % exc) from exc
    except OSError as exc:
        raise TransactionError("the journal that could undo the change cannot be written: %s. Nothing was changed" % exc) from exc
    try:
        if persistent:
            guard.arm_boot(entry)
        status = guard.tell(identity, phase="open", timeout=options["timeout"], log_cursor=diagnosis.log_cursor())
        guard.launch(entry)
    except (OSError, CommandError) as exc:
        recovery.end(entry)
        guard.forget(identity)
        raise TransactionError("the guard of the change cannot be started: %s. Nothing was changed" % exc) from exc
    return status


def recover_left_over():
    """End a transaction whose guard is gone for good; raise TransactionError when one is in being."""
    state, entry = journal.find()
    if not state:
        return
    if guard.alive(entry["id"]) or journal.age(entry) < 5:
        raise TransactionError("%s. Nothing was changed. Wait for its end, or end it: network_commit" % journal.describe(entry))
    if state == "committed":
        recovery.carry_forward(entry)
    else:
        recovery.undo(entry, "apply", "its guard was gone")
    guard.forget(entry["id"])


def guarded(base):
    """The guard's life: the whole transaction, or its undoing when the guard was killed and has started again."""
    state, entry = journal.read(base)
    if not state:
        return
    begun = guard.status_of(entry["id"]) or {}
    if state == "committed":
        recovery.carry_forward(entry)
    elif begun.get("phase", "open") != "open":
        recovery.undo(entry, begun.get("phase"), "the guard was killed while %s" % begun.get("phase"))
    else:
        try:
            passed = proof.baseline(entry)
            _change(entry)
            proof.prove(entry, passed, time.monotonic() + bounds(entry)["prove"])
            _commit(entry)
        except proof.Abort as exc:
            recovery.undo(entry, exc.step, str(exc), **exc.details)
        except CommandError as exc:
            recovery.undo(entry, "apply", str(exc))
        except Exception as exc:  # a fault of our own must not leave the host in between either
            recovery.undo(entry, "apply", "%s: %s" % (type(exc).__name__, exc))
    _linger(entry["id"])


def _change(entry):
    guard.tell(entry["id"], phase="preparing")
    change = entry["change"]
    for one in entry["raises"]:
        _raise_mtu(one, entry["persistent"])
    change = difference.without(change, [one["name"] for one in entry["raises"]])
    checkpoint = ""
    settings, bridges = entry["settings"], [one["name"] for one in change.get("interfaces") or [] if one.get("type") == "linux-bridge"]
    try:
        profile_settings.prepare(settings, bridges, entry["persistent"])
        if change:
            guard.tell(entry["id"], phase="applying")
            checkpoint = _apply(entry, change)
        profile_settings.put(settings, entry["persistent"])
    except profile_settings.SettingsError as exc:
        raise proof.Abort("apply", str(exc)) from exc
    guard.tell(entry["id"], checkpoint=checkpoint)


def _raise_mtu(one, persistent):
    """Raise an MTU in profile and kernel without re-activating anything (0 packets lost; design: prepare)."""
    profile = networkmanager.active_connections().get(one["name"])
    words = ["nmcli", "connection", "modify"] + ([] if persistent else ["--temporary"])
    if profile:
        rc, _out, err = run(words + ["uuid", profile["uuid"], "802-3-ethernet.mtu", str(one["mtu"])], timeout=10)
        if rc:
            raise proof.Abort("prepare", "the profile of %s does not take MTU %s: %s" % (one["name"], one["mtu"], err.strip()))
    rc, _out, err = run(["ip", "link", "set", "dev", one["name"], "mtu", str(one["mtu"])], timeout=10)
    if rc:
        raise proof.Abort("prepare", "%s does not take MTU %s: %s" % (one["name"], one["mtu"], err.strip()))


def bounds(entry):
    """Seconds for the steps under the checkpoint, ``{apply, prove, checkpoint}`` and settings: the checkpoint outlives the guard's own steps."""
    steps = {"apply": max(10, entry["timeout"] - 10), "prove": entry["timeout"] + proof.stp_seconds(entry)}
    if entry.get("settings"):
        steps["settings"] = profile_settings.SECONDS * len(entry["settings"])
    return dict(steps, checkpoint=sum(steps.values()) + CHECKPOINT_MARGIN)


def _apply(entry, change):
    before = set(networkmanager.checkpoint_paths())
    # Should the guard be killed before it knows its checkpoint: by these its next life tells it from those of others.
    guard.tell(entry["id"], foreign=sorted(before), checkpoint_timeout=bounds(entry)["checkpoint"])
    done = nmstatectl.apply(change, bounds(entry)["checkpoint"], bound=bounds(entry)["apply"], memory_only=not entry["persistent"])
    checkpoint = done["checkpoint"] or next(iter(set(networkmanager.checkpoint_paths()) - before), "")
    guard.tell(entry["id"], checkpoint=checkpoint)
    if done["error"]:
        raise proof.Abort("apply", done["error"]["message"], error=done["error"])
    if not checkpoint:
        raise proof.Abort("apply", "nmstatectl reported success, but its checkpoint is gone: NetworkManager was restarted or somebody else ended it")
    return checkpoint


def _commit(entry):
    status = guard.tell(entry["id"], phase="committing")
    checkpoint = status.get("checkpoint")
    proof.check_checkpoint(checkpoint)
    proof.settle(entry, time.monotonic() + 2)
    try:
        if entry["persistent"]:
            journal.update(entry, prepared=netconf.prepare_record(entry["record"]))
            profiles.flush()
        # Before the commit point, so that its timer can never fire behind it; the undo does without it.
        if checkpoint:
            networkmanager.destroy_checkpoint(checkpoint)
        journal.commit_point(entry)
    except OSError as exc:
        raise proof.Abort("commit", "the network configuration cannot be made durable: %s" % exc) from exc
    except networkmanager.NetworkManagerError as exc:
        raise proof.Abort("commit", "the checkpoint %s could not be ended: %s" % (checkpoint, exc)) from exc
    recovery.carry_forward(entry)


def _linger(identity):
    """Keep the result for the controller until it was taken (it may be away), then leave no trace but the log."""
    end = time.monotonic() + 600
    while guard.received(identity, "taken") is None and time.monotonic() < end:
        time.sleep(0.1)
    guard.forget(identity)


def _wait_for_checkpoints(seconds):
    end = time.monotonic() + seconds
    while True:
        foreign = networkmanager.checkpoint_paths()
        if not foreign:
            return
        if time.monotonic() > end:
            raise TransactionError("NetworkManager's checkpoint %s of somebody else is still there after %s s (%s). Nothing was changed. "
                                   "Wait for its end, or ask its owner to end it"
                                   % (foreign[0], seconds, networkmanager.checkpoint_owner(foreign[0])))
        time.sleep(0.5)


def main(argv):
    """``run BASE`` (the guard) or ``boot BASE`` (early boot): called by the units that guard.py makes."""
    signal.signal(signal.SIGTERM, lambda *_args: os._exit(75))  # not a clean end: systemd starts the guard again, which undoes
    {"run": guarded, "boot": recovery.boot}[argv[0]](argv[1])


if __name__ == "__main__":
    main(sys.argv[1:])
