# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo requests from the engine's side: a ping, and a stream that measures blackouts. Requires no ping program."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import select
import socket
import struct
import time

INTERVAL = 0.01  # seconds between two packets, the resolution of a blackout
_AFTER = 1.0  # seconds to wait for the last answers
_RCVBUFFORCE = 33  # SO_RCVBUFFORCE (asm-generic/socket.h)
_DONT_FRAGMENT = {
    4: (socket.IPPROTO_IP, 10, 3),
    6: (socket.IPPROTO_IPV6, 23, 3),
}  # IP(V6)_MTU_DISCOVER = PROBE (linux/in.h, in6.h)


def ping(address, size=56, dont_fragment=False, count=3, seconds=1.0):
    """How many of ``count`` echo requests with ``size`` bytes of data are answered, each within ``seconds``."""
    stream = Stream([address], size, dont_fragment)
    for _round in range(count):
        stream.send()
        stream.receive(time.monotonic() + seconds, until_answered=True)
    return stream.report()[address]["answered"]


def watch(addresses, stop, interval=INTERVAL):
    """Send a packet per ``interval`` to each address until ``stop()`` is true. Returns Answers.report()."""
    stream = Stream(addresses)
    due = time.monotonic()
    while not stop():
        stream.send()
        due += interval
        stream.receive(due)
    stream.receive(time.monotonic() + _AFTER)
    return stream.report()


class Answers:
    """The requests to several addresses, and their answers."""

    def __init__(self, addresses, ident):
        self.addresses = {address: ipaddress.ip_address(address) for address in addresses}
        self.ident = ident
        self.sent = {address: [] for address in addresses}
        self.answered = {address: set() for address in addresses}

    def take(self, packet, source, version):
        """Record a packet from a raw socket if it is an answer to one of ours."""
        start = (packet[0] & 0x0F) * 4 if version == 4 else 0
        kind, _code, _sum, ident, low = struct.unpack("!BBHHH", packet[start : start + 8])
        if kind != (0 if version == 4 else 129) or ident != self.ident:
            return
        for address, parsed in self.addresses.items():
            if parsed == ipaddress.ip_address(source.split("%")[0]):
                last = len(self.sent[address]) - 1  # the sequence number has 16 bits only
                self.answered[address].add(last - ((last - low) & 0xFFFF))

    def latest(self):
        """Whether the last packet to each address is answered."""
        return all(len(sent) - 1 in self.answered[address] for address, sent in self.sent.items())

    def report(self):
        """``{address: {sent, answered, lost, blackout_ms}}``; the blackout is the longest time without an answered
        packet.
        """
        return {address: summary(sent, self.answered[address]) for address, sent in self.sent.items()}


class Stream(Answers):
    """Echo requests to several addresses over raw sockets."""

    def __init__(self, addresses, size=56, dont_fragment=False):
        super().__init__(addresses, os.getpid() & 0xFFFF)
        self._size = size
        self._sockets = {}
        for version in {one.version for one in self.addresses.values()}:
            family, protocol = (
                (socket.AF_INET, socket.IPPROTO_ICMP) if version == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
            )
            self._sockets[version] = socket.socket(family, socket.SOCK_RAW, protocol)
            self._sockets[version].setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 20)
            if dont_fragment:
                self._sockets[version].setsockopt(*_DONT_FRAGMENT[version])

    def send(self):
        """Send a packet to every address. A packet that cannot be sent counts as lost."""
        for address, parsed in self.addresses.items():
            number = len(self.sent[address])
            self.sent[address].append(time.monotonic())
            with contextlib.suppress(OSError):
                self._sockets[parsed.version].sendto(
                    _request(parsed.version, self.ident, number, self._size), (address, 0)
                )

    def receive(self, end, until_answered=False):
        """Take answers until ``end`` (monotonic), or until the last packet of every address is answered."""
        while True:
            # if it is late, answers in the socket are read anyway, because its buffer is small
            ready = select.select(list(self._sockets.values()), [], [], max(0.0, end - time.monotonic()))[0]
            if not ready:
                return
            for sock in ready:
                packet, source = sock.recvfrom(65535)
                self.take(packet, source[0], 4 if sock.family == socket.AF_INET else 6)
            if until_answered and self.latest():
                return


def summary(sent, answered):
    """The results for packets sent at the times ``sent`` (seconds), of which those with the indices ``answered`` were
    answered.
    """
    longest, last = 0.0, sent[0] if sent else 0.0
    for index, when in enumerate(sent):
        if index in answered:
            longest, last = max(longest, when - last if index and index - 1 not in answered else 0.0), when
    if sent and len(sent) - 1 not in answered:
        longest = max(longest, sent[-1] - last)
    return {
        "sent": len(sent),
        "answered": len(answered),
        "lost": len(sent) - len(answered),
        "blackout_ms": round(longest * 1000),
    }


def _request(version, ident, number, size):
    kind, data = (8 if version == 4 else 128), b"\0" * size
    head = struct.pack("!BBHHH", kind, 0, 0, ident, number & 0xFFFF)
    if version == 6:
        return head + data  # the kernel fills in the checksum (RFC 3542, 3.1)
    total = sum(struct.unpack(f"!{(len(head) + size + 1) // 2}H", head + data + b"\0" * (size % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBHHH", kind, 0, ~total & 0xFFFF, ident, number & 0xFFFF) + data
