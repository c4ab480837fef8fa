#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of extensions/molecule, and their lab hosts.

  scenarios.py list        names of the scenarios
  scenarios.py up NAME     boots the hosts of a scenario; prints the path of their inventory
  scenarios.py down NAME   removes its hosts; without a name, the whole lab of the scenarios

The scenarios use a separate lab (OVIRT_LAB_NAME, ovirt-test), so that a running demo is not affected.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ovirt-mgmt-network"
FOLDER = ROOT / "extensions/molecule"
LAB = os.environ.setdefault("OVIRT_LAB_NAME", "ovirt-test")  # read when the lab is imported
sys.path.insert(0, str(ROOT))
from tests.lab import plays  # noqa: E402


def names():
    """The scenarios: folders with a molecule.yml, except the one that owns the hosts."""
    return sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml"))


def platforms(scenario):
    """The lab hosts of a scenario, as its molecule.yml describes them: a list of

    ``{name, layout, variant, definition, port | refused, vars}``: layout and variant of the lab, the data center's
    definition, the port that the bridge shall have (none: no bridge) or the event of the refusal, and further variables
    of the host.
    """
    return _molecule(FOLDER / scenario / "molecule.yml").get("platforms", [])


def steps(scenario):
    """The steps to run, in order: its test_sequence, or that of all scenarios, without the steps before the hosts are
    up.
    """
    own = _molecule(FOLDER / scenario / "molecule.yml").get("scenario", {}).get("test_sequence")
    sequence = own or _molecule(FOLDER / "config.yml")["scenario"]["test_sequence"]
    return [step.replace("_", "-") for step in sequence if step != "syntax"]


def _molecule(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def lab(*words, timeout=1800, check=True):
    """Run the lab's command line and return its stdout. Progress goes to stderr of this process. Raises
    CalledProcessError.
    """
    argv = [sys.executable, str(ROOT / "tests/lab"), *words]
    return subprocess.run(
        argv, check=check, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ).stdout


def need_lab():
    """Skip or fail the test if no lab can run here."""
    if os.environ.get("OVIRT_LAB_SKIP") == "1":
        pytest.skip("NOT TESTED on lab hosts: OVIRT_LAB_SKIP=1")
    needs = {"root": os.geteuid() == 0, "/dev/net/tun": os.path.exists("/dev/net/tun")}
    missing = [what for what, there in needs.items() if not there]
    if missing:
        pytest.fail(
            f"the lab needs {' and '.join(missing)}, missing on this machine; OVIRT_LAB_SKIP=1 leaves its tests out",
            pytrace=False,
        )


@contextlib.contextmanager
def lab_hosts(layouts):
    """The lab hosts ``{name: layout}``, for a test."""
    need_lab()
    try:
        lab("up", *(f"{name}:{layout}" for name, layout in layouts.items()))
        yield
    finally:
        if os.environ.get("OVIRT_LAB_KEEP") != "1":
            lab("down", *layouts, check=False)


def up(scenario):
    """Boot the hosts of ``scenario`` and write its inventory: each host has its platform, and all are in the group
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
    inventory = plays.inventory(
        {
            name: {**one.get("vars", {}), "mgmt_network": one["definition"], "platform": one}
            for name, one in wanted.items()
        }
    )
    inventory[f"scenario_{scenario}"] = {"hosts": {name: {} for name in wanted}}
    path = CACHE / f"inventory-{LAB}-{scenario}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(inventory, indent=2), encoding="utf-8")
    return path


def down(scenario=None):
    """Remove the hosts of ``scenario``, or the whole lab of the scenarios."""
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
    except subprocess.CalledProcessError as error:  # the lab has printed the reason
        sys.exit(error.returncode)
