# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of the hosts, for the screen and for a file that survives an interrupt."""

from __future__ import annotations

import collections
import json
import statistics


def keep(path, row):
    """Append a row to the file (JSON lines); no path, no file."""
    if path:
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def read(path):
    """The rows of such a file."""
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.endswith("\n")]


def line(row):
    """A row as a line, for immediate output."""
    if "case" in row:
        end = "as expected" if not row["wrong"] else "WRONG"
        return f"{row['case']:22} {row['layout']:16} {end:11} {row['seconds']:6.1f} s: {row['seen']}"
    window = (
        f"at {row['at']:5.1f} s of {row['window'][0]:4.1f} to {row['window'][1]:4.1f} s: "
        if "window" in row and row["fault"] != "none"
        else ""
    )
    return (
        f"{row['number']:4} {row['fault']:18} {row['layout']:16} {window}{row['verdict']:8} after "
        f"{row['seconds']:5.1f} s, "
        f"commit {'reported' if row['reported'] else 'not reported'}; run of {row['cost']:.0f} s"
        f"{' WRONG' if row['wrong'] else ''} {row['differs']}"
    ).rstrip()


def show(rows, plain=False):
    """Print the tables; returns how many rows are wrong."""
    groups, cases = collections.defaultdict(list), [row for row in rows if "case" in row]
    random = [row for row in rows if "case" not in row]
    for row in random:
        groups[row["fault"], row["layout"]].append(row)
    if random:
        print(
            f"\n{'fault':18} {'layout':16} {'runs':>5} {'old':>5} {'new':>5} {'lost':>5} {'neither':>8} {'wrong':>6} "
            f"{'reported':>9} {'s, median':>10}"
            f" {'s, most':>8}"
        )
        for (fault, layout), some in sorted(groups.items()):
            print(_counted(f"{fault:18} {layout:16}", some))
        faulty = [row for row in random if row["fault"] != "none"]
        print(_counted(f"{'all faults':18} {'':16}", faulty))
    if cases:
        print(f"\n{'case':22} {'layout':16} {'expected':45} {'seen':9} {'s':>6}")
        for row in cases:
            print(
                f"{row['case']:22} {row['layout']:16} {row['expected']:45} "
                f"{'so' if not row['wrong'] else 'NOT SO':9} {row['seconds']:6.1f}"
            )
            print(f"{'':22} {row['seen'][:200]}")
    wrong = sum(row["wrong"] for row in rows)
    lost = sum(row.get("verdict") in ("lost", "neither") for row in random)
    more = (
        ""
        if plain
        else f", {wrong} wrong (lost, in between, a reported commit that did not last, a case not as expected)"
    )
    print(f"\n{len(rows)} runs, {lost} hosts lost or in between{more}")
    return wrong


def _counted(head, some):
    counts = collections.Counter(row["verdict"] for row in some)
    seconds = [row["seconds"] for row in some] or [0.0]
    return (
        f"{head} {len(some):5} {counts['old']:5} {counts['new']:5} {counts['lost']:5} {counts['neither']:8} "
        f"{sum(row['wrong'] for row in some):6} "
        f"{sum(row['reported'] for row in some):9} {statistics.median(seconds):10.1f} {max(seconds):8.1f}"
    )
