# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of extensions/molecule, each on lab hosts of its own, which are there only while it is played.

Most of them: converge, verify, a second run that changes nothing and loses no packet, a power cut, verify. Some are
played at a time (OVIRT_LAB_JOBS, default: one for each CPU and one more, for much of it is waiting); a test waits for
the end of its own. OVIRT_LAB_KEEP=1 leaves the hosts up, to be used again; OVIRT_LAB_SKIP=1 skips all of it where no
lab can run.
"""

from __future__ import annotations

import concurrent.futures
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

STEP_SECONDS = 900


class StepError(Exception):
    """A step of a scenario did not do what it should; the text has all that it printed."""


@pytest.fixture(scope="session")
def played(request, tmp_path_factory):
    """The chosen scenarios, being played on their hosts: ``{name: future}``. The lab is taken down at the end."""
    lacking = [
        what
        for what, there in (("root", os.geteuid() == 0), ("/dev/net/tun", os.path.exists("/dev/net/tun")))
        if not there
    ]
    if os.environ.get("OVIRT_LAB_SKIP") == "1":
        pytest.skip("NOT TESTED on lab hosts: OVIRT_LAB_SKIP=1")
    if lacking:
        pytest.fail(
            f"the lab needs {' and '.join(lacking)}, which is not there; OVIRT_LAB_SKIP=1 leaves its tests out",
            pytrace=False,
        )
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
    """All steps of a scenario; how long each took. Raises StepError."""
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
            with watched(
                [one["name"] for one in scenarios.platforms(name)] if word == "idempotence" else [], folder / "over"
            ) as losses:
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
            f"{name}: {word}: no end within {STEP_SECONDS} s\n{(error.stdout or b'').decode(errors='replace')[-8000:]}"
        ) from None
    if done.returncode:
        raise StepError(f"{name}: {word}: exit status {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}")


class watched:
    """While in it, the hosts (if any) get an echo request every 10 ms; then the dict it gave has the figures of each
    host.
    """

    def __init__(self, hosts, over):
        self._hosts, self._over, self._found = hosts, over, {}

    def __enter__(self):
        if self._hosts:
            self._watch = subprocess.Popen(
                lab_argv("watch", *self._hosts, "--until", str(self._over)),
                stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
            )
        return self._found

    def __exit__(self, *_error):
        if not self._hosts:
            return
        self._over.touch()
        self._found.update(json.loads(self._watch.communicate(timeout=60)[0]))


def lab_argv(*words):
    return [sys.executable, str(ROOT / "tests/lab"), *words]
