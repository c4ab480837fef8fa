# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host's current nmstate state, with the queries that the generator of desired states needs."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import MAX_DEVICE_NAME, FormatError


class StateFormatError(FormatError):
    """The data about the host is invalid."""


def check_mapping(key: str, value: object) -> None:
    """Raise StateFormatError unless ``value`` is a mapping or None."""
    if value is not None and not isinstance(value, dict):
        raise StateFormatError(key, f"got {describe(value)}, expected a mapping")


def vlan_name(base: str | None, tag: int) -> str:
    """VDSM's name for the device of VLAN ``tag`` on ``base``, the only one that it supports."""
    return f"{base}.{tag}"


class HostState:
    """Queries on ``state``: the output of ``nmstatectl show``, its digest (``nmstate`` of the facts), or None for an
    empty state. Raises StateFormatError.

    Interfaces that NetworkManager does not manage (state ignore) exist, because their names are in use.
    """

    def __init__(self, state: Data | None) -> None:
        _check(state)
        state = state or {}
        self.interfaces: dict[str, Data] = {iface["name"]: iface for iface in state.get("interfaces") or []}
        routes = state.get("routes") or {}
        self.configured_routes: list[Data] = routes.get("config") or []
        # Routes from DHCP and router advertisements are only here, and not in a digest.
        self.running_routes: list[Data] = routes.get("running") or self.configured_routes
        self.rules: list[Data] = (state.get("route-rules") or {}).get("config") or []
        self.resolver: Data = (state.get("dns-resolver") or {}).get("config") or {}

    def get(self, name: str | None) -> Data:
        """The interface ``name``, {} if there is none."""
        return self.interfaces.get(name or "", {})

    def is_up(self, name: str | None) -> bool:
        return bool(self.get(name).get("state") == "up")

    def is_bond(self, name: str | None) -> bool:
        return bool(self.get(name).get("type") == "bond")

    def mtu(self, name: str | None) -> int | None:
        mtu: int | None = self.get(name).get("mtu")
        return mtu

    def vlans(self) -> list[Data]:
        """The VLAN devices whose base is known."""
        return [
            iface
            for iface in self.interfaces.values()
            if iface.get("type") == "vlan" and (iface.get("vlan") or {}).get("base-iface")
        ]

    def vlan_device(self, base: str | None, tag: int) -> str:
        """The name of the device of VLAN ``tag`` on ``base``: the current one, or else VDSM's ``base.tag``."""
        for iface in self.vlans():
            if iface["vlan"]["base-iface"] == base and iface["vlan"].get("id") == tag:
                return str(iface["name"])
        return vlan_name(base, tag)

    def vlan_to_make(self, base: str | None, tag: int, keep_name: bool) -> tuple[str, str | None]:
        """(device, replaces): the desired name of the device of VLAN ``tag`` on ``base``, and its current name if this
        differs.

        The desired name is VDSM's, because VDSM always creates the device under this name and the kernel rejects a
        second device with the same tag. It is the current name with ``keep_name``, or if the device cannot be created
        again: VDSM's name is too long or in use, or a VLAN is on top.
        """
        now, wanted = self.vlan_device(base, tag), vlan_name(base, tag)
        upper = any(vlan["vlan"]["base-iface"] == now for vlan in self.vlans())
        if now == wanted or keep_name or len(wanted) > MAX_DEVICE_NAME or wanted in self.interfaces or upper:
            return now, None
        return wanted, now

    def has_stack(self, name: str | None) -> bool:
        """Whether the interface is up with IPv4 or IPv6 in use."""
        return self.is_up(name) and any(
            (self.get(name).get(family) or {}).get("enabled") for family in ("ipv4", "ipv6")
        )

    def bridges_on(self, port: str) -> list[Data]:
        """The bridges that have ``port`` as a port."""
        return [iface for iface in self.interfaces.values() if port in bridge_ports(iface)]


def _check(state: object) -> None:
    if state is None:
        return
    if not isinstance(state, dict) or not isinstance(state.get("interfaces"), list):
        raise StateFormatError(
            "current", "expected an nmstate state with a list 'interfaces', such as host_network.nmstate of the facts"
        )
    for index, interface in enumerate(state["interfaces"]):
        if not isinstance(interface, dict) or not isinstance(interface.get("name"), str):
            raise StateFormatError(f"current.interfaces[{index}]", "expected a mapping with the name of the interface")
    for key in ("routes", "route-rules", "dns-resolver"):
        check_mapping(f"current.{key}", state.get(key))


def is_dynamic(stack: Data) -> bool:
    """Whether a family (``ipv4`` or ``ipv6`` of an interface) gets its addresses from DHCP or router advertisements."""
    return bool(stack.get("enabled") and (stack.get("dhcp") or stack.get("autoconf")))


def bridge_ports(iface: Data) -> list[str]:
    """The names of a bridge's ports (nmstate uses the keys ``port`` and ``ports``)."""
    bridge = iface.get("bridge") or {}
    return [port["name"] for port in bridge.get("port", bridge.get("ports")) or []]


def bond_ports(iface: Data) -> list[str]:
    """The names of a bond's ports."""
    bond = iface.get("link-aggregation") or {}
    return list(bond.get("port", bond.get("ports")) or [])
