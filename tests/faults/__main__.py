# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults while configure_mgmt changes a host: random ones at random times, and cases that must be undone or refused.

Prints tables at the end. The exit status is 1 if a host was lost, is between two states, or did something unexpected.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import signal
import sys
import threading
import time
import traceback

CHECKOUT = pathlib.Path(os.environ.get("OVIRT_CHECKOUT", pathlib.Path(__file__).resolve().parents[2]))
os.environ.setdefault("OVIRT_LAB_NAME", "ovirt-faults")
sys.path.insert(0, str(CHECKOUT))
from tests.faults import cases, chance, play, table, victims  # noqa: E402
from tests.lab import hosts  # noqa: E402
from tests.lab.machine import LabError, check_machine  # noqa: E402


def main():
    args = arguments()
    if args.table:
        return 1 if table.show(table.read(args.table), args.plain) else 0
    check_machine()
    rows, lock = [], threading.Lock()

    def report(row):
        with lock:
            rows.append(row)
            table.keep(args.out, row)
            print(table.line(row), flush=True)

    runs = args.given
    if not runs and args.count:
        seed = args.seed if args.seed is not None else int(time.time())
        print(
            f"faults: seed {seed}, {args.count} runs of {', '.join(args.faults)} on {', '.join(args.layouts)}, "
            f"{args.jobs} at a time",
            flush=True,
        )
        runs = chance.draw(args.count, random.Random(seed), args.faults, args.layouts)
    try:
        windows = chance.Windows()
        share(
            [(run["layout"], lambda run=run: chance.once(run, windows, args.plain)) for run in runs], args.jobs, report
        )
        for alone in (True, False):  # faults of the switch or the servers affect every host
            some = [
                (cases.CASES[name]["layout"], lambda name=name: [cases.play(name)])
                for name in args.cases
                if bool(cases.CASES[name].get("alone")) == alone
            ]
            share(some, 1 if alone else args.jobs, report)
    finally:
        wrong = table.show(rows, args.plain)
    return 1 if wrong and not args.plain else 0


def share(work, jobs, report):
    """Run all of ``work``, ``[(layout, function), ...]``, ``jobs`` at a time, and never two of one layout, because they
    use the same host.
    """
    pending, busy, lock, broken = list(work), set(), threading.Lock(), []

    def worker():
        while not broken:
            with lock:
                mine = next((one for one in pending if one[0] not in busy), None)
                if mine:
                    pending.remove(mine)
                    busy.add(mine[0])
                elif not pending:
                    return
            if not mine:
                time.sleep(0.3)
                continue
            try:
                for row in mine[1]():
                    report(row)
            except LabError as error:
                report(
                    {
                        "number": 0,
                        "fault": "the lab's own",
                        "layout": mine[0],
                        "verdict": "no run",
                        "seconds": 0.0,
                        "reported": False,
                        "wrong": True,
                        "differs": str(error),
                        "cost": 0.0,
                    }
                )
            except Exception:  # a bug in the suite itself: end and show the results so far
                broken.append(traceback.format_exc())
            finally:
                busy.discard(mine[0])

    threads = [threading.Thread(target=worker, daemon=True) for _job in range(jobs)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)  # to allow an interrupt
    if broken:
        raise RuntimeError(broken[0])


def names(known):
    """An argument's type: a comma-separated list of some of ``known``, or all, or none."""

    def parse(text):
        if text in ("all", "none"):
            return list(known) if text == "all" else []
        found = text.split(",")
        unknown = set(found) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        return found

    return parse


def given(text):
    """An argument's type: runs in the format of chance.draw(), from ``fault:layout:share,...``."""
    found = []
    for number, one in enumerate(text.split(","), 1):
        fault, layout, share_of_window = one.split(":")
        if fault not in chance.FAULTS or layout not in victims.LAYOUTS:
            raise argparse.ArgumentTypeError(f"unknown: {one}")
        found.append({"number": number, "fault": fault, "layout": layout, "share": float(share_of_window)})
    return found


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10, help="random faults (%(default)s)")
    parser.add_argument("--seed", type=int, help="seed for the same faults at the same times (default: the clock)")
    parser.add_argument(
        "--faults",
        type=names(chance.FAULTS),
        default=list(chance.FAULTS),
        metavar="LIST",
        help=f"of the random ones: {', '.join(chance.FAULTS)} (default: all)",
    )
    parser.add_argument(
        "--layouts",
        type=names(victims.LAYOUTS),
        default=list(victims.LAYOUTS),
        metavar="LIST",
        help=f"for the random ones: {', '.join(victims.LAYOUTS)} (default: all)",
    )
    parser.add_argument(
        "--given",
        type=given,
        default=[],
        metavar="LIST",
        help="these instead of random ones, each FAULT:LAYOUT:SHARE of the window (0 to 1)",
    )
    parser.add_argument(
        "--cases",
        type=names(cases.CASES),
        default=[],
        metavar="LIST",
        help=f"also these, or all: {', '.join(cases.CASES)} (default: none)",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time (%(default)s)")
    parser.add_argument(
        "--plain", action="store_true", help="plain nmstatectl apply instead of the role, for comparison"
    )
    parser.add_argument("--out", metavar="FILE", help="append every row immediately")
    parser.add_argument("--table", metavar="FILE", help="only print the tables of such a file")
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = main()
    except LabError as error:
        status = f"faults: {error}"
    except KeyboardInterrupt:
        status = "faults: interrupted"
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the cleanup must not be interrupted
        for one in list(play.Play.running):  # remainders of the interrupted work
            one.kill()
        if not os.environ.get("OVIRT_LAB_KEEP") and "--table" not in " ".join(sys.argv):
            hosts.down()
    sys.exit(status)
