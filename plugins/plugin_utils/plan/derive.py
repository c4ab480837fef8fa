# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what to do about the management network of a host: nothing, a change, or a refusal with its reason.

The checks are in the order of the engine, which configures the management network of a new host. Differences from the
engine: the active interface is the one of the control connection (not found by name resolution), an existing network is
compared on every attribute (not accepted because of its address), the ports of a bond below a VLAN are also counted,
and every refusal has a reason and a remedy.

VLAN tags null and 0 mean the same here, as in the engine's check of the active interface. The engine's comparison
(compliance.py) distinguishes them, which would report a newly configured host as out of sync.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import in_subnet, is_real
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import Definition, parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts, parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    ExistingNetwork,
    InterfaceError,
    Position,
    find_network,
    locate,
    nics_of,
    refuse_unmanaged,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import MAX_DEVICE_NAME
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.compliance import (
    NONE,
    QOS_ATTRIBUTES,
    STATIC,
    actual_configuration,
    differences,
    ipv4_configuration,
    ipv6_configuration,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import build_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import (
    IN_SYNC,
    REFUSE,
    Options,
    Plan,
    digest_facts,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import (
    check_memory,
    check_permitted,
    missing_record,
    planned,
    refused,
    refused_with,
    unsaved_warnings,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError


class _Refusal(Exception):
    """A check failed. ``event``: the event of the refusal."""

    def __init__(self, event: Data) -> None:
        super().__init__(event["message"])
        self.event = event


def plan_management_network(facts: Data, definition: Data, options: Options) -> Plan:
    """The plan to create or change the management network of a host.

    ``facts``: ansible_facts.host_network (VDSM's capabilities and the additions of host_network_facts). ``definition``:
    the network in the data center, for parse_definition(). Raises DefinitionError, FactsError, and StateFormatError for
    invalid input; a host that does not meet the requirements is a refusal.
    """
    host, network = parse_facts(facts), parse_definition(definition)
    check_permitted(options.permit_loss)
    name = network.vdsm_name
    plan = Plan(REFUSE, name, name in host.bridges, host.active_interface, facts_digest=digest_facts(facts))
    try:
        existing = find_network(host, name)
        if existing is None:
            plan = _plan_new(plan, host, network, options)
        else:
            plan = replace(plan, exists=True)
            plan = _plan_existing(plan, host, network, existing, options)
        return replace(plan, warnings=plan.warnings + unsaved_warnings(host, options.host))
    except _Refusal as refusal:
        return refused_with(plan, refusal.event)
    except (InterfaceError, RequestError, RequestFormatError) as error:
        return refused(plan, error, options.host)


def _plan_new(plan: Plan, facts: Facts, definition: Definition, options: Options) -> Plan:
    active = facts.active_interface
    refuse_unmanaged(facts, active)
    position = locate(facts, active)
    _check_vlan(definition, position, options.host)
    _check_bond(facts, position, options.host)
    _check_name(facts, definition, active)
    device = facts.with_control_address(facts.device(active))
    request = build_request(facts, definition, position, device)
    renamed, kept = _vlan_name(facts, position, options)
    changes: list[Data] = [{"attribute": "network", "desired": plan.network, "actual": None}]
    if definition.vm_network:
        changes.append({"attribute": "interface", "desired": plan.network, "actual": active})
    actual = actual_configuration(device, facts.nameservers, vlan=position.vlan)
    changes += differences(_with_comparable_vlan(definition, position), actual) + renamed
    warnings = _warnings(definition, device, active, options.host) + kept
    plan = replace(plan, differences=changes, warnings=warnings)
    return planned(plan, request, facts, options, options.keep_vlan_name)


def _plan_existing(
    plan: Plan, facts: Facts, definition: Definition, existing: ExistingNetwork, options: Options
) -> Plan:
    active, name, position = facts.active_interface, plan.network, existing.position
    if active != existing.device:
        locate(facts, active)
        raise RequestError(
            "NETWORKS_ALREADY_ATTACHED_TO_IFACES",
            active,
            f"The network {name} is already on {existing.device} (over {position.base}), but the control "
            f"connection uses {active}.",
            f"Connect to the host's address on {existing.device}, or remove the network {name} from the host, "
            f"and run again.",
        )
    changes = _changes(facts, definition, existing, options)
    _check_qos(changes, existing.device)
    if options.persistent:
        check_memory(facts, name, position.base if position.bonded else "")
    missing = missing_record(facts, name, position.base if position.bonded else "", options.persistent)
    if missing:
        changes.append({"attribute": "persistence", "desired": "recorded", "actual": missing})
    device = facts.with_control_address(existing.caps)
    # A different tag means a different device.
    same_vlan = (position.vlan or 0) == (definition.vlan_tag or 0)
    renamed, kept = _vlan_name(facts, position, options) if same_vlan else ([], [])
    changes += renamed
    warnings = _warnings(definition, device, existing.device, options.host) + kept
    if not changes:
        return replace(plan, decision=IN_SYNC, warnings=warnings)
    refuse_unmanaged(facts, existing.device)
    _check_bond(facts, position, options.host)
    plan = replace(
        plan,
        differences=changes,
        warnings=warnings,
        remedy=f"Sync the network {name} to apply the definition to the host, or correct the definition.",
    )
    request = build_request(facts, definition, position, device)
    plan = planned(plan, request, facts, options, options.keep_vlan_name)
    # A network that is only missing in VDSM's persistence is recorded; the network itself is not changed.
    record_only = [change["attribute"] for change in changes] == ["persistence"]
    return replace(plan, state={}, settings={}) if record_only else plan


def _changes(facts: Facts, definition: Definition, existing: ExistingNetwork, options: Options) -> list[Data]:
    """The differences from the definition and from the attachment."""
    actual = actual_configuration(
        existing.caps,
        facts.nameservers,
        bridged=existing.bridged,
        vlan=existing.position.vlan,
        stp=existing.stp,
        switch=existing.caps.get("switch") or "legacy",
    )
    comparable = _with_comparable_vlan(definition, existing.position)
    return [
        difference
        for difference in differences(comparable, actual, options.attachment)
        if (difference["attribute"] != "default_route" or not _has_role_without_gateway(facts, definition))
        # a definition cannot contain a quality of service
        and (difference["attribute"] not in QOS_ATTRIBUTES or (options.attachment or {}).get("qos"))
    ]


def _check_vlan(definition: Definition, position: Position, host: str) -> None:
    if (position.vlan or 0) == (definition.vlan_tag or 0):
        return
    has = f"VLAN {position.vlan}" if position.vlan else "no VLAN"
    wanted = f"VLAN {definition.vlan_tag}" if definition.vlan_tag else "no VLAN"
    value = position.vlan if position.vlan else "null"
    remedy = (
        f"Set vlan_tag of the definition to {value}, or move the host's address from {position.interface} ({has}) to "
        f"an interface with {wanted}, and run again."
    )
    raise _Refusal(
        events.event(
            events.VLAN_MISMATCH,
            host,
            position.interface,
            remedy=remedy,
            VlanId=position.vlan,
            MgmtVlanId=definition.vlan_tag,
        )
    )


def _check_bond(facts: Facts, position: Position, host: str) -> None:
    ports = nics_of(facts, position)
    if position.bonded and len(ports) < 2:
        below = "" if position.interface == position.base else f"{position.interface} is on the bond {position.base}. "
        reason = f"{below}{position.base} has {f'only the port {ports[0]}' if ports else 'no ports'}."
        raise _Refusal(events.event(events.INVALID_BOND, host, position.base, reason))


def _vlan_name(facts: Facts, position: Position, options: Options) -> tuple[list[Data], list[Data]]:
    """(differences, warnings) for the name of the VLAN device. VDSM always creates ``base.tag``, and the kernel rejects
    a second device with the same tag. If the device has to keep its name (HostState.vlan_to_make()), a warning
    describes the consequences.
    """
    now, wanted = position.interface, position.vdsm_name
    if now == wanted:
        return [], []
    if options.keep_vlan_name:
        reason = "configure_mgmt_keep_vlan_name is set"
    elif len(wanted) > MAX_DEVICE_NAME:
        reason = f"{wanted} is longer than {MAX_DEVICE_NAME} characters"
    elif facts.device(wanted) or wanted in facts.teams:
        reason = f"the host has another device named {wanted}"
    elif facts.uppers(now):
        reason = f"{', '.join(facts.uppers(now))} is on top of it"
    else:
        return [{"attribute": "vlan_name", "desired": wanted, "actual": now}], []
    cost = (
        f"VDSM cannot change this network: the kernel rejects a second device for VLAN {position.vlan} on "
        f"{position.base}, so every edit by VDSM fails after an outage of about two minutes. {now} keeps its name "
        f"because {reason}."
    )
    remedy = (
        None
        if options.keep_vlan_name
        else f"Rename the device {now} to {wanted}; otherwise VDSM cannot change this network."
    )
    return [], [events.event(events.FOREIGN_VLAN_NAME, options.host, now, cost, remedy, VlanName=wanted)]


def _check_name(facts: Facts, definition: Definition, active: str) -> None:
    name = definition.vdsm_name
    if definition.vm_network and name in {*facts.nics, *facts.bondings, *facts.vlans, *facts.teams}:
        raise RequestError(
            "",
            active,
            f"The network needs a bridge named {name}, but the host has another device with that name.",
            f"Set another vdsm_name in the definition, or rename the device {name}, and run again.",
        )


def _check_qos(changes: list[Data], device: str) -> None:
    asked = [
        f"{change['attribute']}: {change['actual']} → {change['desired']}"
        for change in changes
        if change["attribute"] in QOS_ATTRIBUTES
    ]
    if asked:
        raise RequestError(
            "",
            device,
            f"The attachment requires another quality of service on {device} ({', '.join(asked)}), which this "
            "collection does not support.",
            "Set it in the engine, or remove qos from the attachment, and run again.",
        )


def _with_comparable_vlan(definition: Definition, position: Position) -> Definition:
    """The definition with the host's value for "untagged" if both mean untagged."""
    untagged = not definition.vlan_tag and not position.vlan
    return replace(definition, vlan_tag=position.vlan) if untagged else definition


def _has_role_without_gateway(facts: Facts, definition: Definition) -> bool:
    """Whether the network is recorded with the default route, but has a static address without a gateway, so there is
    nothing to do.

    Otherwise a host on an isolated network would differ after every run.
    """
    record = facts.records().get(definition.vdsm_name) or {}
    dynamic = record.get("bootproto") == "dhcp" or record.get("dhcpv6") or record.get("ipv6autoconf")
    return bool(
        definition.default_route
        and record.get("defaultRoute")
        and not (dynamic or record.get("gateway") or record.get("ipv6gateway"))
    )


def _warnings(definition: Definition, device: Data, interface: str, host: str) -> list[Data]:
    """Events that do not prevent the change: a gateway outside of the subnet, and a default route without a gateway."""
    ipv4, ipv6 = ipv4_configuration(device), ipv6_configuration(device)
    gateway = ipv4["gateway"] if is_real(ipv4["gateway"]) else None
    warnings = []
    if ipv4["boot_protocol"] == STATIC and gateway and not in_subnet(ipv4["address"], ipv4["netmask"], gateway):
        warnings.append(events.event(events.GATEWAY_OUT_OF_RANGE, host, interface, Gateway=gateway))
    static = {ipv4["boot_protocol"], ipv6["boot_protocol"]} <= {STATIC, NONE}
    if definition.default_route and static and not gateway and not is_real(ipv6["gateway"]):
        reason = f"The definition requires the default route, but {interface} has no gateway."
        remedy = f"Configure a gateway on {interface}, or define the network with default_route: false."
        warnings.append(events.event(events.OUT_OF_SYNC, host, interface, reason, remedy, Networks=definition.name))
    return warnings
