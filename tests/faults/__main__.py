# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeded random faults while configure_mgmt runs on a fresh host. Ends with a table; exit status 1 when a host was lost or in between."""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import time

CHECKOUT = pathlib.Path(os.environ.get("OVIRT_CHECKOUT", pathlib.Path(__file__).resolve().parents[2]))
os.environ.setdefault("OVIRT_LAB_NAME", "ovirt-faults")
sys.path.insert(0, str(CHECKOUT))
from tests.faults import judge  # noqa: E402
from tests.lab import hosts  # noqa: E402
from tests.lab.machine import CACHE, NAME, LabError, netns  # noqa: E402

FOLDER = CACHE / f"faults-{NAME}"
# what the data center says for each layout
LAYOUTS = {
    "nic-dhcp": {"name": "ovirtmgmt"},
    "nic-static": {"name": "ovirtmgmt"},
    "bond-ab": {"name": "ovirtmgmt"},
    "bond-vlan": {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000},
}
ON_HOST = {
    "guard_killed": "systemctl kill -s KILL 'ovirt-mgmt-network-2*'",
    "nmstatectl_killed": "for i in $(seq 200); do pkill -KILL nmstatectl && break; sleep 0.05; done",
    "nm_restarted": "systemctl restart NetworkManager",
    "nm_killed": "systemctl kill -s KILL NetworkManager",
    "nm_stopped": "systemctl stop NetworkManager",
    "ssh_cut": "pkill -KILL -f 'sshd(-session)?: root@notty'",
}
FAULTS = ("power_cut", "controller_killed", *ON_HOST)
AFTER_COMMIT = 5  # s


def main():
    args = arguments()
    seed = args.seed if args.seed is not None else int(time.time())
    chance = random.Random(seed)
    print(f"faults: seed {seed}, {args.count} runs of {', '.join(args.faults)} on {', '.join(args.layouts)}", flush=True)
    rows, lengths = [], [14.0]
    for number in range(1, args.count + 1):
        fault, layout = chance.choice(args.faults), chance.choice(args.layouts)
        at = chance.uniform(-1, statistics.median(lengths) + AFTER_COMMIT)
        row = once(fault, layout, at, args.plain, lengths)
        rows.append(row)
        print(f"{number:4} {fault:18} {layout:11} at {at:5.1f} s: {row['verdict']:8} after {row['seconds']:5.1f} s, "
              f"commit {'reported' if row['reported'] else 'not reported'} {row['differs']}", flush=True)
    return table(rows)


def once(fault, layout, at, plain, lengths):
    """One run on a fresh host: what became of it."""
    name = "victim"
    if name in hosts.names():
        hosts.down(name)
    address = hosts.up({name: layout})[0]["address"]
    before = judge.look(name)
    began = time.monotonic()
    process = start(name, layout, plain)
    time.sleep(max(0, at))
    inject(fault, name, process)
    try:
        reported = process.wait(timeout=240) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        reported = False
    if reported and fault != "power_cut":
        lengths.append(time.monotonic() - began)
    found, seconds, differs = in_lab(name, address, before, LAYOUTS[layout].get("mtu", 1500))
    wrong = found in ("lost", "neither") or reported and not plain and found != "new"
    return {"fault": fault, "layout": layout, "verdict": found, "seconds": seconds, "reported": reported, "wrong": wrong, "differs": differs}


def start(name, layout, plain):
    """The job under test, in a process group of its own on the engine's side."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = json.loads(subprocess.run([sys.executable, CHECKOUT / "tests/lab", "inventory"], check=True, capture_output=True, text=True).stdout)
    found["hypervisors"]["hosts"][name].update(mgmt_network=LAYOUTS[layout])
    (FOLDER / "inventory.yml").write_text(json.dumps(found), encoding="utf-8")
    play = {"hosts": "hypervisors", "gather_facts": False}
    play.update(PLAIN if plain else {"roles": ["ovirt.mgmt_network.configure_mgmt"]})
    (FOLDER / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    words = netns(pathlib.Path(sys.executable).parent / "ansible-playbook", "-i", FOLDER / "inventory.yml", FOLDER / "play.yml")
    log = open(FOLDER / "play.log", "a", encoding="utf-8")
    return subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                            env={**os.environ, "ANSIBLE_PIPELINING": "true", "ANSIBLE_HOST_KEY_CHECKING": "false", "ANSIBLE_NOCOLOR": "1"})


# For comparison: the same desired state by nmstatectl alone, which commits by itself.
PLAIN = {"tasks": [
    {"ovirt.mgmt_network.host_network_facts": {}},
    {"ansible.builtin.command": {"cmd": "nmstatectl apply -", "stdin": (
        "{{ (ansible_facts['host_network'] | ovirt.mgmt_network.derive_mgmt_network(mgmt_network)).request"
        " | ovirt.mgmt_network.nmstate_desired_state(current=ansible_facts['host_network'].nmstate) | to_json }}")}},
]}


def inject(fault, name, process):
    if fault == "power_cut":
        hosts.power_cut(name)
        time.sleep(1)
        hosts.boot(name)
    elif fault == "controller_killed":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        hosts.ssh(name, ON_HOST[fault], check=False, timeout=60)


def in_lab(*words):
    """The verdict needs the engine's side for its echo requests: ask a process there."""
    code = "import sys, json; from tests.faults import judge; print(json.dumps(judge.verdict(*json.load(sys.stdin))))"
    done = subprocess.run(netns(sys.executable, "-c", code), input=json.dumps(words), capture_output=True, text=True, check=False, cwd=CHECKOUT,
                          env={**os.environ, "PYTHONPATH": str(CHECKOUT)})
    if done.returncode:
        raise LabError(f"the judge failed: {done.stderr[-1500:]}")
    return json.loads(done.stdout)


def table(rows):
    """Print what became of the hosts; the exit status."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["fault"], row["layout"]].append(row)
    print(f"\n{'fault':18} {'layout':12} {'runs':>5} {'old':>5} {'new':>5} {'lost':>5} {'neither':>8} {'s, median':>10}")
    for (fault, layout), some in sorted(groups.items()):
        counts = collections.Counter(row["verdict"] for row in some)
        print(f"{fault:18} {layout:12} {len(some):5} {counts['old']:5} {counts['new']:5} {counts['lost']:5} {counts['neither']:8} "
              f"{statistics.median(row['seconds'] for row in some):10.1f}")
    wrong = sum(row["wrong"] for row in rows)
    print(f"{len(rows)} runs, {wrong} wrong (lost, neither old nor new, or a reported commit that did not last)")
    return 1 if wrong else 0


def arguments():
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, help="for the same faults at the same times (default: the clock)")
    parser.add_argument("--faults", type=lambda text: text.split(","), default=list(FAULTS), help="comma-separated (default: all)")
    parser.add_argument("--layouts", type=lambda text: text.split(","), default=list(LAYOUTS), help="comma-separated (default: all)")
    parser.add_argument("--plain", action="store_true", help="plain nmstatectl apply instead of the role, for comparison")
    args = parser.parse_args()
    for known, given in ((FAULTS, args.faults), (LAYOUTS, args.layouts)):
        unknown = set(given) - set(known)
        if unknown:
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return args


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"faults: {error}")
    except KeyboardInterrupt:
        sys.exit("faults: interrupted")
    finally:
        if not os.environ.get("OVIRT_LAB_KEEP"):
            hosts.down()
