# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at random times of a transaction, uniformly from 1 s before its start to 5 s after its commit."""

from __future__ import annotations

import collections
import statistics
import time

from tests.faults import judge, victims
from tests.faults.play import APPLY, PLAIN, PLAIN_TASKS, ROLE, TIMEOUT, Play
from tests.lab import hosts

ON_HOST = {
    "guard_killed": "systemctl kill -s KILL 'ovirt-mgmt-network-2*'",
    "nmstatectl_killed": "for i in $(seq 200); do pkill -KILL nmstatectl && break; sleep 0.05; done",
    "nm_restarted": "systemctl restart NetworkManager",
    "nm_killed": "systemctl kill -s KILL NetworkManager",
    "nm_stopped": "systemctl stop NetworkManager",
    "ssh_cut": "pkill -KILL -f 'sshd(-session)?: root@notty'",
}
FAULTS = ("power_cut", "controller_killed", *ON_HOST)
BEFORE_BEGIN, AFTER_COMMIT = 1, 5  # s
# How long a module that was just sent may take to open its transaction if the controller is gone.
_SETTLE = 4
# With its timeouts: the change is undone after its timeout, then repaired; the play waits as long.
_PLAY_SECONDS = 4 * TIMEOUT + 60
_PLAIN_PATIENCE = 45  # seconds: nothing is repaired there


class Windows:
    """When transactions begin and commit, in seconds after the start of their task, learned from earlier runs; and the
    state of the hosts then.
    """

    def __init__(self):
        self._seen = collections.defaultdict(lambda: collections.deque(maxlen=5))
        self.after = {}

    def learn(self, layout, begin, commit):
        self._seen[layout].append((begin, commit))

    def of(self, layout):
        """``(first, last)``: the window of ``layout``; None if no run has committed yet."""
        if not self._seen[layout]:
            return None
        begin, commit = (statistics.median(one[index] for one in self._seen[layout]) for index in (0, 1))
        return begin - BEFORE_BEGIN, commit + AFTER_COMMIT


def draw(count, chance, faults, layouts):
    """``count`` runs ``{number, fault, layout, share}``; ``share`` (0 to 1): position in the window."""
    return [
        {
            "number": number,
            "fault": chance.choice(faults),
            "layout": chance.choice(layouts),
            "share": round(chance.random(), 4),
        }
        for number in range(1, count + 1)
    ]


def once(run, windows, plain=False):
    """The rows of a run. The first run of a layout is preceded by one without a fault, to learn its times."""
    rows = []
    if windows.of(run["layout"]) is None:
        rows.append(_once({**run, "number": 0, "fault": "none", "share": 0.0}, windows, plain))
        if windows.of(run["layout"]) is None:
            return rows
    return [*rows, _once(run, windows, plain)]


def _once(run, windows, plain):
    layout, began = run["layout"], time.monotonic()
    name, before = victims.ready(layout)
    play = Play(name, PLAIN_TASKS if plain else ROLE, mgmt_network=victims.LAYOUTS[layout])
    action = PLAIN if plain else APPLY
    first, last = windows.of(layout) or (0.0, 0.0)
    at, begun = first + run["share"] * (last - first), play.begun(action)
    if begun is None:
        play.kill()
        return {
            **run,
            "at": at,
            "verdict": "no run",
            "seconds": 0.0,
            "reported": False,
            "wrong": True,
            "differs": play.failure(),
            "cost": time.monotonic() - began,
        }
    time.sleep(max(0.0, begun + at - time.time()))
    struck = time.monotonic()
    _inject(run["fault"], name, play)
    if run["fault"] == "power_cut":
        time.sleep(0.2)
    elif run["fault"] == "controller_killed":
        time.sleep(_SETTLE)
    else:
        play.wait(_PLAY_SECONDS)
        time.sleep(_SETTLE if run["fault"] == "ssh_cut" else 0)
    after, patience = (None, _PLAIN_PATIENCE) if plain else (windows.after.get(layout), judge.PATIENCE)
    found, _seconds, differing = judge.verdict(
        name, before, victims.mtu_of(layout), after, patience, recorded=not plain
    )
    seconds = time.monotonic() - struck
    play.kill()  # after a power cut, the controller may wait for the result of the transaction for a long time
    how, result, ended = play.ended(action)
    reported = how == "ok" if plain else result.get("phase") == "committed"
    if reported and run["fault"] in ("none", "controller_killed"):
        _learn(windows, layout, begun, result, ended)
    if run["fault"] == "none" and found == "new":
        windows.after[layout] = judge.look(name)
    wrong = found not in ("old", "new") or reported and found != "new" or run["fault"] == "none" and found != "new"
    return {
        **run,
        "at": round(at, 2),
        "window": [round(first, 2), round(last, 2)],
        "verdict": found,
        "seconds": round(seconds, 1),
        "reported": reported,
        "wrong": wrong,
        "said": play.failure()[:300],
        "differs": differing,
        "cost": round(time.monotonic() - began, 1),
    }


def _learn(windows, layout, begun, result, ended):
    times = {one["phase"]: one["at"] - begun for one in result.get("timeline") or []}
    windows.learn(layout, times.get("open", 0.5), times.get("committed", ended - begun))


def _inject(fault, name, play):
    if fault == "power_cut":
        hosts.power_cut(name)
        time.sleep(1)
        hosts.boot(name)
    elif fault == "controller_killed":
        play.kill()
    elif fault != "none":
        hosts.ssh(name, ON_HOST[fault], check=False, timeout=60)
