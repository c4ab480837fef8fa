# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Do no harm: what a request may not do to a host, whoever asks for it.

The control connection keeps its interface and an address; a bridge with guests on it is neither removed nor made
bridgeless; what VDSM does not know, and what belongs to another bridge, is not taken.
"""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Bond, Network, tag_of
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import rules
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import CORRECT, RequestError

_REMOVE_MANAGEMENT = "To remove the management network, run the playbook ovirt.mgmt_network.remove_network."


def removal_of_network(facts: Facts, name: str) -> list[Data]:
    """The difference for the network ``name`` that is not to be there, [] when it is not. Raises RequestError when it
    cannot be removed: VDSM's code 27 for one that is not in its record.
    """
    if name not in facts.records():
        if name in facts.bridges:
            raise RequestError(
                "",
                name,
                f"The bridge {name} is not a network in VDSM's record, so it is not removed.",
                f"Remove {name} from host_networks, or remove the bridge on the host, and run again.",
                rules.BAD_BRIDGE,
            )
        return []
    _refuse_removed_control(facts, name)
    _refuse_in_use(facts, name, "removed")
    return [{"network": name, "attribute": "network", "desired": None, "actual": name}]


def removal_of_bond(facts: Facts, name: str) -> list[Data]:
    """The difference for the bond ``name`` that is not to be there, [] when it is not."""
    if name not in facts.bondings and name not in (facts.recorded_bonds() or {}):
        return []
    return [{"bond": name, "attribute": "bond", "desired": None, "actual": name}]


def check(facts: Facts, networks: dict[str, Network], bonds: dict[str, Bond]) -> None:
    """Raise RequestError when the request would harm the host. ``networks``, ``bonds``: as of parse_request()."""
    for name, network in networks.items():
        if network.remove:
            continue
        if not network.bridged and (facts.records().get(name) or {}).get("bridged"):
            _refuse_in_use(facts, name, "made bridgeless")
        _refuse_taken_port(facts, network, networks)
        _refuse_without_address(facts, network)
    carrying = _carrying(facts)
    removed = {vlan for name in networks if networks[name].remove for vlan in _vlans_of(facts, name)}
    for bond in bonds.values():
        _check_bond(facts, bond, carrying, removed)


def _carrying(facts: Facts) -> set[str]:
    """The interface of the control connection and all that it stands on."""
    devices, carrying = [facts.active_interface], set()
    while devices:
        device = devices.pop()
        below = [
            *(facts.bridges.get(device) or {}).get("ports", []),
            *(facts.bondings.get(device) or {}).get("slaves", []),
            (facts.vlans.get(device) or {}).get("iface"),
        ]
        carrying.add(device)
        devices += [name for name in below if name and name not in carrying]
    return carrying - {""}


def _refuse_in_use(facts: Facts, name: str, done: str) -> None:
    known = {*facts.nics, *facts.bondings, *facts.vlans}
    guests = [port for port in (facts.bridges.get(name) or {}).get("ports") or [] if port not in known]
    if guests:
        raise RequestError(
            "",
            name,
            f"The network {name} is in use by {', '.join(guests)}, so it is not {done}.",
            "Move the virtual machines to another host or network, and run again.",
        )


def _devices_of(facts: Facts, name: str) -> set[str]:
    """The device that has the addresses of the network ``name``, in a set; empty when there is none."""
    if name in facts.bridges:
        return {name}
    record = facts.records().get(name) or {}
    port = facts.vlan_device(record.get("bonding") or record.get("nic") or "", tag_of(record.get("vlan")))
    return {port} - {""}


def _refuse_removed_control(facts: Facts, name: str) -> None:
    active = facts.active_interface
    if active in _devices_of(facts, name):
        reason = f"The control connection uses the network {name}, so it is not removed."
        raise RequestError("", active, reason, _REMOVE_MANAGEMENT)


def _refuse_without_address(facts: Facts, network: Network) -> None:
    """Refuse to take the address of the control connection."""
    active = facts.active_interface
    if active in {*_devices_of(facts, network.name), network.port, network.replaces} and not network.has_addresses:
        raise RequestError(
            "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL",
            active,
            f"The control connection uses {active}, but the network {network.name} on it would have no IPv4 or IPv6 "
            f"configuration.",
            CORRECT,
        )


def _refuse_taken_port(facts: Facts, network: Network, networks: dict[str, Network]) -> None:
    """Refuse a port of a bridge that the request does not name."""
    for bridge, entry in facts.bridges.items():
        if network.port in (entry.get("ports") or []) and bridge not in networks:
            raise RequestError(
                "",
                network.port,
                f"{network.port} is a port of the bridge {bridge}.",
                f"Put the network {network.name} on another interface, or remove {bridge}, and run again.",
                rules.USED_NIC,
            )


def _vlans_of(facts: Facts, name: str) -> set[str]:
    """The VLAN device of a recorded network, in a set; empty when untagged."""
    record = facts.records().get(name) or {}
    tag = tag_of(record.get("vlan"))
    device = facts.vlan_device(record.get("bonding") or record.get("nic") or "", tag)
    return {device} if tag is not None and device else set()


def _check_bond(facts: Facts, bond: Bond, carrying: set[str], removed: set[str]) -> None:
    if bond.remove:
        uppers = [device for device in facts.uppers(bond.name) if device not in removed]
        if uppers or bond.name in carrying:
            user = uppers[0] if uppers else "the control connection"
            raise RequestError(
                "",
                bond.name,
                f"The bond {bond.name} is used by {user}, so it is not removed.",
                CORRECT,
                rules.USED_BOND,
            )
        return
    present = facts.bond(bond.name).nics if bond.name in facts.bondings else ()
    for nic in sorted(set(bond.nics) - set(present)):
        bridge = next((name for name, entry in facts.bridges.items() if nic in (entry.get("ports") or [])), "")
        uppers = [device for device in facts.uppers(nic) if device not in removed]
        user = bridge or (uppers[0] if uppers else "the control connection" if nic in carrying else "")
        if user:
            raise RequestError(
                "",
                nic,
                f"{nic} is used by {user}, so it cannot become a port of {bond.name}.",
                f"Use another NIC, or free {nic} first, and run again.",
                rules.USED_NIC,
            )
