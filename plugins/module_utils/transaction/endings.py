# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a transaction ends: it is undone, or completed after its commit point; both can also happen early in a boot."""

from __future__ import annotations

import json
import os
import time

from ..effects import every, repair
from ..effects.base import Context
from ..facts import comparison, snapshot
from ..proof import checkpoint
from ..sources import networkmanager, nmcli, nmstatectl, profile_files
from ..sources.command import CommandError, run
from . import boot_unit, diagnosis, facts_after, journal, mailbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

REPAIR_SECONDS = 60
# How long to wait for addresses that a reapply removes temporarily: routers answer within 4 s (RFC 4861, 10).
SETTLE_SECONDS = 8
_START_SECONDS = 45  # timeout for the start of NetworkManager


def carry_forward(entry: dict) -> None:
    """Complete a transaction after the commit point: publish VDSM's record, remove the journal and the early-boot unit.
    Raises nothing; idempotent.
    """
    mailbox.tell(entry["id"], outcome="committed", **every.commit(entry))
    end(entry)
    facts_after.leave(entry)
    mailbox.tell(entry["id"], phase="committed")
    mailbox.log("transaction %s committed" % entry["id"])


def undo(entry: dict, step: str, reason: str, **details: Any) -> None:
    """Restore the old state exactly and report what was done. Can be called again after having been killed.

    Every step has a timeout and may fail; the next steps run anyway, and what is not restored is reported.
    """
    identity, was = entry["id"], mailbox.status_of(entry["id"]) or {}
    if was.get("phase") == "undoing" and was.get("reason"):
        step, reason = was["step"], was["reason"]  # killed during the undo: keep the first reason
    diagnosis.keep_failure(identity)
    mailbox.log("transaction %s: undo: %s" % (identity, reason))
    mailbox.tell(identity, phase="undoing", step=step, reason=reason, **details)
    context = context_of(entry, was.get("repairs") or [])
    every.discard(entry)
    _systemctl("start", "NetworkManager")
    on_bridges = _guests(entry)
    damage = _put_back(entry, context.say)
    rest = _settled(entry, damage) if damage else _restore(entry, context)
    rest += _attempt(lambda: _reattach(on_bridges, context))
    mailbox.tell(identity, exact=not rest, left=rest, meanwhile=_meanwhile(entry))
    whole = _is_whole(entry)
    if rest and whole and entry["last_resort"] == "reboot" and _reboot(identity):
        return  # the journal stays: the early-boot unit ends the transaction
    # before the journal is removed, because a guard that is killed here starts again and needs it
    diagnosis.write(entry, mailbox.status_of(identity) or {})
    mailbox.tell(identity, outcome="undone")
    if not damage:
        end(entry)
    elif not whole:
        _retire(entry)
    mailbox.tell(identity, phase="undone")
    mailbox.log("transaction %s undone, %s" % (identity, "exactly" if not rest else "differing: " + json.dumps(rest)))


def context_of(entry: dict, repairs: Sequence[str] = ()) -> Context:
    """The context for the effects of ``entry``. ``repairs``: repairs that were already reported."""

    def log(text: object) -> None:
        mailbox.log("transaction %s: %s" % (entry["id"], text))

    return Context(entry, lambda **values: mailbox.tell(entry["id"], **values), log, repairs)


def _put_back(entry: dict, say: Callable[[str], None]) -> dict | None:
    """Restore the profile files and end the checkpoint. Returns what could not be restored, in the format of
    comparison.compare(), or None.

    Only the transaction's own checkpoint is ended, by its exact path; otherwise it would roll back the repair. If the
    copy of the profile files is damaged or cannot be written back, the checkpoint is rolled back instead.
    """
    damage = None
    places = (profile_files.ON_DISK if entry["persistent"] else ()) + profile_files.IN_MEMORY
    try:
        for path in journal.put_back(entry, places):
            say("profile file restored: %s" % path)
    except (OSError, profile_files.IncompleteError) as exc:
        damage = {"device": "", "what": "profile files", "old": "the copies in %s" % entry["path"], "new": str(exc)}
        say("cannot restore the profile files: %s" % exc)
    try:
        for path in checkpoint.existing(mailbox.status_of(entry["id"]) or {}):
            if damage:
                say("rolled back to NetworkManager's checkpoint")
                networkmanager.rollback_checkpoint(path)
            else:
                networkmanager.destroy_checkpoint(path)
    except (networkmanager.NetworkManagerError, CommandError) as exc:
        mailbox.log(exc)
    return damage


def _settled(entry: dict, damage: dict) -> list[dict]:
    """What differs if the profile files could not be restored. NetworkManager's current profiles are the only ones
    then, so nothing is activated from them, and no device is deleted.
    """
    return [damage, *_attempt(lambda: _settle(entry))]


def _restore(entry: dict, context: Context) -> list[dict]:
    """Make NetworkManager read the profile files, restore the snapshot, then what the effects have in addition. Returns
    what still differs.
    """
    nmcli.reload_profiles()
    # nmstate stores DNS servers in NetworkManager's internal configuration, which was restored, too, and is only read
    # again by this call
    nmcli.reload_configuration()
    rest = _attempt(lambda: _bring_back(entry, context.say))
    if rest:
        context.say("NetworkManager restarted, because this still differed: %s" % _in_words(rest)[:600])
        _systemctl("restart", "NetworkManager")
        rest = _attempt(lambda: _bring_back(entry, context.say))
    reported = len(context.repairs)
    for step in every.undo(context):
        rest += [difference for difference in _attempt(step) if difference not in rest]
    if not rest and len(context.repairs) > reported:  # their activation may have changed what was already restored
        rest = _attempt(lambda: _settle(entry))
    return rest


def _bring_back(entry: dict, say: Callable[[str], None]) -> list[dict]:
    return repair.bring_back(entry["snapshot"], entry["scope"], REPAIR_SECONDS, say)


def _settle(entry: dict) -> list[dict]:
    return repair.settle(entry["snapshot"], entry["scope"], time.monotonic() + SETTLE_SECONDS)


def _in_words(differences: list[dict]) -> str:
    return "; ".join(
        "%s %s was %s, is %s" % (entry["device"], entry["what"], json.dumps(entry["old"]), json.dumps(entry["new"]))
        for entry in differences
    )


def _is_whole(entry: dict) -> bool:
    try:
        profile_files.check(os.path.join(entry["path"], "files"), entry["files"])
    except profile_files.IncompleteError:
        return False
    return True


def _attempt(step: Callable[[], list[dict]]) -> list[dict]:
    """What still differs after ``step()``. If the step is not possible (NetworkManager does not start), this is the
    whole network.
    """
    try:
        return step()
    except (CommandError, networkmanager.NetworkManagerError, nmstatectl.NmstateError, OSError, ValueError) as exc:
        mailbox.log("cannot restore the network: %s" % exc)
        return [{"device": "", "what": "network", "old": "as before the change", "new": str(exc)}]


def _reboot(identity: str) -> bool:
    mailbox.log("transaction %s: the old state was not restored; rebooting (last_resort: reboot)" % identity)
    try:
        return run(["systemctl", "reboot"], timeout=30)[0] == 0
    except CommandError as exc:
        mailbox.log(exc)
        return False


def _guests(entry: dict) -> dict[str, str]:
    """The devices of guests on bridges, before the change and now (a guest may have started since)."""
    try:
        return dict(entry["snapshot"]["guests"], **snapshot.guests())
    except (CommandError, networkmanager.NetworkManagerError) as exc:  # nothing may prevent the undo
        mailbox.log(exc)
        return entry["snapshot"]["guests"]


def _reattach(on_bridges: Mapping[str, str], context: Context) -> list[dict]:
    repair.reattach(on_bridges, context.say)
    return []


def _meanwhile(entry: dict) -> list[dict]:
    """Other changes on the host during the transaction (see comparison.meanwhile); [] if unknown."""
    try:
        return comparison.meanwhile(entry["snapshot"], snapshot.take(), entry["scope"])
    except (CommandError, networkmanager.NetworkManagerError, ValueError) as exc:
        mailbox.log(exc)
        return []


def boot(base: str) -> None:
    """Early at boot, before NetworkManager starts: undo an open transaction on disk, complete a committed one."""
    state, entry = journal.read(base)
    if entry is None or entry["boot_id"] == journal.boot_id():
        return
    if state == "committed":
        carry_forward(entry)
    elif not journal.first_boot(entry) and not journal.known(entry, profile_files.digests()):
        put_aside(entry)
    else:
        _undo_on_disk(entry)


def _undo_on_disk(entry: dict) -> None:
    identity = entry["id"]
    every.discard(entry)
    try:
        touched = journal.put_back(entry, profile_files.ON_DISK)
    except (OSError, profile_files.IncompleteError) as exc:
        # The journal and the unit are kept: the next run of the module, or the next boot, tries again.
        reason = "the host was restarted before the commit, and its profile files cannot be restored: %s" % exc
        mailbox.log("transaction %s: %s" % (identity, reason))
        mailbox.tell(identity, phase="failed", step="boot", reason=reason, boot=True, exact=False)
        raise SystemExit(1) from exc
    end(entry)
    mailbox.tell(
        identity,
        phase="undone",
        step="boot",
        reason="the host was restarted before the commit",
        boot=True,
        exact=True,
        repairs=["profile file restored: %s" % path for path in touched],
    )
    mailbox.log("transaction %s undone at boot: %d profile files restored" % (identity, len(touched)))


def end_foreign(state: str, entry: dict) -> str:
    """End a journal of an earlier boot that the early-boot unit has not ended. Returns what was done, as text.

    Only used if the profile files are those that it knows (see journal.py for the reason).
    """
    what = journal.known(entry, profile_files.digests())
    if not what:
        return put_aside(entry)
    if state == "committed":
        carry_forward(entry)
        return ""
    if what == "before":  # and the host was booted with them
        every.discard(entry)
        end(entry)
        return ""
    undo(entry, "boot", "the host was restarted before the commit, and the change was not undone at boot")
    return (
        "the transaction %s of an earlier boot was undone, because its unverified change was still present"
        % entry["id"]
    )


def put_aside(entry: dict) -> str:
    """Set a journal aside if its profile files are no longer on the host. Returns a message."""
    every.discard(entry)
    path = _retire(entry)
    reason = (
        "the transaction %s of an earlier boot was not committed or undone, and the profile files have changed since, "
        "so it cannot be undone now. Check the network of this host. The old profile files are in %s; delete this "
        "folder when you do not need them" % (entry["id"], path)
    )
    mailbox.tell(entry["id"], phase="failed", step="boot", reason=reason, exact=False)
    mailbox.log(reason)
    return reason


def _retire(entry: dict) -> str:
    """Set the journal aside and remove the early-boot unit. Returns the new path of the journal. Raises nothing."""
    try:
        with boot_unit.held():
            path = journal.put_aside(entry)
            boot_unit.disarm()
            return path
    except OSError as exc:
        mailbox.log("cannot set the journal of the transaction %s aside: %s" % (entry["id"], exc))
        return entry["path"]


def end(entry: dict) -> None:
    """Close the journal, then remove the early-boot unit. What fails is left to the next boot, which is safe."""
    try:
        with boot_unit.held():
            journal.close(entry)
            if entry["persistent"]:
                boot_unit.disarm()
    except OSError as exc:
        mailbox.log(
            "cannot remove the journal of the transaction %s, the next boot will remove it: %s" % (entry["id"], exc)
        )


def finish(base: str, identity: str) -> None:
    """For a guard that was killed after it had closed its journal: report the outcome and clean up."""
    status = mailbox.status_of(identity) or {}
    if status and status.get("phase") not in mailbox.ENDED:
        lost = (
            {}
            if status.get("outcome")
            else {"reason": "the guard was killed and its journal is missing; check the network of this host"}
        )
        mailbox.tell(identity, phase=status.get("outcome") or "failed", **lost)
    try:
        with boot_unit.held():
            journal.sweep(base)
            if base == journal.DISK and not journal.read(base)[0]:
                boot_unit.disarm()
    except OSError as exc:
        mailbox.log(exc)


def _systemctl(*words: str) -> None:
    try:
        run(["systemctl", *words], _START_SECONDS)
    except CommandError as exc:
        mailbox.log(exc)
