# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed change leaves behind on the controller."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils import diagnosis

RESULT = {
    "msg": "the change was undone", "change": {"interfaces": [{"name": "eth1"}]},
    "timeline": [{"phase": "open", "at": 10.0}, {"phase": "undone", "at": 12.5}],
}
FOUND = {
    "change": {"interfaces": [{"name": "eth1", "mtu": 9000}]}, "before": {"interfaces": []}, "failure": {"links": []}, "after": {"interfaces": []},
    "log": "a line\n",
    "status": {"phase": "undone", "nonce": "secret", "reason": "no lease", "timeline": [{"phase": "open", "at": 1.0}], "error": {"kind": "VerificationError"}},
}


@pytest.mark.parametrize("host, name", [
    ("host1", "host1-t1"),
    ("host1.example.com", "host1.example.com-t1"),
    ("../../etc", ".._.._etc-t1"),
    ("fe80::1%eth0", "fe80_1_eth0-t1"),
])
def test_a_folder_for_each_failure_whatever_the_host_is_called(host, name):
    assert diagnosis.folder_name(host, "t1") == name
    assert "/" not in diagnosis.folder_name(host, "t1")


def test_every_part_that_the_host_left_is_a_file():
    files = diagnosis.files({"state": {"interfaces": []}}, RESULT, FOUND)
    assert sorted(files) == [
        "after.json", "before.json", "change.json", "desired.json", "error.json", "failure.json", "host.log", "message.txt", "status.json", "timeline.txt",
    ]
    assert json.loads(files["change.json"]) == FOUND["change"]
    assert json.loads(files["error.json"]) == {"kind": "VerificationError"}
    assert "secret" not in files["status.json"] and "no lease" in files["status.json"]
    assert files["timeline.txt"] == "   0.000 s  open\n"


def test_a_host_that_stays_away_leaves_what_the_controller_knows():
    files = diagnosis.files({"state": {"interfaces": []}}, RESULT, {})
    assert sorted(files) == ["change.json", "desired.json", "host.log", "message.txt", "timeline.txt"]
    assert json.loads(files["change.json"]) == RESULT["change"]
    assert files["timeline.txt"].splitlines() == ["   0.000 s  open", "   2.500 s  undone"]
