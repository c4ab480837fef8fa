# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""One transaction on the host: plan, snapshot, journal, guard; baseline, prepare, apply, prove; commit, or undo. Never
a third state.

The module calls plan() and begin(), which ends once the guard runs. The guard, a process of its own under systemd, does
the deeds (guarded()), waits for the proof that only a new connection can give, and commits or undoes. What is done is a
list of effects (effects/every.py); nothing here knows one of them. The folder's name in journal.py is the truth at any
moment, also after a power cut (endings.boot()).
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time

from ..change import desired_state, scope
from ..effects import every
from ..effects.base import EffectError, RequestError
from ..facts import digest, snapshot
from ..proof import checkpoint
from ..sources import networkmanager, profile_files
from ..sources.command import CommandError
from . import boot_unit, diagnosis, endings, journal, mailbox, prove, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..effects.base import Plan

# The checkpoint is the net below the guard: its timer ends after every bound of the guard's own steps, with this to
# spare.
CHECKPOINT_MARGIN = 60
_LINGER_SECONDS = 600  # for a controller that is away to come back for the result
_YOUNG_SECONDS = 5  # a journal of this age may have a guard that systemd does not know yet


class TransactionError(Exception):
    """The change cannot be begun; nothing was touched. The text says why and what to do."""


# --- the module's half ---


def plan(request: Mapping) -> Plan:
    """What of ``request`` does not hold on this host.

    ``request``: ``{state: nmstate's, settings: {device: {property: value}}, record: {networks, bondings},
    persistent}``. Raises TransactionError when it cannot be used.
    """
    try:
        return every.plan(dict(request, state=desired_state.checked(request["state"])))
    except (desired_state.StateError, RequestError) as exc:
        raise TransactionError("%s. Nothing was changed" % exc) from exc


def begin(plan: Plan, options: Mapping) -> dict:
    """Open a transaction for what is missing in ``plan`` and start its guard; return the status's first form.

    ``options``: ``timeout`` (s until the guard undoes without a confirmation), ``keep`` (addresses that must be there
    afterwards), ``probes``, ``proven`` (whether the control connection proves the change), ``commit`` (whether it is
    committed by itself), ``last_resort`` (none|reboot), ``owner`` (text). Raises TransactionError, with nothing
    touched.
    """
    recover_left_over()
    wait_for_checkpoints(0)  # what is changed under one that came after the plan is not what was planned on
    entry = _entry(plan, options, snapshot.take())
    try:
        code = units.source_code()
        entry = _open(entry, code)
    except units.SourceError as exc:
        raise TransactionError(str(exc)) from exc
    except journal.BusyError as exc:
        raise TransactionError(
            "%s. Nothing was changed. Wait until it has finished, or end it with network_commit" % exc
        ) from exc
    except OSError as exc:
        raise TransactionError(
            "cannot write the journal that would undo the change: %s. Nothing was changed" % exc
        ) from exc
    try:
        mailbox.publish({"id": entry["id"], "timeline": []})  # a full /run is an error here, not later
        mailbox.tell(entry["id"], phase="open", timeout=entry["timeout"], log_cursor=diagnosis.log_cursor())
        return units.launch(entry, code)
    except (OSError, CommandError) as exc:
        raise TransactionError(_call_off(entry, exc)) from exc


def put_at_once(plan: Plan) -> dict:
    """Do what is missing in ``plan`` where none of it touches the running network (see every.live); the status."""
    return every.put_at_once(plan)


def _entry(plan: Plan, options: Mapping, before: dict) -> dict:
    """The journal's entry for ``plan``; ``before``: the snapshot."""
    change, current, parts = plan.missing["state"], plan.host.current, every.parts(plan)
    return {
        "id": "%s-%s" % (time.strftime("%Y%m%dT%H%M%S", time.gmtime()), secrets.token_hex(3)),
        "python": sys.executable,
        "persistent": plan.request["persistent"],
        "snapshot": before,
        "change": change,
        "before": digest.digest(current),
        "effects": parts,
        "scope": scope.touched(change, before, current, options["keep"], every.devices(parts)),
        **{key: options[key] for key in ("owner", "timeout", "keep", "probes", "proven", "commit", "last_resort")},
    }


def _open(entry: dict, code: Mapping[str, bytes]) -> dict:
    """Make the journal of ``entry``, and before it has its name the early-boot unit. Returns the entry. Raises
    BusyError, OSError.
    """
    base = journal.DISK if entry["persistent"] else journal.MEMORY
    arm = (lambda: boot_unit.arm(dict(entry, base=base))) if entry["persistent"] else None
    with boot_unit.held():
        try:
            return journal.create(entry, profile_files.ON_DISK + profile_files.IN_MEMORY, code, base, arm)
        except OSError:
            if entry["persistent"] and not journal.read(base)[0]:
                boot_unit.disarm()
            raise


def _call_off(entry: dict, trouble: Exception) -> str:
    """End a transaction whose guard was not to be started; returns in words what became of the host.

    The guard is dead before its journal goes. One that had got as far as changing something is undone.
    """
    identity = entry["id"]
    if not units.stop(identity):
        return (
            "the guard of the change %s does not answer, and systemd does not report it as stopped: %s. The guard or "
            "the next boot undoes the change. Check systemctl status %s" % (identity, trouble, units.name_of(identity))
        )
    what = "Nothing was changed"
    if journal.lives(entry):
        endings.undo(entry, "begin", str(trouble))
        status = mailbox.status_of(identity) or {}
        what = "The change was undone, and the old state was restored exactly"
        if not status.get("exact"):
            what = "The change was undone, but the old state was not restored completely: %s" % status.get("left")
    else:
        endings.end(entry)
    mailbox.forget(identity)
    return "cannot start the guard of the change: %s. %s" % (trouble, what)


def recover_left_over() -> str:
    """End a transaction whose guard is gone for good; returns what a user must know of that, in words.

    Raises TransactionError when one is open, or cannot be ended.
    """
    mailbox.sweep(units.alive)
    state, entry = journal.find()
    if entry is None:
        return ""
    message = ""
    if entry["boot_id"] != journal.boot_id():
        message = endings.end_foreign(state, entry)
    elif units.alive(entry["id"]) or journal.age(entry) < _YOUNG_SECONDS:
        raise TransactionError(
            "%s. Nothing was changed. Wait until it has finished, or end it with network_commit"
            % journal.describe(entry)
        )
    elif state == "committed":
        endings.carry_forward(entry)
    elif journal.lives(entry):
        endings.undo(entry, "apply", "its guard was gone")
    else:  # nobody has begun it
        endings.end(entry)
    if journal.find()[0]:
        raise TransactionError(
            "cannot end the transaction %s: %s. Nothing else was changed. Free space on the disk, or make it "
            "writable, and run again"
            % (entry["id"], (mailbox.status_of(entry["id"]) or {}).get("left") or "cannot remove its journal")
        )
    mailbox.forget(entry["id"])
    return message


def wait_for_checkpoints(seconds: float) -> None:
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
                "timed out: another program's NetworkManager checkpoint %s is still open after %s s (%s). Nothing was "
                "changed. Wait until that program has finished, and run again"
                % (foreign[0], round(seconds), networkmanager.checkpoint_owner(foreign[0]))
            )
        time.sleep(0.5)


# --- the guard's half ---


def guarded(base: str, identity: str) -> None:
    """The guard's life: the whole transaction, or what is left of it when the guard was killed and has started
    again.
    """
    state, entry = journal.read(base)
    if entry is None or entry["id"] != identity:
        endings.finish(base, identity)
    elif state == "committed":
        endings.carry_forward(entry)
    else:
        phase = (mailbox.status_of(identity) or {}).get("phase", "open")
        try:
            life = journal.begin_life(entry)
        except OSError as exc:
            mailbox.log(exc)
            life = journal.lives(entry) + 1
        if life > 1:
            endings.undo(entry, phase, "the guard was killed while %s" % phase)
        else:
            _live(entry)
    mailbox.linger(identity, _LINGER_SECONDS)


def _live(entry: dict) -> None:
    try:
        _first_word(entry)
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


def _first_word(entry: dict) -> None:
    status = mailbox.status_of(entry["id"]) or {"id": entry["id"], "timeline": []}
    mailbox.publish(dict(status, guard=os.getpid()))


def bounds(entry: Mapping) -> dict[str, int]:
    """Seconds for the steps under the checkpoint, ``{apply, prove, checkpoint}`` and those of slow effects: the
    checkpoint outlives the guard's own steps.
    """
    steps = {"apply": max(10, entry["timeout"] - 10), "prove": entry["timeout"] + prove.stp_seconds(entry)}
    steps.update(every.seconds(entry["effects"]))
    return dict(steps, checkpoint=sum(steps.values()) + CHECKPOINT_MARGIN)


def _change(entry: dict) -> None:
    """Prepare and apply."""
    context = endings.context_of(entry)
    context.seconds = bounds(entry)
    for step, phase, verb in (("prepare", "preparing", every.prepare), ("apply", "applying", every.put)):
        mailbox.tell(entry["id"], phase=phase)
        try:
            verb(context)
        except EffectError as exc:
            raise prove.Abort(step, str(exc), **exc.details) from exc
    _find_checkpoint(entry["id"])
    if entry["persistent"]:
        journal.update(entry, applied=profile_files.digests())


def _find_checkpoint(identity: str) -> None:
    """Have the status name the checkpoint that nmstate has made, also where nmstatectl did not."""
    status = mailbox.status_of(identity) or {}
    if "foreign" not in status or status.get("checkpoint"):
        return
    paths = checkpoint.existing(status)
    if not paths:
        raise prove.Abort(
            "apply",
            "nmstatectl reported success, but its checkpoint is gone: NetworkManager was restarted, or another "
            "program ended it",
        )
    mailbox.tell(identity, checkpoint=paths[0])


def _commit(entry: dict) -> None:
    path = mailbox.tell(entry["id"], phase="committing").get("checkpoint")
    prove.check_checkpoint(path)
    prove.settle(entry, time.monotonic() + 2)
    try:
        every.seal(endings.context_of(entry), lambda prepared: journal.update(entry, prepared=prepared))
        if entry["persistent"]:
            profile_files.flush()
        # Before the commit point, so that its timer can never fire behind it; the undo does without it.
        if path:
            networkmanager.destroy_checkpoint(path)
        journal.commit_point(entry)
    except OSError as exc:
        if journal.is_committed(entry):  # the disk has taken the name and takes it back no more: a boot goes by it
            mailbox.log("transaction %s: the commit may not be on disk: %s" % (entry["id"], exc))
            return
        raise prove.Abort("commit", "cannot write the network configuration to disk: %s" % exc) from exc
    except networkmanager.NetworkManagerError as exc:
        raise prove.Abort("commit", "cannot end the checkpoint %s: %s" % (path, exc)) from exc


def main(argv: list[str]) -> None:
    """``run BASE ID`` (the guard) or ``boot BASE`` (early boot): called by the units of units.py and boot_unit.py."""
    # not a clean end: systemd starts the guard again, which undoes
    signal.signal(signal.SIGTERM, lambda *_args: os._exit(75))
    {"run": guarded, "boot": endings.boot}[argv[0]](*argv[1:])  # type: ignore[operator]


if __name__ == "__main__":
    main(sys.argv[1:])
