# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between two snapshots of a host's network, inside and outside of a scope."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.change import scope
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import repair
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import comparison, snapshot
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import kernel, networkmanager


def link(name, kind="", data=None, **more):
    return {
        "ifname": name,
        "address": "52:54:00:00:00:01",
        "mtu": 1500,
        "flags": ["UP"],
        "linkinfo": {"info_kind": kind, "info_data": data or {}},
        **more,
    }


BRIDGE = {
    "stp_state": 0,
    "forward_delay": 1500,
    "hello_time": 200,
    "max_age": 2000,
    "ageing_time": 30000,
    "priority": 32768,
    "vlan_filtering": 0,
    "bridge_id": "8000.52:54:0:b:1:1",
    "root_id": "8000.52:54:0:b:1:1",
    "root_port": 0,
    "topology_change": 0,
    "gc_timer": 290.69,
    "hello_timer": 0.0,
    "fdb_n_learned": 1,
    "group_fwd_mask": "0",
    "mcast_snooping": 1,
}
PORT = {
    "state": "forwarding",
    "priority": 32,
    "cost": 100,
    "hairpin": False,
    "id": "0x8001",
    "forward_delay_timer": 5.68,
    "group_fwd_mask": "0",
}


def bridge(**options):
    return snapshot.device(link("ovirtmgmt", "bridge", {**BRIDGE, **options}), "uuid-b")


def port(name="eth1", controller="ovirtmgmt", vlans=(), kind="bridge", **options):
    entry = link(name, "", None, master=controller)
    entry["linkinfo"].update(
        info_slave_kind=kind, info_slave_data={**(PORT if kind == "bridge" else {"queue_id": 0, "prio": 0}), **options}
    )
    return snapshot.device(entry, "uuid-p", vlans)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"stp_state": 1}, {"stp_state": 0}),
        ({"group_fwd_mask": "0x4004"}, {"group_fwd_mask": "0"}),
        (
            {"mcast_snooping": 0, "vlan_filtering": 1, "ageing_time": 1000},
            {"mcast_snooping": 1, "vlan_filtering": 0, "ageing_time": 30000},
        ),
        # values that change constantly
        ({"gc_timer": 1.0, "hello_timer": 2.0, "fdb_n_learned": 70, "topology_change": 1, "root_port": 1}, {}),
        (
            {"root_id": "1000.0:0:0:0:0:9", "forward_delay": 400, "hello_time": 100, "max_age": 600},
            {},
        ),  # the root's timers
        ({"root_id": "1000.0:0:0:0:0:9", "forward_delay": 400, "priority": 4096}, {"priority": 32768}),
        # without a spanning tree, it is not restored automatically
        ({"topology_change": 1, "ageing_time": 3000}, {"ageing_time": 30000}),
    ],
)
def test_options_of_a_bridge(options, expected):
    was, now = bridge(), bridge(**options)
    assert comparison.differing_options(was["bridge"], now["bridge"]) == expected
    assert comparison.differing(was, now) == (["bridge"] if expected else [])


def test_a_settling_spanning_tree_changes_the_ageing_time():
    was = bridge(stp_state=1)
    assert comparison.differing(was, bridge(stp_state=1, topology_change=1, ageing_time=3000)) == []


@pytest.mark.parametrize(
    "now, expected",
    [
        (port(cost=2), ["port"]),
        (port(priority=8, hairpin=True), ["port"]),
        (port(state="listening", forward_delay_timer=1.0), []),
        (port(controller=""), ["controller"]),
        (port(vlans=[{"vlan": 1, "flags": ["PVID", "Egress Untagged"]}]), ["vlans"]),
    ],
)
def test_options_of_a_bridge_port(now, expected):
    assert comparison.differing(port(), now) == expected


@pytest.mark.parametrize(
    "one, other, expected",
    [
        (port(kind="bond"), port(kind="bond", queue_id=2), ["port"]),
        (
            snapshot.device(
                link("v", "vlan", {"id": 5, "protocol": "802.1Q", "flags": ["REORDER_HDR"]}, link="eth1"), "u"
            ),
            snapshot.device(
                link("v", "vlan", {"id": 5, "protocol": "802.1Q", "flags": ["REORDER_HDR", "GVRP"]}, link="eth1"), "u"
            ),
            ["vlan"],
        ),
        (
            snapshot.device(link("x", "vxlan", {"id": 5, "ageing": 1}), "u"),
            snapshot.device(link("x", "vxlan", {"id": 6, "ageing": 2}), "u"),
            ["made_with"],
        ),
        (snapshot.device(link("eth1"), "u", vfs=4), snapshot.device(link("eth1"), "u"), ["vfs"]),
    ],
)
def test_other_options(one, other, expected):
    assert comparison.differing(one, other) == expected


ROUTES = {
    "multipath": (
        {
            "dst": "10.9.0.0/16",
            "nexthops": [
                {"gateway": "10.80.0.1", "dev": "eth1", "weight": 1, "flags": ["linkdown"]},
                {"gateway": "10.81.0.1", "dev": "eth2", "weight": 1, "flags": []},
            ],
            "flags": [],
        },
        {
            "dst": "10.9.0.0/16",
            "family": 4,
            "nexthops": [
                {"gateway": "10.80.0.1", "dev": "eth1", "weight": 1},
                {"gateway": "10.81.0.1", "dev": "eth2", "weight": 1},
            ],
        },
    ),
    "blackhole": (
        {"type": "blackhole", "dst": "10.9.0.0/16", "protocol": "static", "flags": []},
        {"type": "blackhole", "dst": "10.9.0.0/16", "protocol": "static", "family": 4},
    ),
    "the kernel's own": ({"type": "unreachable", "dst": "default", "dev": "lo", "protocol": "kernel"}, None),
    "local": ({"type": "local", "dst": "10.80.0.1", "dev": "eth1"}, None),
    "link-local": ({"dst": "fe80::/64", "dev": "eth1"}, None),
    "of a tap": ({"dst": "10.9.0.0/16", "dev": "vnet0"}, None),
}


@pytest.mark.parametrize("entry, expected", ROUTES.values(), ids=ROUTES.keys())
def test_routes(entry, expected):
    assert snapshot.route(entry, {"eth1": {}}, 4) == expected


def host():
    """eth1 in ovirtmgmt, with a VLAN bridge on the same base; virbr0, eth7, and their routes are not in its scope."""
    devices = {
        "eth1": snapshot.device(link("eth1"), "u1"),
        "eth2": port("eth2", "bond4", kind="bond"),
        "bond4": snapshot.device(link("bond4", "bond", {"mode": "802.3ad"}), "u2"),
        "bond4.5": {**snapshot.device(link("bond4.5", "vlan", {"id": 5}, link="bond4", master="br5"), "u3")},
        "br5": bridge(),
        "virbr0": bridge(),
        "eth7": snapshot.device(link("eth7"), "u4"),
    }
    devices["eth7"]["addresses"] = ["192.0.2.7/24"]
    routes = [
        {"dst": "default", "gateway": "10.80.0.1", "dev": "bond4", "protocol": "dhcp", "family": 4},
        {"dst": "192.0.2.0/24", "dev": "eth7", "protocol": "kernel", "family": 4},
    ]
    return {
        "devices": devices,
        "guests": {"vnet0": "br5"},
        "routes": routes,
        "rules": [{"priority": 32766, "src": "all", "table": "main", "family": 4}],
        "dns": [{"interface": "eth7", "nameservers": ["192.0.2.1"]}],
    }


CONFIG = {
    "routes": {"config": [{"destination": "10.0.0.0/8", "next-hop-interface": "eth1"}]},
    "route-rules": {"config": [{"priority": 100, "route-table": 7}]},
}
BOND = ["bond4", "bond4.5", "br5", "eth2"]
TOUCHED = {
    "a port: its bond, what is above, and no stranger": ({"interfaces": [{"name": "eth2", "mtu": 9000}]}, BOND),
    "a new bridge with its port": (
        {"interfaces": [{"name": "new", "bridge": {"port": [{"name": "eth1"}]}}]},
        ["eth1", "new"],
    ),
    "a new VLAN with its base": (
        {"interfaces": [{"name": "eth1.9", "vlan": {"base-iface": "eth1", "id": 9}}]},
        ["eth1", "eth1.9"],
    ),
    "a route's device": (
        {"routes": {"config": [{"destination": "0.0.0.0/0", "next-hop-interface": "eth1"}]}},
        ["eth1"],
    ),
    "a route wherever it is": (
        {"routes": {"config": [{"destination": "10.0.0.0/8", "state": "absent"}]}},
        BOND + ["eth1"],
    ),
    "servers": ({"dns-resolver": {"config": {"server": ["10.80.0.1"]}}}, BOND + ["eth7"]),
    "a rule": ({"route-rules": {"config": [{"ip-from": "10.0.0.0/8", "route-table": 254}]}}, BOND),
    "nothing": ({}, []),
}


@pytest.mark.parametrize("change, expected", TOUCHED.values(), ids=TOUCHED.keys())
def test_the_scope_of_a_change(change, expected):
    assert scope.touched(change, host(), CONFIG)["devices"] == sorted(expected)


def test_devices_with_kept_addresses_or_settings_are_in_scope():
    assert scope.touched({}, host(), {}, keep=["192.0.2.7"], others=["eth1"])["devices"] == ["eth1", "eth7"]


def test_other_changes_are_reported_separately():
    old, new = host(), copy.deepcopy(host())
    within = scope.touched(
        {"interfaces": [{"name": "br5", "bridge": {"options": {"stp": {"enabled": True}}}}]}, old, CONFIG
    )
    new["devices"]["eth7"]["addresses"] = ["2001:db8::7/64"]
    new["devices"]["docker0"] = bridge()
    del new["devices"]["virbr0"]
    new["routes"] = new["routes"][:1] + [
        {"dst": "10.7.0.0/16", "dev": "bond4", "protocol": "bgp", "family": 4},
        {"type": "blackhole", "dst": "10.8.0.1", "protocol": "boot", "family": 4},
    ]
    new["rules"].append({"priority": 99, "src": "all", "table": "7", "family": 4})
    new["dns"] = []
    assert comparison.compare(old, new, within) == []
    apart = comparison.meanwhile(old, new, within)
    assert {(one["device"], one["what"]) for one in apart} == {
        ("docker0", "device"),
        ("virbr0", "device"),
        ("eth7", "addresses"),
        ("", "routes"),
        ("", "rules"),
        ("", "dns"),
    }


def test_remainders_of_a_change_are_found():
    old, new = host(), copy.deepcopy(host())
    change = {
        "interfaces": [{"name": "br5", "bridge": {}}, {"name": "bond4.6", "vlan": {"base-iface": "bond4", "id": 6}}],
        "route-rules": {"config": [{"ip-from": "10.0.0.0/8"}]},
    }
    within = scope.touched(change, old, CONFIG)
    new["devices"]["br5"] = bridge(stp_state=1)
    new["devices"]["bond4.6"] = snapshot.device(link("bond4.6"), "u")
    new["routes"].append({"type": "blackhole", "dst": "10.8.0.1", "protocol": "static", "family": 4})
    new["rules"] += [
        {"priority": 100, "src": "all", "table": "7", "family": 4},
        {"priority": 30000, "src": "10.0.0.0", "family": 4},
    ]
    found = comparison.compare(old, new, within)
    assert [(one["device"], one["what"]) for one in found] == [
        ("bond4.6", "device"),
        ("br5", "bridge"),
        ("", "routes"),
        ("", "rules"),
    ]
    assert found[1]["old"] == {"stp_state": 0} and found[1]["new"] == {"stp_state": 1}
    assert len(found[3]["new"]) == 2
    assert comparison.meanwhile(old, new, within) == []


@pytest.mark.parametrize(
    "was, now, expected",
    [
        (
            bridge(),
            bridge(stp_state=1, group_fwd_mask="0x4004"),
            ["type", "bridge", "stp_state", "0", "group_fwd_mask", "0"],
        ),
        (port(), port(cost=7, hairpin=True), ["type", "bridge_slave", "cost", "100", "hairpin", "off"]),
        (port(kind="bond"), port(kind="bond", queue_id=3), ["type", "bond_slave", "queue_id", "0"]),
        (bridge(), {**bridge(), "mtu": 9000}, ["mtu", "1500"]),
    ],
)
def test_options_are_written_to_the_kernel_without_an_activation(monkeypatch, was, now, expected):
    calls = []
    monkeypatch.setattr(kernel, "run", lambda argv, timeout: calls.append(argv) or (0, "", ""))
    assert repair._bring_back_device("dev", was, now, lambda text: None)
    assert calls == [["ip", "link", "set", "dev", "dev", *expected]]


def test_a_tap_is_only_attached_again_if_it_lost_its_bridge(monkeypatch):
    calls = []
    monkeypatch.setattr(kernel, "run", lambda argv, timeout: calls.append(argv) or (0, "", ""))
    monkeypatch.setattr(
        kernel,
        "links",
        lambda: [{"ifname": "br5"}, {"ifname": "vnet0"}, {"ifname": "vnet1", "master": "br5"}, {"ifname": "vnet2"}],
    )
    repair.reattach({"vnet0": "br5", "vnet1": "br5", "vnet2": "gone", "vnet3": "br5"}, lambda text: None)
    assert calls == [["ip", "link", "set", "dev", "vnet0", "master", "br5"]]


RULES = [
    (
        {"priority": 100, "src": "10.0.0.0", "srclen": 8, "table": "7", "protocol": "static", "family": 4},
        ["priority", "100", "from", "10.0.0.0/8", "protocol", "static", "table", "7"],
    ),
    ({"priority": 0, "src": "all", "table": "local", "protocol": "kernel", "family": 4}, []),
    ({"priority": 5, "src": "all", "l3mdev": None, "family": 4}, []),
    (
        {"priority": 5, "src": "all", "fwmark": "0x10", "fwmask": "0xff", "table": "7", "family": 4},
        ["priority", "5", "fwmark", "0x10/0xff", "table", "7"],
    ),
]


@pytest.mark.parametrize("entry, words", RULES)
def test_rules_in_the_format_of_ip(entry, words):
    assert repair._rule_words(entry) == words


@pytest.mark.parametrize(
    "links, seen, expected",
    [
        ([link("vnet0", "tun", master="br5"), link("eth5", master="br5")], {}, {"vnet0": "br5"}),
        ([link("vnet0", "tun", master="br5")], {"vnet0": {"external": True}}, {"vnet0": "br5"}),
        ([link("tap9", "tun", master="br5")], {"tap9": {"external": False}}, {}),  # of a profile
        ([link("vnet1", "tun")], None, {}),  # on no bridge
        ([link("eth5", master="br5"), link("bond4", "bond")], None, {}),
    ],
)
def test_guests_are_distinguished_from_configured_devices(links, seen, expected, monkeypatch):
    def objects():
        assert seen is not None, "NetworkManager is asked only where there may be a guest"
        return {}

    monkeypatch.setattr(networkmanager, "objects", objects)
    monkeypatch.setattr(networkmanager, "connected_of", lambda _objects: seen)
    assert snapshot.guests(links) == expected


def test_a_snapshot_contains_devices_managed_by_networkmanager(monkeypatch):
    links = [
        link("eth1", addr_info=[{"local": "192.0.2.5", "prefixlen": 24, "scope": "global"}]),
        link("docker0", "bridge"),
        link("vnet0", "tun", master="br5"),
    ]
    routes = [{"dst": "default", "gateway": "192.0.2.1", "dev": "eth1"}, {"dst": "172.17.0.0/16", "dev": "docker0"}]
    answers = {"addr": links, "route": routes, "rule": [{"priority": 0, "table": "local"}]}
    asked = []

    def show(*words, strict=False):
        assert strict, "what cannot be read is an error, not an empty network"
        asked.append(words)
        kind = next(word for word in words if word in answers)
        return answers[kind] if "-6" not in words else []

    monkeypatch.setattr(kernel, "show", show)
    monkeypatch.setattr(kernel, "vlan_filters", dict)
    monkeypatch.setattr(kernel, "virtual_functions", lambda _name: 0)
    monkeypatch.setattr(networkmanager, "objects", dict)
    monkeypatch.setattr(
        networkmanager, "connected_of", lambda _objects: {"eth1": {"connection": "u1", "external": False}}
    )
    monkeypatch.setattr(networkmanager, "dns_of", lambda _objects: [{"nameservers": ["192.0.2.1"]}])
    taken = snapshot.take()
    assert list(taken["devices"]) == ["eth1"] and taken["guests"] == {"vnet0": "br5"}
    assert taken["devices"]["eth1"]["addresses"] == ["192.0.2.5/24"]
    assert taken["devices"]["eth1"]["connection"] == "u1"
    assert [route["dst"] for route in taken["routes"]] == ["default"] and taken["routes"][0]["family"] == 4
    assert taken["rules"] == [{"priority": 0, "table": "local", "family": 4}]
    assert taken["dns"] == [{"nameservers": ["192.0.2.1"]}] and len(asked) == 5
