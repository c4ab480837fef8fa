# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of a transaction, with a scripted host."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import guard_client, network_change
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import UNREACHABLE


class Gone(Exception):
    """The connection failed."""


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def fail(answer):
    """Raise an answer that is an exception."""
    if isinstance(answer, Exception):
        raise answer


def steer(answers, resets=(), unreachable=Gone, facts=False):
    """A Steering with scripted answers (a dict is printed, a text is the reason of a failed connection, an exception is
    raised). Also returns the log of its actions. ``resets``: the same for the attempts to close the connection.
    """
    log, script, drops = [], list(answers), list(resets)

    def reset():
        log.append("reset")
        if drops:
            fail(drops.pop(0))

    def execute(line):
        log.append(line)
        answer = script.pop(0) if script else {}
        fail(answer)
        if isinstance(answer, str):
            raise Gone(answer)
        return "banner\n" + json.dumps(answer) + "\n"

    return guard_client.Steering("t1", execute, reset, unreachable, Clock(), facts), log


def test_the_nonce_is_read_over_a_new_connection():
    steerer, log = steer([{"id": "t1", "phase": "applied", "nonce": "n"}])
    assert steerer.prove(10)["nonce"] == "n"
    assert log[0] == "reset"


def test_a_failed_connection_is_closed_and_retried():
    steerer, log = steer(["cut", {"id": "t1", "phase": "applying"}, {"id": "t1", "phase": "applied"}])
    assert steerer.await_applied(30)["phase"] == "applied"
    assert log.count("reset") == 2, "one for a connection of our own, and one for the connection that failed"


@pytest.mark.parametrize(
    "trouble",
    [
        AnsibleError("Timeout (12s) waiting for privilege escalation prompt"),
        AnsibleConnectionFailure("closed"),
        EOFError(),
        ConnectionResetError("reset by peer"),
        OSError("no route"),
    ],
)
def test_any_failed_connection_is_retried_until_the_timeout(trouble):
    """become on ansible-core 2.16, and paramiko, whose reset connects at once and so fails like a connection."""
    applied = {"id": "t1", "phase": "applied", "nonce": "n"}
    for step in ("await_applied", "prove"):
        steerer, log = steer([trouble, trouble, applied], [None, trouble, trouble], UNREACHABLE)
        assert getattr(steerer, step)(30) == applied
        assert log.count("reset") == 5 and len(log) == 8
    steerer, _log = steer([trouble] * 100, [trouble] * 3, UNREACHABLE)
    with pytest.raises(guard_client.Unreachable, match=re.escape(str(trouble)) or "EOFError") as caught:
        steerer.prove(20)
    assert not caught.value.confirmed


def test_the_status_is_never_read_over_a_connection_that_could_not_be_closed():
    steerer, log = steer(
        [{"id": "t1", "phase": "applied", "nonce": "n"}], [OSError("cannot be dropped")] * 3, UNREACHABLE
    )
    assert steerer.prove(20)["nonce"] == "n"
    assert log[:4] == ["reset"] * 4 and len(log) == 5


def test_after_the_confirmation_no_undo_is_promised():
    steerer, _log = steer([{"id": "t1", "phase": "applied", "nonce": "n"}] + ["gone"] * 100)
    steerer.prove(10)
    with pytest.raises(guard_client.Unreachable) as caught:
        steerer.confirm("n", 20)
    said = network_change.lost(caught.value, "t1", 60)
    assert (
        caught.value.confirmed
        and "either committed or undone" in said
        and "network_commit with transaction=t1" in said
        and "restores the old" not in said
    )
    before = network_change.lost(guard_client.Unreachable("gone", {}), "t1", 60)
    assert "restores the old network" in before and "60 s" in before


def test_a_host_that_never_answers_is_given_up_with_the_last_status():
    steerer, _log = steer([{"id": "t1", "phase": "applying"}] + ["no route"] * 100)
    with pytest.raises(guard_client.Unreachable, match="no route") as caught:
        steerer.await_applied(20)
    assert caught.value.status["phase"] == "applying"


def test_the_status_of_another_transaction_is_not_taken_for_ours():
    steerer, _log = steer([{"id": "t0", "phase": "committed"}] * 50)
    with pytest.raises(guard_client.Unreachable):
        steerer.await_applied(5)


@pytest.mark.parametrize("phase, facts, shown", [("committed", True, "facts"), ("undone", False, "diagnosis")])
def test_the_end_is_confirmed_and_the_diagnosis_fetched(phase, facts, shown):
    steerer, log = steer([{"id": "t1", "phase": phase}, {"log": "a line"}], facts=facts)
    assert steerer.confirm("n", 10)["phase"] == phase
    assert steerer.take() == {"log": "a line"}
    assert len(log) == 2 and shown + ".json" in log[1] and log[1].index("cat") < log[1].index("taken")
    if facts:
        assert log[0].index("/facts") < log[0].index("/confirm")
    else:
        assert "/facts" not in log[0]


@pytest.mark.parametrize(
    "text, content",
    [("", {}), ("cat: no such file", {}), ("[1]", {}), ('banner\n{"log": "x"}', {"log": "x"}), ('{"log": "x', {})],
)
def test_output_of_the_host_is_a_document_or_none(text, content):
    assert guard_client.document(text) == content


@pytest.mark.parametrize("phase, found", [("applied", True), ("undone", True), ("applying", False)])
def test_the_waiting_line_runs_in_a_real_shell(tmp_path, monkeypatch, phase, found):
    monkeypatch.setattr(guard_client, "RUN", str(tmp_path))
    os.makedirs(tmp_path / "t1")
    (tmp_path / "t1" / "status.json").write_text(json.dumps({"id": "t1", "phase": phase}))
    line = guard_client.waiting("t1", ("applied",) + guard_client.ENDED, 0 if not found else 5)
    out = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=10, check=True).stdout
    assert (guard_client.parse(out, "t1") or {}).get("phase") == (phase if found else None)


def test_a_message_is_written_atomically(tmp_path, monkeypatch):
    monkeypatch.setattr(guard_client, "RUN", str(tmp_path))
    os.makedirs(tmp_path / "t1")
    subprocess.run(["sh", "-c", guard_client.leaving("t1", "confirm", "abc")], timeout=10, check=True)
    assert (tmp_path / "t1" / "confirm").read_text() == "abc"
    assert os.listdir(tmp_path / "t1") == ["confirm"]
    assert (tmp_path / "t1" / "confirm").stat().st_mode & 0o777 == 0o600
    subprocess.run(
        ["sh", "-c", guard_client.leaving("t1", "confirm", "'; touch %s/gone; '" % tmp_path)], timeout=10, check=True
    )
    assert not (tmp_path / "gone").exists(), "what a host says is text"
