# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of nmstatectl: the checkpoint, the error, its hint."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import nmstatectl
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError

CHECKPOINT = "/org/freedesktop/NetworkManager/Checkpoint/7"
LOG = "[2026-01-02T15:28:14Z INFO  nmstate::query_apply::net_state] Created checkpoint {}\n"
NOTHING = {"interface": "", "property": "", "desired": "", "current": ""}


@pytest.mark.parametrize(
    "err, rc, kind, parts, message, hint",
    [
        (
            "NmstateError: VerificationError: "
            "Verification failure: bond4.interface.mtu desire '9000', current '1500'\n",
            1,
            "VerificationError",
            {"interface": "bond4", "property": "mtu", "desired": "9000", "current": "1500"},
            "Verification failure: bond4",
            "see its log",
        ),
        (
            LOG.format(CHECKPOINT) + "NmstateError: InvalidArgument: Bond bond4 has no mode\n",
            1,
            "InvalidArgument",
            NOTHING,
            "NmstateError: InvalidArgument: Bond bond4 has no mode",
            "was rejected",
        ),
        (
            "NmstateError: CheckpointConflict: busy\n",
            1,
            "CheckpointConflict",
            NOTHING,
            "busy",
            "Wait until it has finished",
        ),
        ("NmstateError: PermissionError: no root\n", 1, "PermissionError", NOTHING, "no root", "Run as root"),
        ("NmstateError: PluginFailure: D-Bus\n", 1, "PluginFailure", NOTHING, "D-Bus", None),
        # an error that wraps another one: the inner one has a hint
        ("Bug: InvalidArgument: x\n", 1, "InvalidArgument", NOTHING, "Bug: InvalidArgument: x", "was rejected"),
        ("something else\n", 1, "", NOTHING, "something else", None),
        ("", 1, "", NOTHING, "exit status 1 without a message", None),
        ("NmstateError: InvalidArgument: x\n", -9, "Killed", NOTHING, "nmstatectl was killed by signal 9", None),
        ("no end\n", None, "", NOTHING, "no end", None),
    ],
)
def test_errors(err, rc, kind, parts, message, hint):
    error = nmstatectl.parse_error(err, rc)
    assert error["kind"] == kind
    assert {key: error[key] for key in NOTHING} == parts
    assert message in error["message"]
    assert hint in error["hint"] if hint else error["hint"] == ""


@pytest.mark.parametrize(
    "err, said",
    [
        (LOG.format(CHECKPOINT) + "the error\n", "the error"),
        ("first\n\n second \n", "first second"),
        (LOG.format("one") + LOG.format("two"), LOG.format("two").strip()),  # nothing but log lines: the last one
        ("x" * 900, "x" * 500),
    ],
)
def test_the_error_line(err, said):
    assert nmstatectl.explain(err) == said


@pytest.mark.parametrize(
    "answer, checkpoint, failed",
    [
        ((0, "", LOG.format(CHECKPOINT)), CHECKPOINT, False),
        ((0, "", ""), "", False),
        ((1, "", LOG.format(CHECKPOINT) + "NmstateError: InvalidArgument: x\n"), CHECKPOINT, True),
        (
            (1, "", LOG.format("/org/freedesktop/NetworkManager/Checkpoint/6") + LOG.format(CHECKPOINT)),
            CHECKPOINT,
            True,
        ),
    ],
)
def test_apply_returns_its_checkpoint(answer, checkpoint, failed, monkeypatch):
    calls = []
    monkeypatch.setattr(nmstatectl, "run", lambda argv, **options: calls.append((argv, options)) or answer)
    result = nmstatectl.apply({"interfaces": []}, 90, 60, memory_only=True)
    assert (result["checkpoint"], bool(result["error"])) == (checkpoint, failed)
    assert calls == [
        (
            ["nmstatectl", "apply", "--no-commit", "--timeout", "90", "--memory-only", "-"],
            {"timeout": 60, "stdin": json.dumps({"interfaces": []})},
        )
    ]


def raised(monkeypatch, error):
    def run(*_args, **_options):
        raise error

    monkeypatch.setattr(nmstatectl, "run", run)


def test_a_tool_that_times_out_leaves_its_checkpoint(monkeypatch):
    error = CommandError("nmstatectl: no end within 60 s", argv=["nmstatectl"])
    error.out, error.err = "", LOG.format(CHECKPOINT)
    raised(monkeypatch, error)
    result = nmstatectl.apply({}, 90, 60)
    assert result["checkpoint"] == CHECKPOINT and "no end within 60 s" in result["error"]["message"]


@pytest.mark.parametrize(
    "answer, says",
    [((1, "", "NmstateError: x"), "cannot read the network .* NmstateError: x"), ((0, "<xml>", ""), "expected JSON")],
)
def test_a_state_that_cannot_be_read(answer, says, monkeypatch):
    monkeypatch.setattr(nmstatectl, "run", lambda *_args, **_options: answer)
    with pytest.raises(nmstatectl.NmstateError, match=says):
        nmstatectl.show()


@pytest.mark.parametrize("out, version", [("nmstatectl 2.2.62\n", "2.2.62"), ("unknown", "")])
def test_version(out, version, monkeypatch):
    monkeypatch.setattr(nmstatectl, "run", lambda *_args, **_options: (0, out, ""))
    assert nmstatectl.version() == version
