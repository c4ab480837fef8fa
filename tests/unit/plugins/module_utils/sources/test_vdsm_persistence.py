# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VDSM's persistence in temporary folders."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import vdsm_persistence

NETWORK = {"bonding": "bond4", "vlan": 3000, "bridged": True, "mtu": 9000, "nameservers": [], "ipaddr": None}
RECORD = {"networks": {"ovirtmgmt": NETWORK}, "bondings": {"bond4": {"nics": ["eth2", "eth3"], "switch": "legacy"}}}


@pytest.fixture
def memory(tmp_path):
    return str(tmp_path / "run" / "record.json")


@pytest.fixture(autouse=True)
def _not_this_machines_memory(memory, monkeypatch):
    for function in (
        vdsm_persistence.running,
        vdsm_persistence.in_memory,
        vdsm_persistence.record_in_sync,
        vdsm_persistence.prepare_record,
    ):
        monkeypatch.setattr(
            function,
            "__defaults__",
            tuple(memory if one == vdsm_persistence.MEMORY else one for one in function.__defaults__),
        )


@pytest.fixture
def roots(tmp_path):
    return tuple(str(tmp_path / name / "netconf") for name in ("persistence", "staging"))


def commit(record, roots, persistent=True):
    for prepared in vdsm_persistence.prepare_record(record, roots, persistent):
        vdsm_persistence.publish(json.loads(json.dumps(prepared)))  # it is stored in the journal


def test_a_record_is_written_as_vdsm_writes_it(roots):
    commit(RECORD, roots)
    for root in roots:
        assert os.path.islink(root)
        with open(root + "/nets/ovirtmgmt", encoding="utf-8") as stream:
            text = stream.read()
        assert text == json.dumps({key: value for key, value in NETWORK.items() if value is not None}, indent=4)
        assert vdsm_persistence.read(root)["bondings"] == RECORD["bondings"]
        assert sorted(os.listdir(os.path.dirname(root))) == sorted(
            ["netconf", os.path.basename(os.path.realpath(root))]
        )


def test_an_existing_record_is_not_written_again(roots):
    commit(RECORD, roots)
    assert vdsm_persistence.record_in_sync(RECORD, roots)
    assert vdsm_persistence.prepare_record(RECORD, roots) == []


def test_other_networks_are_kept_and_removed_ones_are_deleted(roots):
    commit({"networks": {"storage": {"nic": "eth5"}, "old": {"nic": "eth6"}}}, roots)
    commit({"networks": {"ovirtmgmt": NETWORK, "old": {"remove": True}}}, roots)
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]


def test_records_are_active_after_publish_and_discard_leaves_nothing(roots):
    prepared = vdsm_persistence.prepare_record(RECORD, roots)
    assert vdsm_persistence.read(roots[0])["networks"] == {}
    for one in json.loads(json.dumps(prepared)):  # it is stored in the journal
        vdsm_persistence.discard(one)
    assert [os.listdir(os.path.dirname(root)) for root in roots] == [[], []]


def test_publish_is_idempotent(roots):
    prepared = vdsm_persistence.prepare_record(RECORD, roots)
    for one in prepared + prepared:
        vdsm_persistence.publish(one)
        vdsm_persistence.discard(one)
    assert vdsm_persistence.record_in_sync(RECORD, roots)


def write(folder, **files):
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            stream.write(text)


def beside(root):
    """What else is in the folder of ``root``: names, but the one it leads to."""
    return sorted(
        set(os.listdir(os.path.dirname(root))) - {os.path.basename(root), os.path.basename(os.path.realpath(root))}
    )


def test_a_plain_folder_is_read_and_replaced(roots):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}')
    commit(RECORD, roots)
    assert os.path.islink(roots[0])
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]
    assert beside(roots[0]) == []


def test_a_power_cut_during_the_replacement_of_a_plain_folder_is_recovered(roots, monkeypatch):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}')
    prepared = vdsm_persistence.prepare_record(RECORD, roots)

    def no_power(*_paths):
        raise OSError("the power is cut")

    with monkeypatch.context() as patch:
        patch.setattr(vdsm_persistence.os, "symlink", no_power)
        with pytest.raises(OSError):
            vdsm_persistence.publish(prepared[0])
    assert not os.path.lexists(roots[0])
    vdsm_persistence.publish(prepared[0])
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]
    assert beside(roots[0]) == []


@pytest.mark.parametrize("name, text", [(".storage.swp", "\0garbage"), ("list", "[]"), ("empty", "")])
def test_unreadable_files_are_reported_and_kept(roots, name, text):
    commit({"networks": {"storage": {"nic": "eth5"}, **RECORD["networks"]}, "bondings": RECORD["bondings"]}, roots)
    old = os.path.realpath(roots[0])
    write(roots[0] + "/nets", **{name: text})
    assert vdsm_persistence.unreadable(roots[0]) == [os.path.join(roots[0], "nets", name)]
    # all networks are recorded, but VDSM could not load them
    assert not vdsm_persistence.record_in_sync(RECORD, roots)
    commit(RECORD, roots)
    assert vdsm_persistence.unreadable(roots[0]) == []
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]
    assert os.path.exists(os.path.join(old, "nets", name))
    assert vdsm_persistence.record_in_sync(RECORD, roots)


def test_both_roots_are_equal_afterwards(roots):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}', old='{"nic": "eth6"}')
    write(roots[1] + "/nets", storage='{"nic": "eth7"}')
    write(roots[1] + "/devices", eth5='{"sriov": {"numvfs": 4}}')
    assert vdsm_persistence.dirty(roots)
    commit(RECORD, roots)
    assert vdsm_persistence.read(roots[0]) == vdsm_persistence.read(roots[1])
    assert vdsm_persistence.read(roots[0])["networks"]["storage"] == {"nic": "eth7"}  # what runs
    assert vdsm_persistence.read(roots[0])["devices"] == {"eth5": {"sriov": {"numvfs": 4}}}
    assert not vdsm_persistence.dirty(roots)


def test_without_staging_the_saved_networks_are_running(roots):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}')
    assert not vdsm_persistence.dirty(roots)
    commit(RECORD, roots)
    assert sorted(vdsm_persistence.read(roots[1])["networks"]) == ["ovirtmgmt", "storage"]


def test_a_tree_that_vdsm_has_replaced_since_is_not_published_again(roots):
    prepared = vdsm_persistence.prepare_record(RECORD, roots)
    for one in prepared:
        vdsm_persistence.publish(one)
    commit({"networks": {"newer": {"nic": "eth5"}}}, roots)
    for one in prepared:
        vdsm_persistence.publish(one)
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["newer", "ovirtmgmt"]


def test_a_folder_in_another_place_is_not_deleted(roots, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write(str(elsewhere / "nets"), storage='{"nic": "eth5"}')
    os.makedirs(os.path.dirname(roots[0]))
    os.symlink(elsewhere, roots[0])
    commit(RECORD, roots)
    assert (elsewhere / "nets" / "storage").exists()
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]


def test_modes_do_not_depend_on_the_umask(roots):
    before = os.umask(0o077)
    try:
        commit(RECORD, roots)
    finally:
        os.umask(before)
    paths = (os.path.dirname(roots[0]), roots[0], roots[0] + "/nets", roots[0] + "/nets/ovirtmgmt")
    assert [oct(stat.S_IMODE(os.stat(path).st_mode)) for path in paths] == ["0o755", "0o755", "0o755", "0o644"]


def test_if_one_root_cannot_be_written_the_other_is_unchanged(roots, tmp_path):
    (tmp_path / "staging").write_text("a file where a folder should be")
    with pytest.raises(OSError):
        vdsm_persistence.prepare_record(RECORD, roots)
    assert os.listdir(tmp_path / "persistence") == []


def test_running_and_unsaved_networks(roots):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}', old='{"nic": "eth6"}', same='{"nic": "eth8"}')
    assert sorted(vdsm_persistence.running(roots)["networks"]) == ["old", "same", "storage"]  # nothing has run yet
    assert vdsm_persistence.unsaved(roots) == {"networks": [], "bondings": []}
    write(roots[1] + "/nets", storage='{"nic": "eth7"}', new='{"nic": "eth9"}', same='{"nic": "eth8"}')
    write(roots[1] + "/bonds", bond1='{"nics": ["eth1", "eth2"]}')
    assert vdsm_persistence.running(roots)["networks"] == {
        "storage": {"nic": "eth7"},
        "new": {"nic": "eth9"},
        "same": {"nic": "eth8"},
    }
    assert vdsm_persistence.unsaved(roots) == {"networks": ["new", "old", "storage"], "bondings": ["bond1"]}
    assert vdsm_persistence.dirty(roots)


def test_a_record_in_memory_does_not_change_the_disk(roots, memory, tmp_path):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}')
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    assert not vdsm_persistence.record_in_sync(RECORD, roots, False)
    commit(RECORD, roots, False)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == sorted([*before, os.path.dirname(memory), memory])
    assert vdsm_persistence.read(roots[0])["networks"] == {"storage": {"nic": "eth5"}}
    assert sorted(vdsm_persistence.running(roots)["networks"]) == ["ovirtmgmt", "storage"]
    assert "ipaddr" not in vdsm_persistence.running(roots)["networks"]["ovirtmgmt"]
    assert (
        vdsm_persistence.record_in_sync(RECORD, roots, False)
        and vdsm_persistence.prepare_record(RECORD, roots, False) == []
    )
    assert not vdsm_persistence.record_in_sync(RECORD, roots)


def test_a_network_can_be_removed_in_memory_only(roots):
    write(roots[0] + "/nets", storage='{"nic": "eth5"}')
    commit({"networks": {"storage": {"remove": True}}}, roots, False)
    assert vdsm_persistence.running(roots)["networks"] == {}
    assert vdsm_persistence.read(roots[0])["networks"] == {"storage": {"nic": "eth5"}}


def test_what_is_recorded_on_disk_is_no_longer_in_memory(roots):
    commit({"networks": {**RECORD["networks"], "red": {"nic": "eth9"}}, "bondings": RECORD["bondings"]}, roots, False)
    commit(RECORD, roots)
    assert vdsm_persistence.in_memory() == {"networks": {"red": {"nic": "eth9"}}, "bondings": {}}
    assert sorted(vdsm_persistence.read(roots[0])["networks"]) == ["ovirtmgmt"]
    assert sorted(vdsm_persistence.running(roots)["networks"]) == ["ovirtmgmt", "red"]
    assert vdsm_persistence.record_in_sync(RECORD, roots)


def test_a_discarded_record_in_memory_leaves_nothing(roots, memory):
    for one in vdsm_persistence.prepare_record(RECORD, roots, False):
        vdsm_persistence.discard(one)
    assert os.listdir(os.path.dirname(memory)) == []
    assert vdsm_persistence.in_memory() == {"networks": {}, "bondings": {}}
