# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts of host_network_facts, validated and immutable: capabilities, nmstate state, VDSM's records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import in_subnet, netmask, same_address
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import (
    Bond,
    Network,
    reported_bond,
    tag_of,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import DEFAULT_MTU, FormatError

_MAPS = ("nics", "bondings", "vlans", "bridges")
_WHOLE = "pass ansible_facts.host_network of ovirt.mgmt_network.host_network_facts"


class FactsError(FormatError):
    """The facts are not what host_network_facts returns."""


@dataclass(frozen=True)
class Facts:
    """The facts of one host.

    ``nics``, ``bondings``, ``vlans``, ``bridges``, ``networks``, ``teams``: capabilities entries by name.
    ``active_interface``: lastClientIface, "" if unknown. ``control_address``: the host's end of the control connection.
    ``running``: {networks, bondings} as recorded in VDSM's persistence, None in plain capabilities, which do not
    contain it. ``unsaved``, ``in_memory``: {networks, bondings}, lists of names. ``unmanaged``: {device: why}.
    """

    nics: Mapping[str, Data]
    bondings: Mapping[str, Data]
    vlans: Mapping[str, Data]
    bridges: Mapping[str, Data]
    networks: Mapping[str, Data]
    teams: Mapping[str, Data]
    active_interface: str
    control_address: str
    nameservers: tuple[str, ...]
    max_mtu: Mapping[str, int]
    supports_ipv6: bool
    state: HostState
    running: Data | None
    profiles: Mapping[str, Data]
    unsaved: Data
    in_memory: Data
    unmanaged: Mapping[str, str]

    def device(self, name: str) -> Data:
        """The capabilities entry of the device ``name``, {} if there is none."""
        maps = (self.nics, self.bondings, self.vlans, self.bridges)
        return next((entries[name] for entries in maps if name in entries), {})

    def vlan_device(self, base: str, tag: int | None) -> str:
        """The device of VLAN ``tag`` on ``base``, ``base`` itself if untagged; "" if there is none."""
        if tag is None:
            return base
        return next(
            (name for name, vlan in self.vlans.items() if (vlan.get("iface"), int(vlan["vlanid"])) == (base, tag)), ""
        )

    def uppers(self, device: str) -> list[str]:
        """The VLAN devices on top of ``device``, by name."""
        return sorted(name for name, vlan in self.vlans.items() if vlan.get("iface") == device)

    def records(self) -> dict[str, Data]:
        """VDSM's records of networks by name: its persistence, or, in plain capabilities, the reported networks."""
        if self.running is None:
            return dict(self.networks)
        return self.running.get("networks") or {}

    def recorded_bonds(self) -> Data | None:
        """VDSM's records of bonds by name, None if unknown."""
        return None if self.running is None else self.running.get("bondings") or {}

    def bond(self, name: str) -> Bond:
        """The current state of the bond ``name``."""
        return reported_bond(name, self.bondings[name])

    def host_networks(self) -> dict[str, Network]:
        """The networks that VDSM has on the host, reported or recorded, by name: their base, VLAN, MTU, and QoS."""
        networks = {}
        for name, entry in sorted({**self.records(), **self.networks}.items()):
            # a bridge without a port stands on nothing
            device = "" if entry.get("bridged") else entry.get("iface")
            south = entry.get("southbound") or entry.get("bonding") or entry.get("nic") or device or ""
            vlan = self.vlans.get(south)
            base = vlan.get("iface", south) if vlan is not None else south
            networks[name] = Network(
                name=name,
                base=base or None,
                bonded=base in self.bondings,
                vlan=tag_of(vlan.get("vlanid") if vlan is not None else entry.get("vlanid", entry.get("vlan"))),
                bridged=bool(entry.get("bridged", False)),
                mtu=int(entry.get("mtu") or DEFAULT_MTU),
                host_qos=entry.get("hostQos") or {},
            )
        return networks

    def with_control_address(self, device: Data) -> Data:
        """``device`` (capabilities entry) with the address of the control connection as its primary one.

        VDSM's primary address is the one in the gateway's subnet, or else the first one. The address to keep is the one
        that the controller is connected to. An IPv4 address that cannot reach the gateway remains secondary.
        """
        for key in ("ipv4addrs", "ipv6addrs"):
            addresses = device.get(key) or []
            chosen = next(
                (entry for entry in addresses if same_address(entry.partition("/")[0], self.control_address)), None
            )
            if chosen is None:
                continue
            if key == "ipv6addrs":
                return {**device, key: [chosen, *(entry for entry in addresses if entry != chosen)]}
            address, _slash, prefix = chosen.partition("/")
            if prefix and (not device.get("gateway") or in_subnet(address, prefix, device["gateway"])):
                return {**device, "addr": address, "netmask": netmask(int(prefix))}
        return device


def parse_facts(facts: object) -> Facts:
    """The Facts of ansible_facts.host_network.

    Raises FactsError if a required key is missing (nics, bondings, vlans, bridges, lastClientIface) or a key is
    malformed, StateFormatError if ``nmstate`` is not a state.
    """
    if not isinstance(facts, dict):
        raise FactsError(
            "facts", "expected a mapping, ansible_facts.host_network of ovirt.mgmt_network.host_network_facts"
        )
    maps = {key: _entries(facts, key, required=key in _MAPS) for key in (*_MAPS, "networks", "teams", "profiles")}
    for name, vlan in maps["vlans"].items():
        if not str(vlan.get("vlanid", "")).isdecimal():
            raise FactsError(f"vlans.{name}.vlanid", "expected the VLAN tag, an integer")
    if not isinstance(facts.get("lastClientIface"), str):
        raise FactsError("lastClientIface", "expected a string, the interface of the control connection")
    if not isinstance(facts.get("nameservers") or [], list):
        raise FactsError("nameservers", "expected a list of addresses")
    ipv6 = facts.get("supportsIPv6")
    return Facts(
        **maps,
        active_interface=facts["lastClientIface"],
        control_address=(facts.get("control") or {}).get("local") or "",
        nameservers=tuple(facts.get("nameservers") or ()),
        max_mtu=facts.get("max_mtu") or {},
        supports_ipv6=True if ipv6 is None else bool(ipv6),
        state=HostState(facts.get("nmstate")),
        running=facts.get("running"),
        unsaved=facts.get("unsaved") or {},
        in_memory=facts.get("in_memory") or {},
        unmanaged=facts.get("unmanaged") or {},
    )


def _entries(facts: Data, key: str, required: bool) -> dict[str, Data]:
    entries = facts.get(key)
    if entries is None:
        if required:
            raise FactsError(key, f"this key is missing in the facts; {_WHOLE}")
        return {}
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise FactsError(key, "expected a mapping of device names to their properties")
    return entries
