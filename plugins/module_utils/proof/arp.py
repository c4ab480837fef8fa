# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect duplicate IPv4 addresses by ARP (RFC 5227). For IPv6, the kernel does this."""

from __future__ import annotations

import os
import select
import socket
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ARP = 0x0806
_REQUEST = 1
_BROADCAST = b"\xff" * 6
_OUTGOING = 4  # linux/if_packet.h, PACKET_OUTGOING: a packet that its own device sent
_HEARING = 0.15  # seconds for a broadcast to reach another NIC
_ANSWER = 0.6  # seconds for an answer on a local network


class OwnSegmentError(Exception):
    """The probe is not possible, because this host itself would answer. The text names the device."""


def duplicate(target: str, interfaces: Iterable[str], seconds: float) -> str:
    """ "" if no other host answers for the IPv4 address ``target`` on any of ``interfaces`` (names), otherwise a
    message.

    ``seconds``: how long to wait for an answer. Raises OwnSegmentError if another NIC of this host is on the same
    segment: the kernel answers for all its addresses on every NIC (ip-sysctl.rst, arp_ignore 0), and NetworkManager
    treats such an answer as a conflict and removes the address's route (measured).
    """
    wanted = socket.inet_aton(target)
    for name in interfaces:
        with _socket(name) as sock:
            own = sock.getsockname()[4]
            other = _heard_by(name, _request(own, wanted, wanted), sock)
            if other:
                raise OwnSegmentError(
                    "%s of this host is on the same segment as %s and would answer first" % (other, name)
                )
            sock.send(_request(own, b"\0" * 4, wanted))  # an ARP probe has an empty sender address (2.1.1)
            mac = _answer(sock, wanted, own, time.monotonic() + min(seconds, _ANSWER))
            if mac:
                return "the address %s is also used by another host with the MAC address %s" % (
                    target,
                    ":".join("%02x" % octet for octet in mac),
                )
    return ""


def _heard_by(name: str, announcement: bytes, sock: socket.socket) -> str:
    """The other device of this host that receives ``announcement`` (our own address, so it is harmless) sent from
    ``name``, "" if none does.
    """
    underneath = below(name)
    others = {}
    try:
        for _index, other in socket.if_nameindex():
            if other not in underneath and other != "lo":
                try:
                    others[_socket(other)] = other
                except OSError:  # disappeared in the meantime
                    continue
        sock.send(announcement)
        end = time.monotonic() + _HEARING
        while time.monotonic() < end:
            for listener in select.select(list(others), [], [], max(0, end - time.monotonic()))[0]:
                frame, origin = listener.recvfrom(2048)
                if origin[2] != _OUTGOING and frame[6:12] == announcement[6:12]:
                    return others[listener]
    finally:
        for listener in others:
            listener.close()
    return ""


def below(name: str) -> set[str]:
    """``name`` and all devices below it (ports, bases), which receive what it sends."""
    reached, todo = set(), [name]
    while todo:
        device = todo.pop()
        if device not in reached:
            reached.add(device)
            try:
                todo += [
                    entry[len("lower_") :]
                    for entry in os.listdir("/sys/class/net/%s" % device)
                    if entry.startswith("lower_")
                ]
            except OSError:
                continue
    return reached


def _socket(name: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
    try:
        sock.bind((name, _ARP))
    except OSError:
        sock.close()
        raise
    return sock


def _request(mac: bytes, sender: bytes, target: bytes) -> bytes:
    return (
        _BROADCAST + mac + struct.pack("!HHHBBH", _ARP, 1, 0x0800, 6, 4, _REQUEST) + mac + sender + b"\0" * 6 + target
    )


def _answer(sock: socket.socket, wanted: bytes, own: bytes, end: float) -> bytes | None:
    while True:
        rest = end - time.monotonic()
        if rest <= 0:
            return None
        sock.settimeout(rest)
        try:
            frame = sock.recv(2048)
        except socket.timeout:
            return None
        if frame[28:32] == wanted and frame[22:28] != own:
            return frame[22:28]
