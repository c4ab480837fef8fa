# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between a host and the networks and bonds that it shall have, attribute by attribute.

Each difference is {network | bond, attribute, desired, actual}. Networks are compared by the engine's in-sync table
(plan/compliance), and on the interface below, which the engine leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import Definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Bond
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    ExistingNetwork,
    Position,
    find_network,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.compliance import (
    AUTOCONF,
    DHCP_AND_AUTOCONF,
    QOS_ATTRIBUTES,
    actual_configuration,
    differences,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import missing_record
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.wanted import WantedNetwork


@dataclass(frozen=True)
class Resolved:
    """A wanted network on its host: with what it did not say. ``definition``: with the default route resolved.
    ``existing``: the network as it is, None if the host has none of its name.
    """

    wanted: WantedNetwork
    definition: Definition
    existing: ExistingNetwork | None


def existing_network(facts: Facts, name: str) -> ExistingNetwork | None:
    """topology.find_network(), and a bridge without any port as a network on nothing. Raises InterfaceError."""
    bridge = facts.bridges.get(name)
    known = {*facts.nics, *facts.bondings, *facts.vlans}
    record = facts.records().get(name) or {}
    if bridge is None or known & set(bridge.get("ports") or []) or record.get("nic") or record.get("bonding"):
        return find_network(facts, name)
    caps = {**bridge, **facts.networks.get(name, {})}
    stp = str(caps.get("stp", "off")).lower() in ("on", "true", "yes", "1")
    return ExistingNetwork(name, caps, True, stp, Position("", "", False, None))


def resolve(facts: Facts, wanted: WantedNetwork, taken: bool) -> Resolved:
    """``wanted`` with what it leaves to the host. ``taken``: whether another network asks for the default route."""
    record = facts.records().get(wanted.name) or {}
    default_route = wanted.default_route
    if default_route is None:
        default_route = bool(record.get("defaultRoute")) and not taken
    definition = replace(wanted.definition, default_route=default_route)
    return Resolved(wanted, definition, existing_network(facts, wanted.name))


def network_differences(facts: Facts, network: Resolved) -> list[Data]:
    """What of a network differs, its record included; empty when the host has it all."""
    name, existing = network.wanted.name, network.existing
    if existing is None:
        return [_difference("network", name, "network", name, None)]
    record = facts.records().get(name) or {}
    actual = actual_configuration(
        existing.caps,
        facts.nameservers,
        bridged=existing.bridged,
        vlan=existing.position.vlan or None,
        stp=existing.stp,
        switch=existing.caps.get("switch") or "legacy",
    )
    definition = replace(network.definition, vlan_tag=network.definition.vlan_tag or None)
    attachment = {"ipv4": network.wanted.ipv4, "ipv6": _comparable_ipv6(network.wanted.ipv6, actual["ipv6"], record)}
    result = []
    for entry in differences(definition, actual, attachment):
        if entry["attribute"] == "default_route":
            result += _default_route(network, record, entry)
        elif entry["attribute"] not in QOS_ATTRIBUTES:
            result.append({"network": name, **entry})
    if network.wanted.on != existing.position.base:
        result.append(_difference("network", name, "interface", network.wanted.on, existing.position.base))
    bond = existing.position.base if existing.position.bonded else ""
    missing = missing_record(facts, name, bond, True)
    if missing:
        result.append(_difference("network", name, "persistence", "recorded", missing))
    return result


def bond_differences(facts: Facts, bond: Bond) -> list[Data]:
    """What of a bond differs; empty when the host has it all. Options that were not given are not compared."""
    entry = facts.bondings.get(bond.name)
    if entry is None:
        return [_difference("bond", bond.name, "bond", bond.name, None)]
    actual, result = facts.bond(bond.name), []
    if bond.nics != actual.nics:
        result.append(_difference("bond", bond.name, "ports", list(bond.nics), list(actual.nics)))
    recorded = facts.recorded_bonds() or {}
    kept = _options_of_record(recorded.get(bond.name) or {})
    stated = (facts.state.get(bond.name).get("link-aggregation") or {}).get("options") or {}
    for key, value in (bond.options or {}).items():
        if key == "mode":
            if bond.mode != actual.mode:
                result.append(_difference("bond", bond.name, "mode", bond.mode, actual.mode))
            continue
        # The capabilities have only what is not the default, in numbers; nmstate has words.
        present = [str(place[key]).lower() for place in (actual.options or {}, stated) if key in place]
        if value.lower() not in (present or [kept.get(key, "")]):
            result.append(_difference("bond", bond.name, f"options.{key}", value, present[0] if present else None))
    if bond.name not in recorded:
        result.append(_difference("bond", bond.name, "persistence", "recorded", "missing"))
    elif bond.name in (facts.unsaved.get("bondings") or []):
        result.append(_difference("bond", bond.name, "persistence", "recorded", "unsaved"))
    return result


def _difference(kind: str, name: str, attribute: str, desired: object, actual: object) -> Data:
    return {kind: name, "attribute": attribute, "desired": desired, "actual": actual}


def _options_of_record(record: Data) -> dict[str, str]:
    pairs = [word.partition("=") for word in str(record.get("options") or "").split()]
    return {key: value.lower() for key, _equals, value in pairs}


def _comparable_ipv6(desired: Data | None, actual: Data, record: Data) -> Data | None:
    """``desired`` in the host's words: NetworkManager has router announcements only together with DHCPv6."""
    recorded = bool(record.get("ipv6autoconf")) and not record.get("dhcpv6")
    if not desired or desired["boot_protocol"] != AUTOCONF or not recorded:
        return desired
    return {**desired, "boot_protocol": DHCP_AND_AUTOCONF} if actual["boot_protocol"] == DHCP_AND_AUTOCONF else desired


def _default_route(network: Resolved, record: Data, entry: Data) -> list[Data]:
    """The difference about the default route, [] when there is none.

    A gateway in a table of the network's own looks like a default route. A static network that has the default route
    and no gateway has it only in the record.
    """
    wanted, recorded = network.definition.default_route, bool(record.get("defaultRoute"))
    if wanted != recorded:
        return [_difference("network", network.wanted.name, "default_route", wanted, recorded)]
    dynamic = record.get("bootproto") == "dhcp" or record.get("dhcpv6") or record.get("ipv6autoconf")
    routed = wanted and (dynamic or record.get("gateway") or record.get("ipv6gateway"))
    return [{"network": network.wanted.name, **entry}] if routed else []
