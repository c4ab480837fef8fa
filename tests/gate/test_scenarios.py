# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of extensions/molecule on lab hosts, which are booted once for all of them.

Each scenario: converge, verify, a second run that changes nothing and loses no packet, a power cut, verify.
OVIRT_LAB_KEEP=1 leaves the hosts up (they are used again); OVIRT_LAB_SKIP=1 skips all of it where no lab can run.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gate"))
import scenarios  # noqa: E402

STEP_SECONDS = 600


@pytest.fixture(scope="session")
def inventory(request):
    """The lab with the hosts of the scenarios that were chosen; the path of their inventory."""
    lacking = [what for what, there in (("root", os.geteuid() == 0), ("/dev/net/tun", os.path.exists("/dev/net/tun"))) if not there]
    if os.environ.get("OVIRT_LAB_SKIP") == "1":
        pytest.skip("NOT TESTED on lab hosts: OVIRT_LAB_SKIP=1")
    if lacking:
        pytest.fail(f"the lab needs {' and '.join(lacking)}, which is not there; OVIRT_LAB_SKIP=1 leaves its tests out", pytrace=False)
    chosen = {item.callspec.params["name"] for item in request.session.items if "inventory" in getattr(item, "fixturenames", ())}
    try:
        yield scenarios.up(sorted(chosen))
    finally:
        if os.environ.get("OVIRT_LAB_KEEP") != "1":
            scenarios.down()


def lab_argv(*words):
    return [sys.executable, str(ROOT / "tests/lab"), *words]


def molecule(step, name, inventory):
    """Run one step of a scenario from the engine's side; fails with what it printed."""
    done = subprocess.run(lab_argv("exec", "--", "molecule", step, "-s", name), cwd=ROOT, capture_output=True, text=True, timeout=STEP_SECONDS, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, "OVIRT_LAB_INVENTORY": str(inventory), "NO_COLOR": "1"})
    if done.returncode:
        pytest.fail(f"{name}: {step}: exit status {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-3000:]}", pytrace=False)


@pytest.mark.parametrize("name", scenarios.names())
def test_scenario(name, inventory, tmp_path):
    hosts = [one["name"] for one in scenarios.platforms(name)]
    molecule("converge", name, inventory)
    molecule("verify", name, inventory)

    over = tmp_path / "over"
    with subprocess.Popen(lab_argv("watch", *hosts, "--until", str(over)), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as watch:
        try:
            molecule("idempotence", name, inventory)
        finally:
            over.touch()
            figures = json.loads(watch.communicate(timeout=30)[0])
    assert {host: one["lost"] for host, one in figures.items()} == dict.fromkeys(hosts, 0), figures

    molecule("side-effect", name, inventory)
    molecule("verify", name, inventory)
