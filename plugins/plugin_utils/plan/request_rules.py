# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A setupNetworks request that somebody edited, checked before anything is touched.

The form first (desired_state_request), then the engine's rules for one network on one host, under their EngineMessage
names (HostSetupNetworksValidator, NetworkAttachmentIpConfigurationValidator).
"""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import Current
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import (
    Bond,
    Network,
    RequestFormatError,
    parse_request,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import (
    Position,
    check_facts,
    other_networks,
    recorded_networks,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import (
    BOND_NAME,
    RequestError,
    validate_link,
)

_IP = "NETWORK_ATTACHMENT_IP_CONFIGURATION_"
_STATIC_LACKS = _IP + "STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS"
_INCOMPATIBLE = _IP + "INCOMPATIBLE_BOOT_PROTOCOL_AND_IP_ADDRESS_DETAILS"
# The engine's name for what is wrong with the form of a key.
_FORM = {
    "vlan": "NETWORK_VLAN_OUT_OF_RANGE",
    "mtu": "MTU_VALUE_INVALID",
    "stp": "NON_VM_NETWORK_CANNOT_SUPPORT_STP",
    "ipaddr": _INCOMPATIBLE,
    "ipv6addr": _INCOMPATIBLE,
    "netmask": _STATIC_LACKS,
    "prefix": _STATIC_LACKS,
    "gateway": _STATIC_LACKS,
    "ipv6gateway": _STATIC_LACKS,
}
_CORRECT = "Correct the request, and run again."
_SLAVES = "NETWORK_INTERFACE_"


def check_request(request: dict, facts: dict, definition: dict) -> dict:
    """Return ``request`` ({networks, bondings, options}) when the network of ``definition`` can be made by it on the
    host of ``facts``.

    Raises RequestError (its ``engine_message`` names the rule) for what breaks a rule or has the wrong form;
    DefinitionError, FactsError.
    """
    definition, facts = parse_definition(definition), check_facts(facts)
    name = definition["vdsm_name"]
    try:
        networks, bonds = parse_request(request, Current(facts.get("nmstate")))
    except RequestFormatError as error:
        raise RequestError(
            _FORM.get(error.key.rpartition(".")[2], ""), "", f"The request is invalid: {error}.", _CORRECT
        ) from error
    if name not in networks or networks[name].remove:
        raise RequestError(
            "", "", f"The request does not contain the network {name}.", f"Keep {name} in networks, and run again."
        )
    strange = sorted(set(networks) - {name} - set(recorded_networks(facts)))
    if strange:
        raise RequestError(
            "",
            "",
            f"The request contains the network {strange[0]}, which the host does not have.",
            f"Remove {strange[0]}; only {name} and existing networks are allowed. Then run again.",
        )
    for other, raw in request["networks"].items():
        _refuse_what_is_not_built(other, raw or {}, recorded_networks(facts).get(other) or {})
    for bond in bonds.values():
        _check_bond(facts, bond, name)
    _check_place(facts, networks[name], bonds, request["networks"][name])
    _check_ip(networks[name], request["networks"][name])
    return request


def _refuse_what_is_not_built(name: str, raw: dict, record: dict) -> None:
    """QoS and custom properties, which VDSM sets by other means than nmstate, stay as VDSM's record has them."""
    for key, what in (("hostQos", "a quality of service"), ("custom", "custom properties")):
        if raw.get(key) and raw[key] != record.get(key) and not raw.get("remove"):
            raise RequestError(
                "",
                raw.get("nic") or raw.get("bonding") or "",
                f"networks.{name}.{key}: this collection does not configure {what}.",
                f"Remove {key} from the request, and run again. Set it in the engine when the host is up.",
            )


def _check_place(facts: dict, network: Network, bonds: dict[str, Bond], raw: dict) -> None:
    base, bonded = network.base or "", "bonding" in raw
    if base in facts["vlans"]:
        raise RequestError(
            "ATTACHMENT_REFERENCE_VLAN_DEVICE",
            base,
            f"{base} is a VLAN device, expected the NIC or bond below it.",
            f"Set {facts['vlans'][base].get('iface')} and the key vlan, and run again.",
        )
    known = {*facts["bondings"], *bonds} if bonded else facts["nics"]
    if base not in known:
        raise RequestError(
            "HOST_NETWORK_INTERFACE_HAVING_ID_OR_NAME_DOES_NOT_EXIST",
            base,
            f"The host has no {'bond' if bonded else 'NIC'} '{base}'.",
            f"Its {'bonds' if bonded else 'NICs'} are: {', '.join(sorted(known))}.",
        )
    if not bonded:
        _refuse_leg(facts, base, "")
    if bonded and base in bonds:
        if bonds[base].remove:
            raise RequestError("", base, f"The request removes the bond {base}, but puts the network on it.", _CORRECT)
        options = (
            bonds[base].options if bonds[base].options is not None else (facts["bondings"].get(base) or {}).get("opts")
        )
        facts = {**facts, "bondings": {**facts["bondings"], base: {"slaves": list(bonds[base].nics), "opts": options}}}
    link = {"vdsm_name": network.name, "vm_network": network.bridged, "vlan_tag": network.vlan, "mtu": network.mtu}
    validate_link(facts, link, Position(network.port or base, base, bonded, network.vlan), bool(raw.get("hostQos")))
    if not network.bridged and (raw.get("custom") or {}).get("bridge_opts"):
        raise RequestError("", base, "got custom.bridge_opts for a network without a bridge.", _CORRECT)


def _check_bond(facts: dict, bond: Bond, network: str) -> None:
    if bond.remove:
        return
    if not BOND_NAME.fullmatch(bond.name):
        raise RequestError(
            "NETWORK_BOND_NAME_BAD_FORMAT",
            bond.name,
            f"'{bond.name}' is not a valid bond name, expected 'bond' followed by letters, digits, or '_'.",
            _CORRECT,
        )
    if len(set(bond.nics)) < 2:
        raise RequestError(
            "NETWORK_BONDS_INVALID_SLAVE_COUNT",
            bond.name,
            f"The bond {bond.name} would have only the port {bond.nics[0]}.",
            "Add ports until it has at least two, and run again.",
        )
    for nic in bond.nics:
        if nic in facts["bondings"] or nic in facts["vlans"]:
            raise RequestError(
                _SLAVES + "BOND_OR_VLAN_CANNOT_BE_SLAVE",
                nic,
                f"{nic} is not a NIC, so it cannot be a port of {bond.name}.",
                _CORRECT,
            )
        if nic not in facts["nics"]:
            raise RequestError(
                "HOST_NETWORK_INTERFACE_HAVING_ID_OR_NAME_DOES_NOT_EXIST",
                nic,
                f"The host has no NIC '{nic}' for the bond {bond.name}.",
                f"Its NICs are: {', '.join(sorted(facts['nics']))}.",
            )
        _refuse_leg(facts, nic, bond.name)
        users = [other["name"] for other in other_networks(facts, network) if other["base"] == nic]
        if users:
            raise RequestError(
                _SLAVES + "ATTACHED_TO_NETWORK_CANNOT_BE_SLAVE",
                nic,
                f"{nic} has the network {users[0]}, so it cannot be a port of {bond.name}.",
                f"Move {users[0]} to another interface first, and run again.",
            )


def _refuse_leg(facts: dict, nic: str, bond: str) -> None:
    other = next(
        (name for name, entry in facts["bondings"].items() if name != bond and nic in (entry.get("slaves") or [])), ""
    )
    if other:
        raise RequestError(
            _SLAVES + "ALREADY_IN_BOND",
            nic,
            f"{nic} is a port of the bond {other}.",
            f"Use the bond {other}, or remove {nic} from it, and run again.",
        )


def _check_ip(network: Network, raw: dict) -> None:
    if not (network.ipv4 or network.dhcpv4 or network.ipv6 or network.dhcpv6 or network.ipv6autoconf):
        raise RequestError(
            "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL",
            network.base or "",
            f"The network {network.name} would have no IPv4 or IPv6 configuration.",
            _CORRECT,
        )
    if network.ipv6gateway and not network.default_route:
        raise RequestError(
            _IP + "STATIC_BOOT_PROTOCOL_IPV6_GATEWAY_ON_NON_DEFAULT_ROUTE_ROLE",
            network.base or "",
            f"Got the IPv6 gateway {raw['ipv6gateway']} for a network without the default route.",
            _CORRECT,
        )
