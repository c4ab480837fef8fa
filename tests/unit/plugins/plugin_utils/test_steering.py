# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of a transaction against a scripted host."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils import steering


class Gone(Exception):
    """The connection failed."""


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def steer(answers):
    """A Steering over scripted answers (a dict is printed, a text is why the connection fails); also returns the log of what it did."""
    log, script = [], list(answers)

    def execute(line):
        log.append(line)
        answer = script.pop(0) if script else {}
        if isinstance(answer, str):
            raise Gone(answer)
        return "banner\n" + json.dumps(answer) + "\n"

    return steering.Steering("t1", execute, lambda: log.append("reset"), Gone, Clock()), log


def test_the_nonce_is_read_over_a_new_connection():
    steerer, log = steer([{"id": "t1", "phase": "applied", "nonce": "n"}])
    assert steerer.prove(10)["nonce"] == "n"
    assert log[0] == "reset"


def test_a_connection_that_fails_is_dropped_and_tried_again():
    steerer, log = steer(["cut", {"id": "t1", "phase": "applying"}, {"id": "t1", "phase": "applied"}])
    assert steerer.await_applied(30)["phase"] == "applied"
    assert log.count("reset") == 1


def test_a_host_that_never_answers_is_given_up_with_the_last_status():
    steerer, _log = steer([{"id": "t1", "phase": "applying"}] + ["no route"] * 100)
    with pytest.raises(steering.Unreachable, match="no route") as caught:
        steerer.await_applied(20)
    assert caught.value.status["phase"] == "applying"


def test_the_status_of_another_transaction_is_not_taken_for_ours():
    steerer, _log = steer([{"id": "t0", "phase": "committed"}] * 50)
    with pytest.raises(steering.Unreachable):
        steerer.await_applied(5)


@pytest.mark.parametrize("phase, diagnosis", [("committed", {}), ("undone", {"log": "a line"})])
def test_an_end_is_taken_note_of_so_that_the_guard_can_leave_and_a_failure_is_diagnosed(phase, diagnosis):
    answers = [{"id": "t1", "phase": phase}] + ([diagnosis] if diagnosis else []) + [{}]
    steerer, log = steer(answers)
    assert steerer.confirm("n", 10)["phase"] == phase
    assert steerer.take() == diagnosis
    assert "confirm" in log[0] and "taken" in log[-1] and len(log) == len(answers)


@pytest.mark.parametrize("text, found", [("", {}), ("cat: no such file", {}), ("[1]", {}), ('banner\n{"log": "x"}', {"log": "x"}), ('{"log": "x', {})])
def test_what_the_host_prints_is_a_diagnosis_or_none(text, found):
    assert steering.diagnosed(text) == found


@pytest.mark.parametrize("phase, found", [("applied", True), ("undone", True), ("applying", False)])
def test_the_waiting_line_runs_in_a_real_shell(tmp_path, monkeypatch, phase, found):
    monkeypatch.setattr(steering, "RUN", str(tmp_path))
    os.makedirs(tmp_path / "t1")
    (tmp_path / "t1" / "status.json").write_text(json.dumps({"id": "t1", "phase": phase}))
    line = steering.waiting("t1", ("applied",) + steering.ENDED, 0 if not found else 5)
    out = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=10, check=True).stdout
    assert (steering.parse(out, "t1") or {}).get("phase") == (phase if found else None)


def test_a_message_is_left_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(steering, "RUN", str(tmp_path))
    os.makedirs(tmp_path / "t1")
    subprocess.run(["sh", "-c", steering.leaving("t1", "confirm", "abc")], timeout=10, check=True)
    assert (tmp_path / "t1" / "confirm").read_text() == "abc"
    assert os.listdir(tmp_path / "t1") == ["confirm"]
