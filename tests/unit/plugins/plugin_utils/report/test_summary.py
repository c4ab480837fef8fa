# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: groups, counts, each text once, few lines for many hosts."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.lines import head_words
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.outcome import outcome
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.summary import count_line, summary_lines

NETWORK = {"nic": "eth1", "bridged": True, "mtu": 1500, "ipaddr": "192.0.2.5"}
BASE = {
    "network": "ovirtmgmt",
    "active_interface": "eth1",
    "exists": False,
    "differences": [],
    "event": None,
    "warnings": [],
    "remedy": "",
    "request": {"networks": {"ovirtmgmt": NETWORK}, "bondings": {}, "options": {}},
}
FAILED = {"step": "apply", "reason": "", "unreachable": False}
SSH = "root@%s: Permission denied (publickey)."


def changed(host, seconds=4.4, check=False):
    applied = (
        {"changed": True}
        if check
        else {
            "changed": True,
            "phase": "committed",
            "timeline": [{"phase": "open", "at": 1.0}, {"phase": "committed", "at": 1.0 + seconds}],
        }
    )
    request = {
        "networks": {"ovirtmgmt": dict(NETWORK, ipaddr="192.0.2.%d" % (len(host) + seconds))},
        "bondings": {},
        "options": {},
    }
    return outcome(dict(BASE, decision="change", request=request), host, applied, check=check)


def in_sync(host, **more):
    return outcome(
        dict(BASE, decision="in_sync", exists=True, active_interface="ovirtmgmt", request={"networks": {}}),
        host,
        **more,
    )


def refused(host, name=events.VLAN_MISMATCH, **more):
    told = events.event(name, host, "eth1.10", VlanId=10, MgmtVlanId=3000)
    return outcome(dict(BASE, decision="refuse", event=told, remedy="Set vlan_tag to 10."), host, {}, FAILED, **more)


def silent(host, **more):
    return outcome({}, host, {}, dict(FAILED, step="connect", reason=SSH % host, unreachable=True), **more)


def names(word, number):
    return ["%s%03d" % (word, one) for one in range(number)]


def two_hundred():
    return [
        *map(changed, names("c", 140)),
        *map(in_sync, names("s", 40)),
        *map(refused, names("v", 18)),
        *(refused(name, events.INVALID_BOND) for name in names("b", 2)),
    ]


def test_two_hundred_hosts_fit_a_screen():
    lines = summary_lines(two_hundred())
    assert lines[-1] == "180 of 200 hosts OK: 140 changed, 40 in sync; 20 refused: VLAN x18, bond x2"
    assert len(lines) <= 30 and max(map(len, lines)) < 400
    text = "\n".join(lines)
    assert all(text.count(one["host"]) == 1 for one in two_hundred())
    assert text.count("what to do:") == text.count("Failed to configure management network on the host") == 2


def test_one_line_for_a_host_and_more_if_it_needs_attention():
    assert summary_lines([refused("bad"), in_sync("good"), changed("new")]) == [
        "new: up, changed in 4.4 s: ovirtmgmt: bridged, nic eth1, mtu 1500, address 192.0.2.7",
        "good: up, in sync: ovirtmgmt on ovirtmgmt",
        "bad: non_operational, refused: VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION (1119)",
        "    Failed to configure management network on host bad. Host bad has an interface eth1.10 for the "
        "management network configuration"
        " with VLAN-ID (10), which is different from data-center definition (3000).",
        "    what to do: Set vlan_tag to 10.",
        "2 of 3 hosts OK: 1 changed, 1 in sync; 1 refused: VLAN x1",
    ]


def test_hosts_that_differ_only_in_address_and_time_are_one_group():
    assert summary_lines([changed("a", 3.0), changed("bb", 11.5)])[0] == (
        "a, bb: up, changed in 3.0 to 11.5 s: ovirtmgmt: bridged, nic eth1, mtu 1500, static address"
    )


@pytest.mark.parametrize(
    "results, hosts, line",
    [
        ([], (), "0 of 0 hosts OK"),
        ([changed("a", check=True), in_sync("b", check=True)], (), "2 of 2 hosts OK: 1 would change, 1 in sync"),
        (
            [refused("a", check=True), silent("b", check=True)],
            (),
            "0 of 2 hosts OK: 1 refused: VLAN x1; 1 unreachable: permission denied x1",
        ),
        ([refused("a")], ["a", "b", "c"], "0 of 3 hosts OK: 1 refused: VLAN x1; 2 not started"),
        (
            [{"host": "a", "deployment": {"began": 1, "ended": 2}}, {"host": "b", "deployment": {}}, changed("c")],
            ["a", "b", "c"],
            "1 of 3 hosts OK: 1 changed; 1 prepared only; 1 without a result",
        ),
        (
            [
                outcome(
                    dict(BASE, decision="change"), "a", {}, dict(FAILED, step="policies", reason="No bond, no change.")
                )
            ],
            (),
            "0 of 1 hosts OK: 1 refused: policy x1",
        ),
        (
            [
                outcome(
                    dict(BASE, decision="change"),
                    "a",
                    {"failed": True, "phase": "undone", "rolled_back": True, "exact": True, "msg": "no"},
                    FAILED,
                )
            ],
            (),
            "0 of 1 hosts OK: 1 undone",
        ),
    ],
)
def test_the_counts(results, hosts, line):
    assert count_line(results, hosts) == line
    assert summary_lines(results, hosts)[-1] == line


def test_the_ssh_error_is_shown_once_for_all_hosts():
    lines = summary_lines([silent(name) for name in ("h1", "h2")])
    assert lines == [
        "h1, h2: non_responsive, unreachable: Permission denied (publickey).",
        "    what to do: Check that the host is powered on and accepts SSH logins, and run again.",
        "0 of 2 hosts OK: 2 unreachable: permission denied x2",
    ]


def test_all_details_with_verbose():
    text = "\n".join(summary_lines([changed("a"), refused("b"), {"host": "c"}], verbose=True))
    assert "event VDS_DETECTED (13) NORMAL: Status of host a was set to up." in text and "c: no result" in text


@pytest.mark.parametrize(
    "request_, words",
    [
        ({"networks": {"red": {"remove": True}}}, "red: removed"),
        ({"networks": {"red": {"bridged": True, "nic": "eth1", "vlan": 5}}}, "red: bridged, vlan 5, nic eth1"),
        ({"bondings": {"bond1": {"nics": ["eth2"], "options": "mode=1"}}}, "bond1: bond of eth2, mode=1"),
        ({"bondings": {"bond1": {"remove": True}}}, "bond1: removed"),
    ],
)
def test_networks_and_bonds_of_a_request(request_, words):
    result = {"category": "changed", "status": "up", "seconds": 1.0, "request": request_, "host": "h1"}
    assert head_words([result]) == f"up, changed in 1.0 s: {words}"
