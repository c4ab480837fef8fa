#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the main job on the founding example, compared with plain "nmstatectl apply" of the same full state, in one
run.

  bench.py [--rounds N]    each round creates both hosts and changes them, one after the other
  bench.py --rounds 0      only the controller's cost of the playbook add_host, on separate hosts

Only ratios within a run are comparable: absolute times depend on this machine and its load.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader
from ansible.template import Templar

CHECKOUT = pathlib.Path(os.environ.get("OVIRT_CHECKOUT", pathlib.Path(__file__).resolve().parents[1]))
os.environ.setdefault("OVIRT_LAB_NAME", "ovirt-bench")
sys.path.insert(0, str(CHECKOUT))
from tests.lab import hosts, plays  # noqa: E402
from tests.lab.machine import CACHE, LabError  # noqa: E402

FOLDER = CACHE / "bench"
BIN = pathlib.Path(sys.executable).parent
LAYOUT = "bond-vlan"
DEFINITION = {"name": "ovirtmgmt", "vm_network": True, "vlan_tag": 3000, "mtu": 9000, "stp": False}
PLAY = [
    {
        "name": "Configure the management network",
        "hosts": "hypervisors",
        "gather_facts": False,
        "roles": ["ovirt.mgmt_network.configure_mgmt"],
    }
]
STATE = [
    {
        "name": "Give the full state",
        "hosts": "hypervisors",
        "gather_facts": False,
        "tasks": [
            {"ovirt.mgmt_network.host_network_facts": {}},
            {
                "ansible.builtin.copy": {
                    "dest": "{{ bench_target }}",
                    "mode": "0600",
                    "content": (
                        "{{ (ansible_facts['host_network'] | "
                        "ovirt.mgmt_network.derive_mgmt_network(mgmt_network)).request"
                        " | ovirt.mgmt_network.nmstate_desired_state(current=ansible_facts['host_network'].nmstate) "
                        "| to_json }}"
                    ),
                },
                "delegate_to": "localhost",
                "connection": "local",
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            },
        ],
    }
]


def main():
    rounds = arguments().rounds
    FOLDER.mkdir(parents=True, exist_ok=True)
    figures = {"ours": [], "ours, again": [], "nmstatectl apply": []}
    for number in range(1, rounds + 1):
        print(f"bench: round {number} of {rounds}", file=sys.stderr, flush=True)
        fresh("ours", "plain")
        figures["nmstatectl apply"].append(plain_apply())
        figures["ours"].append(configure("ours"))
        figures["ours, again"].append(configure("ours"))
    costs = playbooks()
    if rounds:
        report(figures)
    report_costs(figures, costs)
    for module, size in payloads().items():
        print(f"payload {module:44} {size / 1000:8.1f} kB")
    print(f"lines of plugins/*.py {lines_of_plugins():38} ")


def fresh(*names):
    for name in set(names) & set(hosts.names()):
        hosts.down(name)
    hosts.up(dict.fromkeys(names, LAYOUT))
    time.sleep(3)  # after the last activity of the boot


def configure(name):
    """The role on one host: lost packets, seconds, and cost for the controller."""
    return measured(name, lambda: cost(PLAY, name))


def cost(content, *names, **variables):
    """What a play on some hosts costs the controller: ``{host_tasks, results, fact_bytes, controller_cpu_s}``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    callback = {"ANSIBLE_CALLBACK_PLUGINS": str(CHECKOUT / "tests/callback"), "ANSIBLE_CALLBACKS_ENABLED": "actions"}
    out = play(content, names, variables, **callback)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = json.loads(out.rpartition("tally: ")[2].splitlines()[0])
    return {
        "host_tasks": host_tasks(told["actions"]),
        "results": told["results"],
        "fact_bytes": max([size for size, _name in told["facts"]], default=0),
        "controller_cpu_s": round(cpu - START_CPU, 2),
    }


def playbooks():
    """The cost of add_host, ``{label: figures}``, without and with the deployment, each with a change and without. Of
    the first, also what a second host adds: modules are built once for a run.
    """
    found = {}
    for label, names, deploy in (
        ("add_host, no deployment", ["added"], False),
        ("two hosts", ["added", "other"], False),
        ("add_host", ["added"], True),
    ):
        hosts.down()
        fresh(*names)
        for again in ("", ", again"):
            began = time.monotonic()
            figures = cost("ovirt.mgmt_network.add_host", *names, add_host_deploy=deploy)
            found[label + again] = {"seconds": round(time.monotonic() - began, 1), **figures}
    for again in ("", ", again"):
        one, two = (found[label + again] for label in ("add_host, no deployment", "two hosts"))
        more = {key: round(two[key] - one[key], 2) for key in two}
        found["add_host, no deployment, a 2nd host" + again] = {**more, "fact_bytes": two["fact_bytes"]}
        del found["two hosts" + again]
    return found


def plain_apply():
    """Plain nmstatectl with the full state of the play above, committed immediately."""
    target = FOLDER / "state.json"
    play(STATE, ["plain"], {"bench_target": str(target)})
    command = hosts.ssh_command("plain", management=True)
    subprocess.run(
        [*command, "cat > /root/state.json"],
        input=target.read_text(encoding="utf-8"),
        text=True,
        check=True,
        timeout=30,
    )
    return measured(
        "plain",
        lambda: (
            subprocess.run(
                [*command, "nmstatectl apply /root/state.json"], capture_output=True, check=True, timeout=120
            )
            and {}
        ),
    )


def measured(name, job):
    """Run ``job`` while sending packets to the host: ``{blackout_ms, lost, seconds, ...}``."""
    with plays.watched([name], FOLDER) as losses:
        began = time.monotonic()
        more = job()
        seconds = time.monotonic() - began
    seen = losses[name]
    return {"blackout_ms": seen["blackout_ms"], "lost": seen["lost"], "seconds": round(seconds, 1), **more}


def play(content, names, extra=None, **environment):
    """Run a play, or the playbook of that name, on hosts of the lab; what it prints."""
    found = plays.inventory({name: {"mgmt_network": DEFINITION, **(extra or {})} for name in names})
    words = [*plays.write(FOLDER, "play", found), content] if isinstance(content, str) else None
    done = subprocess.run(
        plays.command(*(words or plays.write(FOLDER, "play", found, content))),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=plays.environment(**environment),
    )
    if done.returncode:
        sys.exit(f"bench: the play failed\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return done.stdout


def host_tasks(actions):
    """The number of tasks that ran on the host; the others only run on the controller."""
    controller = (
        "set_fact",
        "debug",
        "assert",
        "fail",
        "include_tasks",
        "include_role",
        "check_arguments",
        "set_stats",
        "meta",
    )
    return sum(action.rsplit(".", 1)[-1] not in controller for action in actions)


def payloads():
    """Bytes of each module as sent by Ansible, and of its ping for comparison (``{module: bytes}``)."""
    loader.init_plugin_loader()
    sizes = {}
    for module in ("ansible.builtin.ping", "ovirt.mgmt_network.host_network_facts", "ovirt.mgmt_network.nmstate_apply"):
        found = loader.module_loader.find_plugin_with_context(module)
        built = modify_module(
            module_name=module,
            module_path=found.plugin_resolved_path,
            module_args={"_ansible_version": "2"},
            templar=Templar(loader=DataLoader()),
            task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
            module_compression="ZIP_DEFLATED",
        )
        sizes[module] = len(built.b_module_data)
    return sizes


def report(figures):
    print(f"\n{'founding example (median of rounds)':36} {'blackout ms':>12} {'lost':>6} {'seconds':>8}")
    for label, rounds in figures.items():
        row = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        print(f"{label:36} {row['blackout_ms']:12.0f} {row['lost']:6.0f} {row['seconds']:8.1f}")
    pairs = [
        ours["blackout_ms"] / plain["blackout_ms"]
        for ours, plain in zip(figures["ours"], figures["nmstatectl apply"])
        if plain["blackout_ms"]
    ]
    print(
        f"blackout, ours / nmstatectl apply: {statistics.median(pairs):.2f} (per round: "
        f"{', '.join(f'{one:.2f}' for one in pairs)})"
        if pairs
        else "no pairs"
    )


def report_costs(figures, costs):
    """One line each: task results (skipped ones too), tasks that contacted the host, CPU, the largest fact left."""
    print(
        f"\n{'one host, cost for the controller':42} {'results':>12} {'host tasks':>11} {'CPU s':>7} "
        f"{'fact bytes':>11} {'seconds':>8}"
    )
    role = {
        label.replace("ours", "role configure_mgmt"): {
            key: statistics.median(one[key] for one in rounds) for key in rounds[0]
        }
        for label, rounds in figures.items()
        if rounds and "results" in rounds[0]
    }
    for label, row in {**role, **costs}.items():
        print(
            f"{label:42} {row['results']:12.0f} {row['host_tasks']:11.0f} {row['controller_cpu_s']:7.2f} "
            f"{row['fact_bytes']:11.0f} {row['seconds']:8.1f}"
        )


def lines_of_plugins():
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (CHECKOUT / "plugins").rglob("*.py"))


def start_cpu():
    """CPU of ansible-playbook to start and end without tasks, which is not a cost of the hosts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    (FOLDER / "empty.yml").write_text("- hosts: localhost\n  gather_facts: false\n  tasks: []\n", encoding="ascii")
    subprocess.run(
        [BIN / "ansible-playbook", "-i", "localhost,", FOLDER / "empty.yml"], capture_output=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    START_CPU = start_cpu()
    try:
        main()
    except LabError as error:
        sys.exit(f"bench: {error}")
    finally:
        hosts.down()
