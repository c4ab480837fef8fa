# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that hangs during the boot."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.tests.lab import hosts, network
from ansible_collections.ovirt.mgmt_network.tests.lab.machine import LabError


@pytest.fixture
def guest(tmp_path, monkeypatch):
    """A stopped host with scripted boots: ``guest(hangs, answers)``. Returns the list of actions."""
    folder = tmp_path / "hosts" / "h1"
    folder.mkdir(parents=True)
    (folder / "host.json").write_text(json.dumps({"name": "h1", "number": 11, "layout": "nic-dhcp"}))
    done = []
    monkeypatch.setattr(hosts, "STATE", tmp_path)
    monkeypatch.setattr(hosts, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(network, "raise_netns", lambda: None)
    monkeypatch.setattr(hosts, "running", lambda name: name == "fabric")

    def boots(*answers):
        left = list(answers)

        def power(name):
            done.append("power")
            (folder / "console.log").write_text(f"boot {done.count('power')} ends at the automount")

        def wait(name):
            if not left.pop(0):
                raise LabError("h1 did not answer within 120 s")

        monkeypatch.setattr(hosts, "_power", power)
        monkeypatch.setattr(hosts, "wait", wait)
        monkeypatch.setattr(hosts, "_kill", lambda name: done.append("cut"))
        return done

    return boots


def test_a_hanging_guest_is_restarted(guest, tmp_path, capsys):
    done = guest(False, True)
    hosts.boot("h1")
    kept = list((tmp_path / "logs").iterdir())
    assert done == ["power", "cut", "power"]
    assert [one.read_text() for one in kept] == ["boot 1 ends at the automount"]
    assert str(kept[0]) in capsys.readouterr().err


def test_only_once(guest):
    done = guest(False, False)
    with pytest.raises(LabError, match="did not answer"):
        hosts.boot("h1")
    assert done == ["power", "cut", "power"]


def test_an_answering_guest_is_not_restarted(guest, capsys):
    done = guest(True)
    hosts.boot("h1")
    assert done == ["power"]
    assert "WARNING" not in capsys.readouterr().err
