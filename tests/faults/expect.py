# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Common functions of the cases: expectations, and access to a running transaction over the out-of-band NIC."""

from __future__ import annotations

import re

from tests.faults import judge
from tests.faults.play import BRIDGE, COMMIT, FOLDER, Play, apply_task
from tests.lab import hosts, network

FILL_DISK = (
    "for size in 1G 512M 256M 128M 64M 32M 16M 8M 4M 1M 256K 64K 16K 4K; do for i in 1 2; do"
    " fallocate -l $size /var/lib/full.$size.$i 2>/dev/null; done; done; true"
)


class NotSo(Exception):
    """An expectation was not met; the text says what was seen."""


def expect(true, seen):
    """Raise NotSo with the text ``seen`` unless ``true``."""
    if not true:
        raise NotSo(str(seen))


def says(words, text):
    """Expect the regular expression ``words`` in ``text``."""
    expect(re.search(words, text), f"it does not say {words!r} but: {text}")


def state(name, before, wanted="old", mtu=1500, seconds=30, recorded=True):
    """Expect the host to be exactly in its old (or new) state, and to answer. ``recorded``: as of judge.verdict()."""
    found, _seconds, differing = judge.verdict(name, before, mtu, seconds=seconds, recorded=recorded)
    expect(found == wanted, f"the host is {found}: {differing}")


def reach(name, phase, seconds=60):
    """Wait until the host's transaction has reached ``phase``; False if it does not."""
    files = "/run/ovirt-mgmt-network/*/status.json /run/ovirt-mgmt-network/last.json"
    line = f"timeout {seconds} sh -c 'until grep -qs \"phase.: .{phase}\" {files}; do sleep 0.05; done'"
    return hosts.ssh(name, line, timeout=seconds + 30, check=False).returncode == 0


def fault(kind, *words):
    """Create a fault of the switch or the servers; a host is given by its name."""
    network.fault(kind, *(str(hosts.about(word)["number"]) if word in hosts.names() else str(word) for word in words))


def undone(play, words, within=0.75, timeout=60):
    """Expect the play's change to be undone exactly, for a reason that matches ``words``, ``within`` this share of its
    timeout. Returns what was seen.
    """
    play.wait(420)
    how, result, _at = play.ended()
    expect(how == "failed", f"nmstate_apply ended {how or 'never'}: {play.failure()}")
    text = str(result.get("msg"))
    says(words, text)
    expect(
        result.get("rolled_back") and result.get("exact"),
        f"not undone exactly: {text}; repairs: {result.get('repairs')}",
    )
    times = {one["phase"]: one["at"] for one in result["timeline"]}
    share = (times["undone"] - times["open"]) / timeout
    expect(share < within, f"undone after {share:.2f} of the timeout: {text}")
    return f"undone after {share:.2f} of the timeout: {text}"


def refused(play, words):
    """Expect the play's change to be refused with a message that matches all of ``words``, with nothing changed.
    Returns the message.
    """
    play.wait(180)
    how, result, _at = play.ended()
    text = str(result.get("msg"))
    expect(how == "failed" and not result.get("changed"), f"not refused but {how or 'never reached'}: {play.failure()}")
    for one in words:
        says(one, text)
    return text


def pend(name, **options):
    """Leave a change pending on the host. Returns its transaction."""
    play = Play(name, {"tasks": [apply_task(BRIDGE, commit=False, **options)]}, "pending")
    play.wait(120)
    how, result, _at = play.ended()
    expect(how == "ok" and result.get("phase") == "applied", f"no change is pending: {play.failure()}")
    return result["transaction"]


def end(name, wanted, **options):
    """End the pending change as ``wanted`` (committed, rolled_back). Returns the result of Play.ended()."""
    play = Play(
        name, {"tasks": [{COMMIT: {"state": wanted, **options, "diagnosis": str(FOLDER / "diagnosis")}}]}, "end"
    )
    play.wait(180)
    return play.ended(COMMIT)


def committed(play):
    """Expect the play's change to be committed. Returns the result of its task."""
    play.wait(300)
    _how, result, _at = play.ended()
    expect(result.get("phase") == "committed", f"not committed: {play.failure()}")
    return result


def clock(name, hours):
    """Change the host's clock by ``hours`` (text with a sign)."""
    hosts.ssh(name, f"date -s '{hours} hour'")
