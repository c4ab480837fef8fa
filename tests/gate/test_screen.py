# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of the playbooks see, with scripted hosts (tests/connection/scripted.py): screen output, check mode, empty
plays, batches, tags.
"""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import screen  # noqa: E402

REFUSED, SILENT = screen.ON_A_VLAN, screen.UNREACHABLE
FREE = {"ANSIBLE_STRATEGY": "free"}


def statuses(kept):
    return {name: one["status"] for name, one in kept["mgmt_network_results"].items()}


def test_output_for_many_hosts_has_each_text_once(tmp_path):
    """Ansible's line for each task and host, and little else."""
    scripts = screen.many(12, refused=3, unreachable=1)
    status, said, kept = screen.play(tmp_path, scripts, **FREE)
    assert status == 2 and len(kept["mgmt_network_results"]) == 12
    assert "8 of 12 hosts OK: 7 changed, 1 in sync; 3 refused: VLAN x3; 1 unreachable: permission denied x1" in said
    assert said.count("different from data-center definition") == 1
    assert said.count("what to do:") == 2
    assert len(said.splitlines()) <= 90 + 17 * len(scripts)


def test_check_mode_reports_what_would_change_without_a_status(tmp_path):
    scripts = {"new": screen.CHANGE, "old": screen.IN_SYNC, "bad": REFUSED, "gone": SILENT}
    events = tmp_path / "events"
    status, said, kept = screen.play(tmp_path, scripts, "--check", "-e", f"configure_mgmt_events_dir={events}")
    found = kept["mgmt_network_results"]
    assert status == 0 and not events.exists()
    assert {
        name: (one["status"], one["changed"], one["category"], one["expected"]["status"], one["events"])
        for name, one in found.items()
    } == {
        "new": ("", True, "changed", "up", []),
        "old": ("", False, "in_sync", "up", []),
        "bad": ("", False, "refused", "non_operational", []),
        "gone": ("", False, "no_answer", "non_responsive", []),
    }
    assert "2 of 4 hosts OK: 1 would change, 1 in sync; 1 refused: VLAN x1; 1 unreachable: permission denied x1" in said
    assert "new: would change: ovirtmgmt: bridged" in said and "set to up" not in said


@pytest.mark.parametrize(
    "playbook, group, words, named",
    [
        (
            "add_host",
            "hypervisors",
            ["-e", "add_host_pattern=hypervisor"],
            "No host matches the pattern 'hypervisor' (add_host_pattern).",
        ),
        (
            "add_host",
            "engines",
            [],
            "No host matches the pattern 'hypervisors' (add_host_pattern). The inventory has 1 host and the groups: "
            "engines.",
        ),
        (
            "remove_network",
            "engines",
            ["--limit", "new"],
            "No host matches the pattern 'hypervisors' (remove_network_pattern) within --limit 'new'.",
        ),
        ("add_host", None, [], "The inventory has 0 hosts and the groups: none."),
    ],
)
def test_a_run_without_hosts_fails_and_names_the_pattern(tmp_path, playbook, group, words, named):
    status, said, kept = screen.play(
        tmp_path,
        {"new": screen.CHANGE} if group else {},
        *words,
        playbook=f"ovirt.mgmt_network.{playbook}",
        group=group or "all",
    )
    assert status == 2 and not kept
    assert named in said and "Nothing was changed." in said


def test_a_limit_within_the_group_finds_its_host(tmp_path):
    status, said, kept = screen.play(tmp_path, {"a": screen.IN_SYNC, "b": screen.IN_SYNC}, "--limit", "b")
    assert status == 0 and statuses(kept) == {"b": "up"}
    assert "1 of 1 hosts OK: 1 in sync" in said


def test_each_batch_has_a_summary_and_the_last_one_counts_hosts_not_started(tmp_path):
    scripts = {"a": screen.IN_SYNC, "b": screen.IN_SYNC, "c": REFUSED, "d": screen.IN_SYNC}
    status, said, kept = screen.play(tmp_path, scripts, "-e", "add_host_serial=1", **FREE)
    assert status == 2 and statuses(kept) == {"a": "up", "b": "up", "c": "non_operational"}
    assert said.count("1 of 1 hosts OK: 1 in sync") == 2
    assert "2 of 4 hosts OK: 2 in sync; 1 refused: VLAN x1; 1 not started" in said


@pytest.mark.parametrize(
    "words, script, status, found, said",
    [
        (["--tags", "configure_mgmt"], REFUSED, 2, "non_operational", "1 refused: VLAN x1"),
        (["--skip-tags", "host_deploy"], screen.CHANGE, 0, "up", "1 of 1 hosts OK: 1 changed"),
        (
            ["--tags", "host_deploy"],
            {**SILENT, "lost_at": "setup"},
            2,
            "non_responsive",
            "root@192.0.2.1: Permission denied (publickey,password).",
        ),
    ],
)
def test_documented_tags_keep_rescue_artifact_and_summary(tmp_path, words, script, status, found, said):
    ended, shown, kept = screen.play(tmp_path, {"one": script}, *words, hostvars={"one": {"add_host_deploy": True}})
    assert (ended, statuses(kept)) == (status, {"one": found})
    assert said in shown


@pytest.mark.parametrize("playbook, lost_at", [("add_host", ""), ("add_host", "setup"), ("remove_network", "")])
def test_every_playbook_reports_the_same_status_and_the_ssh_error(tmp_path, playbook, lost_at):
    script = {**SILENT, "lost_at": lost_at}
    status, said, kept = screen.play(
        tmp_path,
        {"one": script},
        playbook=f"ovirt.mgmt_network.{playbook}",
        hostvars={"one": {"add_host_deploy": True}},
    )
    result = kept["mgmt_network_results"]["one"]
    assert (status, result["status"], result["reason"]) == (2, "non_responsive", screen.DENIED)
    assert f"one: non_responsive, unreachable: {screen.DENIED}" in said


def test_a_host_that_answers_in_time_is_deployed(tmp_path):
    """It answers from the third attempt on: the wait before host_deploy succeeds; the deployment itself fails."""
    script = {**SILENT, "back_after": 2, "command": ""}
    _status, _said, kept = screen.play(
        tmp_path, {"one": script}, "-e", "configure_mgmt_wait=60", hostvars={"one": {"add_host_deploy": True}}
    )
    assert statuses(kept) == {"one": "install_failed"}


@pytest.mark.parametrize(
    "script, deployed, found",
    [(screen.IN_SYNC, False, "up"), (SILENT, False, "non_responsive"), (SILENT, True, "non_responsive")],
)
def test_wait_0_tries_to_reach_the_host_once(tmp_path, script, deployed, found):
    words = ["-e", json.dumps({"configure_mgmt_wait": 0})]
    _status, said, kept = screen.play(
        tmp_path, {"one": script}, *words, hostvars={"one": {"add_host_deploy": deployed}}
    )
    assert statuses(kept) == {"one": found}
    assert script is not SILENT or screen.DENIED in said
    assert [path.read_text(encoding="ascii") for path in tmp_path.glob("*.attempts")] == (
        ["1"] if script is SILENT else []
    )


def test_the_role_alone_reports_a_refusal_once_and_fails(tmp_path):
    play = [
        {
            "hosts": "hypervisors",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.import_role": {"name": "ovirt.mgmt_network.configure_mgmt"}}],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    status, said, _kept = screen.play(
        tmp_path, {"one": REFUSED, "two": screen.CHANGE}, playbook=str(tmp_path / "play.yml")
    )
    assert status == 2
    assert "two: up, changed in 4.4 s: ovirtmgmt: bridged, nic eth1, mtu 1500, dhcp" in said
    assert "one: non_operational, refused: VLAN_ID_MISMATCH" in said and "set to up" not in said
