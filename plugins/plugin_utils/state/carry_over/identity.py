# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The identity of a host for DHCP servers and routers, as nmstate keys for the device that gets the addresses.

nmstate writes an identity into every dynamic family that it applies: client ID ``mac``, DUID ``ll``, IPv6 addresses
derived from the MAC address (EUI-64). The MAC address is kept, so only identities that are not derived from it must be
set.
"""

from __future__ import annotations

import ipaddress

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data

# Keywords that NetworkManager or nmstate resolve with the name or the profile of the device, so differently on another
# device.
_SYMBOLIC = {
    "ipv4": ("", "ll", "mac", "perm-mac", "iaid+duid", "duid", "ipv6-duid", "stable"),
    "ipv6": ("", "ll", "llt", "en", "uuid", "lease", "stable-ll", "stable-llt", "stable-uuid"),
}
_KEYS = {
    "ipv4": ("dhcp-client-id", "dhcp_client_id", "lease_client_id"),
    "ipv6": ("dhcp-duid", "dhcp_duid", "lease_duid"),
}
_IN_NMSTATE = {"mac": "ll", "duid": "iaid+duid"}
_LINK_LAYER = {
    "ipv4": "01:",
    "ipv6": "00:03:00:01:",
}  # client ID of RFC 2132 9.14, DUID-LL of RFC 8415 11.4, on Ethernet
_INTERFACE_ID = (1 << 64) - 1


def dhcp_identity(family: str, had: Data, profile: Data, mac: str, moves: bool) -> Data:
    """The keys of a dynamic family that keep the identity of the client.

    ``family``: ipv4 or ipv6. ``had``: this family of the current device (nmstate). ``profile``: facts of its profile,
    with the identity in use (lease_client_id, lease_duid) if there is a lease. ``mac``: of the new device. ``moves``:
    whether it is another device.
    """
    key, configured_fact, lease_fact = _KEYS[family]
    configured = had.get(key) or profile.get(configured_fact) or ""
    configured = _IN_NMSTATE.get(configured, configured)
    in_use = (profile.get(lease_fact) or "").lower()
    identity: Data = {}
    if configured not in _SYMBOLIC[family] or (configured and not moves):
        identity[key] = configured
    elif in_use and in_use != _LINK_LAYER[family] + mac.lower():
        identity[key] = in_use
    elif configured not in ("", "ll") and not in_use:
        identity[key] = configured
    if had.get("dhcp-send-hostname") is False:
        identity["dhcp-send-hostname"] = False
    elif had.get("dhcp-custom-hostname"):
        identity["dhcp-custom-hostname"] = had["dhcp-custom-hostname"]
    return identity


def slaac(had: Data, profile: Data, mac: str, moves: bool) -> Data:
    """The keys of an autoconfigured IPv6 family that keep its address: ``token`` or, on the same device, its address
    generation mode.
    """
    if not had.get("autoconf"):
        return {}
    if had.get("token") and had["token"] != "::":
        return {"token": had["token"]}
    if not moves:
        mode = had.get("addr-gen-mode")
        return {"addr-gen-mode": mode} if mode and mode != "eui64" else {}
    ids = interface_ids(profile.get("slaac_addresses") or [])
    # An address that is not derived from the MAC address is a hash that includes the device name.
    if not ids or eui64(mac) in ids:
        return {}
    return {"token": str(ipaddress.IPv6Address(ids[0]))}


def interface_ids(addresses: list[str]) -> list[int]:
    """The interface identifiers (lower halves) of IPv6 addresses (``address/prefix``)."""
    return [int(ipaddress.IPv6Interface(address).ip) & _INTERFACE_ID for address in addresses]


def eui64(mac: str) -> int | None:
    """The interface identifier derived from a MAC address (RFC 4291, appendix A), None if it is not a MAC address."""
    try:
        octets = bytes.fromhex(mac.replace(":", ""))
    except ValueError:
        return None
    if len(octets) != 6:
        return None
    return int.from_bytes(bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:], "big")
