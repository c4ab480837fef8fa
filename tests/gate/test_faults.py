# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short set of tests/faults: some faults during a change, at fixed times, and some cases. ``make faults`` runs all of
them.

They use a separate lab. OVIRT_LAB_SKIP=1 skips them if no lab can run.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gate"))
import scenarios  # noqa: E402

# fault, layout, position (0 to 1) in the window from 1 s before the start to 5 s after the commit
FAULTS = (
    ("power_cut", "nic-dhcp", 0.55),
    ("controller_killed", "nic-static", 0.2),
    ("guard_killed", "nic-static", 0.4),
    ("nm_restarted", "nic-static", 0.45),
)
CASES = ("wrong_vlan", "no_lease", "second_run", "foreign_checkpoint", "killed_undoing")
SECONDS = 600


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """The running suite: ``(process, file with its rows, file with its output)``."""
    scenarios.need_lab()
    folder = tmp_path_factory.mktemp("faults")
    given = [f"{fault}:{layout}:{share}" for fault, layout, share in FAULTS]
    words = [
        sys.executable,
        "-m",
        "tests.faults",
        "--given",
        ",".join(given),
        "--cases",
        ",".join(CASES),
        "--out",
        str(folder / "rows"),
    ]
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "OVIRT_LAB_NAME": "ovirt-test-faults"},
        )
    try:
        yield process, folder / "rows", folder / "log"
    finally:
        process.terminate()  # removes its lab
        process.wait(timeout=120)


def row_of(suite, key, value):
    """Wait for the row whose ``key`` is ``value``."""
    process, rows, log = suite
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        over = process.poll() is not None
        lines = rows.read_text(encoding="utf-8").split("\n")[:-1] if rows.exists() else []
        found = [one for one in map(json.loads, lines) if one.get(key) == value]
        if found:
            return found[0]
        if over:
            break
        time.sleep(0.5)
    return pytest.fail(f"{value} was not played:\n{log.read_text(encoding='utf-8')[-3000:]}", pytrace=False)


@pytest.mark.parametrize("fault, layout, _share", FAULTS, ids=[one[0] for one in FAULTS])
def test_fault(fault, layout, _share, suite):
    row = row_of(suite, "fault", fault)
    assert not row["wrong"], f"{fault} on {layout}: {row}"


@pytest.mark.parametrize("name", CASES)
def test_case(name, suite):
    row = row_of(suite, "case", name)
    assert not row["wrong"], f"{name}: expected: {row['expected']}; seen: {row['seen']}"
