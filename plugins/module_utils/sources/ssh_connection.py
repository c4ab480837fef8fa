# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local end of Ansible's SSH connection, and the device that has its address.

sshd sets both ends in SSH_CONNECTION (sshd(8)). sudo and su remove it from the environment of their children, but
parent processes still have it. The last resort is the socket of sshd.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_ESTABLISHED = "01"  # include/net/tcp_states.h


def connection(proc: str = "/proc", environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """``{local, peer, ssh_connection_source}``: the addresses of both ends (str) and their source.

    The source is ``environment`` (of this process), ``process`` (environment of a parent, or socket of the parent
    sshd), or empty without an SSH session. ``proc`` and ``environment`` are for tests.
    """
    own = (os.environ if environment is None else environment).get("SSH_CONNECTION", "")
    ends = parse(own)
    if ends:
        return dict(ends, ssh_connection_source="environment")
    daemons = []
    for pid in _ancestors(proc):
        ends = parse(_environment(proc, pid).get("SSH_CONNECTION", ""))
        if ends:
            return dict(ends, ssh_connection_source="process")
        if _read("%s/%s/comm" % (proc, pid)).startswith("sshd"):
            daemons.append(pid)
    for pid in daemons:
        ends = _socket_ends(proc, pid)
        if ends:
            return dict(ends, ssh_connection_source="process")
    return {"local": "", "peer": "", "ssh_connection_source": ""}


def parse(value: str) -> dict[str, str] | None:
    """``{local, peer}`` of an SSH_CONNECTION ("client port server port"), None if invalid. Pure."""
    words = value.split()
    if len(words) != 4 or address(words[2]) is None:
        return None
    return {"local": words[2], "peer": words[0]}


def address(text: str) -> tuple[Any, str] | None:
    """``(ip_address, zone)`` of an address in sshd's format, None if invalid. Pure.

    IPv4 seen through an IPv6 socket (::ffff:192.0.2.1) is the IPv4 address; the zone of fe80::1%eth0 is ``eth0``.
    """
    bare, _percent, zone = text.partition("%")
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed, zone


def normal(text: str) -> str:
    """The address ``text``, without its zone, as ipaddress writes it. Raises ValueError when it is none (pure)."""
    parsed = address(text)
    if parsed is None:
        raise ValueError("%r is not an IP address" % text)
    return str(parsed[0])


def device_of(local: str, links: Iterable[Mapping]) -> str:
    """The device in ``links`` (from kernel.links()) that has the address ``local``; "" if there is none. Pure.

    Addresses are compared by value, not as text. A zone (name or index) selects among devices with the same address.
    """
    wanted = address(local)
    if wanted is None:
        return ""
    holders = [
        link
        for link in links
        if any(
            parsed is not None and parsed[0] == wanted[0]
            for parsed in (address(entry.get("local", "")) for entry in link.get("addr_info") or [])
        )
    ]
    if wanted[1]:
        holders = [link for link in holders if wanted[1] in (link["ifname"], str(link["ifindex"]))]
    return holders[0]["ifname"] if holders else ""


def _ancestors(proc: str) -> list[str]:
    pid = "self"
    seen: list[str] = []
    while len(seen) < 64:
        # The name in parentheses can contain blanks and parentheses; the parent follows the state after it.
        rest = _read("%s/%s/stat" % (proc, pid)).rpartition(")")[2].split()
        if len(rest) < 2 or rest[1] in ("0", "1"):
            break
        pid = rest[1]
        seen.append(pid)
    return seen


def _environment(proc: str, pid: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in _read("%s/%s/environ" % (proc, pid)).split("\0") if "=" in pair)


def _socket_ends(proc: str, pid: str) -> dict[str, str] | None:
    folder = "%s/%s/fd" % (proc, pid)
    inodes = []
    try:
        for number in sorted(os.listdir(folder), key=int):
            match = re.match(r"socket:\[(\d+)\]$", os.readlink(os.path.join(folder, number)))
            if match:
                inodes.append(match.group(1))
    except OSError:  # a process of another user, or one that has just ended
        return None
    established: dict[str, dict[str, str]] = {}
    for table in ("tcp", "tcp6"):
        established.update(_established(_read("%s/%s/net/%s" % (proc, pid, table))))
    # The socket of the session is older than those of forwarded ports, so it has a lower number.
    return next((established[inode] for inode in inodes if inode in established), None)


def _established(table: str) -> dict[str, dict[str, str]]:
    """``{inode: {local, peer}}`` of the established connections in the text of /proc/net/tcp or tcp6."""
    ends = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == _ESTABLISHED:
            ends[words[9]] = {"local": _from_hex(words[1]), "peer": _from_hex(words[2])}
    return ends


def _from_hex(text: str) -> str:
    # Each 32-bit word of the address is printed as an integer in the machine's byte order (proc_net_tcp.rst).
    raw = bytes.fromhex(text.split(":")[0])
    words = [int.from_bytes(raw[at : at + 4], "big").to_bytes(4, sys.byteorder) for at in range(0, len(raw), 4)]
    return normal(str(ipaddress.ip_address(b"".join(words))))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError:
        return ""
