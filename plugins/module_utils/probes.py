# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host itself can prove about its network, each probe bounded.

Probes are relative: one that did not pass before the change proves nothing after it and is left out. Only what a change
of this very transaction newly promises (a larger MTU) has no "before".
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
import threading
import time

from . import arp

TYPES = ("gateway", "dns", "tcp", "path_mtu", "duplicate_address")
DEFAULT = ({"type": "gateway"}, {"type": "dns"}, {"type": "path_mtu"}, {"type": "duplicate_address"})
_SECONDS = 2
_IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE = 10, 3  # linux/in.h: DF set, the kernel's own path MTU cache ignored
_IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_PROBE = 23, 3
_HEADERS = {4: 28, 6: 48}  # IP and ICMP headers: an MTU of 9000 takes 8972 bytes of data over IPv4


class ProbeError(Exception):
    """A probe is not well-formed; the text names it."""


def check(probes):
    """Raise ProbeError when an entry of ``probes`` (list of dict) lacks what its type needs."""
    for one in probes:
        if one["type"] == "tcp" and not (one.get("target") and isinstance(one.get("port"), int)):
            raise ProbeError("probe tcp: target (address or name) and port (integer) are needed")


def expand(probes, snapshot, mtu=None):
    """The probes with their targets as the host has them: a gateway and a DNS probe for every one in ``snapshot``.

    ``mtu``: the MTU that the change newly promises on the way to the gateways (None: none); path_mtu is left out without.
    """
    gateways = sorted({one["gateway"] for one in snapshot["routes"] if one.get("dst") == "default" and one.get("gateway")})
    servers = sorted({server for one in snapshot["dns"] for server in one.get("nameservers", [])})
    addresses = sorted({one.split("/")[0] for device in snapshot["devices"].values() for one in device["addresses"]})
    targets = {"gateway": gateways, "dns": servers, "path_mtu": gateways, "duplicate_address": addresses}
    found = []
    for one in probes:
        if one["type"] == "path_mtu" and not (one.get("size") or mtu):
            continue
        for target in [one["target"]] if one.get("target") else targets.get(one["type"], []):
            found.append(dict(one, target=target, size=one.get("size") or mtu) if one["type"] == "path_mtu" else dict(one, target=target))
    return found


def promised(change, known, passed):
    """Probes for what only ``change`` (nmstate) brings: default gateways and static IPv4 addresses that ``known`` (expanded probes) do not ask about.

    ``passed``: those of ``known`` that pass now. Where none of a type does, none is asked for: such a network (gateways that are silent
    by policy) has nothing to promise.
    """
    routes = [one for one in (change.get("routes") or {}).get("config") or [] if one.get("state") != "absent"]
    gateways = {one.get("next-hop-address") for one in routes if one.get("destination") in ("0.0.0.0/0", "::/0")}
    addresses = {one["ip"] for iface in change.get("interfaces") or [] for one in (iface.get("ipv4") or {}).get("address") or []}
    found = []
    for kind, targets in (("gateway", gateways), ("duplicate_address", addresses)):
        asked = {one["target"] for one in known if one["type"] == kind}
        # the gateway of a link (fe80::) is to be had with its zone only
        fresh = sorted(one for one in targets - asked if one and not one.startswith("fe80"))
        for target in fresh:
            model = next((one for one in passed if one["type"] == kind and (":" in one["target"]) == (":" in target)), None)
            if model:
                found.append(dict(model, target=target))
    return found


def run(probe, interfaces=()):
    """Run one expanded probe: "" when it passes, else what it saw (str). Takes at most its ``timeout`` (2 s) and a little.

    ``interfaces``: names of the devices to look for duplicates on.
    """
    seconds = probe.get("timeout", _SECONDS)
    try:
        if probe["type"] == "duplicate_address":
            return "" if ":" in probe["target"] else arp.duplicate(probe["target"], interfaces, seconds)
        return {"gateway": _gateway, "dns": _dns, "tcp": _tcp, "path_mtu": _path_mtu}[probe["type"]](probe, seconds)
    except OSError as exc:
        return "%s %s: %s" % (probe["type"], probe["target"], exc.strerror or exc)


def _with_zone(target, snapshot):
    """A link's own gateway (fe80::) with the device that its route goes over now; any other target as it is."""
    devices = [one["dev"] for one in snapshot["routes"] if one.get("gateway") == target and target.startswith("fe80")]
    return "%s%%%s" % (target, devices[0]) if devices else target


def run_all(probes, snapshot):
    """Run expanded ``probes`` at the same time: ``[what each saw]`` in their order ("" where it passed).

    ``snapshot`` tells on which devices an address is held now.
    """
    saw = ["no answer of the probe itself"] * len(probes)

    def one(index):
        probe = dict(probes[index], target=_with_zone(probes[index]["target"], snapshot))
        held = [name for name, device in snapshot["devices"].items() if probe["target"] in [one.split("/")[0] for one in device["addresses"]]]
        saw[index] = run(probe, held)

    threads = [threading.Thread(target=one, args=(index,), daemon=True) for index in range(len(probes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return saw


def echo(target, size, seconds, dont_fragment=False):
    """Whether ``target`` answers an ICMP echo with ``size`` bytes of data within ``seconds``; sent anew every second.

    Raises OSError (EMSGSIZE: larger than the interface's own MTU). Needs root.
    """
    version = ipaddress.ip_address(target.split("%")[0]).version
    with _icmp_socket(version, dont_fragment) as sock:
        sock.connect(socket.getaddrinfo(target, None, type=socket.SOCK_RAW)[0][4])
        ident, end, number = os.getpid() & 0xFFFF, time.monotonic() + seconds, 0
        while time.monotonic() < end:
            number += 1
            sock.send(_echo_request(version, ident, number, size))
            if _echo_reply(sock, version, ident, min(end, time.monotonic() + 1)):
                return True
    return False


def _icmp_socket(version, dont_fragment):
    if version == 4:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        if dont_fragment:
            sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE)
    else:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        if dont_fragment:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_PROBE)
    return sock


def _echo_request(version, ident, number, size):
    kind = 8 if version == 4 else 128
    data = b"\0" * size
    head = struct.pack("!BBHHH", kind, 0, 0, ident, number)
    if version == 6:
        return head + data  # the kernel fills in ICMPv6's checksum (RFC 3542, 3.1)
    words = struct.unpack("!%dH" % ((len(head) + size + 1) // 2), head + data + b"\0" * (size % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBHHH", kind, 0, ~total & 0xFFFF, ident, number) + data


def _echo_reply(sock, version, ident, end):
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return False
        sock.settimeout(left)
        try:
            packet = sock.recv(65535)
        except socket.timeout:
            return False
        start = (packet[0] & 0x0F) * 4 if version == 4 else 0
        if packet[start] == (0 if version == 4 else 129) and struct.unpack("!H", packet[start + 4:start + 6])[0] == ident:
            return True


def _gateway(probe, seconds):
    return "" if echo(probe["target"], 56, seconds) else "the gateway %s does not answer" % probe["target"]


def _path_mtu(probe, seconds):
    version = ipaddress.ip_address(probe["target"].split("%")[0]).version
    if echo(probe["target"], probe["size"] - _HEADERS[version], seconds, dont_fragment=True):
        return ""
    return "no packet of %d bytes comes back from %s: some switch or router on the way has a smaller MTU" % (probe["size"], probe["target"])


def _dns(probe, seconds):
    family = socket.AF_INET6 if ":" in probe["target"] else socket.AF_INET
    query = struct.pack("!HHHHHH", os.getpid() & 0xFFFF, 0x0100, 1, 0, 0, 0) + b"\0" + struct.pack("!HH", 2, 1)  # "." NS IN: any answer will do
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


def _tcp(probe, seconds):
    try:
        with socket.create_connection((probe["target"], probe["port"]), timeout=seconds):
            return ""
    except OSError as exc:
        return "no connection to %s port %d: %s" % (probe["target"], probe["port"], exc)
