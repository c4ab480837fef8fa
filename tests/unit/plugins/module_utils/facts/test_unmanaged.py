# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The unmanaged devices that a change affects or has to keep."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import unmanaged as managed
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run
from ansible_collections.ovirt.mgmt_network.plugins.modules import nmstate_apply


def link(name, kind="", address="", **more):
    return {
        "ifname": name,
        **({"linkinfo": {"info_kind": kind}} if kind else {}),
        "addr_info": [{"local": address}] if address else [],
        **more,
    }


LINKS = [
    link("eth1"),
    link("eth2", master="bond0"),
    link("eth3", master="bond0"),
    link("eth4", address="192.0.2.4"),
    link("bond0", "bond"),
    link("bond0.7", "vlan", link="bond0", master="br0"),
    link("br0", "bridge", "192.0.2.10"),
    link("vnet0", "tun", master="br0"),
    link("ve1", "veth", master="br0"),
    link("eth5", "veth", "192.0.2.5", link="peer0"),
]


def upped(name, **more):
    return {"interfaces": [{"name": name, "state": "up", **more}]}


@pytest.mark.parametrize(
    ("change", "settings", "keep", "unmanaged", "expected"),
    [
        ({}, {}, [], ["eth1"], []),
        (upped("eth1"), {}, [], ["eth1", "eth2"], ["eth1"]),
        (upped("br9", bridge={"port": [{"name": "eth1"}]}), {}, [], ["eth1"], ["eth1"]),
        (upped("br9", bridge={"ports": [{"name": "eth1"}]}), {}, [], ["eth1"], ["eth1"]),
        (upped("bond9", **{"link-aggregation": {"port": ["eth1", "eth4"]}}), {}, [], ["eth4"], ["eth4"]),
        (upped("bond9", bridge=None), {}, [], ["eth4"], []),
        (upped("eth1.5", vlan={"base-iface": "eth1", "id": 5}), {}, [], ["eth1"], ["eth1"]),
        ({"routes": {"config": [{"destination": "::/0", "next-hop-interface": "eth4"}]}}, {}, [], ["eth4"], ["eth4"]),
        ({}, {"eth1": {"connection.zone": "work"}}, [], ["eth1"], ["eth1"]),
        # the address to keep: its device, and everything below, but no guest
        (upped("eth1"), {}, ["192.0.2.4"], ["eth4"], ["eth4"]),
        (upped("eth1"), {}, ["192.0.2.4"], ["eth2"], []),
        (
            upped("eth1"),
            {},
            ["192.0.2.10"],
            ["bond0", "br0", "bond0.7", "eth3", "vnet0", "ve1"],
            ["bond0", "bond0.7", "br0", "eth3"],
        ),
        (upped("eth1"), {}, ["192.0.2.5"], ["peer0"], []),
        (upped("eth1"), {}, ["192.0.2.99"], ["eth4"], []),
    ],
)
def test_refused(change, settings, keep, unmanaged, expected):
    assert managed.refused(change, settings, keep, LINKS, dict.fromkeys(unmanaged, "unmanaged")) == expected


@pytest.mark.parametrize(
    ("why", "words"),
    [("unmanaged", "NetworkManager does not manage eth1,"), ("external", "eth1 was configured by another program")],
)
def test_the_module_rejects_the_change_with_reason_and_remedy(why, words, monkeypatch):
    monkeypatch.setattr(nmstate_apply.networkmanager, "unmanaged_of", lambda _objects: {"eth1": why})
    monkeypatch.setattr(nmstate_apply.kernel, "links", lambda: LINKS)
    with pytest.raises(run.TransactionError) as refused:
        nmstate_apply.to_keep(upped("eth1"), {}, {"keep": None, "probes": [], "commit": False}, {})
    for one in (words, "Nothing was changed", "nmcli device set eth1 managed yes"):
        assert one in str(refused.value)
    nmstate_apply.to_keep(upped("eth2"), {}, {"keep": ["192.0.2.4"], "probes": [], "commit": False}, {})
