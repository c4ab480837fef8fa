# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Functions for IP addresses, based on netaddr.

Text with an IPv6 zone (``fe80::1%eth0``) is accepted; comparisons ignore the zone.
"""

from __future__ import annotations

from typing import Any

try:
    import netaddr
except ImportError as error:  # the filters report it; importing this file must not fail
    netaddr = None
    NETADDR_IMPORT_ERROR: ImportError | None = error
else:
    NETADDR_IMPORT_ERROR = None


def parse_address(text: object, zerofill: bool = False) -> Any:
    """Return the netaddr.IPAddress of ``text`` (address without prefix length), or None if it is invalid.

    Leading zeros in IPv4 octets are rejected, because tools interpret them as octal or decimal, unless ``zerofill``.
    """
    if not isinstance(text, str) or not text:
        return None
    flags = netaddr.INET_PTON | (netaddr.ZEROFILL if zerofill else 0)
    try:
        return netaddr.IPAddress(text.partition("%")[0], flags=flags)
    except (netaddr.AddrFormatError, ValueError):
        return None


def is_unspecified(text: object) -> bool:
    """True for ``0.0.0.0`` and every spelling of ``::``; False for anything else, including None and ""."""
    address = parse_address(text)
    return address is not None and int(address) == 0


def is_real(text: object) -> bool:
    """True for an address other than the unspecified one (VDSM writes ``::`` for "no gateway")."""
    address = parse_address(text)
    return address is not None and int(address) != 0


def same_address(address: object, other: object) -> bool:
    """True if both are addresses and equal by value (``1::2`` = ``1:0::2``, ``1.2.3.04`` = ``1.2.3.4``)."""
    first, second = parse_address(address, zerofill=True), parse_address(other, zerofill=True)
    return first is not None and first == second


def canonical(text: str) -> str:
    """The canonical spelling of an address, including its zone. Other text is returned unchanged."""
    address = parse_address(text, zerofill=True)
    if address is None:
        return text
    zone = text.partition("%")[2]
    return f"{address}%{zone}" if zone else str(address)


def prefix_length(mask: object) -> int | None:
    """Prefix length (0..32) of an IPv4 netmask or prefix (``255.255.255.0``, ``24``, ``/24``), None if invalid."""
    text = str(mask).lstrip("/") if mask is not None else ""
    if text.isdecimal():
        return int(text) if int(text) <= 32 else None
    address = parse_address(text)
    if address is None or address.version != 4 or not address.is_netmask():
        return None
    return int(address.netmask_bits())


def in_subnet(address: str, mask: object, other: str) -> bool:
    """True if ``other`` is in the IPv4 subnet of ``address`` with ``mask`` (netmask or prefix length)."""
    prefix, gateway = prefix_length(mask), parse_address(other)
    if prefix is None or gateway is None or gateway.version != 4 or parse_address(address) is None:
        return False
    return bool(gateway in netaddr.IPNetwork(f"{address}/{prefix}"))


def netmask(prefix: int) -> str:
    """IPv4 netmask of a prefix length: ``255.255.255.0`` for 24."""
    return str(netaddr.IPNetwork(f"0.0.0.0/{prefix}").netmask)
