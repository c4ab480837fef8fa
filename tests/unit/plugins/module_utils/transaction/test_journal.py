# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal and its copies of profile files, in a temporary folder."""

from __future__ import annotations

import os

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import profile_files
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import journal


@pytest.fixture
def places(tmp_path):
    folder = tmp_path / "etc" / "system-connections"
    folder.mkdir(parents=True)
    (folder / "eth1.nmconnection").write_text("[connection]\nid=eth1\n")
    (folder / "eth2.nmconnection").write_text("[connection]\nid=eth2\n")
    os.chmod(folder / "eth1.nmconnection", 0o600)
    single = tmp_path / "etc" / "intern.conf"
    single.write_text("[.intern]\n")
    return (str(folder), str(single), str(tmp_path / "etc" / "never-there"))


@pytest.fixture
def opened(tmp_path, places):
    base = str(tmp_path / "var")
    return journal.create({"id": "one", "owner": "test"}, places, {"pkg/mod.py": b"x = 1\n"}, base)


def test_contents_of_an_open_journal(opened, places):
    state, entry = journal.read(opened["base"])
    assert state == "open"
    assert (entry["id"], entry["owner"], entry["boot_id"]) == ("one", "test", journal.boot_id())
    assert len(entry["files"]) == 3
    with open(os.path.join(entry["path"], "code", "pkg", "mod.py"), encoding="ascii") as stream:
        assert stream.read() == "x = 1\n"


def test_restore_makes_the_folder_equal_to_the_copy(opened, places):
    folder = places[0]
    before = profile_files.digests(places)
    open(folder + "/eth1.nmconnection", "w", encoding="ascii").close()  # the 0 bytes of a power cut
    os.unlink(folder + "/eth2.nmconnection")
    with open(folder + "/ovirtmgmt.nmconnection", "w", encoding="ascii") as stream:
        stream.write("[connection]\nid=ovirtmgmt\n")
    os.unlink(places[1])
    touched = profile_files.restore(places, os.path.join(opened["path"], "files"))
    assert profile_files.digests(places) == before
    assert os.stat(folder + "/eth1.nmconnection").st_mode & 0o777 == 0o600
    assert sorted(os.path.basename(path) for path in touched) == [
        "eth1.nmconnection",
        "eth2.nmconnection",
        "intern.conf",
        "ovirtmgmt.nmconnection",
    ]
    assert sorted(os.listdir(folder)) == ["eth1.nmconnection", "eth2.nmconnection"]


def test_restore_does_not_write_unchanged_files(opened, places):
    inode = os.stat(places[0] + "/eth1.nmconnection").st_ino
    assert profile_files.restore(places, os.path.join(opened["path"], "files")) == []
    assert os.stat(places[0] + "/eth1.nmconnection").st_ino == inode


def test_a_second_transaction_is_refused_and_leaves_nothing(opened, places):
    with pytest.raises(journal.BusyError, match=r"one, started \d+ s ago by test"):
        journal.create({"id": "two", "owner": "other"}, places, {}, opened["base"])
    assert os.listdir(opened["base"]) == ["transaction"]


def test_the_commit_point_is_a_rename_and_close_leaves_nothing(opened):
    journal.update(opened, prepared=["/somewhere"])
    journal.commit_point(opened)
    state, entry = journal.read(opened["base"])
    assert (state, entry["prepared"]) == ("committed", ["/somewhere"])
    journal.close(entry)
    assert journal.read(opened["base"]) == ("", None)
    assert not os.path.exists(opened["base"])


def test_a_journal_that_cannot_be_written_leaves_nothing(tmp_path, places):
    with pytest.raises(OSError):
        journal.create({"id": "one", "owner": "test"}, places, {"a": b"", "a/b": b""}, str(tmp_path / "var"))
    assert os.listdir(tmp_path) == ["etc"]


@pytest.mark.parametrize("boot, now, seconds", [("this", 130.0, 30.0), ("another", 5.0, 5.0)])
def test_the_age_uses_the_clock_of_the_boot(monkeypatch, boot, now, seconds):
    monkeypatch.setattr(journal, "boot_id", lambda: "this")
    monkeypatch.setattr(journal.time, "clock_gettime", lambda _clock: now)
    assert journal.age({"boot_id": boot, "created_boot": 100.0}) == seconds
