# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for an IPv4 address: from another host, from no host, or from this host over another NIC."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import arp

TARGET = "192.0.2.10"
OWN, OTHER = b"\x52\x54\x00\x00\x00\x01", b"\x52\x54\x00\x00\x00\x02"
_PACKET_HOST = 0


def answer(mac, address):
    """An ARP reply: ``address`` is at ``mac``."""
    return OWN + mac + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02" + mac + socket.inet_aton(address) + b"\0" * 10


class Socket:
    """A device's packet socket: records sent packets, and receives scripted ones."""

    def __init__(self, frames=(), heard=()):
        self.frames, self.heard, self.sent, self.closed = list(frames), list(heard), [], False

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def getsockname(self):
        return ("eth1", 0x0806, 0, 1, OWN)

    def send(self, frame):
        self.sent.append(frame)

    def settimeout(self, _seconds):
        pass

    def recv(self, _size):
        if not self.frames:
            raise socket.timeout
        return self.frames.pop(0)

    def recvfrom(self, _size):
        return self.heard.pop(0)

    def close(self):
        self.closed = True


@pytest.fixture
def devices(monkeypatch):
    """``{name: Socket}`` of the host's devices; eth1 is asked, and stands on nothing."""
    sockets = {"eth1": Socket()}
    monkeypatch.setattr(arp, "_socket", sockets.__getitem__)
    monkeypatch.setattr(arp, "below", lambda name: {name})
    monkeypatch.setattr(arp.socket, "if_nameindex", lambda: [(1, "lo"), *enumerate(sockets, 2)])
    monkeypatch.setattr(arp.select, "select", lambda them, _w, _x, _s: ([one for one in them if one.heard], [], []))
    monkeypatch.setattr(arp, "_HEARING", 0.01)
    return sockets


@pytest.mark.parametrize(
    "frames, said",
    [
        ([], ""),
        ([answer(OTHER, TARGET)], "192.0.2.10 is also used by another host with the MAC address 52:54:00:00:00:02"),
        ([answer(OTHER, "192.0.2.99")], ""),  # about another address
        ([answer(OWN, TARGET)], ""),  # our own
        ([answer(OTHER, "192.0.2.99"), answer(OTHER, TARGET)], "52:54:00:00:00:02"),
    ],
)
def test_who_answers(frames, said, devices):
    devices["eth1"].frames = frames
    found = arp.duplicate(TARGET, ["eth1"], 5)
    assert said in found and bool(found) == bool(said)
    announcement, probe = devices["eth1"].sent
    assert announcement[28:32] == socket.inet_aton(TARGET)  # from this host, for its own address: harmless
    assert probe[28:32] == b"\0" * 4 and probe[38:42] == socket.inet_aton(TARGET)  # RFC 5227, 2.1.1
    assert probe[:6] == b"\xff" * 6 and probe[6:12] == OWN


def test_another_nic_on_the_same_segment_would_answer(devices):
    devices["eth2"] = Socket(heard=[(answer(OWN, TARGET), ("eth2", 0x0806, _PACKET_HOST, 1, OWN))])
    with pytest.raises(arp.OwnSegmentError, match="eth2 of this host is on the same segment as eth1"):
        arp.duplicate(TARGET, ["eth1"], 5)
    assert devices["eth2"].closed and len(devices["eth1"].sent) == 1  # the probe was not sent


@pytest.mark.parametrize(
    "frame, kind",
    [(answer(OWN, TARGET), 4), (answer(OTHER, TARGET), _PACKET_HOST)],
    ids=["what it sends itself", "what others send"],
)
def test_other_traffic_of_another_nic_is_not_our_broadcast(frame, kind, devices):
    devices["eth2"] = Socket(heard=[(frame, ("eth2", 0x0806, kind, 1, OWN))])
    assert arp.duplicate(TARGET, ["eth1"], 5) == ""


def test_devices_below_are_ports_and_bases(tmp_path, monkeypatch):
    for name, lower in {"bond4.3000": ["bond4"], "bond4": ["eth1", "eth2"], "eth1": [], "eth2": []}.items():
        (tmp_path / name).mkdir()
        for one in lower:
            (tmp_path / name / f"lower_{one}").touch()
    listdir = arp.os.listdir
    monkeypatch.setattr(arp.os, "listdir", lambda path: listdir(tmp_path / path.rpartition("/")[2]))
    assert arp.below("bond4.3000") == {"bond4.3000", "bond4", "eth1", "eth2"}
    assert arp.below("gone") == {"gone"}
