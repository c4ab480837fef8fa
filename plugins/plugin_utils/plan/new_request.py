# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The setupNetworks request of the management network: built from the definition and the interface, and validated.

Everything but the IP configuration comes from the definition; the IP configuration is inherited from the device that
holds the address. The rules are those of the engine's validation of a host's networks that concern one network on one
host, under their EngineMessage names, and VDSM's canonical form of a request.
"""

from __future__ import annotations

import re

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import is_real, prefix_length
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    Position,
    nics_of,
    other_networks,
    recorded_networks,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.compliance import (
    AUTOCONF,
    DHCP,
    DHCP_AND_AUTOCONF,
    NONE,
    STATIC,
    ipv4_configuration,
    ipv6_configuration,
)

CONNECTIVITY_TIMEOUT = 120  # seconds, the engine's NetworkConnectivityCheckTimeoutInSeconds
BOND_NAME = re.compile(r"bond\w+", re.ASCII)
_BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_MODES_UNFIT_FOR_BRIDGE = (
    "0",
    "5",
    "6",
)  # they answer from several MACs or ports, which a bridge's guests cannot live with


class RequestError(Exception):
    """The request would break a rule. ``engine_message``: the rule's EngineMessage name ("" when the engine has
    none), ``interface``: the interface in question, ``remedy``: what to do."""

    def __init__(self, engine_message: str, interface: str, reason: str, remedy: str):
        super().__init__(reason)
        self.engine_message = engine_message
        self.interface = interface
        self.remedy = remedy


def build_request(facts: dict, definition: dict, position: Position, source: dict) -> dict:
    """The validated request {networks, bondings, options} that makes the network of ``definition`` on ``position``.

    ``facts``: as of check_facts(). ``definition``: as of parse_definition(). ``source``: capabilities entry of the
    device whose IP configuration is inherited. A bond below is listed as it is: VDSM resets an unlisted one, and its
    persistence needs the record. Another network that has the default route gives it up, as VDSM does it.
    Raises RequestError.
    """
    validate_link(facts, definition, position)
    network = {**describe_network(facts, definition, position, source), **_kept(facts, definition)}
    networks = {definition["vdsm_name"]: network}
    if definition["default_route"]:
        networks.update(_without_default_route(facts, definition["vdsm_name"]))
    return {
        "networks": networks,
        "bondings": {position.base: bond_record(facts["bondings"][position.base])} if position.bonded else {},
        "options": {"connectivityCheck": True, "connectivityTimeout": CONNECTIVITY_TIMEOUT, "commitOnSuccess": True},
    }


def _kept(facts: dict, definition: dict) -> dict:
    """What the engine has given to the network beside what a definition says, as VDSM has it already: QoS and custom
    properties.
    """
    record = recorded_networks(facts).get(definition["vdsm_name"]) or {}
    custom = {
        key: value
        for key, value in (record.get("custom") or {}).items()
        if definition["vm_network"] or key != "bridge_opts"
    }
    return {key: value for key, value in (("hostQos", record.get("hostQos")), ("custom", custom)) if value}


def describe_network(facts: dict, definition: dict, position: Position, source: dict) -> dict:
    """The network of ``definition`` on ``position`` in VDSM's canonical form, its IP configuration that of ``source``.
    Arguments as for build_request(). Raises RequestError when there is nothing to inherit.
    """
    network = _link(definition, position)
    network.update(_ipv4(source, position.interface))
    network.update(_ipv6(source, definition["default_route"], facts))
    if network["bootproto"] == "none" and not (
        network["dhcpv6"] or network["ipv6autoconf"] or "ipaddr" in network or "ipv6addr" in network
    ):
        raise RequestError(
            "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL",
            position.interface,
            f"{position.interface} has no IPv4 or IPv6 configuration for the management network.",
            f"Configure an address or DHCP on {position.interface}, and run again.",
        )
    network["defaultRoute"] = definition["default_route"]
    network["nameservers"] = _nameservers(facts, definition, network, position.interface)
    network["switch"] = definition["switch"]
    return network


def bond_record(bond: dict) -> dict:
    """A bond's capabilities entry in VDSM's form of a request: {nics, options: "mode=1 miimon=100", switch, hwaddr}.

    Without hwaddr where the bond's MAC follows the active port (fail_over_mac), for nmstate then refuses every edit
    that states one.
    """
    options = {key: str(value) for key, value in (bond.get("opts") or {}).items()}
    options["mode"] = bond_mode(bond) or options.get("mode", "0")
    words = [f"mode={options.pop('mode')}"] + [f"{key}={value}" for key, value in sorted(options.items())]
    record = {
        "nics": sorted(bond.get("slaves") or []),
        "options": " ".join(words),
        "switch": bond.get("switch") or "legacy",
    }
    if bond.get("hwaddr") and not (
        bond_mode(bond) == "1" and str((bond.get("opts") or {}).get("fail_over_mac")) in ("1", "active")
    ):
        record["hwaddr"] = bond["hwaddr"]
    return record


def bond_mode(bond: dict) -> str:
    """Number of the bond's mode as text ("1"), from number or name; "" when it cannot be read. Missing means 0."""
    mode = str((bond.get("opts") or {}).get("mode", "0")).partition(" ")[0]
    if mode in _BOND_MODES:
        return str(_BOND_MODES.index(mode))
    return mode if mode.isdecimal() and int(mode) < len(_BOND_MODES) else ""


def validate_link(facts: dict, definition: dict, position: Position, qos: bool = False) -> None:
    """Check bond, MTU and neighbours of the network on ``position``; ``qos``: whether it brings a quality of service.
    Raises RequestError.
    """
    if position.bonded:
        _validate_bond(facts["bondings"][position.base], definition, position)
    _validate_mtu(facts, definition, position)
    _validate_neighbours(
        facts, definition, position, qos or bool((facts["networks"].get(definition["vdsm_name"]) or {}).get("hostQos"))
    )


def _validate_bond(bond: dict, definition: dict, position: Position) -> None:
    name = position.base
    if not BOND_NAME.fullmatch(name):
        raise RequestError(
            "NETWORK_BOND_NAME_BAD_FORMAT",
            name,
            f"The name of the bond {name} is not valid in VDSM; expected 'bond' followed by letters, digits, or '_'.",
            f"Rename the bond {name}, for example to bond0, and run again.",
        )
    mode = bond_mode(bond)
    if definition["vm_network"] and (not mode or mode in _MODES_UNFIT_FOR_BRIDGE):
        shown = f"{mode} ({_BOND_MODES[int(mode)]})" if mode else repr((bond.get("opts") or {}).get("mode"))
        raise RequestError(
            "INVALID_BOND_MODE_FOR_BOND_WITH_VM_NETWORK",
            name,
            f"The bond {name} has mode {shown}, which a VM network does not support; expected mode 1, 2, 3, or 4.",
            f"Change the mode of {name}, for example to 1 or 4, or set vm_network: false in the definition, and run "
            "again.",
        )


def _validate_mtu(facts: dict, definition: dict, position: Position) -> None:
    for nic in nics_of(facts, position):
        # The kernel reports 0 for a device without an upper limit.
        limit = facts["max_mtu"].get(nic)
        if limit and definition["mtu"] > int(limit):
            raise RequestError(
                "MTU_VALUE_INVALID",
                nic,
                f"The definition requires MTU {definition['mtu']}, but {nic} supports at most {limit}.",
                f"Set mtu in the definition to {limit} or less, or use NICs that support {definition['mtu']}, and run "
                "again.",
            )


def _validate_neighbours(facts: dict, definition: dict, position: Position, qos: bool) -> None:
    name, base = definition["vdsm_name"], position.base
    others = [net for net in other_networks(facts, name) if net["base"] == base]
    own = {"name": name, "vlan": definition["vlan_tag"] or None, "mtu": definition["mtu"]}
    untagged = [net["name"] for net in (*others, own) if net["vlan"] is None]
    if own["vlan"] is None and len(untagged) > 1:
        raise RequestError(
            "NETWORK_INTERFACES_NOT_EXCLUSIVELY_USED_BY_UNTAGGED_NETWORK",
            base,
            f"{base} already has the untagged network {untagged[0]}; an interface can have only one.",
            f"Remove the network {untagged[0]} from {base}, or set a VLAN tag for one of the two, and run again.",
        )
    same = [net["name"] for net in others if own["vlan"] is not None and net["vlan"] == own["vlan"]]
    if same:
        raise RequestError(
            "ACTION_TYPE_FAILED_HOST_NETWORK_ATTACHEMENT_ON_UNMANAGED_NETWORK",
            base,
            f"VLAN {own['vlan']} on {base} already has the network {same[0]}.",
            f"Remove the network {same[0]} from the host, and run again.",
        )
    if any(net["qos"] for net in others) and not qos:
        limited = next(net["name"] for net in others if net["qos"])
        raise RequestError(
            "ACTION_TYPE_FAILED_HOST_NETWORK_QOS_INTERFACES_WITHOUT_QOS",
            base,
            f"The network {limited} on {base} has a quality of service. On one interface, either all networks or none "
            "can have one.",
            f"Remove the quality of service from {limited}, or move {limited} to another interface, and run again.",
        )
    if untagged and len({net["mtu"] for net in (*others, own)}) > 1:
        listed = ", ".join(f"{net['name']}({net['mtu']})" for net in (own, *others))
        raise RequestError(
            "NETWORK_MTU_DIFFERENCES",
            base,
            f"The networks on {base} differ in their MTU, and one of them is untagged: {listed}.",
            "Set the same MTU for all networks of this interface, or set a VLAN tag for each of them, and run again.",
        )


def _link(definition: dict, position: Position) -> dict:
    network: dict = {"bonding" if position.bonded else "nic": position.base}
    # A device with tag 0 stays what it is; the definition's 0 makes none (see derive.py).
    tag = definition["vlan_tag"] or (0 if position.vlan == 0 else None)
    if tag is not None:
        network["vlan"] = tag
    network["bridged"] = definition["vm_network"]
    network["mtu"] = definition["mtu"]
    if definition["vm_network"]:
        network["stp"] = definition["stp"]
    return network


def _ipv4(source: dict, interface: str) -> dict:
    ip = ipv4_configuration(source)
    if ip["boot_protocol"] != STATIC:
        return {"bootproto": "dhcp" if ip["boot_protocol"] == DHCP else "none"}
    if prefix_length(ip["netmask"]) is None:
        raise RequestError(
            "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS",
            interface,
            f"{interface} has the static address {ip['address']} without a usable netmask.",
            f"Correct the netmask on {interface}, and run again.",
        )
    network = {"bootproto": "none", "ipaddr": ip["address"], "netmask": ip["netmask"]}
    if is_real(ip["gateway"]):
        network["gateway"] = ip["gateway"]
    return network


def _ipv6(source: dict, default_route: bool, facts: dict) -> dict:
    ip = ipv6_configuration(source)
    protocol = ip["boot_protocol"] if facts.get("supportsIPv6", True) else NONE
    network = {
        "dhcpv6": protocol in (DHCP, DHCP_AND_AUTOCONF),
        "ipv6autoconf": protocol in (AUTOCONF, DHCP_AND_AUTOCONF),
    }
    if protocol == STATIC:
        network["ipv6addr"] = f"{ip['address']}/{128 if ip['prefix'] is None else ip['prefix']}"
        # The engine sends an IPv6 gateway with the default route network only.
        if default_route and is_real(ip["gateway"]):
            network["ipv6gateway"] = ip["gateway"]
    return network


def _nameservers(facts: dict, definition: dict, network: dict, interface: str) -> list[str]:
    """With the default route only: the definition's, else the host's present ones unless DHCP (or, without IPv4,
    routers) bring them.
    """
    if not definition["default_route"]:
        return []
    if definition["dns_servers"]:
        return list(definition["dns_servers"])
    dynamic6 = network["dhcpv6"] or network["ipv6autoconf"]
    if network["bootproto"] == "dhcp" or dynamic6 and "ipaddr" not in network:
        return []
    # A link-local server is reached through the device of the address, which may be another one afterwards.
    name = definition["vdsm_name"]
    device = name if definition["vm_network"] else interface
    servers = [server.partition("%") for server in facts["nameservers"]]
    return [address + (f"%{device}" if zone in (name, interface) else mark + zone) for address, mark, zone in servers]


def _without_default_route(facts: dict, name: str) -> dict:
    """VDSM's rule: one network has the default route; the record of a former one joins the request without it."""
    if "running" not in facts:
        return {}
    return {
        other: {**record, "defaultRoute": False, "nameservers": []}
        for other, record in recorded_networks(facts).items()
        if other != name and record.get("defaultRoute")
    }
