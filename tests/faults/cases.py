# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases by name, and how to run them."""

from __future__ import annotations

import time

from tests.faults import commits, expect, impossible, kills, refusals, undos, victims

# name: {layout, function, expected, alone}; a fault of the switch or the servers affects every host, so nothing else
# runs then
CASES = {
    name: {"layout": words[0], "function": words[1], "expected": words[2], "alone": "alone" in words[3:]}
    for group in (impossible.CASES, refusals.CASES, commits.CASES, undos.CASES, kills.CASES)
    for name, words in group.items()
}


def play(name):
    """The row of a case: ``{case, layout, expected, seen, wrong, seconds}``."""
    case = CASES[name]
    host, before = victims.ready(case["layout"])
    began, wrong = time.monotonic(), False
    try:
        seen = case["function"](host, before)
    except expect.NotSo as error:
        seen, wrong = str(error), True
    return {
        "case": name,
        "layout": case["layout"],
        "expected": case["expected"],
        "seen": " ".join(seen.split()),
        "wrong": wrong,
        "seconds": round(time.monotonic() - began, 1),
    }
