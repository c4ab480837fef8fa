# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes for a change."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import probes

GATEWAY = {"type": "gateway", "target": "192.0.2.1", "timeout": 3}
GATEWAY6 = {"type": "gateway", "target": "2001:db8::1"}
OWN = {"type": "duplicate_address", "target": "192.0.2.7"}


def route(gateway, destination="0.0.0.0/0", **more):
    return {"destination": destination, "next-hop-address": gateway, "next-hop-interface": "eth1", **more}


@pytest.mark.parametrize(
    "change, known, passed, expected",
    [
        pytest.param(
            {"routes": {"config": [route("192.0.2.254")]}},
            [GATEWAY],
            [GATEWAY],
            [{**GATEWAY, "target": "192.0.2.254"}],
            id="another gateway",
        ),
        pytest.param(
            {"routes": {"config": [route("192.0.2.1")]}}, [GATEWAY], [GATEWAY], [], id="the gateway that is known"
        ),
        pytest.param({"routes": {"config": [route("192.0.2.254")]}}, [GATEWAY], [], [], id="gateways are silent here"),
        pytest.param({"routes": {"config": [route("192.0.2.254")]}}, [], [], [], id="gateways are not asked"),
        pytest.param(
            {"routes": {"config": [route("192.0.2.254", state="absent")]}},
            [GATEWAY],
            [GATEWAY],
            [],
            id="a route that goes",
        ),
        pytest.param(
            {"routes": {"config": [route("192.0.2.254", destination="198.51.100.0/24")]}},
            [GATEWAY],
            [GATEWAY],
            [],
            id="no default route",
        ),
        pytest.param(
            {"routes": {"config": [route("2001:db8::ff", destination="::/0")]}},
            [GATEWAY],
            [GATEWAY],
            [],
            id="nothing known of IPv6",
        ),
        pytest.param(
            {"routes": {"config": [route("2001:db8::ff", destination="::/0")]}},
            [GATEWAY6],
            [GATEWAY6],
            [{**GATEWAY6, "target": "2001:db8::ff"}],
            id="IPv6",
        ),
        pytest.param(
            {"routes": {"config": [route("fe80::1", destination="::/0")]}},
            [GATEWAY6],
            [GATEWAY6],
            [],
            id="a gateway of the link",
        ),
        pytest.param(
            {"interfaces": [{"name": "eth1", "ipv4": {"address": [{"ip": "192.0.2.7"}, {"ip": "192.0.2.8"}]}}]},
            [OWN],
            [OWN],
            [{**OWN, "target": "192.0.2.8"}],
            id="a second address",
        ),
        pytest.param(
            {"interfaces": [{"name": "eth1", "ipv4": None}], "routes": {}}, [OWN], [OWN], [], id="nothing new"
        ),
    ],
)
def test_promised(change, known, passed, expected):
    assert probes.promised(change, known, passed) == expected


IDENT, DATA = 0x1234, b"token of 16 bytes" + b"\0" * 100


def reply(version, ident=IDENT, number=1, data=DATA):
    kind = 0 if version == 4 else 129
    return (
        (bytes([0x45]) + b"\0" * 19 if version == 4 else b"")
        + bytes([kind, 0, 0, 0, ident >> 8, ident & 0xFF, 0, number])
        + data
    )


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    "packet, expected",
    [
        pytest.param({}, True, id="its own"),
        pytest.param({"number": 2}, True, id="the second attempt's"),
        pytest.param({"number": 9}, False, id="never sent"),
        pytest.param({"ident": 0x1235}, False, id="another identifier"),
        pytest.param({"data": DATA[:56]}, False, id="a small packet's answer"),
        pytest.param({"data": b"another's token." + DATA[16:]}, False, id="another token"),
        pytest.param({"data": DATA + b"\0"}, False, id="too long"),
    ],
)
def test_only_a_complete_answer_to_the_own_request_counts(version, packet, expected):
    assert probes.is_answer(reply(version, **packet), version, IDENT, DATA, {1, 2}) is expected


def test_a_request_is_not_an_answer():
    assert not probes.is_answer(b"\x45" + b"\0" * 19 + probes.echo_request(4, IDENT, 1, DATA), 4, IDENT, DATA, {1})
    assert not probes.is_answer(b"\x45" + b"\0" * 19, 4, IDENT, DATA, {1})


@pytest.mark.parametrize("version", [4, 6])
def test_errors_of_other_probes_are_ignored(version):
    quoted = probes.echo_request(version, IDENT, 1, DATA)[:28]
    assert probes.is_ours(quoted, version, IDENT)
    assert not probes.is_ours(quoted, version, IDENT + 1)
    assert not probes.is_ours(quoted[:4], version, IDENT)


@pytest.mark.parametrize("size", [0, 8, 56, 57])
def test_checksum_of_a_request(size):
    """RFC 1071: the sum over a packet with its checksum is all ones."""
    packet = probes.echo_request(4, IDENT, 1, bytes(range(size))) + b"\0" * (size % 2)
    total = sum(int.from_bytes(packet[at : at + 2], "big") for at in range(0, len(packet), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


def path(target, size, wanted=0):
    return {"type": "path_mtu", "target": target, "size": size, "wanted": wanted}


PASSED, SILENT, SMALL = probes.Seen("", None), probes.Seen("no answer", None), probes.Seen("carries 1450", 1450)


@pytest.mark.parametrize(
    "before, saw, now, sizes, left_out",
    [
        pytest.param([path("a", 1500)], [PASSED], [path("a", 9000)], [9000], [], id="raised"),
        pytest.param([path("a", 9000)], [PASSED], [path("a", 1500)], [], [], id="lowered"),
        pytest.param(
            [path("a", 1500)],
            [SILENT],
            [path("a", 9000)],
            [],
            ["a: packets of the old size, 1500 bytes"],
            id="silent before",
        ),
        pytest.param([path("a", 1500)], [SMALL], [path("a", 9000)], [9000], [], id="known to be too small"),
        pytest.param([path("a", 1500)], [SILENT], [path("a", 1500)], [], [], id="not raised"),
        pytest.param(
            [path("a", 1500)], [PASSED], [path("b", 9000)], [], ["b: was not a gateway before"], id="another gateway"
        ),
        pytest.param([path("a", 1500, 4000)], [PASSED], [path("a", 4000, 4000)], [4000], [], id="a size of the user's"),
    ],
)
def test_larger(before, saw, now, sizes, left_out):
    asked, told = probes.larger(before, now, saw)
    assert [one["size"] for one in asked] == sizes
    assert len(told) == len(left_out) and all(words in text for words, text in zip(left_out, told))


ROUTES = [
    {"dst": "default", "gateway": "192.0.2.1", "dev": "eth1"},
    {"dst": "198.51.100.0/24", "gateway": "192.0.2.9", "dev": "eth1"},
    {"dst": "default", "nexthops": [{"gateway": "192.0.2.2", "dev": "eth1"}, {"gateway": "fe80::1", "dev": "eth2"}]},
    {"dst": "default", "type": "blackhole"},
]


def test_paths_of_all_default_gateways():
    host = {
        "routes": ROUTES,
        "dns": [],
        "devices": {"eth1": {"mtu": 1500, "addresses": []}, "eth2": {"mtu": 9000, "addresses": []}},
    }
    found = probes.paths([{"type": "gateway"}, {"type": "path_mtu"}], host)
    assert [(one["target"], one["size"]) for one in found] == [
        ("192.0.2.1", 1500),
        ("192.0.2.2", 1500),
        ("fe80::1", 9000),
    ]
    assert [one["size"] for one in probes.paths([{"type": "path_mtu", "size": 4000}], host)] == [1500, 1500, 4000]
    assert {one["target"] for one in probes.expand([{"type": "gateway"}, {"type": "path_mtu"}], host)} == {
        "192.0.2.1",
        "192.0.2.2",
        "fe80::1",
    }
