# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine's and VDSM's rules for a host's networks, under their EngineMessage names.

As VDSM's validator does (netswitch/validator.py), a rule looks at the configuration as it would be: the host with the
whole request. It only applies to what the request changes; the existing configuration of a host is not a reason for a
refusal.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import Facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import BOND_MODES, Bond, Network

CORRECT = "Correct the request, and run again."
_BOND_NAME = re.compile(r"bond\w+", re.ASCII)
# they use several MAC addresses or ports, which does not work for guests on a bridge
_MODES_UNFIT_FOR_BRIDGE = ("0", "5", "6")
_NO_SUCH_INTERFACE = "HOST_NETWORK_INTERFACE_HAVING_ID_OR_NAME_DOES_NOT_EXIST"


# VDSM's error codes (network/errors.py).
BAD_PARAMS, BAD_ADDR, BAD_NIC, USED_NIC, BAD_BONDING, BAD_VLAN, BAD_BRIDGE, USED_BOND = 21, 22, 23, 24, 25, 26, 27, 31
_STATIC_IP = "NETWORK_ATTACHMENT_IP_CONFIGURATION_"
_VDSM_CODES = {
    _NO_SUCH_INTERFACE: BAD_NIC,
    "ATTACHMENT_REFERENCE_VLAN_DEVICE": BAD_NIC,
    "NETWORK_INTERFACE_BOND_OR_VLAN_CANNOT_BE_SLAVE": BAD_NIC,
    "NETWORK_INTERFACE_ALREADY_IN_BOND": USED_NIC,
    "NETWORK_INTERFACE_ATTACHED_TO_NETWORK_CANNOT_BE_SLAVE": USED_NIC,
    "NETWORK_BOND_NAME_BAD_FORMAT": BAD_BONDING,
    "NETWORK_VLAN_OUT_OF_RANGE": BAD_VLAN,
}


class RequestError(Exception):
    """The request violates a rule. ``engine_message``: the EngineMessage name of the rule ("" if the engine has none).
    ``interface``: the affected interface. ``remedy``: what to do. ``vdsm_code``: VDSM's error code, by default that of
    the EngineMessage.
    """

    def __init__(self, engine_message: str, interface: str, reason: str, remedy: str, vdsm_code: int = 0) -> None:
        super().__init__(reason)
        self.engine_message = engine_message
        self.interface = interface
        self.remedy = remedy
        address = BAD_ADDR if engine_message.startswith(_STATIC_IP) else BAD_PARAMS
        self.vdsm_code = vdsm_code or _VDSM_CODES.get(engine_message, address)


@dataclass(frozen=True)
class _Result:
    """The resulting networks and bonds of the host, by name."""

    networks: dict[str, Network]
    bonds: dict[str, Bond]

    def bond_of(self, nic: str, beside: str = "") -> str:
        """The bond that has ``nic`` as a port, other than ``beside``; "" if there is none."""
        return next((name for name, bond in self.bonds.items() if name != beside and nic in bond.nics), "")


def check(facts: Facts, networks: dict[str, Network], bonds: dict[str, Bond], name: str) -> None:
    """Raise RequestError if a request violates a rule.

    ``networks``, ``bonds``: the request, from parse_request(). ``name``: its management network.
    """
    if not networks[name].base:
        raise RequestError(
            _NO_SUCH_INTERFACE,
            "",
            "The management network has no NIC or bond.",
            f"The host's NICs are: {', '.join(sorted(facts.nics))}.",
        )
    check_networks(facts, networks, bonds, [name])
    _check_has_addresses(networks[name])


def check_networks(facts: Facts, networks: dict[str, Network], bonds: dict[str, Bond], names: Collection[str]) -> None:
    """Raise RequestError if a request violates a rule. ``names``: its networks that are checked even if the request
    does not change where they are.
    """
    before = _Result(facts.host_networks(), {bond: facts.bond(bond) for bond in facts.bondings})
    result = _resulting(before, networks, bonds)
    for network in networks.values():
        _check_what_is_not_built(facts, network)
    changed = [bond for bond in bonds if _shape(result.bonds.get(bond)) != _shape(before.bonds.get(bond))]
    for bond in changed:
        if bond in result.bonds and (bond not in before.bonds or before.bonds[bond].nics != result.bonds[bond].nics):
            _check_bond(facts, result, result.bonds[bond])
    others = [
        network
        for other, network in result.networks.items()
        if other not in names and (network.base in changed or _link(network) != _link(before.networks.get(other)))
    ]
    for network in (*(result.networks[name] for name in names), *others):
        if not network.base:
            continue
        _check_place(facts, result, network, removed=[bond for bond in bonds if bonds[bond].remove])
        _check_base(facts, result, network)
        _check_neighbours(result, network)
    for name in names:
        _check_addresses(networks[name])


def _resulting(before: _Result, networks: dict[str, Network], bonds: dict[str, Bond]) -> _Result:
    all_networks, all_bonds = dict(before.networks), dict(before.bonds)
    for name, network in networks.items():
        host = all_networks.pop(name, Network(name))
        if not network.remove:
            # if the request does not contain it, the quality of service is kept
            all_networks[name] = replace(network, host_qos=network.host_qos or host.host_qos)
    for name, bond in bonds.items():
        former = all_bonds.pop(name, None)
        if not bond.remove:
            keeps = former is not None and bond.options is None
            all_bonds[name] = replace(bond, options=former.options) if former and keeps else bond
    return _Result(all_networks, all_bonds)


def _shape(bond: Bond | None) -> tuple[object, ...]:
    return (bond.nics, bond.mode) if bond else ()


def _link(network: Network | None) -> tuple[object, ...]:
    return (network.base, network.vlan, network.bridged, network.mtu) if network else ()


def _check_what_is_not_built(facts: Facts, network: Network) -> None:
    """QoS and custom properties, which VDSM does not set with nmstate, must not differ from VDSM's record."""
    record = facts.records().get(network.name) or {}
    recorded = record.get("custom") or {}
    custom = any(recorded.get(key) != value for key, value in network.custom.items())
    qos = bool(network.host_qos) and network.host_qos != record.get("hostQos")
    for key, changed, words in (("hostQos", qos, "a quality of service"), ("custom", custom, "custom properties")):
        if changed:
            raise RequestError(
                "",
                network.base or "",
                f"networks.{network.name}.{key}: this collection does not configure {words}.",
                f"Remove {key} from the request, and run again. Set it in the engine when the host is up.",
            )


def _check_place(facts: Facts, result: _Result, network: Network, removed: list[str]) -> None:
    base = network.base or ""
    if base in facts.vlans:
        raise RequestError(
            "ATTACHMENT_REFERENCE_VLAN_DEVICE",
            base,
            f"{base} is a VLAN device, expected the NIC or bond below it.",
            f"Set {facts.vlans[base].get('iface')} and the key vlan, and run again.",
        )
    if network.bonded and base in removed:
        raise RequestError(
            "",
            base,
            f"The request removes the bond {base}, but the network {network.name} is on it.",
            CORRECT,
            USED_BOND,
        )
    known = set(result.bonds if network.bonded else facts.nics)
    if base not in known:
        raise RequestError(
            _NO_SUCH_INTERFACE,
            base,
            f"The host has no {'bond' if network.bonded else 'NIC'} '{base}'.",
            f"Its {'bonds' if network.bonded else 'NICs'} are: {', '.join(sorted(known))}.",
            BAD_BONDING if network.bonded else BAD_NIC,
        )
    if not network.bonded:
        _refuse_port(result, base)


def _check_bond(facts: Facts, result: _Result, bond: Bond) -> None:
    _check_bond_name(bond.name, CORRECT)
    if len(set(bond.nics)) < 2:
        raise RequestError(
            "NETWORK_BONDS_INVALID_SLAVE_COUNT",
            bond.name,
            f"The bond {bond.name} would have only the port {bond.nics[0]}.",
            "Add ports until it has at least two, and run again.",
        )
    for nic in bond.nics:
        if nic in facts.bondings or nic in facts.vlans:
            raise RequestError(
                "NETWORK_INTERFACE_BOND_OR_VLAN_CANNOT_BE_SLAVE",
                nic,
                f"{nic} is not a NIC, so it cannot be a port of {bond.name}.",
                CORRECT,
            )
        if nic not in facts.nics:
            raise RequestError(
                _NO_SUCH_INTERFACE,
                nic,
                f"The host has no NIC '{nic}' for the bond {bond.name}.",
                f"Its NICs are: {', '.join(sorted(facts.nics))}.",
            )
        _refuse_port(result, nic, bond.name)
        user = next((network.name for network in result.networks.values() if network.base == nic), "")
        if user:
            raise RequestError(
                "NETWORK_INTERFACE_ATTACHED_TO_NETWORK_CANNOT_BE_SLAVE",
                nic,
                f"{nic} has the network {user}, so it cannot be a port of {bond.name}.",
                f"Move {user} to another interface first, and run again.",
            )


def _refuse_port(result: _Result, nic: str, bond: str = "") -> None:
    other = result.bond_of(nic, beside=bond)
    if other:
        raise RequestError(
            "NETWORK_INTERFACE_ALREADY_IN_BOND",
            nic,
            f"{nic} is a port of the bond {other}.",
            f"Use the bond {other}, or remove {nic} from it, and run again.",
        )


def _check_bond_name(name: str, remedy: str) -> None:
    if not _BOND_NAME.fullmatch(name):
        raise RequestError(
            "NETWORK_BOND_NAME_BAD_FORMAT",
            name,
            f"The name of the bond {name} is not valid in VDSM; expected 'bond' followed by letters, digits, or '_'.",
            remedy,
        )


def _check_base(facts: Facts, result: _Result, network: Network) -> None:
    """Check the name and mode of the bond below, and the MTU that the NICs support."""
    base = network.base or ""
    if network.bonded:
        _check_bond_name(base, f"Rename the bond {base}, for example to bond0, and run again.")
        bond = result.bonds[base]
        if network.bridged and (not bond.mode or bond.mode in _MODES_UNFIT_FOR_BRIDGE):
            given = (bond.options or {}).get("mode")
            shown = f"{bond.mode} ({BOND_MODES[int(bond.mode)]})" if bond.mode else repr(given)
            raise RequestError(
                "INVALID_BOND_MODE_FOR_BOND_WITH_VM_NETWORK",
                base,
                f"The bond {base} has mode {shown}, which a VM network does not support; expected mode 1, 2, 3, or 4.",
                f"Change the mode of {base}, for example to 1 or 4, or set vm_network: false in the definition, and "
                f"run again.",
            )
    for nic in sorted(result.bonds[base].nics) if network.bonded else [base]:
        # The kernel reports 0 for a device without an upper limit.
        limit = facts.max_mtu.get(nic)
        if limit and network.mtu > int(limit):
            raise RequestError(
                "MTU_VALUE_INVALID",
                nic,
                f"The definition requires MTU {network.mtu}, but {nic} supports at most {limit}.",
                f"Set mtu in the definition to {limit} or less, or use NICs that support {network.mtu}, and run again.",
            )


def _check_neighbours(result: _Result, network: Network) -> None:
    base, own = network.base or "", replace(network, vlan=network.vlan or None)
    others = [other for name, other in sorted(result.networks.items()) if other.base == base and name != own.name]
    untagged = [other.name for other in (*others, own) if other.vlan is None]
    if own.vlan is None and len(untagged) > 1:
        raise RequestError(
            "NETWORK_INTERFACES_NOT_EXCLUSIVELY_USED_BY_UNTAGGED_NETWORK",
            base,
            f"{base} already has the untagged network {untagged[0]}; an interface can have only one.",
            f"Remove the network {untagged[0]} from {base}, or set a VLAN tag for one of the two, and run again.",
        )
    same = [other.name for other in others if own.vlan is not None and other.vlan == own.vlan]
    if same:
        raise RequestError(
            "ACTION_TYPE_FAILED_HOST_NETWORK_ATTACHEMENT_ON_UNMANAGED_NETWORK",
            base,
            f"VLAN {own.vlan} on {base} already has the network {same[0]}.",
            f"Remove the network {same[0]} from the host, and run again.",
        )
    limited = [other.name for other in others if other.host_qos]
    if limited and not own.host_qos:
        raise RequestError(
            "ACTION_TYPE_FAILED_HOST_NETWORK_QOS_INTERFACES_WITHOUT_QOS",
            base,
            f"The network {limited[0]} on {base} has a quality of service. On one interface, either all networks or "
            f"none can have one.",
            f"Remove the quality of service from {limited[0]}, or move it to another interface, and run again.",
        )
    if untagged and len({other.mtu for other in (*others, own)}) > 1:
        listed = ", ".join(f"{other.name}({other.mtu})" for other in (own, *others))
        raise RequestError(
            "NETWORK_MTU_DIFFERENCES",
            base,
            f"The networks on {base} differ in their MTU, and one of them is untagged: {listed}.",
            "Set the same MTU for all networks of this interface, or set a VLAN tag for each of them, and run again.",
        )


def _check_has_addresses(network: Network) -> None:
    if not network.has_addresses:
        raise RequestError(
            "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL",
            network.base or "",
            f"The network {network.name} would have no IPv4 or IPv6 configuration.",
            CORRECT,
        )


def _check_addresses(network: Network) -> None:
    base = network.base or ""
    if not network.bridged and network.custom.get("bridge_opts"):
        raise RequestError("", base, "got custom.bridge_opts for a network without a bridge.", CORRECT)
    if network.ipv6gateway and not network.default_route:
        raise RequestError(
            "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_IPV6_GATEWAY_ON_NON_DEFAULT_ROUTE_ROLE",
            base,
            f"Got the IPv6 gateway {network.ipv6gateway} for a network without the default route.",
            CORRECT,
        )
