# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What proves a change on the host: the addresses are back, the probes that passed before pass again, the controller confirms.

Called by the guard (transaction.guarded()) only.
"""

from __future__ import annotations

import secrets
import time

from . import guard, networkmanager, probes, profiles, snapshot

PROBE_SECONDS = 6  # a path may need a moment after an activation: bridges learn, neighbours are asked
# A bridge with STP lets nothing through for twice its forward delay of 15 s (802.1D); the DHCP client then asks again at 60 s at
# the latest, for it waits 4, 8, 16 and 32 s between its requests (RFC 2131, 4.1).
STP_SECONDS = 50
SETTLE_SECONDS = 20  # for an address to be there again: DHCP answers in 2 s, duplicate detection takes 1-2 s


class Abort(Exception):
    """The change must be undone: ``step`` (prepare, apply, prove, commit) and why."""

    def __init__(self, step, reason, **details):
        super().__init__(reason)
        self.step = step
        self.details = details


def baseline(entry):
    """The probes that pass before the change, and those for what only the change promises."""
    guard.tell(entry["id"], phase="baseline")
    known = probes.expand(entry["probes"], entry["snapshot"], _promised_mtu(entry))
    saw = probes.run_all([one for one in known if one["type"] != "path_mtu"], entry["snapshot"])
    before = [one for one in known if one["type"] != "path_mtu"]
    left_out = ["%s %s" % (one["type"], one["target"]) for one, trouble in zip(before, saw) if trouble]
    guard.tell(entry["id"], not_probed=left_out)
    passed = [one for one, trouble in zip(before, saw) if not trouble]
    return passed + probes.promised(entry["change"], before, passed) + [one for one in known if one["type"] == "path_mtu"]


def _promised_mtu(entry):
    """The MTU that the change raises the management path to, None when it raises none."""
    was = [device["mtu"] for address in entry["keep"] for name in snapshot.holders(entry["snapshot"], address)
           for device in [entry["snapshot"]["devices"][name]]]
    with_address = [iface for iface in entry["change"].get("interfaces", [])
                    if iface.get("mtu") and any((iface.get(family) or {}).get("enabled") for family in ("ipv4", "ipv6"))]
    highest = max([iface["mtu"] for iface in with_address], default=0)
    return highest if was and highest > max(was) else None


def prove(entry, passed, deadline):
    """Wait until the addresses are there, the probes ``passed`` pass and the controller confirms, at most until ``deadline``; else raise Abort."""
    now = settle(entry, min(deadline, time.monotonic() + SETTLE_SECONDS + stp_seconds(entry)))
    # settings may have begun IPv6 anew: routers have to announce themselves once more
    _probe(passed, now, min(deadline, time.monotonic() + (SETTLE_SECONDS if entry["settings"] else PROBE_SECONDS)))
    if entry["persistent"]:
        profiles.flush()
    nonce = secrets.token_hex(16)
    checkpoint = guard.tell(entry["id"], phase="applied", nonce=nonce, left=round(deadline - time.monotonic(), 1)).get("checkpoint")
    look = 0
    while guard.received(entry["id"], "confirm") != nonce:
        cancelled = guard.received(entry["id"], "cancel")
        if cancelled is not None:
            raise Abort("prove", cancelled or "rolled back on request")
        if time.monotonic() > deadline:
            raise Abort("prove", "no confirmation over a new connection within %s s" % entry["timeout"])
        look += 1
        if look % 20 == 0:
            check_checkpoint(checkpoint)
        time.sleep(0.05)


def stp_seconds(entry):
    """What a spanning tree that the change turns on takes until it lets packets through."""
    bridges = [iface.get("bridge") or {} for iface in entry["change"].get("interfaces", [])]
    return STP_SECONDS if any(((one.get("options") or {}).get("stp") or {}).get("enabled") for one in bridges) else 0


def settle(entry, end):
    """The snapshot that has all addresses to keep; Abort when they are not there by ``end`` (monotonic)."""
    while True:
        now = snapshot.take()
        missing = [one for one in entry["keep"] if not snapshot.holders(now, one)]
        if not missing:
            return now
        if time.monotonic() > end:
            have = ["%s on %s" % (address, name) for name, device in sorted(now["devices"].items()) for address in device["addresses"]]
            raise Abort("prove", "the address %s did not come back; the host has %s" % (", ".join(missing), ", ".join(have) or "none"))
        time.sleep(0.1)


def _probe(wanted, now, end):
    while wanted:
        saw = probes.run_all(wanted, now)
        wanted = [one for one, trouble in zip(wanted, saw) if trouble]
        if wanted and time.monotonic() > end:
            raise Abort("prove", "; ".join(trouble for trouble in saw if trouble))
        if wanted:
            now = snapshot.take()  # a router's announcement may just have come


def check_checkpoint(checkpoint):
    """Raise Abort when the path ``checkpoint`` ("": none was made) is not NetworkManager's any more."""
    if checkpoint and checkpoint not in networkmanager.checkpoint_paths():
        raise Abort("prove", "the checkpoint %s is gone: NetworkManager was restarted or somebody else ended it" % checkpoint)
