# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard reports if /run is full, and when there is space again."""

from __future__ import annotations

import errno
import json
import os

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import durable_files
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import mailbox


@pytest.fixture
def room(tmp_path, monkeypatch):
    """``room[0]`` bytes of JSON fit into a file below RUN; what is longer leaves a part of it behind."""
    monkeypatch.setattr(mailbox, "RUN", str(tmp_path))
    monkeypatch.setattr(mailbox, "LAST", str(tmp_path / "last.json"))
    monkeypatch.setattr(mailbox, "_unwritten", {})
    free = [1 << 20]

    def dump(data, stream):
        text = json.dumps(data)
        stream.write(text[: free[0]])
        if len(text) > free[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable_files.json, "dump", dump)
    return free


def published():
    with open(os.path.join(mailbox.folder("one"), "status.json"), encoding="utf-8") as stream:
        return json.load(stream)["phase"]


def test_a_file_that_does_not_fit_uses_no_space(room, tmp_path):
    room[0] = 5
    with pytest.raises(OSError, match="No space left"):
        durable_files.write_json(str(tmp_path / "failure.json"), {"links": []})
    assert not os.listdir(tmp_path)


def test_an_end_that_could_not_be_written_is_reported_later(room, monkeypatch):
    mailbox.tell("one", phase="undoing")
    room[0] = 5
    mailbox.tell("one", phase="undone")
    assert published() == "undoing"
    turns = []

    def sleep(_seconds):  # /run has space again before the third turn, and then the controller connects
        turns.append(published())
        if len(turns) == 2:
            room[0] = 1 << 20
        elif len(turns) == 3:
            mailbox.send("one", "taken")
        assert len(turns) < 4

    monkeypatch.setattr(mailbox.time, "sleep", sleep)
    mailbox.linger("one", 600)
    assert turns == ["undoing", "undoing", "undone"]
    assert not os.path.exists(mailbox.folder("one")) and not mailbox._unwritten


@pytest.mark.parametrize(
    "status, reached, expected",
    [
        ({"phase": "applied"}, ("applied",), "applied"),
        ({"phase": "undone"}, ("applied",), "undone"),  # it has ended
        ({"phase": "applying"}, ("applied",), "applying"),  # the time is over
    ],
)
def test_waiting_for_a_phase(room, status, reached, expected):
    mailbox.publish({"id": "one", **status})
    assert mailbox.wait_for("one", reached, 0)["phase"] == expected
    assert mailbox.wait_for("two", reached, 0) is None


def test_messages_are_atomic(room):
    mailbox.publish({"id": "one"})
    assert mailbox.received("one", "confirm") is None
    mailbox.send("one", "confirm", "nonce")
    assert mailbox.received("one", "confirm") == "nonce"
    assert sorted(os.listdir(mailbox.folder("one"))) == ["confirm", "status.json"]
    mailbox.forget("one")
    with pytest.raises(OSError):
        mailbox.send("one", "cancel")


@pytest.mark.parametrize(
    "phase, old, alive, stays",
    [("undone", True, False, False), ("undone", False, False, True), ("undone", True, True, True)]
    + [("applied", True, False, True)],
)
def test_results_that_were_not_received_are_removed(room, phase, old, alive, stays):
    mailbox.publish({"id": "one", "phase": phase})
    if old:
        os.utime(os.path.join(mailbox.folder("one"), "status.json"), (0, 0))
    mailbox.sweep(lambda _identity: alive)
    assert os.path.exists(mailbox.folder("one")) is stays
    assert (mailbox.status_of("one") or {}).get("phase") == phase or not stays
