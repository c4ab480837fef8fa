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

from ..change import desired_state, difference, scope
from ..effects import profile_settings
from ..facts import digest
from ..proof import prove
from ..sources import networkmanager, nmstatectl, profile_files, vdsm_persistence
from ..sources.command import CommandError, run
from . import boot_unit, diagnosis, endings, guard, journal, repair, snapshot

# The checkpoint is the net below the guard: its timer ends after every bound of the guard's own steps, with this to
# spare.
CHECKPOINT_MARGIN = 60


class TransactionError(Exception):
    """The change cannot be begun; nothing was touched. The text says why and what to do."""


def plan(state, settings=None):
    """``(change, lacking, current)``: what of the nmstate ``state`` and of ``settings`` does not hold on this host, and
    the current state.

    ``settings``: ``{device: {property: value}}``, see profile_settings; without any, nobody is asked about them. What
    the host has in place of those that lack is in the current state, too.
    Raises TransactionError when they cannot be used.
    """
    try:
        state = desired_state.checked(state)
        current = digest.without_guests(nmstatectl.show())
        change = difference.difference(state, current, _profiled(state))
        desired_state.refuse(change, current)
    except desired_state.StateError as exc:
        raise TransactionError("%s. Nothing was changed" % exc) from exc
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


def _profiled(state):
    """The devices that profiles are of, asked for only when ``state`` wants some interface absent."""
    absent = any(one.get("state") == "absent" for one in state.get("interfaces") or [])
    return networkmanager.profiled_devices() if absent else ()


def concerned(settings, change, lacking):
    """Those of ``settings`` that are to be seen to: what is lacking, and all of a device whose profile nmstate writes
    again (pure).
    """
    written = {one["name"] for one in change.get("interfaces") or []}
    return {device: wanted for device, wanted in (settings or {}).items() if device in lacking or device in written}


def begin(change, current, options):
    """Open a transaction for ``change`` and start its guard; return the status's first form.

    ``options``: ``timeout`` (s until the guard undoes without a confirmation), ``persistent`` (bool), ``record``
    ({networks, bondings} for VDSM), ``settings`` (those that are concerned()), ``keep`` (addresses that must be there
    afterwards), ``proven`` (whether the control connection proves the change), ``commit`` (whether it is committed by
    itself), ``last_resort`` (none|reboot), ``owner`` (text). Raises TransactionError, with nothing touched.
    """
    recover_left_over()
    wait_for_checkpoints(0)  # what is changed under one that came after the plan is not what was planned on
    identity = "%s-%s" % (time.strftime("%Y%m%dT%H%M%S", time.gmtime()), secrets.token_hex(3))
    persistent = options["persistent"]
    base = journal.DISK if persistent else journal.MEMORY
    before = snapshot.take()
    entry = {
        "id": identity,
        "owner": options["owner"],
        "python": sys.executable,
        "persistent": persistent,
        "change": change,
        "raises": difference.mtu_raises(change, current),
        "timeout": options["timeout"],
        "record": options["record"],
        "keep": options["keep"],
        "last_resort": options["last_resort"],
        "snapshot": before,
        "probes": options["probes"],
        "scope": scope.touched(change, before, current, options["keep"], options["settings"]),
        "held": difference.held(change, current),
        "before": digest.digest(current),
        "settings": options["settings"],
        "proven": options.get("proven", True),
        "commit": options.get("commit", True),
    }
    try:
        code = guard.source_code()
        entry = _open(entry, code, base)
    except guard.SourceError as exc:
        raise TransactionError(str(exc)) from exc
    except journal.BusyError as exc:
        raise TransactionError("%s. Nothing was changed. Wait for its end, or end it: network_commit" % exc) from exc
    except OSError as exc:
        raise TransactionError(
            "the journal that could undo the change cannot be written: %s. Nothing was changed" % exc
        ) from exc
    try:
        guard.publish({"id": identity, "timeline": []})  # a full /run is an error here, not later
        guard.tell(identity, phase="open", timeout=options["timeout"], log_cursor=diagnosis.log_cursor())
        return guard.launch(entry, code)
    except (OSError, CommandError) as exc:
        raise TransactionError(_call_off(entry, exc)) from exc


def _open(entry, code, base):
    """Make the journal of ``entry``, and before it has its name the early-boot unit. Returns the entry. Raises
    BusyError, OSError.
    """
    arm = (lambda: boot_unit.arm(dict(entry, base=base))) if entry["persistent"] else None
    with boot_unit.held():
        try:
            return journal.create(entry, profile_files.ON_DISK + profile_files.IN_MEMORY, code, base, arm)
        except OSError:
            if entry["persistent"] and not journal.read(base)[0]:
                boot_unit.disarm()
            raise


def _call_off(entry, trouble):
    """End a transaction whose guard was not to be started; returns in words what became of the host.

    The guard is dead before its journal goes. One that had got as far as changing something is undone.
    """
    identity = entry["id"]
    if not guard.stop(identity):
        return (
            "the guard of the change %s does not answer, and systemd does not say that it is dead: %s. It undoes the "
            "change, or the next boot does. "
            "Check it: systemctl status %s" % (identity, trouble, guard.unit_name(identity))
        )
    if journal.lives(entry):
        endings.undo(entry, "begin", str(trouble))
        undone = guard.status_of(identity) or {}
        what = (
            "The change was undone, exactly"
            if undone.get("exact")
            else "The change was undone, but this differs: %s" % undone.get("left")
        )
    else:
        endings.end(entry)
        what = "Nothing was changed"
    guard.forget(identity)
    return "the guard of the change cannot be started: %s. %s" % (trouble, what)


def recover_left_over():
    """End a transaction whose guard is gone for good; returns what a user must know of that, in words.

    Raises TransactionError when one is open, or cannot be ended.
    """
    guard.sweep()
    state, entry = journal.find()
    if not state:
        return ""
    said = ""
    if entry["boot_id"] != journal.boot_id():
        said = endings.end_foreign(state, entry)
    elif guard.alive(entry["id"]) or journal.age(entry) < 5:
        raise TransactionError(
            "%s. Nothing was changed. Wait for its end, or end it: network_commit" % journal.describe(entry)
        )
    elif state == "committed":
        endings.carry_forward(entry)
    elif journal.lives(entry):
        endings.undo(entry, "apply", "its guard was gone")
    else:  # nobody has begun it
        endings.end(entry)
    if journal.find()[0]:
        raise TransactionError(
            "the transaction %s cannot be ended: %s. Nothing else was changed. Make room on the disk, or make it "
            "writable, and run again"
            % (entry["id"], (guard.status_of(entry["id"]) or {}).get("left") or "its journal cannot be removed")
        )
    guard.forget(entry["id"])
    return said


def guarded(base, identity):
    """The guard's life: the whole transaction, or what is left of it when the guard was killed and has started again."""
    state, entry = journal.read(base)
    if not state or entry["id"] != identity:
        endings.finish(base, identity)
    elif state == "committed":
        endings.carry_forward(entry)
    else:
        phase = (guard.status_of(identity) or {}).get("phase", "open")
        try:
            life = journal.begin_life(entry)
        except OSError as exc:
            guard.log(exc)
            life = journal.lives(entry) + 1
        if life > 1:
            endings.undo(entry, phase, "the guard was killed while %s" % phase)
        else:
            _live(entry)
    _linger(identity)


def _live(entry):
    try:
        guard.publish(
            dict(guard.status_of(entry["id"]) or {"id": entry["id"], "timeline": []}, guard=os.getpid())
        )  # the first word
        before = prove.baseline(entry)
        _change(entry)
        prove.prove(entry, before, time.monotonic() + bounds(entry)["prove"])
        _commit(entry)
    except prove.Abort as exc:
        return endings.undo(entry, exc.step, str(exc), **exc.details)
    except CommandError as exc:
        return endings.undo(entry, "apply", str(exc))
    except Exception as exc:  # a fault of our own must not leave the host in between either
        return endings.undo(entry, "apply", "%s: %s" % (type(exc).__name__, exc))
    return endings.carry_forward(entry)  # outside: nothing is undone any more


def _change(entry):
    guard.tell(entry["id"], phase="preparing")
    change = entry["change"]
    for one in entry["raises"]:
        _raise_mtu(one, entry["persistent"])
    change = difference.without(change, [one["name"] for one in entry["raises"]])
    checkpoint = ""
    settings, bridges = (
        entry["settings"],
        [one["name"] for one in change.get("interfaces") or [] if one.get("type") == "linux-bridge"],
    )
    try:
        profile_settings.prepare(settings, bridges, entry["persistent"])
        if change:
            guard.tell(entry["id"], phase="applying")
            guests = snapshot.guests()
            checkpoint = _apply(entry, change)
            repair.reattach(guests, guard.log)
        profile_settings.put(settings, entry["persistent"])
    except profile_settings.SettingsError as exc:
        raise prove.Abort("apply", str(exc)) from exc
    guard.tell(entry["id"], checkpoint=checkpoint)
    if entry["persistent"]:
        journal.update(entry, applied=profile_files.digests(profile_files.ON_DISK))


def _raise_mtu(one, persistent):
    """Raise an MTU in profile and kernel without re-activating anything (0 packets lost; design: prepare)."""
    profile = networkmanager.active_connections().get(one["name"])
    words = ["nmcli", "connection", "modify"] + ([] if persistent else ["--temporary"])
    if profile:
        rc, _out, err = run(words + ["uuid", profile["uuid"], "802-3-ethernet.mtu", str(one["mtu"])], timeout=10)
        if rc:
            raise prove.Abort(
                "prepare", "the profile of %s does not take MTU %s: %s" % (one["name"], one["mtu"], err.strip())
            )
    rc, _out, err = run(["ip", "link", "set", "dev", one["name"], "mtu", str(one["mtu"])], timeout=10)
    if rc:
        raise prove.Abort("prepare", "%s does not take MTU %s: %s" % (one["name"], one["mtu"], err.strip()))


def bounds(entry):
    """Seconds for the steps under the checkpoint, ``{apply, prove, checkpoint}`` and settings: the checkpoint outlives
    the guard's own steps.
    """
    steps = {"apply": max(10, entry["timeout"] - 10), "prove": entry["timeout"] + prove.stp_seconds(entry)}
    if entry.get("settings"):
        steps["settings"] = profile_settings.SECONDS * len(entry["settings"])
    return dict(steps, checkpoint=sum(steps.values()) + CHECKPOINT_MARGIN)


def _apply(entry, change):
    # Should the guard be killed before it knows its checkpoint: by these its next life tells it from those of others.
    limit, now = bounds(entry), time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
    status = guard.tell(
        entry["id"], foreign=sorted(networkmanager.checkpoint_paths()), apply_window=[now, now + limit["apply"] * 1000]
    )
    done = nmstatectl.apply(change, limit["checkpoint"], bound=limit["apply"], memory_only=not entry["persistent"])
    found = (
        [done["checkpoint"]]
        if done["checkpoint"]
        else endings.own_checkpoints(status, networkmanager.checkpoints_of(networkmanager.objects()))
    )
    checkpoint = found[0] if found else ""
    guard.tell(entry["id"], checkpoint=checkpoint)
    if done["error"]:
        raise prove.Abort("apply", done["error"]["message"], error=done["error"])
    if not checkpoint:
        raise prove.Abort(
            "apply",
            "nmstatectl reported success, but its checkpoint is gone: NetworkManager was restarted or somebody else "
            "ended it",
        )
    return checkpoint


def _commit(entry):
    status = guard.tell(entry["id"], phase="committing")
    checkpoint = status.get("checkpoint")
    prove.check_checkpoint(checkpoint)
    prove.settle(entry, time.monotonic() + 2)
    try:
        journal.update(entry, prepared=vdsm_persistence.prepare_record(entry["record"], persistent=entry["persistent"]))
        if entry["persistent"]:
            profile_files.flush()
        # Before the commit point, so that its timer can never fire behind it; the undo does without it.
        if checkpoint:
            networkmanager.destroy_checkpoint(checkpoint)
        journal.commit_point(entry)
    except OSError as exc:
        if journal.is_committed(
            entry
        ):  # the disk has taken the name and takes it back no more: it is what a boot goes by
            guard.log("transaction %s: its commit may not be on the disk: %s" % (entry["id"], exc))
            return
        raise prove.Abort("commit", "the network configuration cannot be made durable: %s" % exc) from exc
    except networkmanager.NetworkManagerError as exc:
        raise prove.Abort("commit", "the checkpoint %s could not be ended: %s" % (checkpoint, exc)) from exc


def _linger(identity):
    """Keep the result for the controller until it was taken (it may be away), then leave no trace but the log."""
    end = time.monotonic() + 600
    while guard.received(identity, "taken") is None and time.monotonic() < end:
        guard.tell_again(identity)
        time.sleep(0.1)
    guard.forget(identity)


def wait_for_checkpoints(seconds):
    """Wait until no checkpoint of anybody else is there: the network is what somebody is still changing. Raises
    TransactionError after ``seconds``.
    """
    end = time.monotonic() + seconds
    while True:
        foreign = networkmanager.checkpoint_paths()
        if not foreign:
            return
        if time.monotonic() > end:
            raise TransactionError(
                "NetworkManager's checkpoint %s of somebody else is still there after %s s (%s). Nothing was changed. "
                "Wait for its end, or ask its owner to end it"
                % (foreign[0], round(seconds), networkmanager.checkpoint_owner(foreign[0]))
            )
        time.sleep(0.5)


def main(argv):
    """``run BASE ID`` (the guard) or ``boot BASE`` (early boot): called by the units that guard.py and boot_unit.py
    make.
    """
    signal.signal(
        signal.SIGTERM, lambda *_args: os._exit(75)
    )  # not a clean end: systemd starts the guard again, which undoes
    {"run": guarded, "boot": endings.boot}[argv[0]](*argv[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
