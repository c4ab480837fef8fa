# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A setupNetworks request as the generator of desired states reads it: checked, with VDSM's canonical defaults.

The keys, types and defaults are those of VDSM's canonical networks and bonds. What VDSM accepts without looking and
then gets wrong (a netmask "24", a VLAN as text, a NIC and a bond at once) is refused here, naming the key.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import (
    canonical,
    is_real,
    parse_address,
    prefix_length,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import (
    MAX_DEVICE_NAME,
    StateFormatError,
    bridge_ports,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import describe

DEFAULT_MTU = 1500
MIN_MTU, MAX_MTU, MAX_VLAN_TAG = 68, 65535, 4094
REQUEST_KEYS = ("networks", "bondings", "options")
NETWORK_KEYS = (
    "nic",
    "bonding",
    "vlan",
    "bridged",
    "mtu",
    "stp",
    "bootproto",
    "ipaddr",
    "netmask",
    "prefix",
    "gateway",
    "ipv6addr",
    "ipv6gateway",
    "dhcpv6",
    "ipv6autoconf",
    "defaultRoute",
    "nameservers",
    "switch",
    "remove",
    "hostQos",
    "custom",
    "blockingdhcp",
)  # the last three are not nmstate's business: VDSM sets them by other means, or not at all
BOND_KEYS = ("nics", "options", "hwaddr", "switch", "remove")
# VDSM's rule for the name of a bridge: what the kernel, or VDSM's own parsers, could not tell apart.
_NOT_IN_NAMES = frozenset(":./% \t\n")


class RequestFormatError(Exception):
    """The request cannot be used. ``key``: the key at fault, as a path such as ``networks.ovirtmgmt.mtu``."""

    def __init__(self, key: str, problem: str):
        super().__init__(f"{key}: {problem}")
        self.key = key


@dataclass(frozen=True)
class Network:
    """One network, of the request or of VDSM's record; ``remove`` means that all but the name is unset.

    ``device``: its VLAN device or None. ``replaces``: the device of the same VLAN that is to make way for it, or None.
    ``ipv4``, ``ipv6``: (address, prefix length) of the static address or None.
    ``nameservers``: None means that the request says nothing about DNS. ``mtu`` in bytes.
    """

    name: str
    base: str | None = None
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
    remove: bool = False

    @property
    def port(self) -> str | None:
        """What the network stands on: its VLAN device, else the NIC or bond itself."""
        return self.device or self.base

    @property
    def holder(self) -> str | None:
        """The device that has the network's addresses and routes."""
        return self.name if self.bridged else self.port


@dataclass(frozen=True)
class Bond:
    """One bond of the request. ``options`` None: the request says nothing about them."""

    name: str
    nics: tuple[str, ...] = ()
    options: dict | None = field(default=None, hash=False)
    hwaddr: str | None = None
    remove: bool = False


def parse_request(request, current, keep_vlan_name: bool = False) -> tuple[dict[str, Network], dict[str, Bond]]:
    """Check ``request`` ({networks, bondings, options}); return ({name: Network}, {name: Bond}).

    ``current``: as of desired_state_current.Current, asked for the names of VLAN devices. ``keep_vlan_name``: whether
    those that there are keep theirs. A network or bond that is null is to be removed, as in VDSM's older requests.
    Raises RequestFormatError.
    """
    _mapping("request", request)
    _refuse_unknown("request", request, REQUEST_KEYS)
    networks, bondings = request.get("networks"), request.get("bondings")
    networks, bondings = {} if networks is None else networks, {} if bondings is None else bondings
    _mapping("networks", networks)
    _mapping("bondings", bondings)
    parsed = {
        name: _network(f"networks.{name}", name, attrs, current, keep_vlan_name) for name, attrs in networks.items()
    }
    _refuse_conflicts(parsed)
    return parsed, {name: _bond(f"bondings.{name}", name, attrs) for name, attrs in bondings.items()}


def recorded_networks(running, current) -> dict[str, Network]:
    """VDSM's record ``running`` ({networks, bondings} or None) as {name: Network}. Raises StateFormatError.

    Records were requests once, so nothing of them is refused but what cannot be read at all.
    """
    found = {}
    for name, record in ((running or {}).get("networks") or {}).items():
        try:
            found[name] = _recorded_network(name, record, current)
        except (AttributeError, TypeError, ValueError) as error:
            raise StateFormatError(
                f"running.networks.{name}", f"VDSM's record of the network cannot be read: {error}"
            ) from error
    return found


def with_foreign_bridges(records: dict[str, Network], networks: dict[str, Network], current) -> dict[str, Network]:
    """``records`` with the bridges that the host brought along (oVirt Node does) for networks that are to be
    bridgeless.

    Only a bridge of the network's name over the network's own port is taken for the network's.
    """
    found = dict(records)
    for name, network in networks.items():
        bridge = current.get(name)
        if (
            network.bridged
            or network.remove
            or bridge.get("type") != "linux-bridge"
            or not {network.port, network.replaces} & set(bridge_ports(bridge))
        ):
            continue
        device = network.replaces or network.device
        record = records.get(name) or Network(
            name=name, base=network.base, vlan=network.vlan, device=device, mtu=current.mtu(name) or DEFAULT_MTU
        )
        found[name] = replace(record, bridged=True)
    return found


def _recorded_network(name: str, record: dict, current) -> Network:
    """One record as a Network. A missing ``bridged`` means False, so that no bridge is removed on a guess."""
    base, vlan = record.get("nic") or record.get("bonding") or None, record.get("vlan")
    vlan = None if vlan in (None, "") else int(vlan)
    address6, _slash, prefix6 = (record.get("ipv6addr") or "").partition("/")
    prefix4 = prefix_length(record.get("netmask"))
    nameservers = record.get("nameservers")
    return Network(
        name=name,
        base=base,
        vlan=vlan,
        device=None if vlan is None else current.vlan_device(base, vlan),
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
    )


def _network(path: str, name: str, attrs, current, keep_vlan_name: bool) -> Network:
    if attrs is None:
        return Network(name=name, remove=True)
    _mapping(path, attrs)
    _refuse_unknown(path, attrs, NETWORK_KEYS)
    attrs = {key: value for key, value in attrs.items() if value is not None}
    if _boolean(path, attrs, "remove", False):
        others = sorted(set(attrs) - {"remove", "custom"})
        if others:
            raise RequestFormatError(f"{path}.{others[0]}", "a network with 'remove' must not have other attributes")
        return Network(name=name, remove=True)
    _switch(path, attrs)
    bridged = _boolean(path, attrs, "bridged", True)
    base, vlan = _position(path, attrs, bridged)
    if bridged:
        _device_name(path, name)
    device, replaces = (None, None) if vlan is None else current.vlan_to_make(base, vlan, keep_vlan_name)
    if device:
        _device_name(f"{path}.vlan", device, "the name of the VLAN device would be")
    stp = _boolean(path, attrs, "stp", False)
    if stp and not bridged:
        raise RequestFormatError(f"{path}.stp", "got true for a network without a bridge; only a bridge can run STP")
    default_route = _boolean(path, attrs, "defaultRoute", False)
    return Network(
        name=name,
        base=base,
        vlan=vlan,
        device=device,
        replaces=replaces,
        bridged=bridged,
        stp=stp,
        default_route=default_route,
        mtu=_integer(path, attrs, "mtu", DEFAULT_MTU, MIN_MTU, MAX_MTU),
        nameservers=_nameservers(path, attrs, default_route),
        **_ipv4(path, attrs),
        **_ipv6(path, attrs),
    )


def _bond(path: str, name: str, attrs) -> Bond:
    if attrs is None:
        return Bond(name=name, remove=True)
    _mapping(path, attrs)
    _refuse_unknown(path, attrs, BOND_KEYS)
    attrs = {key: value for key, value in attrs.items() if value is not None}
    _device_name(path, name)
    if _boolean(path, attrs, "remove", False):
        return Bond(name=name, remove=True)
    _switch(path, attrs)
    nics = attrs.get("nics")
    if not isinstance(nics, list) or not nics or not all(isinstance(nic, str) and nic for nic in nics):
        raise _wrong(f"{path}.nics", nics, "a list of NIC names")
    options = attrs.get("options")
    if options is not None:
        options = _bond_options(f"{path}.options", options)
    return Bond(name=name, nics=tuple(sorted(nics)), options=options, hwaddr=_text(path, attrs, "hwaddr"))


def _bond_options(path: str, text) -> dict:
    words = text.split() if isinstance(text, str) else [""]
    pairs = [word.partition("=") for word in words]
    if not all(key and equals and value for key, equals, value in pairs):
        raise _wrong(path, text, "pairs such as 'mode=1 miimon=100'")
    return {key: value for key, _equals, value in pairs}


def _position(path: str, attrs: dict, bridged: bool) -> tuple[str | None, int | None]:
    nic, bonding = _text(path, attrs, "nic"), _text(path, attrs, "bonding")
    if nic and bonding:
        raise RequestFormatError(
            f"{path}.bonding", f"got the bond {bonding} and the NIC {nic}, expected only one of them"
        )
    vlan = _integer(path, attrs, "vlan", None, 0, MAX_VLAN_TAG)
    base = nic or bonding
    if not base and (vlan is not None or not bridged):
        key, what = ("vlan", "a VLAN") if vlan is not None else ("nic", "a network without a bridge")
        raise RequestFormatError(f"{path}.{key}", f"{what} requires a 'nic' or a 'bonding'")
    return base, vlan


def _ipv4(path: str, attrs: dict) -> dict:
    protocol = attrs.get("bootproto", "none")
    if protocol not in ("none", "dhcp"):
        raise _wrong(f"{path}.bootproto", protocol, "'none' or 'dhcp'")
    address, mask, gateway = (_address(path, attrs, key, 4) for key in ("ipaddr", "netmask", "gateway"))
    bits = _integer(path, attrs, "prefix", None, 0, 32)
    if not address:
        for key, value in (("netmask", mask), ("prefix", bits), ("gateway", gateway)):
            if value is not None:
                raise RequestFormatError(f"{path}.{key}", f"got {value} without an 'ipaddr'")
        return {"ipv4": None, "gateway": None, "dhcpv4": protocol == "dhcp"}
    if protocol == "dhcp":
        raise RequestFormatError(f"{path}.ipaddr", f"got {address} and bootproto 'dhcp', expected only one of them")
    if mask is not None and bits is not None:
        raise RequestFormatError(f"{path}.prefix", f"got {bits} and the netmask {mask}, expected only one of them")
    prefix = prefix_length(mask) if bits is None else bits
    if prefix is None:
        raise _wrong(f"{path}.netmask", attrs.get("netmask"), "a netmask such as 255.255.255.0")
    return {"ipv4": (address, prefix), "gateway": gateway, "dhcpv4": False}


def _ipv6(path: str, attrs: dict) -> dict:
    dhcp, autoconf = _boolean(path, attrs, "dhcpv6", False), _boolean(path, attrs, "ipv6autoconf", False)
    text = _text(path, attrs, "ipv6addr") or ""
    address, _slash, prefix = text.partition("/")
    parsed = parse_address(address) if "%" not in address else None
    if text and (
        parsed is None or parsed.version != 6 or not (prefix or "128").isdecimal() or int(prefix or 128) > 128
    ):
        raise _wrong(f"{path}.ipv6addr", text, "an IPv6 address with its prefix length such as 2001:db8::1/64")
    if text and (dhcp or autoconf):
        raise RequestFormatError(
            f"{path}.ipv6addr", f"got {text} and {'dhcpv6' if dhcp else 'ipv6autoconf'}, expected only one of them"
        )
    gateway = _address(path, attrs, "ipv6gateway", 6)
    if gateway and not text:
        raise RequestFormatError(f"{path}.ipv6gateway", f"got {gateway} without an 'ipv6addr'")
    return {
        "ipv6": (str(parsed), int(prefix or 128)) if text else None,
        "ipv6gateway": gateway,
        "dhcpv6": dhcp,
        "ipv6autoconf": autoconf,
    }


def _address(path: str, attrs: dict, key: str, version: int) -> str | None:
    value = attrs.get(key)
    if value in (None, ""):
        return None
    parsed = parse_address(value)
    if parsed is None or parsed.version != version or "%" in value:
        raise _wrong(
            f"{path}.{key}",
            value,
            f"an IPv{version} {'netmask such as 255.255.255.0' if key == 'netmask' else 'address'}",
        )
    return canonical(value) if is_real(value) or key == "netmask" else None


def _nameservers(path: str, attrs: dict, default_route: bool) -> tuple[str, ...] | None:
    servers = attrs.get("nameservers")
    if servers is None:
        return None
    if not isinstance(servers, list):
        raise _wrong(f"{path}.nameservers", servers, "a list of addresses")
    for index, server in enumerate(servers):
        if not is_real(server):
            raise _wrong(f"{path}.nameservers[{index}]", server, "the IPv4 or IPv6 address of a DNS server")
    if servers and not default_route:
        raise RequestFormatError(f"{path}.nameservers", "got DNS servers for a network without the default route")
    return tuple(canonical(server) for server in servers)


def _refuse_conflicts(networks: dict[str, Network]) -> None:
    seen: dict[tuple, str] = {}
    default = ""
    for name, network in networks.items():
        if network.base:
            other = seen.setdefault((network.base, network.vlan), name)
            if other != name:
                what = network.base if network.vlan is None else f"VLAN {network.vlan} on {network.base}"
                raise RequestFormatError(f"networks.{name}", f"{what} already carries the network {other}")
        if network.default_route:
            if default:
                raise RequestFormatError(
                    f"networks.{name}.defaultRoute", f"the network {default} already has the default route"
                )
            default = name


def _switch(path: str, attrs: dict) -> None:
    if attrs.get("switch", "legacy") != "legacy":
        raise _wrong(f"{path}.switch", attrs["switch"], "'legacy' (a Linux bridge)")


def _device_name(path: str, name: str, what: str = "the device name would be") -> str:
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= MAX_DEVICE_NAME
        or name.startswith("-")
        or set(name) & (_NOT_IN_NAMES - {"."})
    ):
        raise RequestFormatError(
            path,
            f"{what} {name!r}, expected 1 to {MAX_DEVICE_NAME} characters without space, ':', '/', or '%', and not "
            "beginning with '-'",
        )
    return name


def _mapping(path: str, value) -> None:
    if not isinstance(value, dict):
        raise _wrong(path, value, "a mapping")


def _refuse_unknown(path: str, attrs: dict, known: tuple[str, ...]) -> None:
    for key in attrs:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f", did you mean '{near[0]}'?" if near else "."
            raise RequestFormatError(f"{path}.{key}", f"unknown key{hint} Expected one of: {', '.join(known)}")


def _text(path: str, attrs: dict, key: str) -> str | None:
    value = attrs.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"{path}.{key}", value, "a string")
    return str(value) if value else None


def _boolean(path: str, attrs: dict, key: str, default: bool) -> bool:
    value = attrs.get(key, default)
    if not isinstance(value, bool):
        raise _wrong(f"{path}.{key}", value, "a boolean: true or false")
    return value


def _integer(path: str, attrs: dict, key: str, default: int | None, low: int, high: int) -> int | None:
    value = attrs.get(key, default)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high):
        raise _wrong(f"{path}.{key}", value, f"an integer from {low} to {high}")
    return value


def _wrong(key: str, value, allowed: str) -> RequestFormatError:
    return RequestFormatError(key, f"got {describe(value)}, expected {allowed}")
