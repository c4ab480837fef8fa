# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of extensions/molecule, each on its own lab hosts, which only exist during the scenario.

Most of them: converge, verify, a second run that changes nothing and loses no packet, a power cut, verify. Several
scenarios run at the same time (OVIRT_LAB_JOBS,
default: the number of CPUs plus one); each test waits for its scenario. OVIRT_LAB_KEEP=1 keeps the hosts for the next
run; OVIRT_LAB_SKIP=1 skips everything if no lab can run.
"""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gate"))
import scenarios  # noqa: E402

from tests.lab import plays  # noqa: E402

STEP_SECONDS = 900


class StepError(Exception):
    """A step of a scenario failed; the text contains its output."""


@pytest.fixture(scope="session")
def played(request, tmp_path_factory):
    """The selected scenarios, running on their hosts: ``{name: future}``. The lab is removed at the end."""
    scenarios.need_lab()
    chosen = [
        item.callspec.params["name"] for item in request.session.items if "played" in getattr(item, "fixturenames", ())
    ]
    pool = concurrent.futures.ThreadPoolExecutor(int(os.environ.get("OVIRT_LAB_JOBS", os.cpu_count() + 1)))
    try:
        yield {name: pool.submit(play, name, tmp_path_factory.mktemp(name)) for name in chosen}
    finally:
        pool.shutdown(cancel_futures=True)
        if os.environ.get("OVIRT_LAB_KEEP") != "1":
            scenarios.down()


@pytest.mark.parametrize("name", scenarios.names())
def test_scenario(name, played):
    try:
        print(name, played[name].result())
    except StepError as error:
        pytest.fail(str(error), pytrace=False)


def play(name, folder):
    """Run all steps of a scenario. Returns their durations. Raises StepError."""
    times = {}

    def timed(word, step, *words):
        begin = time.monotonic()
        done = step(*words)
        times[f"{len(times) + 1} {word}"] = round(time.monotonic() - begin, 1)
        return done

    try:
        inventory = timed("boot", scenarios.up, name)
    except subprocess.CalledProcessError as error:
        raise StepError(f"{name}: its hosts do not come up: exit status {error.returncode}") from None
    try:
        for word in scenarios.steps(name):
            names = [one["name"] for one in scenarios.platforms(name)] if word == "idempotence" else []
            with plays.watched(names, folder) as losses:
                timed(word, molecule, word, name, inventory, folder)
            if any(one["lost"] for one in losses.values()):
                raise StepError(f"{name}: a run that changes nothing lost packets: {losses}")
    finally:
        if os.environ.get("OVIRT_LAB_KEEP") != "1":
            scenarios.down(name)
    return times


def molecule(word, name, inventory, folder):
    """Run one step of a scenario from the engine's side."""
    environment = {
        **os.environ,
        "OVIRT_LAB_INVENTORY": str(inventory),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder / "molecule"),
        "NO_COLOR": "1",
    }
    try:
        done = subprocess.run(
            lab_argv("exec", "--", "molecule", word, "-s", name),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise StepError(
            f"{name}: {word}: timed out after {STEP_SECONDS} s\n"
            f"{(error.stdout or b'').decode(errors='replace')[-8000:]}"
        ) from None
    if done.returncode:
        raise StepError(f"{name}: {word}: exit status {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}")


def lab_argv(*words):
    return [sys.executable, str(ROOT / "tests/lab"), *words]
