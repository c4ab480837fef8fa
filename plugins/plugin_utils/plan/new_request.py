# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The setupNetworks request of the management network, built from the definition and the interface.

The IP configuration is inherited from the device that has the address; everything else comes from the definition.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import is_real, prefix_length
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import Definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import Network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import Position
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.compliance import (
    AUTOCONF,
    DHCP,
    DHCP_AND_AUTOCONF,
    NONE,
    STATIC,
    ipv4_configuration,
    ipv6_configuration,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError

CONNECTIVITY_TIMEOUT = 120  # seconds, the engine's NetworkConnectivityCheckTimeoutInSeconds


def build_request(facts: Facts, definition: Definition, position: Position, source: Data) -> Data:
    """The request {networks, bondings, options} that creates the network of ``definition`` on ``position``.

    ``source``: capabilities entry of the device whose IP configuration is inherited. A bond below is listed unchanged:
    VDSM resets a bond that is not listed, and its persistence requires the record. As in VDSM, another network with the
    default route loses it. Raises RequestError if there is no configuration to inherit.
    """
    name = definition.vdsm_name
    networks = {name: _network(facts, definition, position, source).to_request()}
    if definition.default_route:
        networks.update(without_default_route(facts, [name]))
    bonds = {position.base: facts.bond(position.base).to_request()} if position.bonded else {}
    return as_request(networks, bonds)


def as_request(networks: dict[str, Data], bonds: dict[str, Data]) -> Data:
    """The request for ``networks`` and ``bonds`` in VDSM's form."""
    options = {"connectivityCheck": True, "connectivityTimeout": CONNECTIVITY_TIMEOUT, "commitOnSuccess": True}
    return {"networks": networks, "bondings": bonds, "options": options}


def without_default_route(facts: Facts, names: Collection[str]) -> dict[str, Data]:
    """The networks that have the default route and give it up to one of ``names``, for the request."""
    if facts.running is None:
        return {}
    return {
        name: {**record, "defaultRoute": False, "nameservers": []}
        for name, record in facts.records().items()
        if name not in names and record.get("defaultRoute")
    }


def _network(facts: Facts, definition: Definition, position: Position, source: Data) -> Network:
    record = facts.records().get(definition.vdsm_name) or {}
    network = Network(
        name=definition.vdsm_name,
        base=position.base,
        bonded=position.bonded,
        # A device with tag 0 is kept; a tag of 0 in the definition does not create one (see derive).
        vlan=definition.vlan_tag or (0 if position.vlan == 0 else None),
        bridged=definition.vm_network,
        mtu=definition.mtu,
        stp=definition.stp,
        default_route=definition.default_route,
        switch=definition.switch,
        # Properties that the engine has set in addition to the definition, as VDSM has them.
        host_qos=record.get("hostQos") or {},
        custom={
            key: value
            for key, value in (record.get("custom") or {}).items()
            if definition.vm_network or key != "bridge_opts"
        },
    )
    network = with_ipv6(with_ipv4(network, source, position.interface), source, facts)
    if not network.has_addresses:
        raise RequestError(
            "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL",
            position.interface,
            f"{position.interface} has no IPv4 or IPv6 configuration for the management network.",
            f"Configure an address or DHCP on {position.interface}, and run again.",
        )
    return replace(network, nameservers=name_servers(facts, definition, network, position.interface))


def with_ipv4(network: Network, source: Data, interface: str) -> Network:
    """``network`` with the IPv4 configuration of ``source`` (capabilities entry of ``interface``). Raises
    RequestError.
    """
    ip = ipv4_configuration(source)
    if ip["boot_protocol"] != STATIC:
        return replace(network, dhcpv4=ip["boot_protocol"] == DHCP)
    prefix = prefix_length(ip["netmask"])
    if prefix is None:
        raise RequestError(
            "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS",
            interface,
            f"{interface} has the static address {ip['address']} without a usable netmask.",
            f"Correct the netmask on {interface}, and run again.",
        )
    gateway = ip["gateway"] if is_real(ip["gateway"]) else None
    return replace(network, ipv4=(ip["address"], prefix), gateway=gateway)


def with_ipv6(network: Network, source: Data, facts: Facts) -> Network:
    """``network`` with the IPv6 configuration of ``source`` (capabilities entry)."""
    ip = ipv6_configuration(source)
    protocol = ip["boot_protocol"] if facts.supports_ipv6 else NONE
    if protocol != STATIC:
        dhcp, autoconf = protocol in (DHCP, DHCP_AND_AUTOCONF), protocol in (AUTOCONF, DHCP_AND_AUTOCONF)
        return replace(network, dhcpv6=dhcp, ipv6autoconf=autoconf)
    # The engine sends an IPv6 gateway only for the network with the default route.
    gateway = ip["gateway"] if network.default_route and is_real(ip["gateway"]) else None
    return replace(network, ipv6=(ip["address"], 128 if ip["prefix"] is None else ip["prefix"]), ipv6gateway=gateway)


def name_servers(facts: Facts, definition: Definition, network: Network, interface: str) -> tuple[str, ...]:
    """DNS servers, only for the network with the default route: those of the definition, or else the host's current
    ones, unless DHCP (or, without IPv4, router advertisements) provides them.
    """
    if not definition.default_route:
        return ()
    if definition.dns_servers:
        return definition.dns_servers
    dynamic6 = network.dhcpv6 or network.ipv6autoconf
    if network.dhcpv4 or dynamic6 and not network.ipv4:
        return ()
    # A link-local server is reached through the device of the address, which may change.
    name = definition.vdsm_name
    device = name if definition.vm_network else interface
    servers = [server.partition("%") for server in facts.nameservers]
    return tuple(
        address + (f"%{device}" if zone in (name, interface) else mark + zone) for address, mark, zone in servers
    )
