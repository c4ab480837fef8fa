# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""When nmstate_apply makes its plan."""

from __future__ import annotations

import types

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import networkmanager
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run
from ansible_collections.ovirt.mgmt_network.plugins.modules import nmstate_apply

FOREIGN = "/org/freedesktop/NetworkManager/Checkpoint/3"


def module(check_mode=False, wait=30):
    return types.SimpleNamespace(
        check_mode=check_mode,
        params={"state": {}, "settings": {}, "record": None, "persistent": True, "checkpoint_wait": wait},
        warn=lambda text: None,
    )


@pytest.fixture
def host(monkeypatch):
    """A host whose checkpoints are the next of ``seen`` at each query. Returns the actions, in order."""
    seen, done = [], []
    monkeypatch.setattr(networkmanager, "checkpoint_paths", lambda: seen.pop(0) if seen else [])
    monkeypatch.setattr(networkmanager, "checkpoint_owner", lambda _path: "made by a test")
    monkeypatch.setattr(run.time, "sleep", lambda _seconds: done.append("wait"))
    monkeypatch.setattr(run, "recover_left_over", lambda: done.append("recover") or "")
    monkeypatch.setattr(run, "plan", lambda *_words: done.append("plan") or ({}, {}, {}))
    return seen, done


@pytest.mark.parametrize(
    "checkpoints, expected",
    [
        ([], ["recover", "plan"]),
        ([[FOREIGN], [FOREIGN], [], []], ["recover", "wait", "wait", "plan"]),
        # a checkpoint created while the plan was computed: its changes may be in the plan
        ([[], [FOREIGN], [FOREIGN], []], ["recover", "plan", "wait", "plan"]),
    ],
)
def test_the_plan_is_made_after_the_wait_for_a_foreign_checkpoint(host, checkpoints, expected):
    seen, done = host
    seen += checkpoints
    nmstate_apply.settled_plan(module())
    assert done == expected


def test_nothing_is_planned_while_a_foreign_checkpoint_stays(host):
    seen, done = host
    seen += [[FOREIGN]] * 3
    with pytest.raises(run.TransactionError, match="another program's NetworkManager checkpoint"):
        nmstate_apply.settled_plan(module(wait=-1))
    assert done == ["recover"]


def test_check_mode_does_not_wait(host):
    seen, done = host
    seen += [[FOREIGN]]
    nmstate_apply.settled_plan(module(check_mode=True))
    assert done == ["plan"]
