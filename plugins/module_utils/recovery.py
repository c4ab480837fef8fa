# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a transaction ends: undone exactly, carried forward after its commit point, and both of them early at a boot."""

from __future__ import annotations

import json
import os
import time

from . import diagnosis, guard, journal, netconf, networkmanager, profile_settings, profiles, snapshot
from .command import CommandError, run

REPAIR_SECONDS = 60
SETTLE_SECONDS = 8  # for addresses that a reapply takes away to be there again: routers answer within 4 s (RFC 4861, 10)


def carry_forward(entry):
    """After the commit point: publish VDSM's record, take the early-boot unit and the journal away."""
    recorded, trouble = bool(entry.get("prepared")), ""
    for prepared in entry.get("prepared") or []:
        try:
            netconf.publish(prepared)
        except OSError as exc:  # the network itself is committed: a warning, and VDSM adopts on the next run
            recorded, trouble = False, str(exc)
    end(entry)
    guard.tell(entry["id"], phase="committed", recorded=recorded, record_trouble=trouble)
    guard.log("transaction %s committed" % entry["id"])


def undo(entry, step, reason, **details):
    """Bring the old state back exactly and say what it took. Safe to be called again after having been killed."""
    identity, repairs = entry["id"], []
    diagnosis.keep_failure(identity)
    guard.log("transaction %s: undoing: %s" % (identity, reason))
    guard.tell(identity, phase="undoing", step=step, reason=reason, **details)

    def say(text):
        guard.log("transaction %s: %s" % (identity, text))
        repairs.append(text)

    for prepared in entry.get("prepared") or []:
        netconf.discard(prepared)
    left = _restore(entry, say)
    if left:
        say("NetworkManager restarted, for this still differed: %s" % "; ".join(
            "%s %s was %s, is %s" % (one["device"], one["what"], json.dumps(one["old"]), json.dumps(one["new"])) for one in left)[:600])
        _try(["systemctl", "restart", "NetworkManager"], 45)
        left = snapshot.bring_back(entry["snapshot"], entry["named"], REPAIR_SECONDS, say)
    guard.tell(identity, repairs=repairs, exact=not left, left=left)
    if left and entry["last_resort"] == "reboot":
        guard.log("transaction %s: the old state is not back; rebooting, as asked for" % identity)
        run(["systemctl", "reboot"], timeout=30)
        return  # the journal stays: the early-boot unit ends the transaction
    end(entry)
    diagnosis.write(entry, guard.status_of(identity) or {})
    guard.tell(identity, phase="undone")
    guard.log("transaction %s undone, %s" % (identity, "exactly" if not left else "differing: %s" % json.dumps(left)))


def _restore(entry, say):
    _try(["systemctl", "start", "NetworkManager"], 45)
    try:
        # our own only, by its exact path: it would otherwise roll back what is repaired here
        for checkpoint in own_checkpoints(guard.status_of(entry["id"]) or {}, networkmanager.checkpoints_of(networkmanager.objects())):
            networkmanager.destroy_checkpoint(checkpoint)
    except (networkmanager.NetworkManagerError, CommandError) as exc:  # the profiles are put back all the same
        guard.log(exc)
    places = (profiles.ON_DISK if entry["persistent"] else ()) + profiles.IN_MEMORY
    for path in profiles.restore(places, os.path.join(entry["path"], "files")):
        say("profile file put back: %s" % path)
    _try(["nmcli", "connection", "reload"], 15)
    # nmstate keeps DNS servers in NetworkManager's internal configuration, which is put back above and read again by this alone
    _try(["nmcli", "general", "reload", "conf"], 15)
    left = snapshot.bring_back(entry["snapshot"], entry["named"], REPAIR_SECONDS, say)
    if profile_settings.undo([device for device in entry["settings"] if device in entry["snapshot"]["devices"]], say):
        left = snapshot.settle(entry["snapshot"], entry["named"], time.monotonic() + SETTLE_SECONDS)
    return left


def own_checkpoints(status, there):
    """The paths among the checkpoints ``there`` (as networkmanager.checkpoints_of() gives them) that are the transaction's (pure).

    A guard that was killed during the apply does not know its checkpoint: then it is the new one with the timeout that was asked for.
    """
    if status.get("checkpoint"):
        return [one["path"] for one in there if one["path"] == status["checkpoint"]]
    return [one["path"] for one in there if "foreign" in status and one["path"] not in status["foreign"] and one["timeout"] == status["checkpoint_timeout"]]


def boot(base):
    """Early at boot, before NetworkManager: an open transaction is undone on disk, a committed one carried forward."""
    state, entry = journal.read(base)
    if not state:
        guard.disarm_boot()
    elif entry["boot_id"] == journal.boot_id():
        return  # a restart of NetworkManager pulled the unit in: the guard is at work
    elif state == "committed":
        carry_forward(entry)
    else:
        for prepared in entry.get("prepared") or []:
            netconf.discard(prepared)
        touched = profiles.restore(profiles.ON_DISK, os.path.join(entry["path"], "files"))
        end(entry)
        guard.tell(entry["id"], phase="undone", step="boot", reason="the host was restarted before the commit", boot=True,
                   exact=True, repairs=["profile file put back: %s" % path for path in touched])
        guard.log("transaction %s undone at boot: %d profile files put back" % (entry["id"], len(touched)))


def end(entry):
    if entry["persistent"]:
        guard.disarm_boot()
    journal.close(entry)


def _try(argv, timeout):
    try:
        run(argv, timeout)
    except CommandError as exc:
        guard.log(exc)
