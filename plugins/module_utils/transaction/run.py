# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transaction on the host: plan, snapshot, journal, guard; baseline, prepare, apply, prove; commit or undo. Never a
third state.

The module calls plan() and begin(), which returns when the guard is running. The guard, a separate process under
systemd, makes the change (guarded()), waits for the confirmation over a new connection, and commits or undoes. The
change is a list of effects (effects/every.py); nothing here depends on a specific effect. The name of the journal's
folder (journal.py) is the state of the transaction at any time, even after a power failure (endings.boot()).
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
    from collections.abc import Callable, Mapping

    from ..effects.base import Context, Plan

# The checkpoint is the second line of defense: its timer expires this many seconds after all timeouts of the guard's
# own steps.
CHECKPOINT_MARGIN = 60
_LINGER_SECONDS = 600  # how long to keep the result for a controller that is disconnected
_YOUNG_SECONDS = 5  # the guard of a journal of up to this age may not be known to systemd yet


class TransactionError(Exception):
    """The change cannot be started; nothing was changed. The text says why and what to do."""


# --- run by the module ---


def plan(request: Mapping) -> Plan:
    """The differences between ``request`` and this host.

    ``request``: ``{state: nmstate's, settings: {device: {property: value}}, record: {networks, bondings},
    persistent}``. Raises TransactionError when it cannot be used.
    """
    try:
        return every.plan(dict(request, state=desired_state.checked(request["state"])))
    except (desired_state.StateError, RequestError) as exc:
        raise TransactionError("%s. Nothing was changed" % exc) from exc


def begin(plan: Plan, options: Mapping) -> dict:
    """Open a transaction for what is missing in ``plan`` and start its guard. Returns the first status.

    ``options``: ``timeout`` (seconds until the guard undoes an unconfirmed change), ``keep`` (addresses that the host
    must have afterwards), ``probes``, ``proven`` (whether the control connection verifies the change), ``commit``
    (whether to commit automatically), ``last_resort`` (none|reboot), ``owner`` (text), ``control`` (the ends of the
    control connection). Raises TransactionError, with nothing changed.
    """
    recover_left_over()
    wait_for_checkpoints(0)  # a checkpoint created after the plan means that the network may have changed since
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
    """Apply ``plan`` if nothing in it affects the running network (see every.live). Returns the status."""
    return every.put_at_once(plan)


def _entry(plan: Plan, options: Mapping, before: dict) -> dict:
    """The journal's entry for ``plan``. ``before``: the snapshot."""
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
        **{
            key: options[key]
            for key in ("owner", "timeout", "keep", "probes", "proven", "commit", "last_resort", "control")
        },
    }


def _open(entry: dict, code: Mapping[str, bytes]) -> dict:
    """Create the journal of ``entry``, and the early-boot unit before the journal gets its name. Returns the entry.
    Raises BusyError, OSError.
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
    """End a transaction whose guard could not be started. Returns the state of the host, as text. The guard is stopped
    before its journal is removed. If it has changed something, the change is undone.
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
    """End a transaction whose guard is gone. Returns a message for the user. Raises TransactionError if a transaction
    is open or cannot be ended.
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
    else:  # it has not started
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
    """Wait until no other program has a checkpoint, because it is still changing the network then. Raises
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


# --- run by the guard ---


def guarded(base: str, identity: str) -> None:
    """The main function of the guard: run the whole transaction, or the rest of it after the guard was killed and
    restarted.
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
        context = _context(entry)
        _do(every.prepare, context, "prepare", "preparing")
        before.finish()
        _do(every.put, context, "apply", "applying")
        _note_change(entry)
        prove.prove(entry, before, time.monotonic() + bounds(entry)["prove"])
        _commit(entry)
    except prove.Abort as exc:
        return endings.undo(entry, exc.step, str(exc), **exc.details)
    except CommandError as exc:
        return endings.undo(entry, "apply", str(exc))
    except Exception as exc:  # a bug in this code must not leave the host between the two states either
        return endings.undo(entry, "apply", "%s: %s" % (type(exc).__name__, exc))
    return endings.carry_forward(entry)  # outside of the try: nothing is undone after this point


def _first_word(entry: dict) -> None:
    status = mailbox.status_of(entry["id"]) or {"id": entry["id"], "timeline": []}
    mailbox.publish(dict(status, guard=os.getpid()))


def bounds(entry: Mapping) -> dict[str, int]:
    """The timeouts of the steps under the checkpoint, ``{apply, prove, checkpoint}``, and of slow effects. The
    checkpoint outlives the guard's own steps.
    """
    steps = {"apply": max(10, entry["timeout"] - 10), "prove": entry["timeout"] + prove.stp_seconds(entry)}
    steps.update(every.seconds(entry["effects"]))
    return dict(steps, checkpoint=sum(steps.values()) + CHECKPOINT_MARGIN)


def _context(entry: dict) -> Context:
    context = endings.context_of(entry)
    context.seconds = bounds(entry)
    return context


def _do(verb: Callable[[Context], None], context: Context, step: str, phase: str) -> None:
    mailbox.tell(context.entry["id"], phase=phase)
    try:
        verb(context)
    except EffectError as exc:
        raise prove.Abort(step, str(exc), **exc.details) from exc


def _note_change(entry: dict) -> None:
    """The data of the change for a later boot and for the end of the transaction."""
    _find_checkpoint(entry["id"])
    if entry["persistent"]:
        journal.update(entry, applied=profile_files.digests())


def _find_checkpoint(identity: str) -> None:
    """Write the checkpoint that nmstate has created to the status, even if nmstatectl did not report it."""
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
    prove.check_addresses(entry)
    try:
        every.seal(endings.context_of(entry), lambda prepared: journal.update(entry, prepared=prepared))
        if entry["persistent"]:
            profile_files.flush()
        # Before the commit point, so that its timer cannot expire after it. The undo does not need it.
        if path:
            networkmanager.destroy_checkpoint(path)
        journal.commit_point(entry)
    except OSError as exc:
        if journal.is_committed(entry):  # the new name is on disk and cannot be changed back, so a boot will follow it
            mailbox.log("transaction %s: the commit may not be on disk: %s" % (entry["id"], exc))
            return
        raise prove.Abort("commit", "cannot write the network configuration to disk: %s" % exc) from exc
    except networkmanager.NetworkManagerError as exc:
        raise prove.Abort("commit", "cannot end the checkpoint %s: %s" % (path, exc)) from exc


def main(argv: list[str]) -> None:
    """``run BASE ID`` (the guard) or ``boot BASE`` (early boot), called by the units of units.py and boot_unit.py."""
    # not a clean exit: systemd restarts the guard, which undoes the change
    signal.signal(signal.SIGTERM, lambda *_args: os._exit(75))
    {"run": guarded, "boot": endings.boot}[argv[0]](*argv[1:])  # type: ignore[operator]


if __name__ == "__main__":
    main(sys.argv[1:])
