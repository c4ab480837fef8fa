# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard tells in a /run that is full, and once it has room again."""

from __future__ import annotations

import errno
import json
import os

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import guard
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run as transaction


@pytest.fixture
def room(tmp_path, monkeypatch):
    """``room[0]`` bytes of JSON fit into a file below RUN; what is longer leaves a part of it behind."""
    monkeypatch.setattr(guard, "RUN", str(tmp_path))
    monkeypatch.setattr(guard, "LAST", str(tmp_path / "last.json"))
    monkeypatch.setattr(guard, "_unwritten", {})
    free = [1 << 20]

    def dump(data, stream):
        text = json.dumps(data)
        stream.write(text[: free[0]])
        if len(text) > free[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(guard.json, "dump", dump)
    return free


def published():
    with open(os.path.join(guard.run_folder("one"), "status.json"), encoding="utf-8") as stream:
        return json.load(stream)["phase"]


def test_a_file_that_finds_no_room_takes_none(room, tmp_path):
    room[0] = 5
    with pytest.raises(OSError, match="No space left"):
        guard.write_atomic(str(tmp_path / "failure.json"), {"links": []})
    assert not os.listdir(tmp_path)


def test_an_end_that_found_no_room_is_told_while_the_guard_lingers(room, monkeypatch):
    guard.tell("one", phase="undoing")
    room[0] = 5
    guard.tell("one", phase="undone")
    assert published() == "undoing"
    turns = []

    def sleep(_seconds):  # /run has room again before the third turn, and then the controller comes
        turns.append(published())
        if len(turns) == 2:
            room[0] = 1 << 20
        elif len(turns) == 3:
            guard.message("one", "taken")
        assert len(turns) < 4

    monkeypatch.setattr(transaction.time, "sleep", sleep)
    transaction._linger("one")
    assert turns == ["undoing", "undoing", "undone"]
    assert not os.path.exists(guard.run_folder("one")) and not guard._unwritten
