# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The producer for any network and bond of a host: from host_networks to a Plan.

The request has only what differs, and what goes with it: the bond below a network, which VDSM would reset, and the
network that gives up the default route. What is not named is not touched. Nothing may take the control connection from
the host: what carries it keeps an address, is not removed, and becomes no port of another bond.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts, parse_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import (
    Bond,
    Network,
    RequestFormatError,
    parse_request,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import InterfaceError, refuse_unmanaged
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import rules
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import (
    as_request,
    name_servers,
    with_ipv4,
    with_ipv6,
    without_default_route,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import (
    CHANGE,
    IN_SYNC,
    Options,
    Plan,
    digest_facts,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.producing import (
    check_memory,
    check_permitted,
    refused,
    unsaved_warnings,
    with_desired,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import CORRECT, RequestError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup import harm
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.comparison import (
    Resolved,
    bond_differences,
    network_differences,
    resolve,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.wanted import (
    HostNetworks,
    parse_host_networks,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desire

_IPV6_GATEWAY_RULE = "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_IPV6_GATEWAY_ON_NON_DEFAULT_ROUTE_ROLE"


def plan_networks(facts: Data, host_networks: Data, options: Options) -> Plan:
    """The plan that gives a host the networks and bonds of ``host_networks`` and takes those that are null there.

    ``facts``: ansible_facts.host_network. ``host_networks``: as of wanted.parse_host_networks(). The plan's
    ``network`` has the names of what is wanted. Raises HostNetworksError, DefinitionError, FactsError and
    StateFormatError for unusable input; what a host can be like is a refusal.
    """
    host, wanted = parse_facts(facts), parse_host_networks(host_networks)
    check_permitted(options.permit_loss)
    named = ", ".join([*wanted.networks, *wanted.bonds])
    plan = Plan(IN_SYNC, named, True, facts_digest=digest_facts(facts))
    try:
        plan = _plan(plan, host, wanted, options)
        return replace(plan, warnings=plan.warnings + unsaved_warnings(host, options.host))
    except (InterfaceError, RequestError, RequestFormatError) as error:
        return _refused(plan, error, options)


def _refused(plan: Plan, error: InterfaceError | RequestError | RequestFormatError, options: Options) -> Plan:
    if isinstance(error, InterfaceError):
        error = RequestError("", error.interface, str(error), error.remedy, rules.BAD_NIC)
    plan = refused(plan, error, options.host, events.SETUP_NETWORKS_FAILED)
    code = error.vdsm_code if isinstance(error, RequestError) else rules.BAD_PARAMS
    event = plan.event or {}
    return replace(plan, event={**event, "values": {**event.get("values", {}), "VdsmError": code}})


def _plan(plan: Plan, facts: Facts, wanted: HostNetworks, options: Options) -> Plan:
    default = [name for name, network in wanted.networks.items() if network and network.default_route]
    changes: list[Data] = []
    networks: dict[str, Data] = {}
    for name, network in wanted.networks.items():
        if network is None:
            removal = harm.removal_of_network(facts, name)
            changes += removal
            networks.update({name: {"remove": True}} if removal else {})
            continue
        resolved = resolve(facts, network, bool(default) and name not in default)
        _check_default_route(resolved)
        differences = network_differences(facts, resolved)
        changes += differences
        if differences:
            networks[name] = _network(facts, resolved, wanted.bonds).to_request()
    bonds: dict[str, Data] = {}
    for bond in wanted.bonds.values():
        differences = harm.removal_of_bond(facts, bond.name) if bond.remove else bond_differences(facts, bond)
        changes += differences
        if differences:
            bonds[bond.name] = {"remove": True} if bond.remove else _bond(facts, bond).to_request()
    if not changes:
        return plan
    plan = replace(plan, decision=CHANGE, differences=changes)
    return _planned(plan, facts, networks, bonds, options)


def _planned(plan: Plan, facts: Facts, networks: dict[str, Data], bonds: dict[str, Data], options: Options) -> Plan:
    """``plan`` as a change by a request of ``networks`` and ``bonds``."""
    names = list(networks)
    for name in names:
        base = networks[name].get("bonding") or ""
        check_memory(facts, name, base)
        if base in facts.bondings and base not in bonds:
            bonds[base] = facts.bond(base).to_request()
    if any(network.get("defaultRoute") for network in networks.values()):
        networks = {**networks, **without_default_route(facts, names)}
    request = as_request(networks, bonds)
    parsed, parsed_bonds = parse_request(request, facts.state, options.keep_vlan_name)
    kept = [name for name in names if not parsed[name].remove]
    rules.check_networks(facts, parsed, parsed_bonds, kept)
    harm.check(facts, parsed, parsed_bonds)
    desired = desire(parsed, parsed_bonds, facts.state, facts.running, facts.profiles)
    plan = with_desired(plan, request, desired, options)
    # What VDSM only does not know is recorded for it; the network itself is not touched.
    only_recorded = all(change["attribute"] == "persistence" for change in plan.differences)
    return replace(plan, state={}, settings={}) if only_recorded else plan


def _check_default_route(network: Resolved) -> None:
    """Refuse what only the network with the default route may have."""
    wanted, name = network.wanted, network.wanted.name
    if network.definition.default_route:
        return
    if wanted.ipv6 and wanted.ipv6["gateway"]:
        reason = f"Got the IPv6 gateway {wanted.ipv6['gateway']} for the network {name}, which has no default route."
        raise RequestError(_IPV6_GATEWAY_RULE, wanted.on, reason, CORRECT)
    if wanted.definition.dns_servers:
        raise RequestError(
            "", wanted.on, f"Got DNS servers for the network {name}, which has no default route.", CORRECT
        )


def _bond(facts: Facts, bond: Bond) -> Bond:
    """``bond`` with what it leaves to the host: the MAC, and the options unless the mode changes."""
    if bond.name not in facts.bondings:
        return bond
    actual, given = facts.bond(bond.name), bond.options or {}
    same_mode = "mode" not in given or bond.mode == actual.mode
    result = replace(actual, nics=bond.nics, options={**((actual.options or {}) if same_mode else {}), **given})
    return result


def _network(facts: Facts, resolved: Resolved, bonds: dict[str, Bond]) -> Network:
    """The network of the request: the definition, and the addresses that are wanted or, unsaid, are there."""
    wanted, definition, name = resolved.wanted, resolved.definition, resolved.wanted.name
    base, record = wanted.on or None, facts.records().get(resolved.wanted.name) or {}
    vlan = definition.vlan_tag or None
    network = Network(
        name=name,
        base=base,
        bonded=base in bonds or base in facts.bondings,
        vlan=vlan,
        bridged=definition.vm_network,
        mtu=definition.mtu,
        stp=definition.stp,
        default_route=definition.default_route,
        switch=definition.switch,
        host_qos=record.get("hostQos") or {},
        custom={
            key: value
            for key, value in (record.get("custom") or {}).items()
            if definition.vm_network or key != "bridge_opts"
        },
    )
    port = facts.vlan_device(base, vlan) if base else ""
    refuse_unmanaged(facts, port or base or name)
    source = _source(facts, resolved, port)
    network = with_ipv6(with_ipv4(network, source, port or name), source, facts)
    return replace(network, nameservers=name_servers(facts, definition, network, port or name))


def _source(facts: Facts, resolved: Resolved, port: str) -> Data:
    """The addresses of the network as a capabilities entry: those wanted; for a family that is not, those that the
    network has, or the interface of the control connection that it is put on.
    """
    wanted, source = resolved.wanted, {}
    if resolved.existing is not None:
        source = facts.with_control_address(resolved.existing.caps)
    elif port and port == facts.active_interface:
        source = facts.with_control_address(facts.device(port))
    source = dict(source)
    if wanted.ipv4:
        source.update(
            dhcpv4=wanted.ipv4["boot_protocol"] == "dhcp",
            addr=wanted.ipv4["address"] or "",
            netmask=wanted.ipv4["netmask"] or "",
            gateway=wanted.ipv4["gateway"] or "",
            ipv4gateways=[],
        )
    if wanted.ipv6:
        protocol, address = wanted.ipv6["boot_protocol"], wanted.ipv6["address"]
        source.update(
            dhcpv6=protocol in ("dhcp", "poly_dhcp_autoconf"),
            ipv6autoconf=protocol in ("autoconf", "poly_dhcp_autoconf"),
            ipv6addrs=[f"{address}/{wanted.ipv6['prefix']}"] if address else [],
            ipv6gateway=wanted.ipv6["gateway"] or "",
            ipv6gateways=[],
        )
    return source
