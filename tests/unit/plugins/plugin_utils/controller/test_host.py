# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a host and its timeouts, with a scripted action."""

from __future__ import annotations

import time

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import host as edge

ANSWER = {"rc": 0, "stdout": "ovirt-mgmt-network-answers\n", "stderr": ""}
GONE = AnsibleConnectionFailure("no route")


class Connection:
    transport = "ssh"

    def __init__(self):
        self.options = {"ssh_extra_args": "-v"}
        self.resets = 0

    def reset(self):
        self.resets += 1

    def get_option(self, name):
        return self.options[name]

    def set_option(self, name, value):
        self.options[name] = value


class Action:
    """Answers shell lines in the order of ``answers``: a result, an exception, or a function."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self._connection = Connection()

    def _low_level_execute_command(self, _line, sudoable):
        assert sudoable
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def _execute_module(self, module_name, module_args, task_vars):
        return {"module": module_name, "invocation": module_args, "host": task_vars["inventory_hostname"]}


@pytest.fixture
def clock(monkeypatch):
    """Pauses are counted, but take no time."""
    now = [0.0]
    monkeypatch.setattr(edge.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(edge.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def host(*answers):
    action = Action(*answers)
    return edge.Host(action, {"inventory_hostname": "h1"}), action


@pytest.mark.parametrize(
    "answers, resets",
    [
        ([ANSWER], 0),
        ([GONE, ANSWER], 1),
        ([AnsibleError("become timed out"), EOFError(), OSError("x"), ANSWER], 3),
        ([{"rc": 1, "stdout": "", "stderr": "sudo: a password is required"}, ANSWER], 1),
    ],
)
def test_an_answer_ends_the_wait_and_each_attempt_has_a_new_connection(clock, answers, resets):
    waiting, action = host(*answers)
    waiting.await_answer(10)
    assert not action.answers and action._connection.resets == resets


@pytest.mark.parametrize(
    "answers, seconds, said",
    [
        ([GONE], 0, "no route"),
        ([GONE, GONE, OSError("refused")], 2, "refused"),
        ([{"rc": 1, "stdout": "", "stderr": "sudo: no"}], 0, "sudo: no"),
        ([{"rc": 1, "stdout": "This account is not available.", "stderr": ""}], 0, "This account is not available."),
        ([EOFError()], 0, "EOFError"),
    ],
)
def test_the_error_of_the_last_attempt_is_reported(clock, answers, seconds, said):
    waiting, action = host(*answers)
    with pytest.raises(edge.Silent, match=said):
        waiting.await_answer(seconds)
    assert not action.answers


def test_an_attempt_that_hangs_ends(monkeypatch):
    monkeypatch.setattr(edge, "_ATTEMPT_SECONDS", 0.05)
    waiting, _action = host(lambda: time.sleep(30))
    with pytest.raises(edge.Silent, match="timed out"):
        waiting.await_answer(0)


def test_connection_timeouts_are_added_once():
    bounded, action = host()
    bounded.bound_ssh()
    bounded.bound_ssh()
    assert action._connection.options["ssh_extra_args"].count("ServerAliveInterval") == 1
    assert action._connection.options["ssh_extra_args"].startswith("-v ")


def test_modules_are_those_of_the_collection():
    asking, _action = host()
    assert asking.module("host_network_facts", {}) == {"module": "ovirt.mgmt_network.host_network_facts", "host": "h1"}
