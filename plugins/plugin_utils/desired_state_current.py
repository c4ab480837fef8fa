# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host's current nmstate state, as the generator of desired states asks it."""

from __future__ import annotations


class Current:
    """Answers about ``state``: ``nmstatectl show`` as data, the same digested (facts' ``nmstate``), or None for nothing.

    Interfaces that NetworkManager does not manage (state ignore) count as existing, for their names are taken.
    """

    def __init__(self, state: dict | None):
        state = state or {}
        self.interfaces = {iface["name"]: iface for iface in state.get("interfaces") or []}
        routes = state.get("routes") or {}
        self.configured_routes = routes.get("config") or []
        # Routes that DHCP or a router announced are only here, and only in a state that was not digested.
        self.running_routes = routes.get("running") or self.configured_routes
        self.rules = (state.get("route-rules") or {}).get("config") or []
        self.resolver = (state.get("dns-resolver") or {}).get("config") or {}

    def get(self, name: str | None) -> dict:
        """The interface ``name``, {} when there is none."""
        return self.interfaces.get(name, {})

    def is_up(self, name: str | None) -> bool:
        return self.get(name).get("state") == "up"

    def is_bond(self, name: str) -> bool:
        return self.get(name).get("type") == "bond"

    def mtu(self, name: str | None) -> int | None:
        return self.get(name).get("mtu")

    def vlans(self) -> list[dict]:
        """The VLAN devices whose base is known."""
        return [iface for iface in self.interfaces.values() if iface.get("type") == "vlan" and (iface.get("vlan") or {}).get("base-iface")]

    def vlan_device(self, base: str | None, tag: int) -> str:
        """The name of the device of VLAN ``tag`` on ``base``: what it is called now, else VDSM's ``base.tag``."""
        for iface in self.vlans():
            if iface["vlan"]["base-iface"] == base and iface["vlan"].get("id") == tag:
                return iface["name"]
        return f"{base}.{tag}"

    def has_stack(self, name: str | None) -> bool:
        """Whether the interface is up with IPv4 or IPv6 in use."""
        return self.is_up(name) and any((self.get(name).get(family) or {}).get("enabled") for family in ("ipv4", "ipv6"))

    def bridges_on(self, port: str) -> list[dict]:
        """The bridges that have ``port`` as a port."""
        return [iface for iface in self.interfaces.values() if port in bridge_ports(iface)]


def bridge_ports(iface: dict) -> list[str]:
    """The names of a bridge's ports (nmstate spells the key ``port`` or ``ports``)."""
    bridge = iface.get("bridge") or {}
    return [port["name"] for port in bridge.get("port", bridge.get("ports")) or []]


def bond_ports(iface: dict) -> list[str]:
    """The names of a bond's ports, likewise."""
    bond = iface.get("link-aggregation") or {}
    return list(bond.get("port", bond.get("ports")) or [])
