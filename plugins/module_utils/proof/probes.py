# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes with which the host verifies its network, each with a timeout.

Probes are relative: a probe that fails before the change is skipped afterwards. The exception is what the change adds
(a larger MTU), which cannot be probed before.
"""

from __future__ import annotations

import collections
import errno
import ipaddress
import json
import os
import secrets
import socket
import struct
import threading
import time

from ..sources.command import run as run_command
from . import arp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

TYPES = ("gateway", "dns", "tcp", "path_mtu", "duplicate_address")
DEFAULT = ({"type": "gateway"}, {"type": "dns"}, {"type": "path_mtu"}, {"type": "duplicate_address"})
_SECONDS = 2
_IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE = 10, 3  # linux/in.h: DF set, without the kernel's path MTU cache
_IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_PROBE = 23, 3
# IP_RECVERR, IPV6_RECVERR (linux/in.h, in6.h): the socket queues errors from the network, with their details
_RECVERR = {4: 11, 6: 25}
# IP_RECVFRAGSIZE, IPV6_RECVFRAGSIZE: the largest fragment of a fragmented packet
_RECVFRAGSIZE = {4: 25, 6: 77}
_LEVEL = {4: socket.IPPROTO_IP, 6: socket.IPPROTO_IPV6}
_ECHO = {4: (8, 0), 6: (128, 129)}  # request and reply (RFC 792, RFC 4443)
_HEADERS = {4: 28, 6: 48}  # IP and ICMP headers: an MTU of 9000 allows 8972 bytes of data over IPv4
_LOCAL = 1  # SO_EE_ORIGIN_LOCAL (linux/errqueue.h): this host's own device
_TOKEN = 16  # bytes of unique data

# Result of a probe: ``trouble`` ("" if it passed), and ``limit``, the largest packet in bytes if the network reports it
# (otherwise None).
Seen = collections.namedtuple("Seen", "trouble limit asked", defaults=(True,))


class ProbeError(Exception):
    """A probe is invalid; the text names it."""


class TooBig(Exception):
    """The packet is too large. ``limit``: the size in bytes that the path carries (None: unknown). ``local``: whether
    this host's own device is the limit.
    """

    def __init__(self, limit: int | None, local: bool) -> None:
        super().__init__("packets of at most %s bytes" % (limit or "?"))
        self.limit = limit
        self.local = local


def check(probes: Iterable[Mapping]) -> None:
    """Raise ProbeError if an entry of ``probes`` (list of dict) is incomplete for its type."""
    for probe in probes:
        if probe["type"] == "tcp" and not (probe.get("target") and isinstance(probe.get("port"), int)):
            raise ProbeError("probe tcp: expected target (address or name) and port (integer)")


def expand(probes: Iterable[Mapping], snapshot: Mapping) -> list[dict]:
    """The probes with the host's targets: one probe for each gateway and each DNS server in ``snapshot``. Without
    path_mtu, see paths().
    """
    servers = sorted({server for entry in snapshot["dns"] for server in entry.get("nameservers", [])})
    addresses = sorted(
        {address.split("/")[0] for device in snapshot["devices"].values() for address in device["addresses"]}
    )
    targets = {"gateway": gateways(snapshot), "dns": servers, "duplicate_address": addresses}
    return [
        dict(probe, target=target)
        for probe in probes
        if probe["type"] != "path_mtu"
        for target in ([probe["target"]] if probe.get("target") else targets.get(probe["type"], []))
    ]


def gateways(snapshot: Mapping) -> list[str]:
    """The default gateways of both families, sorted."""
    return sorted({hop["gateway"] for hop in _default_hops(snapshot)})


def _default_hops(snapshot: Mapping) -> list[dict]:
    """The hops of the default routes, including each hop of a multipath route."""
    return [
        dict({"dev": route.get("dev", "")}, **hop)
        for route in snapshot["routes"]
        if route.get("dst") == "default"
        for hop in route.get("nexthops") or [route]
        if hop.get("gateway")
    ]


def paths(probes: Iterable[Mapping], snapshot: Mapping) -> list[dict]:
    """The path_mtu probes of ``probes`` for the MTUs in ``snapshot``: for each target (default: all gateways), a probe
    with ``size``, the MTU of the device of its route. ``wanted``: the size set by the user, 0 for the new MTU.
    """
    path_probes = []
    for probe in probes:
        for target in (
            ([probe["target"]] if probe.get("target") else gateways(snapshot)) if probe["type"] == "path_mtu" else []
        ):
            mtu = (snapshot["devices"].get(_device_to(target, snapshot)) or {}).get("mtu")
            if mtu:
                path_probes.append(
                    dict(probe, target=target, size=min(mtu, probe.get("size") or mtu), wanted=probe.get("size") or 0)
                )
    return path_probes


def _device_to(target: str, snapshot: Mapping) -> str:
    """The device of the route to ``target``, "" if there is no route."""
    devices = [hop["dev"] for hop in _default_hops(snapshot) if hop["gateway"] == target]
    if devices:
        return devices[0]
    rc, out, _err = run_command(["ip", "-j", "route", "get", target], timeout=10)
    return next((route.get("dev", "") for route in json.loads(out or "[]")), "") if rc == 0 else ""


def larger(before: Iterable[Mapping], now: Iterable[Mapping], saw: Iterable[Seen]) -> tuple[list[dict], list[str]]:
    """``(asked, not_probed)``: the paths that must carry larger packets than before, and those that cannot be probed,
    with the reason (list of str).

    ``before``, ``now``: paths() before and after the change. ``saw``: results of run_all() for those before. If packets
    of the old size are not answered (a gateway that ignores echo requests), larger ones prove nothing. A path that
    reported its limit is probed again, because it is known to be too small. Pure.
    """
    asked, unprobed = [], []
    old = {probe["target"]: (probe, seen) for probe, seen in zip(before, saw)}
    for probe in now:
        target, size = probe["target"], probe["wanted"] or probe["size"]
        if target not in old:
            unprobed.append(
                "path_mtu %s: was not a gateway before the change, so packets of %d bytes were not sent"
                % (target, size)
            )
            continue
        was, seen = old[target]
        if size <= was["size"]:
            continue
        if seen.trouble and seen.limit is None:
            unprobed.append(
                "path_mtu %s: packets of the old size, %d bytes, were not answered before the change, so packets of "
                "%d bytes were not sent" % (target, was["size"], size)
            )
        else:
            asked.append(dict(probe, size=size))
    return asked, unprobed


def promised(change: Mapping, known: Collection[Mapping], passed: Collection[Mapping]) -> list[dict]:
    """Probes for what ``change`` (nmstate) adds: default gateways and static IPv4 addresses that are not in ``known``
    (expanded probes).

    ``passed``: those of ``known`` that pass now. If none of a type passes, no probe of this type is added, because it
    would fail in such a network (gateways that ignore echo requests).
    """
    routes = [route for route in (change.get("routes") or {}).get("config") or [] if route.get("state") != "absent"]
    gateways = {route.get("next-hop-address") for route in routes if route.get("destination") in ("0.0.0.0/0", "::/0")}
    addresses = {
        address["ip"]
        for iface in change.get("interfaces") or []
        for address in (iface.get("ipv4") or {}).get("address") or []
    }
    promises = []
    for kind, targets in (("gateway", gateways), ("duplicate_address", addresses)):
        asked = {probe["target"] for probe in known if probe["type"] == kind}
        # a link-local gateway (fe80::) requires its zone
        fresh = sorted(target for target in targets - asked if target and not target.startswith("fe80"))
        for target in fresh:
            model = next(
                (probe for probe in passed if probe["type"] == kind and (":" in probe["target"]) == (":" in target)),
                None,
            )
            if model:
                promises.append(dict(model, target=target))
    return promises


def run(probe: Mapping, interfaces: Collection[str] = ()) -> Seen:
    """Run one expanded probe and return its result (Seen). Takes at most slightly longer than its ``timeout`` (2 s).

    ``interfaces``: names of the devices to look for duplicates on.
    """
    seconds = probe.get("timeout", _SECONDS)
    try:
        if probe["type"] == "path_mtu":
            return _path_mtu(probe, seconds)
        if probe["type"] == "duplicate_address":
            return Seen("" if ":" in probe["target"] else arp.duplicate(probe["target"], interfaces, seconds), None)
        return Seen({"gateway": _gateway, "dns": _dns, "tcp": _tcp}[probe["type"]](probe, seconds), None)
    except arp.OwnSegmentError as exc:
        return Seen(str(exc), None, False)
    except OSError as exc:
        return Seen("%s %s: %s" % (probe["type"], probe["target"], exc.strerror or exc), None)


def _with_zone(target: str, snapshot: Mapping) -> str:
    """``target`` with the current device of its route as zone, if it is link-local (fe80::); any other target
    unchanged.
    """
    devices = [hop["dev"] for hop in _default_hops(snapshot) if hop["gateway"] == target and target.startswith("fe80")]
    return "%s%%%s" % (target, devices[0]) if devices else target


def run_all(probes: Sequence[Mapping], snapshot: Mapping) -> list[Seen]:
    """Run expanded ``probes`` at the same time: ``[Seen]`` in their order.

    ``snapshot``: tells which devices have an address now.
    """
    return start(probes, snapshot)()


def start(probes: Sequence[Mapping], snapshot: Mapping) -> Callable[[], list[Seen]]:
    """The same as run_all(), but returns immediately with a function that waits for the results."""
    saw = [Seen("the probe %(type)s %(target)s timed out" % probe, None) for probe in probes]

    def run_probe(index: int) -> None:
        probe = dict(probes[index], target=_with_zone(probes[index]["target"], snapshot))
        held = [
            name
            for name, device in snapshot["devices"].items()
            if probe["target"] in [address.split("/")[0] for address in device["addresses"]]
        ]
        saw[index] = run(probe, held)

    threads = [threading.Thread(target=run_probe, args=(index,), daemon=True) for index in range(len(probes))]
    for thread in threads:
        thread.start()

    def results() -> list[Seen]:
        for thread in threads:
            thread.join(30)
        return saw

    return results


def echo(target: str, size: int, seconds: float, dont_fragment: bool = False) -> bool:
    """Whether ``target`` answers an ICMP echo request with ``size`` bytes of data within ``seconds``. Sends a request
    every second.

    Each call uses a unique identifier and token, because every raw socket of a host receives all answers. With
    ``dont_fragment``, only an unfragmented answer counts. Raises TooBig if the packet is too large for this host's
    device, or if the network reports it ("fragmentation needed", RFC 1191; "packet too big", RFC 4443), and OSError.
    Requires root.
    """
    version = ipaddress.ip_address(target.split("%")[0]).version
    ident, data = secrets.randbelow(0x10000), secrets.token_bytes(_TOKEN)[:size].ljust(size, b"\0")
    sent: set[int] = set()
    where = socket.getaddrinfo(target, None, type=socket.SOCK_RAW)[0][4]
    # Not connected: a connected raw socket also receives errors caused by packets of other sockets to that address.
    with _icmp_socket(version, dont_fragment) as sock:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent.add(len(sent) + 1)
            try:
                sock.sendto(echo_request(version, ident, len(sent), data), where)
            except OSError as exc:
                if exc.errno != errno.EMSGSIZE:
                    raise
                raise TooBig(
                    next((info for origin, info, _packet in _errors(sock, version) if origin == _LOCAL), None), True
                ) from exc
            if _echo_reply(sock, version, ident, data, sent, min(end, time.monotonic() + 1), dont_fragment):
                return True
    return False


def _icmp_socket(version: int, dont_fragment: bool) -> socket.socket:
    if version == 4:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        discover = (_IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE)
    else:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        discover = (_IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_PROBE)
    if dont_fragment:
        sock.setsockopt(_LEVEL[version], *discover)
        sock.setsockopt(_LEVEL[version], _RECVERR[version], 1)
        sock.setsockopt(_LEVEL[version], _RECVFRAGSIZE[version], 1)
    return sock


def _errors(sock: socket.socket, version: int) -> list[tuple]:
    """``[(origin, largest size, beginning of our ICMP packet)]``: reports of too large packets from the socket's error
    queue (ip(7),
    IP_RECVERR: struct sock_extended_err).
    """
    reports: list[tuple] = []
    while True:
        try:
            packet, ancillary, _flags, _from = sock.recvmsg(64, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except OSError:
            return reports
        for level, kind, data in ancillary:
            if (level, kind) == (_LEVEL[version], _RECVERR[version]) and len(data) >= 16:
                code, origin, _type, _code, _pad, info = struct.unpack("=IBBBBI", data[:12])
                if code == errno.EMSGSIZE:
                    reports.append((origin, info or None, packet))


def echo_request(version: int, ident: int, number: int, data: bytes) -> bytes:
    """The ICMP echo request with ``data`` (bytes), without its IP header."""
    head = struct.pack("!BBHHH", _ECHO[version][0], 0, 0, ident, number)
    if version == 6:
        return head + data  # the kernel computes the checksum of ICMPv6 (RFC 3542, 3.1)
    words = struct.unpack("!%dH" % ((len(head) + len(data) + 1) // 2), head + data + b"\0" * (len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBHHH", _ECHO[version][0], 0, ~total & 0xFFFF, ident, number) + data


def is_answer(packet: bytes, version: int, ident: int, data: bytes, sent: Collection[int]) -> bool:
    """Whether ``packet``, from a raw socket, is a complete answer to one of our requests: identifier, sequence number,
    and all of ``data``. Pure.
    """
    start = (packet[0] & 0x0F) * 4 if version == 4 else 0
    if len(packet) < start + 8:
        return False
    kind, _code, _sum, his, number = struct.unpack("!BBHHH", packet[start : start + 8])
    return kind == _ECHO[version][1] and his == ident and number in sent and packet[start + 8 :] == data


def is_ours(packet: bytes, version: int, ident: int) -> bool:
    """Whether ``packet``, quoted in an error from its ICMP header on, is one of our requests. Pure."""
    return len(packet) >= 6 and packet[0] == _ECHO[version][0] and struct.unpack("!H", packet[4:6])[0] == ident


def _echo_reply(
    sock: socket.socket, version: int, ident: int, data: bytes, sent: Collection[int], end: float, whole: bool
) -> bool:
    while True:
        rest = end - time.monotonic()
        if rest <= 0:
            return False
        sock.settimeout(rest)
        try:
            packet, ancillary, _flags, _from = sock.recvmsg(65535, 512)
        except socket.timeout:
            return False
        except OSError:
            for _origin, info, packet in _errors(sock, version):
                if is_ours(packet, version, ident):
                    raise TooBig(info, False) from None
            continue
        in_pieces = any((level, kind) == (_LEVEL[version], _RECVFRAGSIZE[version]) for level, kind, _data in ancillary)
        if is_answer(packet, version, ident, data, sent) and not (whole and in_pieces):
            return True


def _gateway(probe: Mapping, seconds: float) -> str:
    return "" if echo(probe["target"], 56, seconds) else "the gateway %s does not answer" % probe["target"]


def _path_mtu(probe: Mapping, seconds: float) -> Seen:
    version = ipaddress.ip_address(probe["target"].split("%")[0]).version
    try:
        if echo(probe["target"], probe["size"] - _HEADERS[version], seconds, dont_fragment=True):
            return Seen("", None)
    except TooBig as exc:
        if exc.local:
            return Seen(
                "packets of %d bytes to %s are too large for this host's own device (MTU %s)"
                % (probe["size"], probe["target"], exc.limit),
                exc.limit,
            )
        return Seen(
            "the path to %s carries packets of at most %s bytes, not %d: a switch, router, or tunnel on it has a "
            "smaller MTU" % (probe["target"], exc.limit or "fewer", probe["size"]),
            exc.limit or 0,
        )
    return Seen(
        "packets of %d bytes to %s are not answered: a switch, router, or tunnel on the path has a smaller MTU"
        % (probe["size"], probe["target"]),
        None,
    )


def _dns(probe: Mapping, seconds: float) -> str:
    family = socket.AF_INET6 if ":" in probe["target"] else socket.AF_INET
    query = (
        struct.pack("!HHHHHH", os.getpid() & 0xFFFF, 0x0100, 1, 0, 0, 0) + b"\0" + struct.pack("!HH", 2, 1)
    )  # "." NS IN: any answer is sufficient
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(max(0.5, seconds / 2))
        sock.connect((probe["target"], probe.get("port", 53)))
        for _attempt in range(2):
            sock.send(query)
            try:
                if sock.recv(4096)[:2] == query[:2]:
                    return ""
            except socket.timeout:
                continue
    return "the DNS server %s does not answer" % probe["target"]


def _tcp(probe: Mapping, seconds: float) -> str:
    try:
        with socket.create_connection((probe["target"], probe["port"]), timeout=seconds):
            return ""
    except OSError as exc:
        return "no connection to %s port %d: %s" % (probe["target"], probe["port"], exc)
