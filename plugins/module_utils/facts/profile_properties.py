# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of a NetworkManager profile for which nmstate has no word, and which are to come along with the addresses.
Pure.

Names are nmcli's ("connection.zone"), values those of NetworkManager's D-Bus: text, a number, or a list of text. A
profile is what GetSettings gives: ``{setting: {property: value}}``.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# How a change comes into effect on a device that is up: at once (nm_device_reapply_settings_immediately()), by a
# reapply, or by a reapply that ends the DHCP client of the family first, for otherwise it is kept (1.52:
# _cleanup_ip_pre()).
LIVE, REAPPLY, RESTART = "live", "reapply", "restart"

# What decides who the host is, whom it lets in, and how it finds others. Not here: what nmstate has a word for, what it
# decides by itself (timeouts, may-fail, dns-priority), how eagerly a profile is tried (autoconnect-*, wait-*,
# dad-timeout), what is not IP.
CARRIED = {
    "connection.zone": LIVE,  # firewalld: the default zone may shut the controller out, or let everybody in
    "connection.metered": LIVE,  # updaters ask it whether they may load
    "connection.mdns": REAPPLY,  # names on this link: whether the host answers for its own
    "connection.llmnr": REAPPLY,  # likewise
    "connection.dns-over-tls": REAPPLY,  # servers that answer nothing else
    "ipv4.dhcp-vendor-class-identifier": RESTART,  # by it a DHCP server chooses the pool
    "ipv4.dhcp-reject-servers": RESTART,  # strange servers on the link
    "ipv4.link-local": REAPPLY,  # a 169.254/16 address beside the other
    "ipv4.replace-local-rule": REAPPLY,  # policy rules that are to come before the kernel's own
    "ipv4.routed-dns": REAPPLY,  # by which link DNS servers are asked
    "ipv6.dhcp-iaid": RESTART,  # half of the identity that DHCPv6 servers know the host by
    "ipv6.ip6-privacy": REAPPLY,  # which of its addresses the host shows to others
    "ipv6.replace-local-rule": REAPPLY,
    "ipv6.routed-dns": REAPPLY,
}
# What VDSM says of every bond that it edits, and NetworkManager takes only by a new activation where the profile is
# silent (1.52: can_reapply_change()). It counts from the next activation on; the device has both already.
STATED = ("802-3-ethernet.cloned-mac-address", "802-3-ethernet.mtu")
IAID = "ipv6.dhcp-iaid"
# What nmstate reads of a route and a rule in a profile and writes again; the rest of them would be lost (its
# nm/settings/route*.rs).
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
    """``{property: value}`` of CARRIED that ``profile`` has set."""
    return {name: value for name in CARRIED for value in [get(profile, name)] if value not in (None, "", [])}


def static_addresses(profile: Mapping[str, Any], family: str) -> list[str]:
    """The static addresses of a family (ipv4, ipv6) in ``profile``, each ``address/prefix``."""
    entries = (profile.get(family) or {}).get("address-data") or []
    return ["%s/%s" % (entry["address"], entry["prefix"]) for entry in entries]


def beyond_nmstate(profile: Mapping[str, Any]) -> list[str]:
    """What routes and rules of ``profile`` have that nmstate has no word for, a sentence's part each."""
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
    """What of ``wanted`` ({property: value}) ``profile`` does not have."""
    return {name: value for name, value in wanted.items() if not same(value, get(profile, name))}


def get(profile: Mapping[str, Any], name: str) -> Any:
    """The value of the property ``name``, None when it is not set."""
    section, _dot, key = name.partition(".")
    # NetworkManager's D-Bus has the MAC as text under a name of its own.
    return (profile.get(section) or {}).get("assigned-mac-address" if key == "cloned-mac-address" else key)


def same(value: Any, other: Any) -> bool:
    """Whether two values are the same to NetworkManager, which has numbers where nmcli has text."""
    if isinstance(value, list) or isinstance(other, list):
        return [str(part) for part in value or []] == [str(part) for part in other or []]
    return str("" if value is None else value) == str("" if other is None else other)
