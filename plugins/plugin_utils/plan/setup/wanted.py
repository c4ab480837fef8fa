# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The networks and bonds that a host shall have, as people write them (host_networks): checked and completed.

``{networks: {name: {on, ipv4, ipv6, keys of a definition} | null}, bonds: {name: {ports, mode, options} | null}}``.
What can be judged without the host is refused here: by VDSM's rules (netswitch/validator.py, ip/validator.py,
link/validator.py) and by those that VDSM leaves out, such as a gateway outside of its subnet.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import definition as definitions
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import values
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import (
    in_subnet,
    netmask,
    parse_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import (
    Definition,
    DefinitionError,
    parse_definition,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import BOND_MODES, Bond
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import FormatError, Values, is_device_name

_DEFINITION_KEYS = tuple(key for key in definitions.KEYS if key != "name")
NETWORK_KEYS = ("on", *_DEFINITION_KEYS, "ipv4", "ipv6")
BOND_KEYS = ("ports", "mode", "options")
_ADDRESS_KEYS = ("method", "address", "prefix", "gateway")
METHODS4 = {"dhcp": "dhcp", "static": "static", "none": "none"}
METHODS6 = {**METHODS4, "auto": "autoconf", "dhcp_and_auto": "poly_dhcp_autoconf"}
# Keys of VDSM, the engine and nmstate that are known and not built.
_UNSUPPORTED = {
    "qos": "quality of service",
    "hostQos": "quality of service",
    "labels": "network labels",
    "label": "network labels",
    "sriov": "SR-IOV",
    "custom": "custom properties",
    "bridge_opts": "custom bridge options",
    "ethtool": "ethtool options",
    "lldp": "LLDP",
    "nmstate": "raw nmstate keys",
    "provider": "networks of external providers",
}
# The options of the kernel's bonding driver (Documentation/networking/bonding.rst). mode has a key of its own.
BOND_OPTIONS = frozenset(
    [
        "active_slave",
        "ad_actor_sys_prio",
        "ad_actor_system",
        "ad_select",
        "ad_user_port_key",
        "all_slaves_active",
        "arp_all_targets",
        "arp_interval",
        "arp_ip_target",
        "arp_missed_max",
        "arp_validate",
        "downdelay",
        "fail_over_mac",
        "lacp_active",
        "lacp_rate",
        "lp_interval",
        "miimon",
        "min_links",
        "num_grat_arp",
        "num_unsol_na",
        "packets_per_slave",
        "peer_notif_delay",
        "primary",
        "primary_reselect",
        "resend_igmp",
        "tlb_dynamic_lb",
        "updelay",
        "use_carrier",
        "xmit_hash_policy",
    ]
)
_BOND_NAME = re.compile(r"bond\w+", re.ASCII)
_STATIC_INCOMPLETE = "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS"
_ADDRESS_WITHOUT_STATIC = "NETWORK_ATTACHMENT_IP_CONFIGURATION_INCOMPATIBLE_BOOT_PROTOCOL_AND_IP_ADDRESS_DETAILS"


class HostNetworksError(FormatError):
    """host_networks cannot be used. ``key`` is a path such as ``networks.red.vlan_tag``."""


@dataclass(frozen=True)
class WantedNetwork:
    """One network. ``on``: the NIC or bond below, "" for a bridge without one. ``ipv4``, ``ipv6``: {boot_protocol,
    address, netmask (IPv4) or prefix (IPv6), gateway} as the engine compares them; None means as the host has it.
    ``default_route``: None likewise.
    """

    definition: Definition
    on: str = ""
    ipv4: Data | None = None
    ipv6: Data | None = None
    default_route: bool | None = None

    @property
    def name(self) -> str:
        """Its name on the host."""
        return self.definition.vdsm_name


@dataclass(frozen=True)
class HostNetworks:
    """``networks``: by their names on the host; None: not there. ``bonds``: by name, with ``remove`` where null was
    given; ``options`` None means as the host has them.
    """

    networks: dict[str, WantedNetwork | None]
    bonds: dict[str, Bond]


def parse_host_networks(data: object) -> HostNetworks:
    """The HostNetworks of a mapping, or of JSON text of one. Raises HostNetworksError naming the key, what was given
    and what is expected.
    """
    try:
        given = values.mapping(data)
    except ValueError:
        raise HostNetworksError("", f"got {describe(data)}, expected a mapping with networks and bonds") from None
    checked = Values(given, "", ("networks", "bonds"), HostNetworksError, text=True)
    if not checked.keys():
        raise HostNetworksError("", "got nothing, expected a mapping with networks, bonds, or both")
    networks: dict[str, WantedNetwork | None] = {}
    for key, attributes in checked.mapping("networks").items():
        network = None if attributes is None else _network(str(key), attributes)
        name = network.name if network else str(key)
        if name in networks:
            raise HostNetworksError(f"networks.{key}", f"another network has the name {name} on the host")
        networks[name] = network
    wanted = HostNetworks(networks, {str(key): _bond(str(key), data) for key, data in checked.mapping("bonds").items()})
    _refuse_conflicts(wanted)
    return wanted


def _network(name: str, attributes: object) -> WantedNetwork:
    path = f"networks.{name}"
    if isinstance(attributes, dict):
        _refuse_unsupported(path, attributes)
    given = Values(attributes, path, NETWORK_KEYS, HostNetworksError, text=True)
    on = given.text("on")
    if on.startswith("label:"):
        raise given.error("on", f"got {on}: this collection does not support network labels; expected a NIC or a bond")
    default_route = given.boolean("default_route", False) if "default_route" in given.keys() else None  # noqa: SIM118
    try:
        definition = parse_definition({**{key: given.get(key) for key in _DEFINITION_KEYS}, "name": name})
    except DefinitionError as error:
        problem = str(error).removeprefix(f"{error.key}: ")
        key = path if error.key == "name" else f"{path}.{error.key}"
        raise HostNetworksError(key, problem, error.engine_message) from None
    if not on and (definition.vlan_tag or not definition.vm_network):
        what = "a network with a VLAN tag" if definition.vlan_tag else "a network without a bridge"
        raise given.error("on", f"{what} requires the NIC or bond below it")
    network = WantedNetwork(definition, on, _ipv4(given), _ipv6(given), default_route)
    if definition.dns_servers and default_route is False:
        raise given.error("dns_servers", "got DNS servers for a network without the default route")
    if network.ipv6 and network.ipv6["gateway"] and default_route is False:
        raise given.error("ipv6.gateway", "only the network with the default route has an IPv6 gateway")
    return network


def _refuse_unsupported(path: str, attributes: Data) -> None:
    for key, words in _UNSUPPORTED.items():
        if key in attributes:
            raise HostNetworksError(f"{path}.{key}", f"this collection does not configure {words}; remove the key")


def _ipv4(given: Values) -> Data | None:
    parsed = _family(given, "ipv4", 4, METHODS4)
    if parsed is None:
        return None
    prefix = parsed.pop("prefix")
    mask = None if prefix is None else netmask(prefix)
    if mask and parsed["gateway"] and prefix < 31 and not in_subnet(parsed["address"], mask, parsed["gateway"]):
        raise given.error(
            "ipv4.gateway",
            f"{parsed['gateway']} is not in the subnet of {parsed['address']}/{prefix}",
            _STATIC_INCOMPLETE,
        )
    return {**parsed, "netmask": mask}


def _ipv6(given: Values) -> Data | None:
    parsed = _family(given, "ipv6", 6, METHODS6)
    gateway = parse_address(parsed["gateway"]) if parsed and parsed["gateway"] else None
    if parsed and gateway and parsed["prefix"] < 127 and not gateway.is_link_local():
        subnet = ipaddress.ip_interface(f"{parsed['address']}/{parsed['prefix']}").network
        if ipaddress.ip_address(parsed["gateway"]) not in subnet:
            raise given.error(
                "ipv6.gateway", f"{parsed['gateway']} is neither link-local nor in {subnet}", _STATIC_INCOMPLETE
            )
    return parsed


def _family(given: Values, key: str, version: int, methods: dict[str, str]) -> Data | None:
    """{boot_protocol, address, prefix, gateway}, None when ``key`` is not set."""
    if given.get(key) is None:
        return None
    path = str(given.error(key, "")).partition(":")[0]
    family = Values(given.get(key), path, _ADDRESS_KEYS, HostNetworksError, text=True)
    method = family.text("method") or ("static" if family.get("address") else "")
    if method not in methods:
        raise family.wrong("method", f"one of {', '.join(methods)}")
    details = {entry: family.get(entry) for entry in ("address", "prefix", "gateway")}
    if method != "static":
        for entry, value in details.items():
            if value is not None:
                raise family.error(entry, f"got {value} with method {method}, expected static", _ADDRESS_WITHOUT_STATIC)
        return {"boot_protocol": methods[method], "address": None, "prefix": None, "gateway": None}
    address, gateway = (family.address(entry, version, _STATIC_INCOMPLETE) for entry in ("address", "gateway"))
    parsed = parse_address(address)
    if address is None or parsed is None or parsed.is_multicast() or parsed.is_loopback():
        raise family.wrong("address", f"the IPv{version} address of the host", _STATIC_INCOMPLETE)
    longest = 32 if version == 4 else 128
    prefix = family.integer("prefix", 1, longest, engine_message=_STATIC_INCOMPLETE)
    if prefix is None:
        raise family.error(
            "prefix", f"this key is required; expected an integer from 1 to {longest}", _STATIC_INCOMPLETE
        )
    if gateway == address:
        raise family.error("gateway", f"got {gateway}, which is the address of the host itself", _STATIC_INCOMPLETE)
    return {"boot_protocol": "static", "address": address, "prefix": prefix, "gateway": gateway}


def _bond(name: str, attributes: object) -> Bond:
    path = f"bonds.{name}"
    if not _BOND_NAME.fullmatch(name) or not is_device_name(name):
        raise HostNetworksError(
            path, "the name of a bond is 'bond' followed by letters, digits, or '_', at most 15 characters"
        )
    if attributes is None:
        return Bond(name, remove=True)
    given = Values(attributes, path, BOND_KEYS, HostNetworksError, text=True)
    try:
        ports = values.sequence(given.get("ports"))
    except ValueError:
        raise given.wrong("ports", "a list of NIC names") from None
    if not ports or not all(isinstance(port, str) and is_device_name(port) for port in ports):
        raise given.wrong("ports", "a list of NIC names")
    if len(set(ports)) != len(ports):
        raise given.wrong("ports", "a list of NIC names without doubles")
    mode, options = given.get("mode"), _bond_options(given)
    if mode is not None:
        number = str(mode)
        if number in BOND_MODES:
            number = str(BOND_MODES.index(number))
        if not number.isdecimal() or int(number) >= len(BOND_MODES):
            raise given.wrong("mode", f"one of {', '.join(BOND_MODES)}, or its number")
        options = {"mode": number, **(options or {})}
    return Bond(name, tuple(sorted(ports)), options)


def _bond_options(given: Values) -> dict[str, str] | None:
    options = given.get("options")
    if options is None:
        return None
    if isinstance(options, str):
        pairs = [word.partition("=") for word in options.split()]
        if not all(key and value for key, _equals, value in pairs):
            raise given.wrong("options", "a mapping, or pairs such as 'miimon=100 lacp_rate=fast'")
        options = {key: value for key, _equals, value in pairs}
    if not isinstance(options, dict):
        raise given.wrong("options", "a mapping, or pairs such as 'miimon=100 lacp_rate=fast'")
    for key, value in options.items():
        if key == "mode":
            raise given.error("options.mode", "set the key mode of the bond instead")
        if key not in BOND_OPTIONS:
            raise given.error(f"options.{key}", "the bonding driver has no such option")
        if isinstance(value, (dict, list)) or values.is_unset(value) or set(str(value)) & set(" \t\n="):
            raise given.error(f"options.{key}", f"got {describe(value)}, expected one word or number")
    return {key: str(int(value) if isinstance(value, bool) else value) for key, value in options.items()}


def _refuse_conflicts(wanted: HostNetworks) -> None:
    bond_of: dict[str, str] = {}
    for name, bond in wanted.bonds.items():
        for port in bond.nics:
            if bond_of.setdefault(port, name) != name:
                raise HostNetworksError(f"bonds.{name}.ports", f"{port} is a port of {bond_of[port]} already")
    places: dict[tuple[str, int], str] = {}
    default = ""
    for name, network in wanted.networks.items():
        if network is None:
            continue
        path, on, tag = f"networks.{name}", network.on, network.definition.vlan_tag or 0
        if on and on in bond_of:
            raise HostNetworksError(f"{path}.on", f"{on} is a port of the bond {bond_of[on]}; expected the bond")
        if on in wanted.bonds and wanted.bonds[on].remove:
            raise HostNetworksError(f"{path}.on", f"the bond {on} is to be removed (bonds.{on}: null)")
        if on and places.setdefault((on, tag), name) != name:
            where = f"VLAN {tag} on {on}" if tag else f"{on}, untagged,"
            raise HostNetworksError(path, f"{where} already carries the network {places[on, tag]}")
        if network.default_route:
            if default:
                raise HostNetworksError(f"{path}.default_route", f"the network {default} already has the default route")
            default = name
