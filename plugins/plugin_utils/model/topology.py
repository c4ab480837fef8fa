# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The position of interfaces and networks on a host.

It is read from the capabilities, not from device names: a VLAN device can have any name.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import unmanaged as managed
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts, parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import vlan_name
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import tag_of
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data


class InterfaceError(Exception):
    """An interface cannot carry the management network. ``interface``: its name, ``remedy``: what to do."""

    def __init__(self, interface: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.interface = interface
        self.remedy = remedy


@dataclass(frozen=True)
class Position:
    """``interface`` is on ``base`` (NIC or bond; itself if untagged) with ``vlan`` (None if untagged)."""

    interface: str
    base: str
    bonded: bool
    vlan: int | None

    @property
    def vdsm_name(self) -> str:
        """VDSM's name of the interface: ``base.tag`` for a VLAN device (vdsm: network/nmstate/linux_bridge.py),
        otherwise the base itself.
        """
        return self.base if self.vlan is None else vlan_name(self.base, self.vlan)


@dataclass(frozen=True)
class ExistingNetwork:
    """An existing network of the host: its ``device``, the device's capabilities entry, and its position."""

    device: str
    caps: Data
    bridged: bool
    stp: bool | None
    position: Position


def nics_of(facts: Facts, position: Position) -> list[str]:
    """The NICs below: the ports of the bond, or the NIC."""
    return sorted(facts.bondings[position.base].get("slaves") or []) if position.bonded else [position.base]


def refuse_unmanaged(facts: Facts, interface: str) -> None:
    """Raise InterfaceError if NetworkManager does not manage ``interface`` or a device below it, because a change could
    not be undone.
    """
    devices, known = [interface], set()
    while devices:
        device = devices.pop(0)
        if device in facts.unmanaged:
            raise InterfaceError(interface, *managed.explain(device, facts.unmanaged[device]))
        known.add(device)
        below = [
            *(facts.bridges.get(device) or {}).get("ports", []),
            *(facts.bondings.get(device) or {}).get("slaves", []),
            (facts.vlans.get(device) or {}).get("iface"),
        ]
        devices += [name for name in below if name and name not in known]


def locate(facts: Facts, interface: str, network: str = "") -> Position:
    """Find the position of ``interface``. ``network``: a bridge of which it may be a port (the network's own).

    Raises InterfaceError if it is not a NIC, a bond, or a VLAN on either, or is part of another device.
    """
    if not interface:
        raise InterfaceError(
            "",
            "The interface of the control connection is unknown (lastClientIface is empty).",
            "Connect over SSH to an address that is configured on the host itself, not to a translated address, and "
            "run again.",
        )
    if interface in facts.bridges:
        raise InterfaceError(
            interface,
            f"{interface} is a bridge, but not the bridge of the management network.",
            f"Move the host's address from the bridge {interface} to its port or to another NIC, bond, or VLAN, and "
            "run again.",
        )
    vlan = facts.vlans.get(interface)
    base = vlan.get("iface", "") if vlan is not None else interface
    if base not in facts.nics and base not in facts.bondings:
        raise InterfaceError(interface, *_unusable(facts, interface, base))
    _refuse_part_of_another(facts, interface, base, network)
    return Position(interface, base, base in facts.bondings, int(vlan["vlanid"]) if vlan is not None else None)


def _unusable(facts: Facts, interface: str, base: str) -> tuple[str, str]:
    below = "" if base == interface else f"{interface} is a VLAN on {base or 'an unknown device'}; "
    if base in facts.teams:
        return (
            f"{below}{base} is a team, which VDSM does not support.",
            f"Replace the team {base} with a bond of the same NICs, and run again.",
        )
    if base in facts.bridges:
        return (
            f"{below}{base} is a bridge.",
            f"Put the VLAN on the port of the bridge {base} instead of on the bridge, and run again.",
        )
    what = (
        f"{base} is a VLAN itself" if base in facts.vlans else f"{base or interface} is not a NIC or a bond of the host"
    )
    return f"{below}{what}.", "Move the host's address to a NIC, a bond, or a VLAN on either, and run again."


def _refuse_part_of_another(facts: Facts, interface: str, base: str, network: str) -> None:
    # The base of a VLAN can be a bridge port: an untagged and a tagged VM network on the same NIC are common.
    for bond, entry in facts.bondings.items():
        if base in (entry.get("slaves") or []):
            raise InterfaceError(
                interface,
                f"{base} is a port of the bond {bond} and cannot have its own address or VLAN.",
                f"Move the host's address to the bond {bond} or to a VLAN on it, and run again.",
            )
    for bridge, entry in facts.bridges.items():
        if interface in (entry.get("ports") or []) and bridge != network:
            raise InterfaceError(
                interface,
                f"{interface} is a port of the bridge {bridge} and cannot have its own address.",
                f"Remove {interface} from the bridge {bridge}, and run again.",
            )


def find_network(facts: Facts, name: str) -> ExistingNetwork | None:
    """The existing network ``name`` (its name on the host), or None.

    It is identified by a bridge of this name or, if bridgeless, by VDSM's report or record. Records of missing bridges
    or devices are ignored. Raises InterfaceError unless its bridge has exactly one NIC, bond, or VLAN as a port.
    """
    reported = facts.networks.get(name, {})
    bridge = facts.bridges.get(name)
    if bridge is not None:
        # A record older than the bridge describes the port, which no longer has addresses.
        caps = {**bridge, **reported} if reported.get("bridged", True) else bridge
        stp = str(caps.get("stp", "off")).lower() in ("on", "true", "yes", "1")
        return ExistingNetwork(name, caps, True, stp, locate(facts, _southbound(facts, name, caps), name))
    record = reported or facts.records().get(name) or {}
    device = record.get("iface") or facts.vlan_device(
        record.get("bonding") or record.get("nic") or "", tag_of(record.get("vlan"))
    )
    if record.get("bridged", True) or not facts.device(device):
        return None
    return ExistingNetwork(device, {**facts.device(device), **reported}, False, None, locate(facts, device, name))


def _southbound(facts: Facts, name: str, bridge: Data) -> str:
    if bridge.get("southbound"):
        return str(bridge["southbound"])
    known = {*facts.nics, *facts.bondings, *facts.vlans}
    ports = [str(port) for port in bridge.get("ports") or [] if port in known]
    if len(ports) != 1:
        raise InterfaceError(
            name,
            f"The bridge {name} has {len(ports)} ports that are a NIC, a bond, or a "
            f"VLAN{': ' if ports else ''}{', '.join(ports)}.",
            f"Keep exactly one of them as a port of {name}, and run again.",
        )
    return ports[0]


def interfaces_down(document: Data, name: str) -> list[str]:
    """The devices that the network ``name`` needs and that are not up in the nmstate state of ``document``
    (host_network).

    One port of a bond is sufficient. [] if the host has no such network, or the facts have no nmstate state.
    """
    facts = parse_facts(document)
    existing = find_network(facts, name)
    if existing is None or not facts.state.interfaces:
        return []
    position = existing.position

    def is_down(device: str) -> bool:
        return bool(facts.state.get(device).get("state", "up") != "up")

    devices = [device for device in (existing.device, position.interface, position.base) if is_down(device)]
    nics = nics_of(facts, position)
    return list(dict.fromkeys(devices)) or (nics if all(map(is_down, nics)) else [])
