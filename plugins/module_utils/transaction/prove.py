# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the host verifies a change: the addresses are present, the probes that passed before pass again, and the
controller confirms.

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

PROBE_SECONDS = 6  # a path may need some time after an activation: bridges learn, neighbors are resolved
# A bridge with STP forwards nothing for twice its forward delay of 15 s (802.1D). The DHCP client then sends its next
# request after 60 s at the latest, because it waits 4, 8, 16, and 32 s between requests (RFC 2131, 4.1).
STP_SECONDS = 50
STP_MARGIN = 10  # in addition to twice the forward delay, until the ports are up
SYSFS = "/sys/class/net"
_BLOCKED = ("1", "2")  # listening, learning (linux/if_bridge.h, BR_STATE_*): before forwarding
_FORWARDING = "3"
_SOON_SECONDS = 2
SETTLE_SECONDS = 20  # how long to wait for an address: DHCP takes 2 s, duplicate address detection 1 to 2 s


class Abort(Exception):
    """The change must be undone: the failed ``step`` (prepare, apply, prove, commit) and the reason."""

    def __init__(self, step: str, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.step = step
        self.details = details


class Baseline:
    """The probes that pass before the change. The duplicate address probe waits for answers, so it runs on while the
    change is prepared; finish() is called before the network is changed.

    ``passed``: the probes that pass, and those for what the change adds. ``paths``, ``saw``: the paths with their
    current MTUs, if the change raises an MTU, and their results.
    """

    def __init__(self, entry: Mapping) -> None:
        self._entry = entry
        known = probes.expand(entry["probes"], entry["snapshot"])
        self._known = [probe for probe in known if probe["type"] != "duplicate_address"]
        self._duplicates = [probe for probe in known if probe["type"] == "duplicate_address"]
        self._duplicates_seen = probes.start(self._duplicates, entry["snapshot"])
        self.paths = probes.paths(entry["probes"], entry["snapshot"]) if _states_mtu(entry) else []
        answers = probes.run_all(self._known + self.paths, entry["snapshot"])
        self._seen, self.saw = answers[: len(self._known)], answers[len(self._known) :]
        self.passed: list[dict] = []
        if entry.get("commit") and not entry.get("proven", True) and all(seen.trouble for seen in self._seen):
            self.finish()
            raise Abort(
                "prove",
                "the change cannot be verified: the control connection does not use an address that the host must "
                "keep, and no probe passes before the change (%s). Add a probe that passes, or set commit: false"
                % ("; ".join(_failed(self._known, self._seen)) or "no probe has a target"),
            )

    def finish(self) -> None:
        """Wait for all probes. Those that fail, and so will be skipped, are reported as ``not_probed``."""
        known, seen = self._known + self._duplicates, self._seen + self._duplicates_seen()
        mailbox.tell(self._entry["id"], not_probed=_failed(known, seen))
        passed = [probe for probe, answer in zip(known, seen) if not answer.trouble]
        self.passed = passed + probes.promised(self._entry["change"], known, passed)


def _failed(asked: list[dict], seen: list[probes.Seen]) -> list[str]:
    return [
        "%s %s: %s" % (probe["type"], probe["target"], answer.trouble)
        for probe, answer in zip(asked, seen)
        if answer.trouble
    ]


def baseline(entry: Mapping) -> Baseline:
    """Which probes pass before the change. Raises Abort if neither the control connection nor a probe can verify it."""
    mailbox.tell(entry["id"], phase="baseline")
    return Baseline(entry)


def _states_mtu(entry: Mapping) -> bool:
    """Whether the change may raise an MTU, or the user has set a size."""
    return any(iface.get("mtu") for iface in entry["change"].get("interfaces") or []) or any(
        probe.get("size") for probe in entry["probes"]
    )


def prove(entry: Mapping, before: Baseline, deadline: float) -> None:
    """Wait until the addresses are present, the probes that passed ``before`` (see baseline) pass, larger packets pass
    if the MTU was raised, and the controller confirms. Raises Abort at ``deadline``.
    """
    now = settle(entry, min(deadline, time.monotonic() + SETTLE_SECONDS + stp_seconds(entry)))
    wait_for_bridges(entry, now, deadline)
    paths, unprobed = (
        probes.larger(before.paths, probes.paths(entry["probes"], now), before.saw) if before.paths else ([], [])
    )
    if unprobed:
        mailbox.tell(entry["id"], not_probed=(mailbox.status_of(entry["id"]) or {}).get("not_probed", []) + unprobed)
    # an effect may have restarted IPv6: wait for router advertisements again
    _probe(
        before.passed + paths,
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
    """The time until a spanning tree forwards packets, if the change enables one or changes the ports of a bridge that
    has one.
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
    """Wait until the bridges that the change names, or that carry an address to keep, forward packets: at most twice
    their forward delay (802.1D) and a margin, and not longer than ``deadline``. Afterwards, the probes find what does
    not work.
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
    """Whether the spanning tree of ``bridge`` has settled with a forwarding port. True for a bridge without ports."""
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
    """A snapshot with all addresses to keep. Raises Abort if they are not present at ``end`` (monotonic)."""
    while True:
        # reading only the addresses is much faster than a snapshot, and NetworkManager is busy at this point
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


def check_addresses(entry: Mapping) -> None:
    """Raise Abort if an address to keep is missing and does not come back soon."""
    if not _are_held(entry["keep"]):
        settle(entry, time.monotonic() + _SOON_SECONDS)


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
        # a probe that is not possible is not a failure
        wanted = [probe for probe, seen in zip(wanted, answers) if seen.trouble and seen.asked]
        if wanted and time.monotonic() > end:
            raise Abort("prove", "; ".join(seen.trouble for seen in answers if seen.trouble and seen.asked))
        if wanted:
            now = snapshot.take()  # a router advertisement may have just arrived


def check_checkpoint(checkpoint: str | None) -> None:
    """Raise Abort if NetworkManager no longer has the checkpoint ``checkpoint`` (path; "": none was created)."""
    if checkpoint and checkpoint not in networkmanager.checkpoint_paths():
        raise Abort(
            "prove", "the checkpoint %s is gone: NetworkManager was restarted, or another program ended it" % checkpoint
        )
