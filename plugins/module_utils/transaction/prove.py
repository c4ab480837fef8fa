# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves a change on the host: the addresses are back, the probes that passed before pass again, the controller
confirms.

Called by the guard (run.guarded()) only.
"""

from __future__ import annotations

import os
import secrets
import time

from ..effects import every
from ..facts import snapshot
from ..proof import arp, probes
from ..sources import kernel, networkmanager, profile_files
from . import mailbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

PROBE_SECONDS = 6  # a path may need a moment after an activation: bridges learn, neighbours are asked
# A bridge with STP lets nothing through for twice its forward delay of 15 s (802.1D); the DHCP client then asks again
# at 60 s at the latest, for it waits 4, 8, 16 and 32 s between its requests (RFC 2131, 4.1).
STP_SECONDS = 50
STP_MARGIN = 10  # on top of twice the forward delay, for the ports to come up
SYSFS = "/sys/class/net"
_BLOCKED = ("1", "2")  # listening, learning (linux/if_bridge.h, BR_STATE_*): on the way to forwarding
_FORWARDING = "3"
SETTLE_SECONDS = 20  # for an address to be there again: DHCP answers in 2 s, duplicate detection takes 1-2 s


class Abort(Exception):
    """The change must be undone: ``step`` (prepare, apply, prove, commit) and why."""

    def __init__(self, step: str, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.step = step
        self.details = details


def baseline(entry: Mapping) -> dict:
    """What passes before the change: ``{passed, paths, saw}``.

    ``passed``: the probes that pass, and those for what only the change promises. ``paths``, ``saw``: the paths at
    their present MTUs, where the change raises any, and what was seen of them. What does not pass, and so will not be
    asked, is told as ``not_probed``. Raises Abort when neither the control connection nor a probe can prove the change.
    """
    mailbox.tell(entry["id"], phase="baseline")
    known = probes.expand(entry["probes"], entry["snapshot"])
    paths = probes.paths(entry["probes"], entry["snapshot"]) if _states_mtu(entry) else []
    seen_before = probes.run_all(known + paths, entry["snapshot"])
    unprobed = [
        "%s %s: %s" % (probe["type"], probe["target"], seen.trouble)
        for probe, seen in zip(known, seen_before)
        if seen.trouble
    ]
    mailbox.tell(entry["id"], not_probed=unprobed)
    passed = [probe for probe, seen in zip(known, seen_before) if not seen.trouble]
    if (
        entry.get("commit")
        and not entry.get("proven", True)
        and not any(probe["type"] != "duplicate_address" for probe in passed)
    ):
        raise Abort(
            "prove",
            "the change cannot be verified: the control connection does not use an address that the host must keep, "
            "and no probe passes before the change (%s). Add a probe that passes, or set commit: false"
            % ("; ".join(unprobed) or "no probe has a target"),
        )
    return {
        "passed": passed + probes.promised(entry["change"], known, passed),
        "paths": paths,
        "saw": seen_before[len(known) :],
    }


def _states_mtu(entry: Mapping) -> bool:
    """Whether the change may raise an MTU, or the user asks for a size."""
    return any(iface.get("mtu") for iface in entry["change"].get("interfaces") or []) or any(
        probe.get("size") for probe in entry["probes"]
    )


def prove(entry: Mapping, before: Mapping, deadline: float) -> None:
    """Wait until the addresses are there, the probes that passed ``before`` (see baseline) pass, larger packets pass
    where the MTU was raised, and the controller confirms, at most until ``deadline``; else raise Abort.
    """
    now = settle(entry, min(deadline, time.monotonic() + SETTLE_SECONDS + stp_seconds(entry)))
    wait_for_bridges(entry, now, deadline)
    paths, unprobed = (
        probes.larger(before["paths"], probes.paths(entry["probes"], now), before["saw"])
        if before["paths"]
        else ([], [])
    )
    if unprobed:
        mailbox.tell(entry["id"], not_probed=(mailbox.status_of(entry["id"]) or {}).get("not_probed", []) + unprobed)
    # an effect may have begun IPv6 anew: routers have to announce themselves once more
    _probe(
        before["passed"] + paths,
        now,
        min(deadline, time.monotonic() + (SETTLE_SECONDS if every.seconds(entry["effects"]) else PROBE_SECONDS)),
    )
    if entry["persistent"]:
        profile_files.flush()
    nonce = secrets.token_hex(16)
    checkpoint = mailbox.tell(
        entry["id"], phase="applied", nonce=nonce, left=round(deadline - time.monotonic(), 1)
    ).get("checkpoint")
    look = 0
    while mailbox.received(entry["id"], "confirm") != nonce:
        cancelled = mailbox.received(entry["id"], "cancel")
        if cancelled is not None:
            raise Abort("prove", cancelled or "rolled back on request")
        if time.monotonic() > deadline:
            raise Abort("prove", "timed out after %s s: no confirmation over a new connection" % entry["timeout"])
        look += 1
        if look % 20 == 0:
            check_checkpoint(checkpoint)
        time.sleep(0.05)


def stp_seconds(entry: Mapping) -> int:
    """What a spanning tree takes until it lets packets through, where the change turns one on or touches the ports of a
    bridge that has one.
    """
    ifaces = {iface["name"]: iface for iface in (entry.get("before") or {}).get("interfaces") or []}
    named = {iface["name"] for iface in entry["change"].get("interfaces") or []}
    for iface in entry["change"].get("interfaces") or []:
        ifaces[iface["name"]] = dict(ifaces.get(iface["name"]) or {}, **iface)
    for name, iface in ifaces.items():
        bridge = iface.get("bridge") or {}
        ports = {port["name"] for port in bridge.get("port", bridge.get("ports")) or []}
        if ((bridge.get("options") or {}).get("stp") or {}).get("enabled") and named & ({name} | ports):
            return STP_SECONDS
    return 0


def wait_for_bridges(entry: Mapping, now: Mapping, deadline: float) -> None:
    """Wait until the bridges that the change names, or that an address to keep stands on, let packets through: at most
    twice their forward delay (802.1D) and a margin, and not longer than ``deadline``. What does not come is left to the
    probes to find.
    """
    devices = {iface["name"] for iface in entry["change"].get("interfaces") or []}
    for address in entry["keep"]:
        for holder in snapshot.holders(now, address):
            devices |= arp.below(holder)
    bridges = sorted(name for name in devices if _read(name, "bridge/stp_state") not in ("", "0"))
    end = (
        time.monotonic()
        + max([2 * int(_read(name, "bridge/forward_delay") or 1500) / 100 for name in bridges], default=0)
        + STP_MARGIN
    )
    while not all(forwards(name) for name in bridges) and time.monotonic() < min(end, deadline):
        time.sleep(0.1)


def forwards(bridge: str) -> bool:
    """Whether the spanning tree of ``bridge`` has come to rest with a port that forwards; also true of a bridge without
    ports.
    """
    try:
        ports = os.listdir(os.path.join(SYSFS, bridge, "brif"))
    except OSError:
        return True
    states = [_read(port, "brport/state") for port in ports]
    return not ports or _FORWARDING in states and not any(state in _BLOCKED for state in states)


def _read(device: str, name: str) -> str:
    try:
        with open(os.path.join(SYSFS, device, name), encoding="ascii") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def settle(entry: Mapping, end: float) -> dict:
    """The snapshot that has all addresses to keep; Abort when they are not there by ``end`` (monotonic)."""
    while True:
        # a look at the addresses alone takes a fraction of a snapshot, and NetworkManager is busy with them
        while not _are_held(entry["keep"]) and time.monotonic() < end:
            time.sleep(0.05)
        now = snapshot.take()
        missing = [address for address in entry["keep"] if not snapshot.holders(now, address)]
        if not missing:
            return now
        if time.monotonic() > end:
            have = [
                "%s on %s" % (address, name)
                for name, device in sorted(now["devices"].items())
                for address in device["addresses"]
            ]
            raise Abort(
                "prove",
                "the address %s did not come back; the host has %s" % (", ".join(missing), ", ".join(have) or "none"),
            )
        time.sleep(0.1)


def _are_held(addresses: Iterable[str]) -> bool:
    usable = {
        entry.get("local")
        for link in kernel.links()
        for entry in link.get("addr_info") or []
        if not entry.get("tentative")
    }
    return usable >= set(addresses)


def _probe(wanted: list[dict], now: Mapping, end: float) -> None:
    while wanted:
        answers = probes.run_all(wanted, now)
        # what cannot be asked proves nothing against the change
        wanted = [probe for probe, seen in zip(wanted, answers) if seen.trouble and seen.asked]
        if wanted and time.monotonic() > end:
            raise Abort("prove", "; ".join(seen.trouble for seen in answers if seen.trouble and seen.asked))
        if wanted:
            now = snapshot.take()  # a router's announcement may just have come


def check_checkpoint(checkpoint: str | None) -> None:
    """Raise Abort when the path ``checkpoint`` ("": none was made) is not NetworkManager's any more."""
    if checkpoint and checkpoint not in networkmanager.checkpoint_paths():
        raise Abort(
            "prove", "the checkpoint %s is gone: NetworkManager was restarted, or another program ended it" % checkpoint
        )
