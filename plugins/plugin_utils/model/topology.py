# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where an interface and a network stand on a host: read from capabilities, names of devices never interpreted.

A VLAN device may have any name; its base and tag are what the capabilities say of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import unmanaged as managed
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import in_subnet, netmask, same_address


class FactsError(Exception):
    """The facts are not what host_network_facts returns. ``key``: the key at fault."""

    def __init__(self, key: str, problem: str):
        super().__init__(f"{key}: {problem}")
        self.key = key


class InterfaceError(Exception):
    """An interface cannot carry the management network. ``interface``: its name, ``remedy``: what to do."""

    def __init__(self, interface: str, reason: str, remedy: str):
        super().__init__(reason)
        self.interface = interface
        self.remedy = remedy


@dataclass(frozen=True)
class Position:
    """``interface`` stands on ``base`` (NIC or bond; itself when untagged) with ``vlan`` (None when untagged)."""

    interface: str
    base: str
    bonded: bool
    vlan: int | None

    @property
    def vdsm_name(self) -> str:
        """What VDSM would call the interface: a VLAN device is ``base.tag`` (vdsm: network/nmstate/linux_bridge.py),
        the base itself otherwise.
        """
        return self.base if self.vlan is None else vlan_name(self.base, self.vlan)


@dataclass(frozen=True)
class ExistingNetwork:
    """A network that the host already has: its ``device``, the device's capabilities entry, and what carries it."""

    device: str
    caps: dict
    bridged: bool
    stp: bool | None
    position: Position


_MAPS = ("nics", "bondings", "vlans", "bridges")


def check_facts(facts) -> dict:
    """Return ``facts`` with the optional parts filled in (networks, teams, nameservers, max_mtu, running).

    Raises FactsError for what no decision can be made without: nics, bondings, vlans, bridges (mappings of mappings)
    and lastClientIface (str).
    """
    if not isinstance(facts, dict):
        raise FactsError(
            "facts", "expected a mapping, ansible_facts.host_network of ovirt.mgmt_network.host_network_facts"
        )
    present = {key: value for key, value in facts.items() if value is not None}
    checked = {"networks": {}, "teams": {}, "nameservers": [], "max_mtu": {}, **present}
    for key in (*_MAPS, "networks", "teams"):
        if key not in checked:
            raise FactsError(
                key,
                "this key is missing in the facts; pass ansible_facts.host_network of "
                "ovirt.mgmt_network.host_network_facts",
            )
        if not isinstance(checked[key], dict) or not all(isinstance(entry, dict) for entry in checked[key].values()):
            raise FactsError(key, "expected a mapping of device names to their properties")
    for name, vlan in checked["vlans"].items():
        if not str(vlan.get("vlanid", "")).isdecimal():
            raise FactsError(f"vlans.{name}.vlanid", "expected the VLAN tag, an integer")
    if not isinstance(checked.get("lastClientIface"), str):
        raise FactsError("lastClientIface", "expected a string, the interface of the control connection")
    if not isinstance(checked["nameservers"], list):
        raise FactsError("nameservers", "expected a list of addresses")
    return checked


def vlan_name(base: str | None, tag: int) -> str:
    """VDSM's name for the device of VLAN ``tag`` on ``base``; it knows no other."""
    return f"{base}.{tag}"


def device_entry(facts: dict, name: str) -> dict:
    """The capabilities entry of the device ``name`` in whichever map it is ({} when in none)."""
    return next((facts[key][name] for key in _MAPS if name in facts[key]), {})


def recorded_networks(facts: dict) -> dict:
    """VDSM's records of networks by name: its persistence, or, in plain capabilities, the reported networks."""
    if "running" in facts:
        return (facts["running"] or {}).get("networks") or {}
    return facts["networks"]


def nics_of(facts: dict, position: Position) -> list[str]:
    """The NICs below: the legs of the bond, or the one NIC."""
    return sorted(facts["bondings"][position.base].get("slaves") or []) if position.bonded else [position.base]


def refuse_unmanaged(facts: dict, interface: str) -> None:
    """Raise InterfaceError when NetworkManager does not manage ``interface`` or what it stands on, so that no change of
    it could be undone.
    """
    unmanaged = facts.get("unmanaged") or {}
    devices, known = [interface], set()
    while devices:
        device = devices.pop(0)
        if device in unmanaged:
            raise InterfaceError(interface, *managed.explain(device, unmanaged[device]))
        known.add(device)
        below = [
            *(facts["bridges"].get(device) or {}).get("ports", []),
            *(facts["bondings"].get(device) or {}).get("slaves", []),
            (facts["vlans"].get(device) or {}).get("iface"),
        ]
        devices += [one for one in below if one and one not in known]


def locate(facts: dict, interface: str, network: str = "") -> Position:
    """Find what ``interface`` stands on. ``network``: a bridge it may be a port of (the network's own).

    Raises InterfaceError when it is no NIC, bond or VLAN on one of them, or is a part of something else.
    """
    if not interface:
        raise InterfaceError(
            "",
            "The interface of the control connection is unknown (lastClientIface is empty).",
            "Connect over SSH to an address that is configured on the host itself, not to a translated address, and "
            "run again.",
        )
    if interface in facts["bridges"]:
        raise InterfaceError(
            interface,
            f"{interface} is a bridge, but not the bridge of the management network.",
            f"Move the host's address from the bridge {interface} to its port or to another NIC, bond, or VLAN, and "
            "run again.",
        )
    vlan = facts["vlans"].get(interface)
    base = vlan.get("iface", "") if vlan is not None else interface
    if base not in facts["nics"] and base not in facts["bondings"]:
        raise InterfaceError(interface, *_unusable(facts, interface, base))
    _refuse_part_of_another(facts, interface, base, network)
    return Position(interface, base, base in facts["bondings"], int(vlan["vlanid"]) if vlan is not None else None)


def _unusable(facts: dict, interface: str, base: str) -> tuple[str, str]:
    below = "" if base == interface else f"{interface} is a VLAN on {base or 'an unknown device'}; "
    if base in facts["teams"]:
        return (
            f"{below}{base} is a team, which VDSM does not support.",
            f"Replace the team {base} with a bond of the same NICs, and run again.",
        )
    if base in facts["bridges"]:
        return (
            f"{below}{base} is a bridge.",
            f"Put the VLAN on the port of the bridge {base} instead of on the bridge, and run again.",
        )
    what = (
        f"{base} is a VLAN itself"
        if base in facts["vlans"]
        else f"{base or interface} is not a NIC or a bond of the host"
    )
    return f"{below}{what}.", "Move the host's address to a NIC, a bond, or a VLAN on either, and run again."


def _refuse_part_of_another(facts: dict, interface: str, base: str, network: str) -> None:
    # The base of a VLAN may be a bridge's port: an untagged VM network beside a tagged one on the same NIC is common.
    for bond, entry in facts["bondings"].items():
        if base in (entry.get("slaves") or []):
            raise InterfaceError(
                interface,
                f"{base} is a port of the bond {bond} and cannot have its own address or VLAN.",
                f"Move the host's address to the bond {bond} or to a VLAN on it, and run again.",
            )
    for bridge, entry in facts["bridges"].items():
        if interface in (entry.get("ports") or []) and bridge != network:
            raise InterfaceError(
                interface,
                f"{interface} is a port of the bridge {bridge} and cannot have its own address.",
                f"Remove {interface} from the bridge {bridge}, and run again.",
            )


def find_network(facts: dict, name: str) -> ExistingNetwork | None:
    """The network ``name`` (its name on the host) as it is, or None when the host has none of that name.

    It is found by a bridge of its name or, bridgeless, by VDSM's report or record; a record of a bridge or device that
    is gone finds nothing. Raises InterfaceError when its bridge has no single NIC, bond or VLAN as its port.
    """
    reported = facts["networks"].get(name, {})
    bridge = facts["bridges"].get(name)
    if bridge is not None:
        # A record from before the bridge describes the port, which has no addresses any more.
        caps = {**bridge, **reported} if reported.get("bridged", True) else bridge
        stp = str(caps.get("stp", "off")).lower() in ("on", "true", "yes", "1")
        return ExistingNetwork(name, caps, True, stp, locate(facts, _southbound(facts, name, caps), name))
    record = reported or recorded_networks(facts).get(name) or {}
    device = record.get("iface") or _recorded_device(facts, record)
    if record.get("bridged", True) or not device_entry(facts, device):
        return None
    return ExistingNetwork(
        device, {**device_entry(facts, device), **reported}, False, None, locate(facts, device, name)
    )


def _recorded_device(facts: dict, record: dict) -> str:
    """The device of a recorded bridgeless network; "" when there is none."""
    base, tag = record.get("bonding") or record.get("nic") or "", record.get("vlan")
    if tag in (None, ""):
        return base
    return next(
        (name for name, vlan in facts["vlans"].items() if (vlan.get("iface"), vlan.get("vlanid")) == (base, int(tag))),
        "",
    )


def _southbound(facts: dict, name: str, bridge: dict) -> str:
    if bridge.get("southbound"):
        return bridge["southbound"]
    ports = [
        port for port in bridge.get("ports") or [] if any(port in facts[key] for key in ("nics", "bondings", "vlans"))
    ]
    if len(ports) != 1:
        raise InterfaceError(
            name,
            f"The bridge {name} has {len(ports)} ports that are a NIC, a bond, or a "
            f"VLAN{': ' if ports else ''}{', '.join(ports)}.",
            f"Keep exactly one of them as a port of {name}, and run again.",
        )
    return ports[0]


def interfaces_down(facts: dict, name: str) -> list[str]:
    """The devices that the network ``name`` needs and that are not up by the facts' nmstate state; of a bond one leg is
    enough.

    [] when the host has no such network, or the facts have no nmstate state.
    """
    states = {iface["name"]: iface.get("state") for iface in (facts.get("nmstate") or {}).get("interfaces") or []}
    facts = check_facts(facts)
    existing = find_network(facts, name)
    if existing is None or not states:
        return []
    position = existing.position
    down = [
        device
        for device in dict.fromkeys((existing.device, position.interface, position.base))
        if states.get(device, "up") != "up"
    ]
    nics = nics_of(facts, position)
    return down if down or any(states.get(nic, "up") == "up" for nic in nics) else nics


def other_networks(facts: dict, name: str) -> list[dict]:
    """The other networks VDSM has on the host: [{name, base, vlan (int or None), mtu (int), qos (bool)}], by name."""
    found = []
    records = {**recorded_networks(facts), **facts["networks"]}
    for other, entry in sorted(records.items()):
        if other == name:
            continue
        south = entry.get("southbound") or entry.get("iface") or entry.get("bonding") or entry.get("nic") or ""
        vlan = facts["vlans"].get(south)
        tag = vlan.get("vlanid") if vlan is not None else entry.get("vlanid", entry.get("vlan"))
        found.append(
            {
                "name": other,
                "base": vlan.get("iface", south) if vlan is not None else south,
                "vlan": int(tag) if tag not in (None, "") else None,
                "mtu": int(entry.get("mtu") or 1500),
                "qos": bool(entry.get("hostQos")),
            }
        )
    return found


def with_control_address(facts: dict, device: dict) -> dict:
    """``device`` (capabilities entry) with the address of the control connection as its primary one.

    VDSM's primary address is the one in the gateway's subnet, the first otherwise; the one that must be kept is the
    one the controller came to. An IPv4 address that cannot reach the gateway stays secondary.
    """
    local = (facts.get("control") or {}).get("local")
    for key in ("ipv4addrs", "ipv6addrs"):
        chosen = next((entry for entry in device.get(key) or [] if same_address(entry.partition("/")[0], local)), None)
        if chosen is None:
            continue
        if key == "ipv6addrs":
            return {**device, key: [chosen, *(entry for entry in device[key] if entry != chosen)]}
        address, _slash, prefix = chosen.partition("/")
        if prefix and (not device.get("gateway") or in_subnet(address, prefix, device["gateway"])):
            return {**device, "addr": address, "netmask": netmask(int(prefix))}
    return device
