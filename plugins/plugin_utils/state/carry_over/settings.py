# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Profile settings to carry over that nmstate does not support, and what cannot be carried over at all.

Settings are in addition to the desired state and are written on the host (module_utils/effects/profile_settings.py,
which has the list). What cannot be carried over is a loss, and the change is refused unless it is permitted by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import is_dynamic
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Bond, Network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.identity import eui64, interface_ids

IAID = "ipv6.dhcp-iaid"
MAC, MTU = "802-3-ethernet.cloned-mac-address", "802-3-ethernet.mtu"
# Keywords for an IAID that NetworkManager resolves with the device's name or profile; nmstate writes "mac".
_SYMBOLIC_IAIDS = ("", "mac", "perm-mac", "ifname", "stable")

# Losses that can be permitted: {name: text in a reason}.
LOSSES = {
    "slaac_address": "an IPv6 address that is not derived from the MAC address",
    "route_or_rule": "an attribute of a route or policy rule that nmstate does not support",
}


@dataclass(frozen=True)
class Loss:
    """What is lost when addresses leave ``device``. ``name``: a key of LOSSES. ``values``: as text."""

    name: str
    device: str
    values: str


def of_bond(bond: Bond, mtu: int | None) -> Data:
    """The profile settings of an existing bond: its MAC address and MTU.

    VDSM sets both in every edit of a bond (vdsm: network/nmstate/bond.py, linux_bridge.py). If the profile does not
    contain them, it cannot be reapplied, so NetworkManager activates the bond again and interrupts traffic for a
    second.
    """
    return {MAC: (bond.hwaddr or "").upper(), **({MTU: mtu} if mtu else {})}


def of_network(network: Network, source: Data, profile: Data) -> Data:
    """The settings for the profile that gets the addresses of ``network`` from ``source`` (nmstate interface) with
    ``profile`` (facts).
    """
    dynamic6 = network.dhcpv6 or network.ipv6autoconf
    families = {"connection": True, "ipv4": network.dhcpv4 or network.ipv4, "ipv6": dynamic6 or network.ipv6}
    wanted = {
        name: value
        for name, value in (profile.get("settings") or {}).items()
        if families[name.partition(".")[0]] and name != IAID
    }
    iaid = _iaid(profile, source.get("mac-address") or "") if dynamic6 and is_dynamic(source.get("ipv6") or {}) else ""
    return {**wanted, IAID: iaid} if iaid else wanted


def _iaid(profile: Data, mac: str) -> str:
    """The IAID in use, or else the configured one; empty if it is the one that nmstate writes, the last four octets of
    the MAC address.
    """
    configured = str((profile.get("settings") or {}).get(IAID) or "")
    iaid = profile.get("lease_iaid") or (configured if configured not in _SYMBOLIC_IAIDS else "")
    return "" if iaid.lower() == mac.lower()[-11:] else iaid


def losses(device: str, profile: Data, mac: str, moves: bool) -> list[Loss]:
    """The losses when addresses leave ``device``.

    ``profile``: facts of its profile. ``mac``: its MAC address. ``moves``: whether another device gets the addresses.
    """
    if not moves:
        return []
    values = {
        "slaac_address": ", ".join(_lost_addresses(profile, mac)),
        "route_or_rule": "; ".join(profile.get("beyond_nmstate") or []),
    }
    return [Loss(name, device, words) for name, words in values.items() if words]


def _lost_addresses(profile: Data, mac: str) -> list[str]:
    """All hashed addresses except the first one: a token is one identifier for all prefixes, and the MAC address gives
    another one.
    """
    announced = profile.get("slaac_addresses") or []
    if profile.get("token") not in (None, "", "::"):
        return []
    kept = interface_ids(announced)[:1] if eui64(mac) not in interface_ids(announced) else [eui64(mac)]
    return [address for address in announced if interface_ids([address]) != kept]
