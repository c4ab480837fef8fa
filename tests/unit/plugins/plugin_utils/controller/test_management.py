# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The management network of a scripted host, from the first contact to the result."""

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import role_variables, variables
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import Silent, cleaned_up
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.management import Job
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import lines
from ansible_collections.ovirt.mgmt_network.tests.unit.builders import hosts

OPTIONS = role_variables.specification("configure_mgmt")
ETH1 = {
    "name": "eth1",
    "type": "ethernet",
    "state": "up",
    "mtu": 1500,
    "mac-address": "52:54:00:00:00:01",
    "ipv4": {"enabled": True, "dhcp": True},
    "ipv6": {"enabled": False},
}
STATE = {"nmstate": {"interfaces": [ETH1], "routes": {"config": [], "running": []}, "dns-resolver": {}}, "profiles": {}}
PLAIN, MANAGED, ON_A_VLAN = hosts.nic_host(**STATE), hosts.managed_host(**STATE), hosts.vlan_host(**STATE)
BOND = {"query": "starts_with(lastClientIface, 'bond')", "message": "No bond, no change."}
SAID = "Failed to connect to the host via ssh: root@h1: Permission denied (publickey)."
COMMITTED = {"changed": True, "phase": "committed", "transaction": "", "diff": {}, "warnings": ["w"], "timeline": []}
UNDONE = {"failed": True, "phase": "undone", "rolled_back": True, "exact": True, "step": "apply", "msg": "no bridge"}


class FakeHost:
    """Answers modules in the order of ``answers``: facts, a result, or an exception. Records the calls."""

    name = "h1"

    def __init__(self, *answers, silence=None):
        self.answers = list(answers)
        self.silence = silence
        self.asked = []

    def module(self, name, arguments):
        self.asked.append((name, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if "nics" in answer:
            facts = {"host_network": copy.deepcopy(answer), "discovered_interpreter_python": "/usr/bin/python3"}
            return {"changed": False, "ansible_facts": facts, "warnings": []}
        return dict(answer)

    def await_answer(self, seconds):
        self.asked.append(("answer", seconds))
        if self.silence:
            raise Silent(self.silence)

    def bound_ssh(self):
        pass


def played(host, check=False, request=None, **given):
    """A job that was planned and applied."""
    named = {"configure_mgmt_%s" % key: value for key, value in {"network": {"name": "ovirtmgmt"}, **given}.items()}
    arguments, problems = variables.check("configure_mgmt", OPTIONS, named)
    assert problems == []
    job = Job(host, {"arguments": arguments}, check)
    job.plan()
    job.apply(request)
    return job


FACTS, APPLY = "host_network_facts", "nmstate_apply"
TABLE = {
    "in sync": ([MANAGED], {}, ("up", "in_sync"), [FACTS]),
    "changed": ([PLAIN, COMMITTED, MANAGED], {}, ("up", "changed"), [FACTS, APPLY, FACTS]),
    "kept in maintenance": ([MANAGED], {"activate": False}, ("maintenance", "in_sync"), [FACTS]),
    "facts that were gathered before": ([], {"facts": MANAGED}, ("up", "in_sync"), []),
    "refused": ([ON_A_VLAN], {}, ("non_operational", "refused"), [FACTS]),
    "a policy": ([PLAIN], {"policies": [BOND]}, ("non_operational", "refused"), [FACTS]),
    "a policy, and nothing to change": ([MANAGED], {"policies": [BOND]}, ("up", "in_sync"), [FACTS]),
    "differs, reported": ([MANAGED], {"network": {"name": "ovirtmgmt", "mtu": 9000}}, ("up", "out_of_sync"), [FACTS]),
    "unreadable": ([{"failed": True, "msg": "nmstatectl: not found"}], {}, ("non_operational", "failed"), [FACTS]),
    "unusable facts": ([], {"facts": {"nics": []}}, ("non_operational", "failed"), []),
    "lost before the facts": ([AnsibleConnectionFailure(SAID)], {}, ("non_responsive", "no_answer"), [FACTS]),
    "an error of Ansible": ([AnsibleError("no password")], {}, ("non_operational", "failed"), [FACTS]),
    "lost before the change": ([PLAIN, OSError(SAID)], {}, ("non_responsive", "no_answer"), [FACTS, APPLY]),
    "lost after the change": (
        [PLAIN, COMMITTED, AnsibleConnectionFailure(SAID)],
        {},
        ("non_responsive", "no_answer"),
        [FACTS, APPLY, FACTS],
    ),
    "undone": ([PLAIN, UNDONE], {"diagnosis_dir": ""}, ("non_operational", "undone"), [FACTS, APPLY]),
    "committed, and not as defined": (
        [PLAIN, COMMITTED, PLAIN],
        {},
        ("non_operational", "failed"),
        [FACTS, APPLY, FACTS],
    ),
    "not there to be removed": ([PLAIN], {"state": "absent"}, ("maintenance", "in_sync"), [FACTS]),
}


@pytest.mark.parametrize("answers, given, expected, asked", TABLE.values(), ids=TABLE.keys())
def test_results_and_contacts(answers, given, expected, asked):
    host = FakeHost(*answers)
    result = played(host, **given).conclude()
    assert (result["status"], result["category"]) == expected
    assert [name for name, _arguments in host.asked if name != "answer"] == asked
    assert [seconds for name, seconds in host.asked if name == "answer"] == ([] if "facts" in given else [120])
    if result["status"] not in ("up", "maintenance"):
        assert result["reason"] and result["remedy"] and not host.answers


def test_the_ssh_error_of_a_silent_host_is_reported():
    host = FakeHost(silence=SAID)
    result = played(host, wait=5).conclude()
    assert (result["status"], result["reason"]) == ("non_responsive", "root@h1: Permission denied (publickey).")
    assert host.asked == [("answer", 5)]


def test_a_prepared_host_is_not_waited_for():
    host = FakeHost(MANAGED)
    assert played(host, deployment={"began": 1.0, "ended": 2.0}).conclude()["status"] == "up"
    assert [name for name, _arguments in host.asked] == [FACTS]


def test_check_mode_reads_once_and_predicts():
    host = FakeHost(PLAIN, {"changed": True, "transaction": "", "change": {"interfaces": []}})
    result = played(host, check=True).conclude()
    assert (result["status"], result["expected"]["status"], result["changed"]) == ("", "up", True)
    assert [name for name, _arguments in host.asked] == ["answer", FACTS, APPLY]


def test_what_is_applied_comes_from_the_plan_and_the_arguments():
    host = FakeHost(PLAIN, COMMITTED, MANAGED)
    job = played(host, timeout=30, probes=[{"type": "gateway"}])
    given = dict(host.asked)[APPLY]
    assert given["record"]["networks"] == job.data["plan"]["request"]["networks"]
    assert (given["timeout"], given["state"]) == (30, job.data["plan"]["state"])
    assert job.for_ansible["warnings"] == ["w"] and "diff" in job.for_ansible
    assert job.for_ansible["ansible_facts"] == {"discovered_interpreter_python": "/usr/bin/python3"}


def test_an_edited_request_is_validated_against_the_current_host():
    request = copy.deepcopy(played(FakeHost(PLAIN), check=True, policies=[BOND]).data["plan"]["request"])
    request["networks"]["ovirtmgmt"]["nameservers"] = ["192.0.2.53"]
    host = FakeHost(PLAIN, PLAIN, COMMITTED, MANAGED)
    job = played(host, request=request)
    assert [name for name, _arguments in host.asked] == ["answer", FACTS, FACTS, APPLY]
    assert job.data["edited"] and host.asked[-1][1]["record"]["networks"] == request["networks"]
    assert job.conclude()["status"] == "up"  # a hook may deviate from the definition


def test_an_edited_request_that_violates_a_rule_is_refused():
    host = FakeHost(PLAIN, PLAIN)
    result = played(
        host, request={"networks": {"ovirtmgmt": {"nic": "eth9"}}, "bondings": {}, "options": {}}
    ).conclude()
    assert (result["status"], result["category"]) == ("non_operational", "refused")
    assert not host.answers


def test_a_request_that_is_no_mapping_changes_nothing():
    result = played(FakeHost(PLAIN), request="hello").conclude()
    assert "configure_mgmt_request: got 'hello' (string), expected a mapping." in result["reason"]


def test_messages_of_policies_are_sentences():
    result = played(FakeHost(PLAIN), policies=[{**BOND, "message": "must be on a bond"}]).conclude()
    assert "must be on a bond. The host was not changed." in result["reason"]


def test_a_network_planned_from_old_facts_is_named_without_the_old_interface():
    result = played(FakeHost({"changed": False, "phase": "unchanged"}, MANAGED), facts=PLAIN).conclude()
    assert lines.short_lines(result) == ["h1: up, in sync: ovirtmgmt"]


def test_a_lost_host_is_left_with_its_temporary_folder():
    def lost():
        raise AnsibleConnectionFailure(SAID)

    cleaned_up(lost)


def test_the_result_can_be_built_from_the_data_between_tasks():
    first = played(FakeHost(PLAIN, COMMITTED))
    assert Job(FakeHost(MANAGED), copy.deepcopy(first.data)).conclude()["category"] == "changed"


@pytest.mark.parametrize("silence, status", [("", "non_operational"), (SAID, "non_responsive")])
def test_after_a_failed_task_the_host_is_contacted(silence, status):
    job = Job(FakeHost(silence=silence), {"failure": {"step": "task", "reason": "no", "unreachable": False}})
    job.answers()
    assert job.conclude()["status"] == status


ANY_OPTIONS = role_variables.specification("setup_networks")
FIXED = {"state": "present", "sync": "apply", "persistent": True, "policies": []}


def set_up(host, wanted):
    """The result of a host whose networks were planned and applied."""
    arguments, problems = variables.check("setup_networks", ANY_OPTIONS, {"host_networks": wanted})
    assert problems == []
    job = Job(host, {"arguments": {**arguments, **FIXED}})
    job.plan()
    job.apply()
    return job.conclude()


@pytest.mark.parametrize(
    "facts, wanted, category, said",
    [
        (MANAGED, {"networks": {"ovirtmgmt": {"on": "eth1"}, "red": None}}, "in_sync", ""),
        (MANAGED, {"networks": {"red": {"on": "eth7"}}}, "refused", "no NIC 'eth7'"),
    ],
)
def test_any_network_without_a_change(facts, wanted, category, said):
    host = FakeHost(facts)
    result = set_up(host, wanted)
    assert (result["category"], result["changed"], len(host.asked)) == (category, False, 2)
    assert said in result["reason"]


@pytest.mark.parametrize(
    "answer, category, event",
    [(COMMITTED, "changed", "NETWORK_COMMINT_NETWORK_CHANGES"), (UNDONE, "undone", "SETUP_NETWORK_FAILED")],
)
def test_any_network_is_applied_and_compared(answer, category, event):
    red = {"nic": "eth2", "vlan": 5, "bridged": True, "mtu": 1500}
    after = copy.deepcopy(MANAGED)
    after["vlans"]["eth2.5"] = {**hosts.device(), "iface": "eth2", "vlanid": 5}
    after["bridges"]["red"] = hosts.device(ports=["eth2.5"], stp="off")
    after["running"]["networks"]["red"] = red
    host = FakeHost(MANAGED, answer, after)
    result = set_up(host, {"networks": {"red": {"on": "eth2", "vlan_tag": 5}}})
    assert (result["category"], result["events"][0]["name"]) == (category, event)
    state = host.asked[2][1]["state"]
    assert {one["name"] for one in state["interfaces"]} == {"eth2", "eth2.5", "red"}
    assert list(host.asked[2][1]["record"]["networks"]) == ["red"]
