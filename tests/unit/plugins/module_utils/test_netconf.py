# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VDSM's persistence in folders of the test's own."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import netconf

NETWORK = {"bonding": "bond4", "vlan": 3000, "bridged": True, "mtu": 9000, "nameservers": [], "ipaddr": None}
RECORD = {"networks": {"ovirtmgmt": NETWORK}, "bondings": {"bond4": {"nics": ["eth2", "eth3"], "switch": "legacy"}}}


@pytest.fixture
def roots(tmp_path):
    return tuple(str(tmp_path / name / "netconf") for name in ("persistence", "staging"))


def commit(record, roots):
    for prepared in netconf.prepare_record(record, roots):
        netconf.publish(prepared)


def test_a_record_is_written_as_vdsm_writes_it(roots):
    commit(RECORD, roots)
    for root in roots:
        assert os.path.islink(root)
        with open(root + "/nets/ovirtmgmt", encoding="utf-8") as stream:
            text = stream.read()
        assert text == json.dumps({key: value for key, value in NETWORK.items() if value is not None}, indent=4)
        assert netconf.read(root)["bondings"] == RECORD["bondings"]
        assert sorted(os.listdir(os.path.dirname(root))) == sorted(["netconf", os.path.basename(os.path.realpath(root))])


def test_a_record_that_is_there_is_not_written_again(roots):
    commit(RECORD, roots)
    assert netconf.record_in_sync(RECORD, roots)
    assert netconf.prepare_record(RECORD, roots) == []


def test_other_networks_stay_and_removed_ones_go(roots):
    commit({"networks": {"storage": {"nic": "eth5"}, "old": {"nic": "eth6"}}}, roots)
    commit({"networks": {"ovirtmgmt": NETWORK, "old": {"remove": True}}}, roots)
    assert sorted(netconf.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]


def test_nothing_counts_before_it_is_published_and_what_is_discarded_leaves_no_trace(roots):
    prepared = netconf.prepare_record(RECORD, roots)
    assert netconf.read(roots[0])["networks"] == {}
    for one in json.loads(json.dumps(prepared)):  # it travels through the journal
        netconf.discard(one)
    assert [os.listdir(os.path.dirname(root)) for root in roots] == [[], []]


def test_publishing_twice_is_publishing_once(roots):
    prepared = netconf.prepare_record(RECORD, roots)
    for one in prepared + prepared:
        netconf.publish(one)
        netconf.discard(one)
    assert netconf.record_in_sync(RECORD, roots)


def test_a_plain_folder_with_strays_is_read_and_replaced(roots):
    os.makedirs(roots[0] + "/nets")
    for name, text in (("storage", '{"nic": "eth5"}'), (".storage.swp", "\0garbage"), ("list", "[]")):
        with open(os.path.join(roots[0], "nets", name), "w", encoding="utf-8") as stream:
            stream.write(text)
    assert netconf.read(roots[0])["networks"] == {"storage": {"nic": "eth5"}}
    commit(RECORD, roots)
    assert os.path.islink(roots[0])
    assert sorted(netconf.read(roots[0])["networks"]) == ["ovirtmgmt", "storage"]


def test_a_root_that_cannot_be_written_leaves_the_other_alone(roots, tmp_path):
    (tmp_path / "staging").write_text("a file where a folder should be")
    with pytest.raises(OSError):
        netconf.prepare_record(RECORD, roots)
    assert os.listdir(tmp_path / "persistence") == []
