# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's messages about failures, converted to data."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import failures
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.lines import short_lines
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.outcome import outcome


@pytest.mark.parametrize(
    "task, step, unreachable",
    [
        ({"action": "ansible.builtin.wait_for_connection"}, "task", True),
        ({"action": "reboot"}, "task", True),
        ({"action": "ansible.builtin.reboot"}, "task", True),
        ({"action": "ansible.builtin.assert"}, "compare", False),
        ({"action": "host_deploy"}, "host_deploy", False),
        ({"action": "host_deploy", "unreachable": True}, "host_deploy", True),
        ({"action": "ansible.builtin.command", "refused": True}, "policies", False),
        ({"action": "ovirt.mgmt_network.host_network_facts"}, "gather", False),
        ({"action": "ovirt.mgmt_network.mgmt_network_apply"}, "apply", False),
        ({"action": "ansible.builtin.command"}, "task", False),
    ],
)
def test_a_task_becomes_a_step(task, step, unreachable):
    failure = failures.of_task({"task": "Some task", "msg": "it broke", **task})
    assert failure == {"task": "Some task", "step": step, "reason": "it broke", "unreachable": unreachable}


def test_a_task_that_ended_in_the_middle_of_a_change_does_not_claim_the_old_network():
    task = {"task": "Apply the plan", "action": "ovirt.mgmt_network.mgmt_network_apply", "msg": "Timed out after 6 s."}
    result = outcome({}, "h1", failure=failures.of_task(task))
    assert result["remedy"] == "A change that has begun is undone by the host itself. Wait for that, and run again."


def test_only_the_sentence_of_a_failed_filter_is_reported():
    filter_error = "The filter plugin 'ovirt.mgmt_network.f' failed: f: vlan: no."
    said = f"Task failed: Error while resolving value for 'x': {filter_error}"
    assert failures.failure("task", said)["reason"] == "vlan: no."


@pytest.mark.parametrize(
    "msg, reason",
    [
        (
            "timed out waiting for ping module test: Failed to connect to the host via ssh: root@192.0.2.1: "
            "Permission denied (publickey).",
            "root@192.0.2.1: Permission denied (publickey).",
        ),
        (
            "Task failed: Failed to connect to the host via ssh: Warning: Permanently added 'h1' (ED25519) to the "
            "list of known hosts.\r\n"
            "ssh: connect to host h1 port 22: Connection timed out",
            "ssh: connect to host h1 port 22: Connection timed out",
        ),
        (
            "Failed to connect to the host via ssh: @@@@@\r\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! "
            "@\r\nHost key verification failed.",
            "Host key verification failed.",
        ),
        (
            'Data could not be sent to remote host "h1". Make sure this host can be reached over ssh: Connection '
            "reset by 192.0.2.1 port 22",
            "Connection reset by 192.0.2.1 port 22",
        ),
        ("", "the host does not answer"),
    ],
)
def test_the_ssh_error_of_an_unreachable_host_is_reported(msg, reason):
    assert failures.connection_reason(msg) == reason
    for failure in (
        failures.of_task({"task": "Wait", "action": "ansible.builtin.wait_for_connection", "msg": msg}),
        failures.failure("host_deploy", msg, unreachable=True),
    ):
        result = outcome({}, "h1", {}, failure)
        assert (result["status"], result["category"], result["reason"]) == ("non_responsive", "no_answer", reason)
        assert short_lines(result) == [
            "h1: non_responsive, unreachable: " + reason,
            "    what to do: Check that the host is powered on and accepts SSH logins, and run again.",
        ]
