# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that runs on the engine's side while a fault affects it or its host."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from tests.lab import plays
from tests.lab.machine import CACHE, NAME

CHECKOUT = pathlib.Path(os.environ.get("OVIRT_CHECKOUT", pathlib.Path(__file__).resolve().parents[2]))
FOLDER = CACHE / f"faults-{NAME}"
LIMIT = 60  # s, the role's own timeout
TIMEOUT = 30  # seconds after which a host undoes an unconfirmed change
APPLY = "ovirt.mgmt_network.nmstate_apply"
COMMIT = "ovirt.mgmt_network.network_commit"
PLAIN = "ansible.builtin.command"

# An ovirtmgmt on eth1, with DHCP.
BRIDGE = {
    "interfaces": [
        {"name": "eth1", "type": "ethernet", "state": "up", "ipv4": {"enabled": False}, "ipv6": {"enabled": False}},
        {
            "name": "ovirtmgmt",
            "type": "linux-bridge",
            "state": "up",
            "ipv4": {"enabled": True, "dhcp": True},
            "ipv6": {"enabled": False},
            "bridge": {"options": {"stp": {"enabled": False}}, "port": [{"name": "eth1"}]},
            "copy-mac-from": "eth1",
        },
    ]
}
ROLE = {"roles": ["ovirt.mgmt_network.configure_mgmt"]}
# For comparison: the same desired state with nmstatectl only, which commits immediately.
PLAIN_TASKS = {
    "tasks": [
        {"ovirt.mgmt_network.host_network_facts": {}},
        {
            PLAIN: {
                "cmd": "nmstatectl apply -",
                "stdin": (
                    "{{ (ansible_facts['host_network'] | ovirt.mgmt_network.derive_mgmt_network(mgmt_network)).request"
                    " | ovirt.mgmt_network.nmstate_desired_state(current=ansible_facts['host_network'].nmstate) | "
                    "to_json }}"
                ),
            }
        },
    ]
}


def apply_task(state, **options):
    """A task that applies an nmstate state."""
    return {APPLY: {"state": state, "timeout": TIMEOUT, "diagnosis": str(FOLDER / "diagnosis"), **options}}


class Play:
    """``content``: the play without hosts. Events are written while it runs (see tests/callback/fault_events.py)."""

    running = set()

    def __init__(self, name, content, label="play", **variables):
        FOLDER.mkdir(parents=True, exist_ok=True)
        self._events = FOLDER / f"{name}-{label}.events"
        self._events.unlink(missing_ok=True)
        # An ssh master survives its play: the next play would use the connection to a host that has been powered off
        # since.
        self._sockets = tempfile.mkdtemp(prefix="faults-")
        given = {
            "ansible_control_path_dir": self._sockets,
            "configure_mgmt_timeout": TIMEOUT,
            "configure_mgmt_diagnosis_dir": str(FOLDER / "diagnosis"),
            # with a hook, the role applies a change in a separate task, which returns its complete result
            "configure_mgmt_after_tasks": str(CHECKOUT / "tests/faults/after.yml"),
            **variables,
        }
        content = [{"hosts": name, "gather_facts": False, **content}]
        words = plays.write(FOLDER, f"{name}-{label}", plays.inventory({name: given}), content)
        environment = plays.environment(
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_CALLBACK_PLUGINS=str(CHECKOUT / "tests/callback"),
            ANSIBLE_CALLBACKS_ENABLED="fault_events",
            OVIRT_FAULTS_EVENTS=str(self._events),
        )
        with open(FOLDER / f"{name}-{label}.log", "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                plays.command(*words),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
        self.running.add(self)

    def events(self):
        """All events so far (list of dict)."""
        lines = self._events.read_text(encoding="utf-8").split("\n")[:-1] if self._events.exists() else []
        return [json.loads(line) for line in lines]

    def begun(self, action, seconds=120):
        """When the task ``action`` began (seconds since the epoch), None if the play ended without it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            running = self._process.poll() is None
            found = [one["at"] for one in self.events() if one["event"] == "begin" and one["action"] == action]
            if found or not running:
                return found[0] if found else None
            time.sleep(0.03)
        return None

    def ended(self, action=APPLY, nth=0):
        """``(how, result, at)`` of the ``nth`` task ``action``; ``("", {}, None)`` if there is none yet."""
        found = [one for one in self.events() if one["event"] == "end" and one["action"] == action]
        return (found[nth]["how"], found[nth]["result"], found[nth]["at"]) if len(found) > nth else ("", {}, None)

    def failure(self):
        """The message of the last failed task (str)."""
        found = [
            str(one["result"].get("msg", "")) for one in self.events() if one["event"] == "end" and one["how"] != "ok"
        ]
        return found[-1] if found else ""

    def wait(self, seconds=300):
        """The exit status, None if it was killed after ``seconds``."""
        try:
            status = self._process.wait(timeout=seconds)
            self.running.discard(self)
            shutil.rmtree(self._sockets, ignore_errors=True)
            return status
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        """SIGKILL to the play and all its processes: Ansible's workers and ssh masters have their own sessions."""
        victims = [self._process.pid, *_descendants(self._process.pid, self._sockets)]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self.running.discard(self)
        shutil.rmtree(self._sockets, ignore_errors=True)


def configure(name, definition, **variables):
    """A play that runs the role with the definition."""
    return Play(name, ROLE, mgmt_network=definition, **variables)


def apply(name, state, variables=None, **options):
    """A play that applies an nmstate state."""
    return Play(name, {"tasks": [apply_task(state, **options)]}, **(variables or {}))


def _descendants(pid, mark):
    """The processes below ``pid``, and those whose command line has ``mark``."""
    parents, found = {}, []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parents[int(path.name)] = int(
                (path / "stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()[1]
            )
            if mark in (path / "cmdline").read_text(encoding="utf-8", errors="replace"):
                found.append(int(path.name))
    below = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in below} - below
        if not more:
            return sorted({*below, *found} - {pid, os.getpid()})
        below |= more
