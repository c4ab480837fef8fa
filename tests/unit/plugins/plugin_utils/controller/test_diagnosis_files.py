# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnosis of a failed change on the controller."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import diagnosis_files

RESULT = {
    "msg": "the change was undone",
    "change": {"interfaces": [{"name": "eth1"}]},
    "timeline": [{"phase": "open", "at": 10.0}, {"phase": "undone", "at": 12.5}],
}
FOUND = {
    "change": {"interfaces": [{"name": "eth1", "mtu": 9000}]},
    "before": {"interfaces": []},
    "failure": {"links": []},
    "after": {"interfaces": []},
    "log": "a line\n",
    "status": {
        "phase": "undone",
        "nonce": "secret",
        "reason": "no lease",
        "timeline": [{"phase": "open", "at": 1.0}],
        "error": {"kind": "VerificationError"},
    },
}


@pytest.mark.parametrize(
    "host, name",
    [
        ("host1", "host1-t1"),
        ("host1.example.com", "host1.example.com-t1"),
        ("../../etc", ".._.._etc-t1"),
        ("fe80::1%eth0", "fe80_1_eth0-t1"),
    ],
)
def test_each_failure_has_a_folder_for_any_host_name(host, name):
    assert diagnosis_files.folder_name(host, "t1") == name
    assert "/" not in diagnosis_files.folder_name(host, "t1")


def test_every_part_of_the_diagnosis_is_a_file():
    files = diagnosis_files.files({"state": {"interfaces": []}}, RESULT, FOUND)
    assert sorted(files) == [
        "after.json",
        "before.json",
        "change.json",
        "desired.json",
        "error.json",
        "failure.json",
        "host.log",
        "message.txt",
        "status.json",
        "timeline.txt",
    ]
    assert json.loads(files["change.json"]) == FOUND["change"]
    assert json.loads(files["error.json"]) == {"kind": "VerificationError"}
    assert "secret" not in files["status.json"] and "no lease" in files["status.json"]
    assert files["timeline.txt"] == "   0.000 s  open\n"


def test_without_an_answer_the_controllers_data_is_written():
    files = diagnosis_files.files({"state": {"interfaces": []}}, RESULT, {})
    assert sorted(files) == ["change.json", "desired.json", "host.log", "message.txt", "timeline.txt"]
    assert json.loads(files["change.json"]) == RESULT["change"]
    assert files["timeline.txt"].splitlines() == ["   0.000 s  open", "   2.500 s  undone"]


LOG = "".join(
    "2026-11-21T08:30:%02d NetworkManager[1]: <%s> [1.0] line %d\n" % (n % 60, "warn" if n % 10 == 0 else "info", n)
    for n in range(3000)
)


def test_the_contents_of_the_summary():
    status = {
        **FOUND["status"],
        "step": "apply",
        "error": {"kind": "VerificationError", "message": "eth1: mtu"},
        "left": [{"device": "eth1", "what": "is down"}],
    }
    told = diagnosis_files.summary({**RESULT, "step": "apply"}, {**FOUND, "status": status, "log": LOG})
    assert told["step"] == "apply" and told["phases"] == ["0.000 s open"]
    assert told["error"] == "VerificationError: eth1: mtu" and told["not_restored"] == ["eth1 is down"]
    assert told["log"] and all("<warn>" in line for line in told["log"]) and told["log"][-1].endswith("line 2990")


def test_the_summary_is_always_small():
    told = diagnosis_files.summary(
        {"msg": "x" * 9000, "step": "apply"},
        {
            "log": "error " + "\u20ac" * 90000,
            "status": {
                "timeline": [{"phase": "p" * 50, "at": float(n)} for n in range(300)],
                "error": {"kind": "Bug", "message": "m" * 90000},
                "left": [{"device": "eth%d" % n, "what": "w" * 300} for n in range(200)],
            },
        },
    )
    assert len(json.dumps(told)) <= diagnosis_files.SUMMARY_BYTES


@pytest.mark.parametrize(
    "line",
    [
        "error: 802-1x.password: hunter2",
        "error password=hunter2",
        "error 'private-key': 'hunter2'",
        'error {"psk": "hunter2"}',
        "error wireguard.private-key hunter2",
        "error mka-cak: hunter2",
        "error secret hunter2",
    ],
)
def test_no_secret_is_in_the_summary(line):
    told = diagnosis_files.summary(
        {"step": "apply"}, {"log": line, "status": {"error": {"kind": "InvalidArgument", "message": line}}}
    )
    assert "hunter2" not in json.dumps(told) and "error" in told["log"][0]


def test_without_a_diagnosis_the_summary_has_the_controllers_data():
    assert diagnosis_files.summary({**RESULT, "step": "prove"}, {}) == {
        "step": "prove",
        "phases": ["0.000 s open", "2.500 s undone"],
    }


def test_a_failure_without_a_folder_still_has_its_summary():
    assert (
        diagnosis_files.kept({"diagnosis": ""}, {**RESULT, "failed": True, "step": "apply"}, FOUND, "host1")[
            "diagnosis_summary"
        ]["step"]
        == "apply"
    )
    assert "diagnosis_summary" not in diagnosis_files.kept({"diagnosis": ""}, {"changed": True}, {}, "host1")


SECRET_STATE = {
    "interfaces": [
        {
            "name": "eth1",
            "802.1x": {"identity": "me", "password": "hunter2", "private-key-password": "hunter22"},
            "macsec": {"mka-cak": "50b71a8ef0bd5751ea76de6d6c98c03a"},
        }
    ]
}


def test_secrets_of_profiles_are_masked_in_files_and_results(tmp_path):
    settings = {"wg0": {"wireguard.private-key": "cHJpdmF0ZWtleQ=="}, "eth1": {"connection.zone": "internal"}}
    found = {
        "change": SECRET_STATE,
        "before": SECRET_STATE,
        "after": {"peers": [{"preshared-key": "cHJlc2hhcmVk"}]},
        "failure": {"x": "key hunter2 refused"},
        "log": "NetworkManager: password hunter2\nsaw cHJpdmF0ZWtleQ== on the wire\n",
        "status": {
            "phase": "undone",
            "reason": "psk=hunter3",
            "error": {"kind": "VerificationError", "message": "password: hunter2 is not hunter22"},
        },
    }
    result = {
        "failed": True,
        "msg": "the change was undone: password: hunter2",
        "transaction": "t1",
        "change": SECRET_STATE,
    }
    told = diagnosis_files.kept(
        {"diagnosis": str(tmp_path), "state": SECRET_STATE, "settings": settings}, result, found, "host1"
    )
    written = (
        "".join(path.read_text() for path in (tmp_path / "host1-t1").iterdir())
        + told["msg"]
        + json.dumps(told["diagnosis_summary"])
    )
    for secret in ("hunter", "50b71a8e", "cHJpdmF0", "cHJlc2hh"):
        assert secret not in written
    assert '"identity": "me"' in written and "refused" in written and "VerificationError" in written


def test_files_are_private_and_stay_in_their_folder(tmp_path):
    before = os.umask(0)
    try:
        told = diagnosis_files.kept(
            {"diagnosis": str(tmp_path / "a" / "b")},
            {**RESULT, "failed": True, "transaction": "../../t1"},
            FOUND,
            "host1",
        )
    finally:
        os.umask(before)
    assert told["diagnosis"] == str(tmp_path / "a/b/host1-.._.._t1")
    for path in (tmp_path / "a").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_under_no_log_nothing_is_written(tmp_path):
    result = {**RESULT, "failed": True, "transaction": "t1"}
    assert (
        diagnosis_files.kept({"diagnosis": str(tmp_path), "state": SECRET_STATE}, result, FOUND, "host1", no_log=True)
        == result
    )
    assert list(tmp_path.iterdir()) == []
