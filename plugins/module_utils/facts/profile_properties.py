# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of a NetworkManager profile that nmstate does not support and that must move with the addresses. Pure.

Names are those of nmcli ("connection.zone"), values those of NetworkManager's D-Bus API: text, a number, or a list of
text. A profile is in the format of
GetSettings: ``{setting: {property: value}}``.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# How a change is activated on a device that is up: immediately (nm_device_reapply_settings_immediately()), by a
# reapply, or by a reapply after stopping the DHCP client of the family, which is kept otherwise (1.52:
# _cleanup_ip_pre()).
LIVE, REAPPLY, RESTART = "live", "reapply", "restart"

# Properties for the identity of the host, its firewall, and name resolution. Not included: properties that nmstate
# supports or sets itself (timeouts, may-fail, dns-priority), properties for the activation of a profile (autoconnect-*,
# wait-*, dad-timeout), and properties other than IP.
CARRIED = {
    "connection.zone": LIVE,  # firewalld: the default zone may block the controller, or allow everything
    "connection.metered": LIVE,  # updaters check it before downloads
    "connection.mdns": REAPPLY,  # whether the host answers for its own name on this link
    "connection.llmnr": REAPPLY,  # the same
    "connection.dns-over-tls": REAPPLY,  # for servers that accept nothing else
    "ipv4.dhcp-vendor-class-identifier": RESTART,  # DHCP servers choose the pool by it
    "ipv4.dhcp-reject-servers": RESTART,  # unwanted DHCP servers on the link
    "ipv4.link-local": REAPPLY,  # an additional address in 169.254/16
    "ipv4.replace-local-rule": REAPPLY,  # policy rules that must precede the kernel's own
    "ipv4.routed-dns": REAPPLY,  # which link is used for DNS servers
    "ipv6.dhcp-iaid": RESTART,  # part of the identity that DHCPv6 servers know
    "ipv6.ip6-privacy": REAPPLY,  # which of its addresses the host uses for connections
    "ipv6.replace-local-rule": REAPPLY,
    "ipv6.routed-dns": REAPPLY,
}
# VDSM sets these for every bond that it edits. If the profile does not contain them, NetworkManager activates the bond
# again (1.52: can_reapply_change()). They take effect at the next activation; the device has these values already.
STATED = ("802-3-ethernet.cloned-mac-address", "802-3-ethernet.mtu")
IAID = "ipv6.dhcp-iaid"
# The attributes of a route and a rule that nmstate reads from a profile and writes again; others would be lost
# (nmstate: nm/settings/route*.rs).
_ROUTE = ("dest", "prefix", "next-hop", "metric", "table", "type", "src", "weight", "cwnd", "lock-cwnd")
_RULE = (
    "family",
    "priority",
    "from",
    "from-len",
    "to",
    "to-len",
    "table",
    "fwmark",
    "fwmask",
    "iifname",
    "action",
    "suppress-prefixlength",
)


def carried(profile: Mapping[str, Any]) -> dict[str, Any]:
    """``{property: value}`` of the properties of CARRIED that are set in ``profile``."""
    return {name: value for name in CARRIED for value in [get(profile, name)] if value not in (None, "", [])}


def static_addresses(profile: Mapping[str, Any], family: str) -> list[str]:
    """The static addresses of a family (ipv4, ipv6) in ``profile``, as ``address/prefix``."""
    entries = (profile.get(family) or {}).get("address-data") or []
    return ["%s/%s" % (entry["address"], entry["prefix"]) for entry in entries]


def beyond_nmstate(profile: Mapping[str, Any]) -> list[str]:
    """The attributes of routes and rules in ``profile`` that nmstate does not support, each as words for messages."""
    parts = []
    for family in ("ipv4", "ipv6"):
        for kind, key, known in (("route", "route-data", _ROUTE), ("rule", "routing-rules", _RULE)):
            for entry in (profile.get(family) or {}).get(key) or []:
                unknown = ["%s %s" % (word, json.dumps(entry[word])) for word in sorted(set(entry) - set(known))]
                name = "%s/%s" % (entry.get("dest"), entry.get("prefix"))
                if kind == "rule":
                    name = "with priority %s" % entry.get("priority")
                if unknown:
                    parts.append("the %s %s with %s" % (kind, name, ", ".join(unknown)))
    return parts


def differing(wanted: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """The part of ``wanted`` ({property: value}) that differs from ``profile``."""
    return {name: value for name, value in wanted.items() if not same(value, get(profile, name))}


def get(profile: Mapping[str, Any], name: str) -> Any:
    """The value of the property ``name``, None when it is not set."""
    section, _dot, key = name.partition(".")
    # NetworkManager's D-Bus API has the MAC as text under another name.
    return (profile.get(section) or {}).get("assigned-mac-address" if key == "cloned-mac-address" else key)


def same(value: Any, other: Any) -> bool:
    """Whether NetworkManager treats two values as equal; it uses numbers where nmcli uses text."""
    if isinstance(value, list) or isinstance(other, list):
        return [str(part) for part in value or []] == [str(part) for part in other or []]
    return str("" if value is None else value) == str("" if other is None else other)
