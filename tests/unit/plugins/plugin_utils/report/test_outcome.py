# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a host: status, events, and text for the screen."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.events import event
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import interfaces_down
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.lines import (
    decision_lines,
    network_words,
    result_lines,
    short_lines,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.outcome import outcome
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import managed_host

REQUEST = {
    "networks": {"ovirtmgmt": {"bonding": "bond4", "vlan": 3000, "bridged": True, "mtu": 9000, "bootproto": "dhcp"}},
    "bondings": {},
    "options": {},
}
BASE = {
    "network": "ovirtmgmt",
    "active_interface": "bond4.3000",
    "exists": False,
    "differences": [],
    "event": None,
    "warnings": [],
    "remedy": "",
    "request": REQUEST,
}
CHANGE = dict(BASE, decision="change", differences=[{"attribute": "mtu", "desired": 9000, "actual": 1500}])
IN_SYNC = dict(
    BASE,
    decision="in_sync",
    active_interface="ovirtmgmt",
    exists=True,
    request={"networks": {}, "bondings": {}, "options": {}},
)
MISMATCH = event("VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION", "h1", "eth1.10", VlanId=10, MgmtVlanId=3000)
REFUSE = dict(BASE, decision="refuse", event=MISMATCH, remedy="Set vlan_tag to 10.")
COMMITTED = {
    "changed": True,
    "phase": "committed",
    "transaction": "t1",
    "timeline": [{"phase": "open", "at": 1.0}, {"phase": "committed", "at": 5.4}],
}


def failed(step="apply", reason="it broke"):
    return {"step": step, "reason": reason, "unreachable": False}


def lost(step="connect", reason="gone"):
    return {"step": step, "reason": reason, "unreachable": True}


def undone(step, **more):
    return {
        "failed": True,
        "changed": False,
        "rolled_back": True,
        "exact": True,
        "step": step,
        "phase": "undone",
        "msg": "undone",
        **more,
    }


TABLE = {
    "in sync": (IN_SYNC, {}, None, True, "up", [13]),
    "committed": (CHANGE, COMMITTED, None, True, "up", [1104, 13]),
    "committed, to stay in maintenance": (CHANGE, COMMITTED, None, False, "maintenance", [1104, 13]),
    "differs, only reported": (dict(CHANGE, exists=True), {}, None, True, "up", [1110, 13]),
    "differs, the change skipped": (
        dict(CHANGE, exists=True),
        {"skipped": True, "changed": False},
        None,
        True,
        "up",
        [1110, 13],
    ),
    "as defined but unknown to VDSM": (
        dict(
            CHANGE, exists=True, differences=[{"attribute": "persistence", "desired": "recorded", "actual": "missing"}]
        ),
        {},
        None,
        True,
        "up",
        [13],
    ),
    "refused": (REFUSE, {}, failed("plan"), True, "non_operational", [1119]),
    "apply failed": (CHANGE, undone("apply"), failed(), True, "non_operational", [1120]),
    "persistence failed": (CHANGE, undone("commit"), failed(), True, "non_operational", [1105, 1121]),
    "no answer after the change": (
        CHANGE,
        {"failed": True, "changed": True, "rolled_back": False, "step": "prove", "phase": "applied", "msg": "gone"},
        failed(),
        True,
        "non_responsive",
        [1120],
    ),
    "no answer after the confirmation": (
        CHANGE,
        {"failed": True, "changed": True, "phase": "applied", "step": "commit", "rolled_back": False, "msg": "gone"},
        failed(),
        True,
        "non_responsive",
        [1105, 1121],
    ),
    "no answer at all": ({}, {}, lost(), True, "non_responsive", [12]),
    "facts failed": ({}, {}, failed("gather"), True, "non_operational", [1120]),
    "deployment failed": ({}, {}, failed("host_deploy"), True, "install_failed", [505]),
    "committed, then silent": (CHANGE, COMMITTED, lost(), True, "non_responsive", [1104, 12]),
    "committed, then not as defined": (CHANGE, COMMITTED, failed("compare"), True, "non_operational", [1104, 1110]),
    "committed, then a hook failed": (CHANGE, COMMITTED, failed("task"), True, "non_operational", [1104]),
    "committed, then no reboot": (CHANGE, COMMITTED, lost("reboot"), True, "non_responsive", [1104, 12]),
    "unreachable when it was to be changed": (
        CHANGE,
        {"unreachable": True, "msg": "gone"},
        lost("gather"),
        True,
        "non_responsive",
        [12],
    ),
    "a VM network without its bridge, only reported": (
        dict(CHANGE, exists=True, differences=[{"attribute": "bridged", "desired": True, "actual": False}]),
        {},
        None,
        True,
        "non_operational",
        [1110, 9601],
    ),
    "unreachable when its facts were asked for": ({}, {}, lost("gather"), True, "non_responsive", [12]),
}


@pytest.mark.parametrize("decision, applied, failure, activate, status, events", TABLE.values(), ids=TABLE.keys())
def test_status_and_events(decision, applied, failure, activate, status, events):
    result = outcome(decision, "h1", applied, failure, activate)
    assert (result["status"], [one["id"] for one in result["events"]]) == (status, events)
    assert result_lines(result)[0].startswith("h1: " + status)
    assert all(one["remedy"] for one in result["events"] if one["severity"] != "NORMAL")
    assert status in ("up", "maintenance") or (result["reason"] and result["remedy"])


def test_the_change_and_its_duration_are_reported():
    result = outcome(CHANGE, "h1", COMMITTED)
    assert (result["changed"], result["synced"], result["seconds"]) == (True, True, 4.4)
    words = "ovirtmgmt: bridged, vlan 3000, bond bond4, mtu 9000, dhcp"
    assert result_lines(result)[:2] == ["h1: up, changed in 4.4 s: " + words, words]


def test_a_refusal_has_a_remedy():
    lines = result_lines(outcome(REFUSE, "h1", {}, failed("plan")))
    assert lines[0] == "h1: non_operational, refused: VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION (1119)"
    assert lines[1].startswith("event VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION (1119) ERROR: ")
    assert lines[-1] == "what to do: Set vlan_tag to 10."
    assert not [line for line in lines if line.startswith("reason")]


@pytest.mark.parametrize(
    "decision, sync, last",
    [
        (IN_SYNC, "report", "management network matches the definition; nothing to do"),
        (CHANGE, "apply", "mtu: 1500 → 9000"),
        (dict(CHANGE, exists=True), "report", "mtu: 1500 → 9000"),
        (REFUSE, "apply", "refused: " + MISMATCH["message"]),
    ],
)
def test_the_text_of_a_decision(decision, sync, last):
    lines = decision_lines(decision, sync)
    assert lines[0].startswith("control connection: ")
    assert lines[-1] == last


@pytest.mark.parametrize(
    "network, words",
    [
        (
            {"nic": "eth1", "bridged": False, "mtu": 1500, "ipaddr": "192.0.2.5", "ipv6addr": "2001:db8::5/64"},
            "bridgeless, nic eth1, mtu 1500, address 192.0.2.5, address 2001:db8::5/64",
        ),
        (
            {"nic": "eth1", "bridged": True, "mtu": 1500, "dhcpv6": True, "ipv6autoconf": True},
            "bridged, nic eth1, mtu 1500, ipv6 dhcp and autoconf",
        ),
    ],
)
def test_the_text_of_a_network(network, words):
    assert network_words(network) == words


@pytest.mark.parametrize(
    "deployment, failure, events",
    [
        ({}, None, [1104, 13]),
        ({"began": 10.0, "ended": 20.0}, None, [560, 561, 504, 1104, 13]),
        ({"began": 10.0, "ended": 20.0}, failed(), [560, 561, 1120]),
        ({"began": 10.0}, failed("host_deploy", "no packages."), [560, 505]),
    ],
)
def test_the_deployment_has_events_of_its_own(deployment, failure, events):
    applied = {} if failure else COMMITTED
    result = outcome(CHANGE if applied else {}, "h1", applied, failure, now=30.0, deployment=deployment)
    assert [one["id"] for one in result["events"]] == events
    assert all(one["time"] for one in result["events"]) and not any("at" in one for one in result["events"])


def test_statuses_and_events_have_times():
    result = outcome(CHANGE, "h1", COMMITTED, now=7.25, began=0.5)
    assert result["statuses"] == [
        {"status": "installing", "at": "1970-01-01T00:00:00.500Z"},
        {"status": "initializing", "at": "1970-01-01T00:00:07.250Z"},
        {"status": "up", "at": "1970-01-01T00:00:07.250Z"},
    ]
    assert {one["id"]: one["time"] for one in result["events"]} == {
        1104: "1970-01-01T00:00:05.400Z",
        13: "1970-01-01T00:00:07.250Z",
    }
    refused = outcome(REFUSE, "h1", {}, failed("plan"), now=7.0, began=1.0)
    assert [one["status"] for one in refused["statuses"]] == ["installing", "non_operational"]


@pytest.mark.parametrize(
    "tag, learn, learned",
    [(None, True, {"vlan_tag": 10}), (0, True, {"vlan_tag": 10}), (None, False, {}), (3000, True, {})],
)
def test_a_vlan_is_only_learned_if_the_definition_does_not_set_one(tag, learn, learned):
    refusal = event("VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION", "h1", "eth1.10", VlanId=10, MgmtVlanId=tag)
    result = outcome(dict(REFUSE, event=refusal), "h1", {}, failed("plan"), learn_vlan=learn)
    assert (result["status"], result["learned"]) == ("non_operational", learned)
    assert bool(learned) == ("add it to the definition" in result["remedy"])
    assert bool(learned) == any(
        "learned, not in the definition yet: vlan_tag: 10" in line for line in result_lines(result)
    )


def test_every_reported_difference_is_named():
    found = dict(
        CHANGE,
        exists=True,
        remedy="Sync it.",
        differences=[
            {"attribute": "mtu", "desired": 9000, "actual": 1500},
            {"attribute": "stp", "desired": True, "actual": False},
        ],
    )
    told = next(one for one in outcome(found, "h1")["events"] if one["id"] == 1110)
    assert told["message"].endswith("Differences: mtu is 1500, expected 9000; stp is no, expected yes.")
    assert (told["values"], told["remedy"]) == (
        {"Networks": "ovirtmgmt", "differences": found["differences"]},
        "Sync it.",
    )


def test_remaining_differences_after_an_edited_change_are_out_of_sync():
    result = outcome(CHANGE, "h1", COMMITTED, after=dict(CHANGE, exists=True))
    assert (result["status"], result["synced"], [one["id"] for one in result["events"]]) == (
        "up",
        False,
        [1104, 1110, 13],
    )


@pytest.mark.parametrize("actual, desired, learned", [(7, None, {"vlan_tag": 7}), (7, 8, {}), (None, 7, {})])
def test_the_tag_of_an_existing_network_is_learned(actual, desired, learned):
    found = dict(CHANGE, exists=True, differences=[{"attribute": "vlan", "desired": desired, "actual": actual}])
    assert outcome(found, "h1", learn_vlan=True)["learned"] == learned


@pytest.mark.parametrize(
    "state, applied, status",
    [
        ("up", {}, "up"),
        ("down", {}, "non_operational"),
        ("down", COMMITTED, "non_operational"),
        ("down", {"changed": True, "phase": ""}, "up"),
    ],
)
def test_a_host_with_an_interface_down_is_not_up(state, applied, status):
    facts = managed_host(
        nmstate={"interfaces": [{"name": "ovirtmgmt", "state": "up"}, {"name": "eth1", "state": state}]}
    )
    result = outcome(dict(IN_SYNC), "h1", applied, down=interfaces_down(facts, "ovirtmgmt"))
    assert result["status"] == status
    assert (603 in [one["id"] for one in result["events"]]) == (status != "up")


def test_the_step_is_named_after_the_task():
    assert outcome(CHANGE, "h1", {}, failed("plan", "no."))["reason"] == "Plan the management network: no."
    assert outcome(CHANGE, "h1", {}, dict(failed("task", "no."), task="Cable"))["reason"] == "Cable: no."


CHECKED = {
    "would change": (CHANGE, {"changed": True, "change": {}}, None, "changed", True, "up", []),
    "in sync": (IN_SYNC, {}, None, "in_sync", False, "up", []),
    "refused": (REFUSE, {}, failed("plan"), "refused", False, "non_operational", [1119]),
    "no answer": ({}, {}, lost(), "no_answer", False, "non_responsive", [12]),
    "differs, only reported": (dict(CHANGE, exists=True), {}, None, "out_of_sync", False, "up", [1110]),
}


@pytest.mark.parametrize(
    "decision, applied, failure, category, changed, status, events", CHECKED.values(), ids=CHECKED.keys()
)
def test_check_mode_predicts_without_a_status(decision, applied, failure, category, changed, status, events):
    result = outcome(decision, "h1", applied, failure, check=True)
    assert (result["check"], result["status"], result["statuses"], result["events"]) == (True, "", [], [])
    assert (result["category"], result["changed"], result["expected"]["status"]) == (category, changed, status)
    assert [one["id"] for one in result["expected"]["events"]] == events
    for lines in (short_lines(result), result_lines(result)):
        assert not [line for line in lines if "h1: up" in line or "set to up" in line]
    assert short_lines(outcome(CHANGE, "h1", {"changed": True}, check=True)) == [
        "h1: would change: ovirtmgmt: bridged, vlan 3000, bond bond4, mtu 9000, dhcp"
    ]
