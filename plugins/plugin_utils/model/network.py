# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Networks and bonds in VDSM's terms: of a setupNetworks request, a record, or capabilities.

The keys, types, and defaults are those of VDSM's canonical networks and bonds. Values that VDSM accepts but handles
incorrectly (a netmask "24", a VLAN as text, a NIC and a bond at once) are rejected here, with an error that names the
key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import (
    netmask,
    parse_address,
    prefix_length,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import HostState, StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import (
    DEFAULT_MTU,
    MAX_DEVICE_NAME,
    FormatError,
    Values,
    is_device_name,
)

REQUEST_KEYS = ("networks", "bondings", "options")
_LINK_KEYS = ("nic", "bonding", "vlan", "bridged", "mtu", "stp", "switch", "remove")
_IPV4_KEYS = ("bootproto", "ipaddr", "netmask", "prefix", "gateway")
_IPV6_KEYS = ("ipv6addr", "ipv6gateway", "dhcpv6", "ipv6autoconf")
# the last three are not part of the nmstate state: VDSM sets them by other means, or not at all
_OTHER_KEYS = ("defaultRoute", "nameservers", "hostQos", "custom", "blockingdhcp")
NETWORK_KEYS = (*_LINK_KEYS, *_IPV4_KEYS, *_IPV6_KEYS, *_OTHER_KEYS)
BOND_KEYS = ("nics", "options", "hwaddr", "switch", "remove")
BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_ADDRESS_BESIDE_DHCP = "NETWORK_ATTACHMENT_IP_CONFIGURATION_INCOMPATIBLE_BOOT_PROTOCOL_AND_IP_ADDRESS_DETAILS"
_STATIC_INCOMPLETE = "NETWORK_ATTACHMENT_IP_CONFIGURATION_STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS"


class RequestFormatError(FormatError):
    """The request is invalid. ``key`` is a path such as ``networks.ovirtmgmt.mtu``."""


@dataclass(frozen=True)
class Network:
    """A network of a request or of a host.

    With ``remove``, only the name is set. ``base``: the NIC or (``bonded``) bond below, None for a bridge without one.
    ``device``: its VLAN device or None. ``replaces``: the device of the same VLAN that it replaces, or None. ``ipv4``,
    ``ipv6``: (address, prefix length) of the static address or None. ``nameservers``: None if the request does not
    contain DNS settings. ``mtu`` in bytes. ``host_qos`` and ``custom``: VDSM's values, which are kept but not
    configured.
    """

    name: str
    base: str | None = None
    bonded: bool = False
    vlan: int | None = None
    device: str | None = None
    replaces: str | None = None
    bridged: bool = False
    mtu: int = DEFAULT_MTU
    stp: bool = False
    ipv4: tuple[str, int] | None = None
    gateway: str | None = None
    dhcpv4: bool = False
    ipv6: tuple[str, int] | None = None
    ipv6gateway: str | None = None
    dhcpv6: bool = False
    ipv6autoconf: bool = False
    default_route: bool = False
    nameservers: tuple[str, ...] | None = None
    switch: str = "legacy"
    host_qos: Data = field(default_factory=dict, hash=False)
    custom: Data = field(default_factory=dict, hash=False)
    remove: bool = False

    @property
    def port(self) -> str:
        """The device below the network: its VLAN device, or else the NIC or bond; "" if there is none."""
        return self.device or self.base or ""

    @property
    def holder(self) -> str:
        """The device that has the network's addresses and routes."""
        return self.name if self.bridged else self.port

    @property
    def has_addresses(self) -> bool:
        """Whether IPv4 or IPv6 is configured."""
        return bool(self.ipv4 or self.dhcpv4 or self.ipv6 or self.dhcpv6 or self.ipv6autoconf)

    def to_request(self) -> Data:
        """The network in VDSM's canonical form, which parse_request() reads."""
        request: Data = {"bonding" if self.bonded else "nic": self.base} if self.base else {}
        if self.vlan is not None:
            request["vlan"] = self.vlan
        request.update({"bridged": self.bridged, "mtu": self.mtu})
        if self.bridged:
            request["stp"] = self.stp
        request["bootproto"] = "dhcp" if self.dhcpv4 else "none"
        if self.ipv4:
            request.update({"ipaddr": self.ipv4[0], "netmask": netmask(self.ipv4[1])})
        request.update({"dhcpv6": self.dhcpv6, "ipv6autoconf": self.ipv6autoconf})
        if self.ipv6:
            request["ipv6addr"] = f"{self.ipv6[0]}/{self.ipv6[1]}"
        optional = {
            "gateway": self.gateway,
            "ipv6gateway": self.ipv6gateway,
            "hostQos": self.host_qos,
            "custom": self.custom,
        }
        request.update({key: value for key, value in optional.items() if value})
        request.update({"defaultRoute": self.default_route, "nameservers": list(self.nameservers or ())})
        request["switch"] = self.switch
        return request


@dataclass(frozen=True)
class Bond:
    """A bond of a request or of a host. ``nics``: names of its ports. ``options``: {name: text}; None if the request
    does not contain options. ``hwaddr``: the MAC address, None if it depends on the ports.
    """

    name: str
    nics: tuple[str, ...] = ()
    options: dict[str, str] | None = field(default=None, hash=False)
    hwaddr: str | None = None
    switch: str = "legacy"
    remove: bool = False

    @property
    def mode(self) -> str:
        """The number of the mode as text ("1"), "" if invalid. Defaults to 0, as in VDSM."""
        mode = (self.options or {}).get("mode", "0").partition(" ")[0]
        if mode in BOND_MODES:
            return str(BOND_MODES.index(mode))
        return mode if mode.isdecimal() and int(mode) < len(BOND_MODES) else ""

    def to_request(self) -> Data:
        """The bond in VDSM's canonical form, which parse_request() reads: options as ``mode=1 miimon=100``."""
        options = dict(self.options or {})
        mode = options.pop("mode", "0")
        words = [f"mode={self.mode or mode}"] + [f"{key}={value}" for key, value in sorted(options.items())]
        request: Data = {"nics": list(self.nics), "options": " ".join(words), "switch": self.switch}
        return {**request, "hwaddr": self.hwaddr} if self.hwaddr else request


def reported_bond(name: str, entry: Data) -> Bond:
    """The bond of a capabilities entry.

    Without hwaddr if the bond's MAC address follows the active port (fail_over_mac), because nmstate then rejects every
    edit that sets it.
    """
    options = {key: str(value) for key, value in (entry.get("opts") or {}).items()}
    bond = Bond(name, tuple(sorted(entry.get("slaves") or [])), options, switch=entry.get("switch") or "legacy")
    follows = bond.mode == "1" and options.get("fail_over_mac") in ("1", "active")
    return bond if follows else replace(bond, hwaddr=entry.get("hwaddr") or None)


def parse_request(
    request: object, state: HostState, keep_vlan_name: bool = False
) -> tuple[dict[str, Network], dict[str, Bond]]:
    """Check ``request`` ({networks, bondings, options}); return ({name: Network}, {name: Bond}).

    ``state``: provides the names of VLAN devices. ``keep_vlan_name``: whether existing VLAN devices keep their names. A
    null network or bond is removed, as in VDSM's older requests. Raises RequestFormatError.
    """
    if not isinstance(request, dict):
        raise RequestFormatError("request", f"got {describe(request)}, expected a mapping")
    Values(request, "request", REQUEST_KEYS, RequestFormatError)
    parts = []
    for key in ("networks", "bondings"):
        part = request.get(key)
        if part is not None and not isinstance(part, dict):
            raise RequestFormatError(key, f"got {describe(part)}, expected a mapping")
        parts.append(part or {})
    networks = {name: _network(name, attributes, state, keep_vlan_name) for name, attributes in parts[0].items()}
    _refuse_conflicts(networks)
    return networks, {name: _bond(name, attributes) for name, attributes in parts[1].items()}


def recorded_networks(records: Mapping[str, Any], state: HostState) -> dict[str, Network]:
    """VDSM's ``records`` of networks as {name: Network}. Raises StateFormatError.

    Records were once valid requests, so they are only rejected if they are unreadable.
    """
    networks = {}
    for name, record in records.items():
        try:
            networks[name] = _recorded_network(name, record, state)
        except (AttributeError, TypeError, ValueError) as error:
            raise StateFormatError(
                f"running.networks.{name}", f"cannot read VDSM's record of the network: {error}"
            ) from error
    return networks


def tag_of(value: object) -> int | None:
    """The VLAN tag of a record or report, None if untagged. Raises ValueError, TypeError."""
    return None if value in (None, "") else int(str(value))


def _recorded_network(name: str, record: Data, state: HostState) -> Network:
    """A record as a Network. A missing ``bridged`` means False, so that a bridge is not removed by mistake."""
    base, vlan = record.get("nic") or record.get("bonding") or None, tag_of(record.get("vlan"))
    address6, _slash, prefix6 = (record.get("ipv6addr") or "").partition("/")
    prefix4 = prefix_length(record.get("netmask"))
    nameservers = record.get("nameservers")
    return Network(
        name=name,
        base=base,
        bonded=bool(record.get("bonding")),
        vlan=vlan,
        device=None if vlan is None else state.vlan_device(base, vlan),
        bridged=bool(record.get("bridged", False)),
        mtu=int(record.get("mtu") or DEFAULT_MTU),
        stp=bool(record.get("stp", False)),
        ipv4=(record["ipaddr"], 32 if prefix4 is None else prefix4) if record.get("ipaddr") else None,
        gateway=record.get("gateway") or None,
        dhcpv4=record.get("bootproto") == "dhcp",
        ipv6=(address6, int(prefix6 or 128)) if address6 else None,
        ipv6gateway=record.get("ipv6gateway") or None,
        dhcpv6=bool(record.get("dhcpv6", False)),
        ipv6autoconf=bool(record.get("ipv6autoconf", False)),
        default_route=bool(record.get("defaultRoute", False)),
        nameservers=None if nameservers is None else tuple(nameservers),
        host_qos=record.get("hostQos") or {},
        custom=record.get("custom") or {},
    )


def _network(name: str, attributes: object, state: HostState, keep_vlan_name: bool) -> Network:
    if attributes is None:
        return Network(name=name, remove=True)
    given = Values(attributes, f"networks.{name}", NETWORK_KEYS, RequestFormatError)
    if given.boolean("remove", False):
        others = sorted(given.keys() - {"remove", "custom"})
        if others:
            raise given.error(others[0], "a network with 'remove' must not have other attributes")
        return Network(name=name, remove=True)
    switch, bridged = given.switch(), given.boolean("bridged", True)
    base, vlan = _position(given, bridged)
    if bridged:
        _refuse_name(f"networks.{name}", name)
    device, replaces = (None, None) if vlan is None else state.vlan_to_make(base, vlan, keep_vlan_name)
    if device:
        _refuse_name(f"networks.{name}.vlan", device)
    stp = given.boolean("stp", False)
    if stp and not bridged:
        raise given.error(
            "stp",
            "got true for a network without a bridge; only a bridge can run STP",
            "NON_VM_NETWORK_CANNOT_SUPPORT_STP",
        )
    default_route, nameservers = given.boolean("defaultRoute", False), given.name_servers("nameservers")
    if nameservers and not default_route:
        raise given.error("nameservers", "got DNS servers for a network without the default route")
    ipv4, gateway, dhcpv4 = _ipv4(given)
    ipv6, ipv6gateway, dhcpv6, autoconf = _ipv6(given)
    return Network(
        name=name,
        base=base,
        bonded=bool(given.get("bonding")),
        vlan=vlan,
        device=device,
        replaces=replaces,
        bridged=bridged,
        mtu=given.mtu(),
        stp=stp,
        ipv4=ipv4,
        gateway=gateway,
        dhcpv4=dhcpv4,
        ipv6=ipv6,
        ipv6gateway=ipv6gateway,
        dhcpv6=dhcpv6,
        ipv6autoconf=autoconf,
        default_route=default_route,
        nameservers=nameservers,
        switch=switch,
        host_qos=given.mapping("hostQos"),
        custom=given.mapping("custom"),
    )


def _bond(name: str, attributes: object) -> Bond:
    if attributes is None:
        return Bond(name=name, remove=True)
    given = Values(attributes, f"bondings.{name}", BOND_KEYS, RequestFormatError)
    _refuse_name(f"bondings.{name}", name)
    if given.boolean("remove", False):
        return Bond(name=name, remove=True)
    switch, nics = given.switch(), given.get("nics")
    if not isinstance(nics, list) or not nics or not all(isinstance(nic, str) and nic for nic in nics):
        raise given.wrong("nics", "a list of NIC names")
    return Bond(name, tuple(sorted(nics)), _bond_options(given), given.text("hwaddr") or None, switch)


def _bond_options(given: Values) -> dict[str, str] | None:
    text = given.get("options")
    if text is None:
        return None
    pairs = [word.partition("=") for word in (text.split() if isinstance(text, str) else [""])]
    if not all(key and equals and value for key, equals, value in pairs):
        raise given.wrong("options", "pairs such as 'mode=1 miimon=100'")
    return {key: value for key, _equals, value in pairs}


def _position(given: Values, bridged: bool) -> tuple[str | None, int | None]:
    nic, bonding = given.text("nic"), given.text("bonding")
    if nic and bonding:
        raise given.error("bonding", f"got the bond {bonding} and the NIC {nic}, expected only one of them")
    vlan, base = given.vlan("vlan"), nic or bonding or None
    if not base and (vlan is not None or not bridged):
        key, what = ("vlan", "a VLAN") if vlan is not None else ("nic", "a network without a bridge")
        raise given.error(key, f"{what} requires a 'nic' or a 'bonding'")
    return base, vlan


def _ipv4(given: Values) -> tuple[tuple[str, int] | None, str | None, bool]:
    """(address and prefix length, gateway, whether DHCP is used)."""
    protocol, mask = given.get("bootproto") or "none", given.get("netmask")
    if protocol not in ("none", "dhcp"):
        raise given.wrong("bootproto", "'none' or 'dhcp'")
    address = given.address("ipaddr", 4, _ADDRESS_BESIDE_DHCP)
    gateway = given.address("gateway", 4, _STATIC_INCOMPLETE)
    bits = given.integer("prefix", 0, 32, engine_message=_STATIC_INCOMPLETE)
    if not address:
        for key, value in (("netmask", mask), ("prefix", bits), ("gateway", gateway)):
            if value not in (None, ""):
                raise given.error(key, f"got {value} without an 'ipaddr'", _STATIC_INCOMPLETE)
        return None, None, protocol == "dhcp"
    if protocol == "dhcp":
        raise given.error(
            "ipaddr", f"got {address} and bootproto 'dhcp', expected only one of them", _ADDRESS_BESIDE_DHCP
        )
    if mask and bits is not None:
        raise given.error("prefix", f"got {bits} and the netmask {mask}, expected only one of them", _STATIC_INCOMPLETE)
    prefix = bits if bits is not None else prefix_length(mask) if parse_address(mask) else None
    if prefix is None:
        raise given.wrong("netmask", "an IPv4 netmask such as 255.255.255.0", _STATIC_INCOMPLETE)
    return (address, prefix), gateway, False


def _ipv6(given: Values) -> tuple[tuple[str, int] | None, str | None, bool, bool]:
    """(address and prefix length, gateway, whether DHCPv6 is used, whether router advertisements are used)."""
    dhcp, autoconf = given.boolean("dhcpv6", False), given.boolean("ipv6autoconf", False)
    text = given.text("ipv6addr")
    address, _slash, prefix = text.partition("/")
    parsed = parse_address(address) if "%" not in address else None
    if text and (
        parsed is None or parsed.version != 6 or not (prefix or "128").isdecimal() or int(prefix or 128) > 128
    ):
        raise given.wrong(
            "ipv6addr", "an IPv6 address with its prefix length such as 2001:db8::1/64", _ADDRESS_BESIDE_DHCP
        )
    if text and (dhcp or autoconf):
        other = "dhcpv6" if dhcp else "ipv6autoconf"
        raise given.error("ipv6addr", f"got {text} and {other}, expected only one of them", _ADDRESS_BESIDE_DHCP)
    gateway = given.address("ipv6gateway", 6, _STATIC_INCOMPLETE)
    if gateway and not text:
        raise given.error("ipv6gateway", f"got {gateway} without an 'ipv6addr'", _STATIC_INCOMPLETE)
    return (str(parsed), int(prefix or 128)) if text else None, gateway, dhcp, autoconf


def _refuse_conflicts(networks: dict[str, Network]) -> None:
    users: dict[tuple[str, int | None], str] = {}
    default = ""
    for name, network in networks.items():
        if network.base:
            other = users.setdefault((network.base, network.vlan), name)
            if other != name:
                place = network.base if network.vlan is None else f"VLAN {network.vlan} on {network.base}"
                raise RequestFormatError(f"networks.{name}", f"{place} already has the network {other}")
        if network.default_route:
            if default:
                raise RequestFormatError(
                    f"networks.{name}.defaultRoute", f"the network {default} already has the default route"
                )
            default = name


def _refuse_name(path: str, name: str) -> None:
    if not is_device_name(name):
        raise RequestFormatError(
            path,
            f"the device name would be {name!r}, expected 1 to {MAX_DEVICE_NAME} characters without space, ':', '/', "
            f"or '%', and not beginning with '-'",
        )
