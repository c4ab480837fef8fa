# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done about the management network of one host: nothing, a change, or a refusal with its reason.

The order of the checks is the engine's when it configures the management network of a new host. Better than there: the
active interface is the one the control connection came in on (not a guess by name resolution), an existing network is
compared on every attribute (not accepted for its address alone), the legs of a bond are counted under a VLAN too, and
every refusal says why and what to do.

VLAN tags null and 0 mean the same here, as in the engine's check of the active interface; its in-sync table tells them
apart (compliance.py), which would report a host out of sync that was configured a minute ago.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import in_subnet, is_real
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import MAX_DEVICE_NAME
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import RequestFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    ExistingNetwork,
    InterfaceError,
    Position,
    check_facts,
    device_entry,
    find_network,
    locate,
    nics_of,
    recorded_networks,
    refuse_unmanaged,
    with_control_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.compliance import (
    NONE,
    QOS_ATTRIBUTES,
    STATIC,
    actual_configuration,
    differences,
    ipv4_configuration,
    ipv6_configuration,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import RequestError, build_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import (
    CHANGE,
    IN_SYNC,
    REFUSE,
    Options,
    Plan,
    digest_facts,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import (
    refused,
    refused_with,
    with_desired_state,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.settings import (
    check_permitted,
    loss_warnings,
)


class _Refusal(Exception):
    """A check failed; ``event`` says it all."""

    def __init__(self, event: dict):
        super().__init__(event["message"])
        self.event = event


def plan_management_network(facts: dict, definition: dict, options: Options) -> Plan:
    """The plan that gives a host its management network.

    ``facts``: ansible_facts.host_network (VDSM's capabilities and what host_network_facts adds). ``definition``: the
    network in the data center, keys as of parse_definition(). Raises DefinitionError, FactsError and StateFormatError
    for unusable input; what a host can be like is a refusal.
    """
    definition = parse_definition(definition)
    facts = check_facts(facts)
    permitted = check_permitted(options.permit_loss)
    name, host = definition["vdsm_name"], options.host
    plan = Plan(
        REFUSE,
        network=name,
        exists=name in facts["bridges"],
        active_interface=facts["lastClientIface"],
        facts_digest=digest_facts(facts),
    )
    try:
        existing = find_network(facts, name)
        if existing is None:
            values = _derive_new(facts, definition, host, permitted, options.keep_vlan_name)
        else:
            plan = replace(plan, exists=True)
            values = _derive_existing(
                facts,
                definition,
                host,
                existing,
                options.attachment,
                permitted,
                options.keep_vlan_name,
                options.persistent,
            )
        plan = replace(plan, **{**values, "warnings": values["warnings"] + _unsaved_warnings(facts, host)})
        if plan.decision == IN_SYNC:
            return plan
        plan = replace(plan, record={key: plan.request[key] for key in ("networks", "bondings")})
        # A network that VDSM only does not know is recorded for it; the network itself is not touched.
        record_only = [entry["attribute"] for entry in plan.differences] == ["persistence"]
        return plan if record_only else with_desired_state(plan, facts, options.keep_vlan_name)
    except _Refusal as refusal:
        return refused_with(plan, refusal.event)
    except (InterfaceError, RequestError, RequestFormatError) as error:
        return refused(plan, error, host)


def _derive_new(facts: dict, definition: dict, host: str, permitted: list[str], keep_vlan_name: bool) -> dict:
    active = facts["lastClientIface"]
    refuse_unmanaged(facts, active)
    position = locate(facts, active)
    _check_vlan(definition, position, host)
    _check_bond(facts, position, host)
    _check_name(facts, definition, active)
    device = with_control_address(facts, device_entry(facts, active))
    request = build_request(facts, definition, position, device)
    renamed, kept = _vlan_name(facts, position, keep_vlan_name, host)
    moves = definition["vm_network"] or bool(renamed)
    warnings = _warnings(definition, device, active, host) + kept + loss_warnings(facts, active, moves, host, permitted)
    name = definition["vdsm_name"]
    found = [{"attribute": "network", "desired": name, "actual": None}]
    if definition["vm_network"]:
        found.append({"attribute": "interface", "desired": name, "actual": active})
    actual = actual_configuration(device, facts["nameservers"], vlan=position.vlan)
    found += differences(_with_comparable_vlan(definition, position), actual) + renamed
    return {"decision": CHANGE, "request": request, "differences": found, "warnings": warnings}


def _derive_existing(
    facts: dict,
    definition: dict,
    host: str,
    existing: ExistingNetwork,
    attachment: dict | None,
    permitted: list[str],
    keep_vlan_name: bool,
    persistent: bool,
) -> dict:
    active, name, position = facts["lastClientIface"], definition["vdsm_name"], existing.position
    if active != existing.device:
        locate(facts, active)
        raise RequestError(
            "NETWORKS_ALREADY_ATTACHED_TO_IFACES",
            active,
            f"The network {name} is already on {existing.device} (over {position.base}), but the control connection "
            f"uses {active}.",
            f"Connect to the host's address on {existing.device}, or remove the network {name} from the host, "
            f"and run again.",
        )
    actual = actual_configuration(
        existing.caps,
        facts["nameservers"],
        bridged=existing.bridged,
        vlan=position.vlan,
        stp=existing.stp,
        switch=existing.caps.get("switch") or "legacy",
    )
    found = [
        difference
        for difference in differences(_with_comparable_vlan(definition, position), actual, attachment)
        if (difference["attribute"] != "default_route" or not _has_role_without_gateway(facts, definition))
        # the definition has no word about a quality of service
        and (difference["attribute"] not in QOS_ATTRIBUTES or (attachment or {}).get("qos"))
    ]
    _check_qos(found, existing.device)
    if persistent:
        _check_memory(facts, name, position)
    lacking = _lacking_record(facts, name, position, persistent)
    if lacking:
        found.append({"attribute": "persistence", "desired": "recorded", "actual": lacking})
    caps = with_control_address(facts, existing.caps)
    # With another tag it is another device.
    same_vlan = (position.vlan or 0) == (definition["vlan_tag"] or 0)
    renamed, kept = _vlan_name(facts, position, keep_vlan_name, host) if same_vlan else ([], [])
    found += renamed
    warnings = _warnings(definition, caps, existing.device, host) + kept
    if not found:
        return {"decision": IN_SYNC, "warnings": warnings}
    refuse_unmanaged(facts, existing.device)
    _check_bond(facts, position, host)
    moves = existing.bridged != definition["vm_network"] or (bool(renamed) and not existing.bridged)
    return {
        "decision": CHANGE,
        "request": build_request(facts, definition, position, caps),
        "differences": found,
        "warnings": warnings + loss_warnings(facts, existing.device, moves, host, permitted),
        "remedy": f"Sync the network {name} to apply the definition to the host, or correct the definition.",
    }


def _check_vlan(definition: dict, position: Position, host: str) -> None:
    if (position.vlan or 0) == (definition["vlan_tag"] or 0):
        return
    has = f"VLAN {position.vlan}" if position.vlan else "no VLAN"
    wanted = f"VLAN {definition['vlan_tag']}" if definition["vlan_tag"] else "no VLAN"
    value = position.vlan if position.vlan else "null"
    remedy = (
        f"Set vlan_tag of the definition to {value}, or move the host's address from {position.interface} ({has}) to "
        f"an interface"
        f" with {wanted}, and run again."
    )
    raise _Refusal(
        events.event(
            events.VLAN_MISMATCH,
            host,
            position.interface,
            remedy=remedy,
            VlanId=position.vlan,
            MgmtVlanId=definition["vlan_tag"],
        )
    )


def _check_bond(facts: dict, position: Position, host: str) -> None:
    if position.bonded and len(nics_of(facts, position)) < 2:
        legs = nics_of(facts, position)
        below = "" if position.interface == position.base else f"{position.interface} is on the bond {position.base}. "
        reason = f"{below}{position.base} has {f'only the port {legs[0]}' if legs else 'no ports'}."
        raise _Refusal(events.event(events.INVALID_BOND, host, position.base, reason))


def _vlan_name(facts: dict, position: Position, keep: bool, host: str) -> tuple[list[dict], list[dict]]:
    """(differences, warnings) about the name of the VLAN device: VDSM makes ``base.tag`` whatever is there, and the
    kernel refuses a second device with the same tag. Where the device has to keep its name (Current.vlan_to_make()), a
    warning says what that costs.
    """
    now, wanted = position.interface, position.vdsm_name
    if now == wanted:
        return [], []
    upper = sorted(name for name, vlan in facts["vlans"].items() if vlan.get("iface") == now)
    if keep:
        reason = "configure_mgmt_keep_vlan_name is set"
    elif len(wanted) > MAX_DEVICE_NAME:
        reason = f"{wanted} is longer than {MAX_DEVICE_NAME} characters"
    elif device_entry(facts, wanted) or wanted in facts["teams"]:
        reason = f"the host has another device named {wanted}"
    elif upper:
        reason = f"{', '.join(upper)} is on top of it"
    else:
        return [{"attribute": "vlan_name", "desired": wanted, "actual": now}], []
    cost = (
        f"VDSM cannot change this network: the kernel rejects a second device for VLAN {position.vlan} on "
        f"{position.base}, so every edit by VDSM fails after an outage of about two minutes. {now} keeps its name "
        f"because {reason}."
    )
    remedy = None if keep else f"Rename the device {now} to {wanted}; otherwise VDSM cannot change this network."
    return [], [events.event(events.FOREIGN_VLAN_NAME, host, now, cost, remedy, VlanName=wanted)]


def _check_name(facts: dict, definition: dict, active: str) -> None:
    name = definition["vdsm_name"]
    if definition["vm_network"] and any(name in facts[key] for key in ("nics", "bondings", "vlans", "teams")):
        raise RequestError(
            "",
            active,
            f"The network needs a bridge named {name}, but the host has another device with that name.",
            f"Set another vdsm_name in the definition, or rename the device {name}, and run again.",
        )


def _check_qos(found: list[dict], device: str) -> None:
    asked = [
        f"{one['attribute']}: {one['actual']} -> {one['desired']}"
        for one in found
        if one["attribute"] in QOS_ATTRIBUTES
    ]
    if asked:
        raise RequestError(
            "",
            device,
            f"The attachment requires another quality of service on {device} ({', '.join(asked)}), which this "
            "collection does not support.",
            "Set it in the engine, or remove qos from the attachment, and run again.",
        )


def _check_memory(facts: dict, name: str, position: Position) -> None:
    in_memory = facts.get("in_memory") or {}
    if (
        name in (in_memory.get("networks") or [])
        or position.bonded
        and position.base in (in_memory.get("bondings") or [])
    ):
        raise RequestError(
            "",
            position.interface,
            f"The network {name} was configured until the next boot only (configure_mgmt_persistent: false), and its "
            f"profiles"
            " are not on disk.",
            "Reboot the host to restore its old network, or set configure_mgmt_persistent: false, and run again.",
        )


def _lacking_record(facts: dict, name: str, position: Position, persistent: bool) -> str:
    """What VDSM's record of the network and its bond lacks: "" nothing, missing, or unsaved (what it runs with is not
    what a boot brings).
    """
    bonds = [position.base] if position.bonded and "running" in facts else []
    if name not in recorded_networks(facts) or any(
        bond not in ((facts["running"] or {}).get("bondings") or {}) for bond in bonds
    ):
        return "missing"
    unsaved = facts.get("unsaved") or {}
    if persistent and (name in (unsaved.get("networks") or []) or set(bonds) & set(unsaved.get("bondings") or [])):
        return "unsaved"
    return ""


def _unsaved_warnings(facts: dict, host: str) -> list[dict]:
    unsaved = facts.get("unsaved") or {}
    names = [f"network {name}" for name in unsaved.get("networks") or []] + [
        f"bond {name}" for name in unsaved.get("bondings") or []
    ]
    return [events.event(events.UNSAVED, host, Networks=", ".join(names))] if names else []


def _with_comparable_vlan(definition: dict, position: Position) -> dict:
    """The definition with the host's way to say "untagged" when both mean it."""
    untagged = not definition["vlan_tag"] and not position.vlan
    return {**definition, "vlan_tag": position.vlan} if untagged else definition


def _has_role_without_gateway(facts: dict, definition: dict) -> bool:
    """The network is recorded with the default route, but statically and without a gateway: nothing is left to do.

    Without this a host on an isolated network would be found different after every run that brought it in line.
    """
    record = recorded_networks(facts).get(definition["vdsm_name"]) or {}
    dynamic = record.get("bootproto") == "dhcp" or record.get("dhcpv6") or record.get("ipv6autoconf")
    return bool(
        definition["default_route"]
        and record.get("defaultRoute")
        and not (dynamic or record.get("gateway") or record.get("ipv6gateway"))
    )


def _warnings(definition: dict, device: dict, interface: str, host: str) -> list[dict]:
    """Events that do not stop the change: a gateway out of the subnet, and a default route without a gateway."""
    ipv4, ipv6 = ipv4_configuration(device), ipv6_configuration(device)
    gateway = ipv4["gateway"] if is_real(ipv4["gateway"]) else None
    found = []
    if ipv4["boot_protocol"] == STATIC and gateway and not in_subnet(ipv4["address"], ipv4["netmask"], gateway):
        found.append(events.event(events.GATEWAY_OUT_OF_RANGE, host, interface, Gateway=gateway))
    static = {ipv4["boot_protocol"], ipv6["boot_protocol"]} <= {STATIC, NONE}
    if definition["default_route"] and static and not gateway and not is_real(ipv6["gateway"]):
        reason = f"The definition requires the default route, but {interface} has no gateway."
        remedy = f"Configure a gateway on {interface}, or define the network with default_route: false."
        found.append(events.event(events.OUT_OF_SYNC, host, interface, reason, remedy, Networks=definition["name"]))
    return found
