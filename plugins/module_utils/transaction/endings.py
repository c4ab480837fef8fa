# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a transaction ends: undone exactly, carried forward after its commit point, and both of them early at a boot."""

from __future__ import annotations

import json
import os
import time

from ..effects import profile_settings
from ..facts import digest
from ..sources import networkmanager, nmstatectl, profile_files, vdsm_persistence
from ..sources.command import CommandError, run
from . import boot_unit, diagnosis, guard, journal, repair, snapshot

REPAIR_SECONDS = 60
SETTLE_SECONDS = (
    8  # for addresses that a reapply takes away to be there again: routers answer within 4 s (RFC 4861, 10)
)


def carry_forward(entry):
    """After the commit point: publish VDSM's record, take the journal and the early-boot unit away. Raises nothing; may
    be called again.
    """
    recorded, trouble = bool(entry.get("prepared")), ""
    for prepared in entry.get("prepared") or []:
        try:
            vdsm_persistence.publish(prepared)
        except OSError as exc:  # the network itself is committed: a warning, and VDSM adopts on the next run
            recorded, trouble = False, str(exc)
    guard.tell(entry["id"], outcome="committed", recorded=recorded, record_trouble=trouble)
    end(entry)
    guard.tell(entry["id"], phase="committed")
    guard.log("transaction %s committed" % entry["id"])


def undo(entry, step, reason, **details):
    """Bring the old state back exactly and say what it took. Safe to be called again after having been killed.

    Every step is bounded and may fail: the next ones are taken all the same, and what is left is reported.
    """
    identity, was = entry["id"], guard.status_of(entry["id"]) or {}
    if was.get("phase") == "undoing" and was.get(
        "reason"
    ):  # killed while it undid: the first reason is the one that tells
        step, reason = was.get("step"), was["reason"]
    diagnosis.keep_failure(identity)
    guard.log("transaction %s: undoing: %s" % (identity, reason))
    guard.tell(identity, phase="undoing", step=step, reason=reason, **details)
    repairs = list(was.get("repairs") or [])

    def say(text):
        guard.log("transaction %s: %s" % (identity, text))
        repairs.append(text)
        guard.tell(identity, repairs=repairs)

    for prepared in entry.get("prepared") or []:
        vdsm_persistence.discard(prepared)
    _try(["systemctl", "start", "NetworkManager"], 45)
    guests = _guests(entry)
    kept = _put_back(entry, say)
    if kept:  # what NetworkManager has now is all that there is: nothing is activated from it, and no device is deleted
        left = [kept] + _attempt(
            lambda: repair.settle(entry["snapshot"], entry["scope"], time.monotonic() + SETTLE_SECONDS)
        )
    else:
        left = _attempt(lambda: _restore(entry, say))
    if left and not kept:
        say(
            "NetworkManager restarted, for this still differed: %s"
            % "; ".join(
                "%s %s was %s, is %s" % (one["device"], one["what"], json.dumps(one["old"]), json.dumps(one["new"]))
                for one in left
            )[:600]
        )
        _try(["systemctl", "restart", "NetworkManager"], 45)
        left = _attempt(lambda: repair.bring_back(entry["snapshot"], entry["scope"], REPAIR_SECONDS, say))
    left = left + _attempt(lambda: repair.reattach(guests, say) or [])
    if not left:
        left = _attempt(lambda: _settings_back(entry, say))
    guard.tell(identity, repairs=repairs, exact=not left, left=left, meanwhile=_meanwhile(entry))
    whole = _is_whole(entry)
    if left and whole and entry["last_resort"] == "reboot" and _reboot(identity):
        return  # the journal stays: the early-boot unit ends the transaction
    # before the journal goes, for a guard that is killed in here starts again and needs it
    diagnosis.write(entry, guard.status_of(identity) or {})
    guard.tell(identity, outcome="undone")
    if not kept:
        end(entry)
    elif not whole:
        _retire(entry)
    guard.tell(identity, phase="undone")
    guard.log("transaction %s undone, %s" % (identity, "exactly" if not left else "differing: %s" % json.dumps(left)))


def _put_back(entry, say):
    """Put the profile files back and end the checkpoint. Returns what of that could not be done, as snapshot.compare()
    would say it, or None.

    The checkpoint is our own only, by its exact path: it would otherwise roll back what is repaired here. It is the
    second best source when ours is not whole or cannot be written back.
    """
    kept = None
    places = (profile_files.ON_DISK if entry["persistent"] else ()) + profile_files.IN_MEMORY
    try:
        for path in journal.put_back(entry, places):
            say("profile file put back: %s" % path)
    except (OSError, profile_files.IncompleteError) as exc:
        kept = {"device": "", "what": "profile files", "old": "the copies in %s" % entry["path"], "new": str(exc)}
        say("the profile files cannot be put back: %s" % exc)
    try:
        for checkpoint in own_checkpoints(
            guard.status_of(entry["id"]) or {}, networkmanager.checkpoints_of(networkmanager.objects())
        ):
            if kept:
                say("NetworkManager rolls back to its own checkpoint")
                networkmanager.rollback_checkpoint(checkpoint)
            else:
                networkmanager.destroy_checkpoint(checkpoint)
    except (networkmanager.NetworkManagerError, CommandError) as exc:
        guard.log(exc)
    return kept


def _restore(entry, say):
    """Have NetworkManager read the profile files and bring the snapshot back; what still differs (see
    snapshot.compare).
    """
    _try(["nmcli", "connection", "reload"], 15)
    # nmstate keeps DNS servers in NetworkManager's internal configuration, which is put back above and read again by
    # this alone
    _try(["nmcli", "general", "reload", "conf"], 15)
    left = repair.bring_back(entry["snapshot"], entry["scope"], REPAIR_SECONDS, say)
    if profile_settings.undo([device for device in entry["settings"] if device in entry["snapshot"]["devices"]], say):
        left = repair.settle(entry["snapshot"], entry["scope"], time.monotonic() + SETTLE_SECONDS)
    return left


def _is_whole(entry):
    try:
        profile_files.check(os.path.join(entry["path"], "files"), entry["files"])
    except profile_files.IncompleteError:
        return False
    return True


def _attempt(step):
    """What is left after ``step()``; one that cannot be done at all (NetworkManager does not start) is left as a whole."""
    try:
        return step()
    except (CommandError, networkmanager.NetworkManagerError, nmstatectl.NmstateError, OSError, ValueError) as exc:
        guard.log("the network cannot be brought back: %s" % exc)
        return [{"device": "", "what": "network", "old": "as before the change", "new": str(exc)}]


def _reboot(identity):
    guard.log("transaction %s: the old state is not back; rebooting, as asked for" % identity)
    try:
        return run(["systemctl", "reboot"], timeout=30)[0] == 0
    except CommandError as exc:
        guard.log(exc)
        return False


def _guests(entry):
    """The guests' devices on bridges, as they were before the change and as they are now (a guest may have started
    since).
    """
    try:
        return dict(entry["snapshot"]["guests"], **snapshot.guests())
    except CommandError as exc:  # nothing keeps a host from being undone
        guard.log(exc)
        return entry["snapshot"]["guests"]


def _meanwhile(entry):
    """What happened on the host beside the transaction (see snapshot.meanwhile); [] when it cannot be told."""
    try:
        return snapshot.meanwhile(entry["snapshot"], snapshot.take(), entry["scope"])
    except (CommandError, ValueError) as exc:
        guard.log(exc)
        return []


def _settings_back(entry, say):
    """What nmstate tells of the old state and the kernel does not is back too; returns what is not (see
    snapshot.compare).
    """
    left = repair.bring_back_settings(entry["held"], say, lambda: digest.without_guests(nmstatectl.show()))
    # an activation for their sake may have moved what was back already
    return left or (
        repair.settle(entry["snapshot"], entry["scope"], time.monotonic() + SETTLE_SECONDS) if entry["held"] else []
    )


def own_checkpoints(status, there):
    """The paths among the checkpoints ``there`` (as networkmanager.checkpoints_of() gives them) that are the
    transaction's (pure).

    A guard that was killed during the apply does not know its checkpoint. Then it is the first one that was not there
    before, that was made while nmstatectl had its time for it, and that has a timeout: not the one that was asked for,
    which nmstate extends as it verifies.
    """
    if status.get("checkpoint"):
        return [one["path"] for one in there if one["path"] == status["checkpoint"]]
    if "foreign" not in status:
        return []
    first, last = status["apply_window"]
    found = [
        one
        for one in there
        if one["path"] not in status["foreign"] and one["timeout"] and first <= one["created"] <= last
    ]
    # one that covers all devices, as nmstate's does, keeps others from being made
    return [one["path"] for one in sorted(found, key=lambda one: one["created"])[:1]]


def boot(base):
    """Early at boot, before NetworkManager: an open transaction is undone on disk, a committed one carried forward."""
    state, entry = journal.read(base)
    if not state or entry["boot_id"] == journal.boot_id():
        return
    if state == "committed":
        carry_forward(entry)
    elif not journal.first_boot(entry) and not journal.known(entry, profile_files.digests(profile_files.ON_DISK)):
        put_aside(entry)
    else:
        _undo_on_disk(entry)


def _undo_on_disk(entry):
    identity = entry["id"]
    for prepared in entry.get("prepared") or []:
        vdsm_persistence.discard(prepared)
    try:
        touched = journal.put_back(entry, profile_files.ON_DISK)
    except (OSError, profile_files.IncompleteError) as exc:
        # The journal and the unit stay: the next run of the module, or the next boot, tries again.
        reason = "the host was restarted before the commit, and the profile files cannot be put back: %s" % exc
        guard.log("transaction %s: %s" % (identity, reason))
        guard.tell(identity, phase="failed", step="boot", reason=reason, boot=True, exact=False)
        raise SystemExit(1) from exc
    end(entry)
    guard.tell(
        identity,
        phase="undone",
        step="boot",
        reason="the host was restarted before the commit",
        boot=True,
        exact=True,
        repairs=["profile file put back: %s" % path for path in touched],
    )
    guard.log("transaction %s undone at boot: %d profile files put back" % (identity, len(touched)))


def end_foreign(state, entry):
    """End a journal of an earlier boot that the early-boot unit has not ended; returns what was done, in words.

    Used only while the profile files are those that it knows (journal.py says why).
    """
    what = journal.known(entry, profile_files.digests(profile_files.ON_DISK))
    if not what:
        return put_aside(entry)
    if state == "committed":
        carry_forward(entry)
        return ""
    if what == "before":  # and the host has booted from them
        for prepared in entry.get("prepared") or []:
            vdsm_persistence.discard(prepared)
        end(entry)
        return ""
    undo(entry, "boot", "the host was restarted before the commit, and nothing undid the change at boot")
    return "the transaction %s of an earlier boot was undone, for its unproven change was still there" % entry["id"]


def put_aside(entry):
    """Take a journal out of use whose profile files are not on the host any more; returns that in words."""
    for prepared in entry.get("prepared") or []:
        vdsm_persistence.discard(prepared)
    path = _retire(entry)
    reason = (
        "the transaction %s of an earlier boot was neither committed nor undone, and the profile files have changed "
        "since, so it was not undone now. "
        "Check the network of this host. The old profile files are kept in %s; delete it when they are not needed"
        % (entry["id"], path)
    )
    guard.tell(entry["id"], phase="failed", step="boot", reason=reason, exact=False)
    guard.log(reason)
    return reason


def _retire(entry):
    """Put the journal aside and take the early-boot unit away; returns its path now. Raises nothing."""
    try:
        with boot_unit.held():
            path = journal.put_aside(entry)
            boot_unit.disarm()
            return path
    except OSError as exc:
        guard.log("the journal of the transaction %s cannot be put aside: %s" % (entry["id"], exc))
        return entry["path"]


def end(entry):
    """Close the journal, then take the early-boot unit away; what cannot be done is left to the next boot, which does
    no harm.
    """
    try:
        with boot_unit.held():
            journal.close(entry)
            if entry["persistent"]:
                boot_unit.disarm()
    except OSError as exc:
        guard.log("the journal of the transaction %s cannot be removed, the next boot does it: %s" % (entry["id"], exc))


def finish(base, identity):
    """For a guard that was killed after it had closed its journal: tell the outcome, and leave nothing."""
    status = guard.status_of(identity) or {}
    if status and status.get("phase") not in guard.ENDED:
        lost = (
            {}
            if status.get("outcome")
            else {"reason": "the guard was killed and its journal is gone; check the network of this host"}
        )
        guard.tell(identity, phase=status.get("outcome") or "failed", **lost)
    try:
        with boot_unit.held():
            journal.sweep(base)
            if base == journal.DISK and not journal.read(base)[0]:
                boot_unit.disarm()
    except OSError as exc:
        guard.log(exc)


def _try(argv, timeout):
    try:
        run(argv, timeout)
    except CommandError as exc:
        guard.log(exc)
