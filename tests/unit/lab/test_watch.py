# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of losses, and packets."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.ovirt.mgmt_network.tests.lab.watch import Answers, _request, summary

TEN = [number / 100 for number in range(10)]  # a packet every 10 ms


@pytest.mark.parametrize(
    "answered, lost, blackout",
    [
        (range(10), 0, 0),
        ([0, 1, 2, 4, 5, 6, 7, 8, 9], 1, 20),
        ([0, 1, 7, 8, 9], 5, 60),
        ([0, 2, 3, 7, 9], 5, 40),
        ([3, 4, 5, 6, 7, 8, 9], 3, 30),
        ([0, 1, 2, 3], 6, 60),
        ([], 10, 90),
    ],
)
def test_summary(answered, lost, blackout):
    assert summary(TEN, set(answered)) == {"sent": 10, "answered": 10 - lost, "lost": lost, "blackout_ms": blackout}


def test_summary_of_nothing():
    assert summary([], set()) == {"sent": 0, "answered": 0, "lost": 0, "blackout_ms": 0}


@pytest.mark.parametrize("size", [0, 1, 56, 57, 8972])
def test_request_has_a_right_checksum(size):
    packet = _request(4, 0x1234, 0x10005, size)
    assert len(packet) == 8 + size
    assert struct.unpack("!BBHHH", packet[:8])[0::3] == (8, 0x1234) and packet[6:8] == b"\0\5"
    words = struct.unpack(f"!{(len(packet) + 1) // 2}H", packet + b"\0" * (len(packet) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


class TestAnswers:
    @pytest.fixture
    def stream(self):
        return Answers(["10.0.0.1", "fd00::1"], 0x1234)

    @staticmethod
    def answer(number, kind=0, ident=0x1234):
        return struct.pack("!BBHHH", kind, 0, 0, ident, number & 0xFFFF)

    def test_right_address_and_number(self, stream):
        stream.sent["10.0.0.1"] = [0.0] * 70000
        stream.take(b"\x45" + b"\0" * 19 + self.answer(69999), "10.0.0.1", 4)
        stream.take(b"\x45" + b"\0" * 19 + self.answer(65000), "10.0.0.1", 4)
        assert stream.answered == {"10.0.0.1": {69999, 65000}, "fd00::1": set()}

    def test_ipv6_has_no_header(self, stream):
        stream.sent["fd00::1"] = [0.0]
        stream.take(self.answer(0, 129), "fd00::1", 6)
        assert stream.answered["fd00::1"] == {0}

    def test_others_are_not_ours(self, stream):
        stream.sent["fd00::1"] = [0.0]
        stream.take(self.answer(0, 128), "fd00::1", 6)
        stream.take(self.answer(0, 129, ident=0x1235), "fd00::1", 6)
        stream.take(self.answer(0, 129), "fd00::2", 6)
        assert stream.answered == {"10.0.0.1": set(), "fd00::1": set()}
