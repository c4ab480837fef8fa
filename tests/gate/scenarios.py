#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of extensions/molecule and their lab hosts.

  scenarios.py list        names of the scenarios
  scenarios.py up NAME     boots the hosts of a scenario; prints the path of their inventory
  scenarios.py down NAME   takes its hosts away; without a name the whole lab of the scenarios

The lab is one of its own (OVIRT_LAB_NAME, ovirt-test), so that a demo that is still up stays up.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ovirt-mgmt-network"
FOLDER = ROOT / "extensions/molecule"
LAB = os.environ.setdefault("OVIRT_LAB_NAME", "ovirt-test")


def names():
    """The scenarios: folders with a molecule.yml, but the one that owns the hosts."""
    return sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml"))


def platforms(scenario):
    """The lab hosts of a scenario, as its molecule.yml describes them: a list of

    ``{name, layout, variant, definition, port | refused, vars}``: layout and variant of the lab, the data center's
    definition, the port that the bridge shall have (none: no bridge) or the event of the refusal, and further variables
    of the host.
    """
    return _molecule(FOLDER / scenario / "molecule.yml").get("platforms", [])


def steps(scenario):
    """What is played, in order: its test_sequence, or that of all scenarios, without what has been done before any host
    is up.
    """
    own = _molecule(FOLDER / scenario / "molecule.yml").get("scenario", {}).get("test_sequence")
    sequence = own or _molecule(FOLDER / "config.yml")["scenario"]["test_sequence"]
    return [step.replace("_", "-") for step in sequence if step != "syntax"]


def _molecule(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def lab(*words, timeout=1800, check=True):
    """Run the lab's command line; its stdout. Progress goes to this process's stderr. Raises CalledProcessError."""
    argv = [sys.executable, str(ROOT / "tests/lab"), *words]
    return subprocess.run(
        argv, check=check, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ).stdout


def up(scenario):
    """Boot the hosts of ``scenario`` and write its inventory: each host knows its platform, all are in the group
    scenario_NAME. Returns its path.
    """
    wanted = {one["name"]: one for one in platforms(scenario)}
    for variant in sorted({one.get("variant", "el") for one in wanted.values()}):
        lab(
            "up",
            "--variant",
            variant,
            *(f"{name}:{one['layout']}" for name, one in wanted.items() if one.get("variant", "el") == variant),
        )
    inventory = json.loads(lab("inventory"))
    hosts = inventory["hypervisors"]["hosts"]
    for name, one in wanted.items():
        hosts[name].update(one.get("vars", {}), mgmt_network=one["definition"], platform=one)
    inventory["hypervisors"]["hosts"] = {name: hosts[name] for name in wanted}
    inventory[f"scenario_{scenario}"] = {"hosts": {name: {} for name in wanted}}
    path = CACHE / f"inventory-{LAB}-{scenario}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(inventory, indent=2), encoding="utf-8")
    return path


def down(scenario=None):
    """Take the hosts of ``scenario`` away, or the whole lab of the scenarios."""
    lab("down", *[one["name"] for one in platforms(scenario)] if scenario else [])
    for path in CACHE.glob(f"inventory-{LAB}-{scenario or '*'}.yml"):
        path.unlink()


if __name__ == "__main__":
    action, *rest = sys.argv[1:] or ["list"]
    try:
        if action == "up" and rest:
            print(up(rest[0]))
        elif action == "down":
            down(*rest[:1])
        elif action == "list":
            print("\n".join(names()))
        else:
            sys.exit(__doc__)
    except subprocess.CalledProcessError as error:  # the lab has said why
        sys.exit(error.returncode)
