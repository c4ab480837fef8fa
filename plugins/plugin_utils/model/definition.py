# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The definition of the management network in the data center: checked and completed.

The keys name, description, comment, vm_network, vlan_tag and mtu mean what they mean for the module
ovirt.ovirt.ovirt_network; the limits are the engine's (its bean validation of a network) and VDSM's (names of bridges).
"""

from __future__ import annotations

import difflib
import re

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import values
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import (
    canonical,
    is_real,
    parse_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import describe

DEFAULT_MTU = 1500
MIN_MTU, MAX_MTU = 68, 65535
MAX_VLAN_TAG = 4094
MAX_LOGICAL_NAME = 256
KEYS = (
    "name",
    "vdsm_name",
    "description",
    "comment",
    "vm_network",
    "vlan_tag",
    "mtu",
    "stp",
    "dns_servers",
    "default_route",
    "switch",
)
_DEVICE_NAME = re.compile(r"[0-9a-zA-Z_-]{1,15}", re.ASCII)
_NAME_RULE = "1 to 15 of the characters 0-9, a-z, A-Z, '_', and '-', not beginning with 'bond' or '-'"


class DefinitionError(Exception):
    """The definition cannot be used. ``key``: the key at fault ("" for the whole); ``engine_message``: the engine's
    name of the rule, when it has one."""

    def __init__(self, key: str, problem: str, engine_message: str = ""):
        super().__init__(f"{key}: {problem}" if key else problem)
        self.key = key
        self.engine_message = engine_message


def parse_definition(definition) -> dict:
    """Check ``definition`` (mapping with keys of KEYS, or JSON text of one) and return it complete, as a new dict of
    plain values.

    Values may be such as templates and surveys give (values.py); null and an empty text mean that a key is not set.

    Out: name, vdsm_name, description, comment (str), vm_network, stp, default_route (bool), vlan_tag (int or None;
    0 is kept), mtu (int, bytes; 0 became 1500), dns_servers (list of addresses in canonical spelling, no doubles),
    switch ("legacy"). A parsed definition may be parsed again. Raises DefinitionError naming the key, what was given
    and what is allowed.
    """
    try:
        definition = values.mapping(definition)
    except ValueError:
        raise DefinitionError(
            "",
            f"definition of the network: got {describe(definition)}, expected a mapping with at least the key 'name'",
        ) from None
    _refuse_unknown_keys(definition)
    name, vdsm_name = _names(definition)
    parsed = {
        "name": name,
        "vdsm_name": vdsm_name,
        "description": _text(definition, "description"),
        "comment": _text(definition, "comment"),
        "vm_network": _boolean(definition, "vm_network", True),
        "vlan_tag": _vlan_tag(definition),
        "mtu": _mtu(definition),
        "stp": _boolean(definition, "stp", False),
        "dns_servers": _dns_servers(definition),
        "default_route": _boolean(definition, "default_route", True),
        "switch": _switch(definition),
    }
    if parsed["stp"] and not parsed["vm_network"]:
        raise DefinitionError(
            "stp",
            "got true with vm_network false, expected false; only a VM network has a bridge that can run STP",
            "NON_VM_NETWORK_CANNOT_SUPPORT_STP",
        )
    return parsed


def _wrong(key: str, value, allowed: str, engine_message: str = "") -> DefinitionError:
    return DefinitionError(key, f"got {describe(value)}, expected {allowed}", engine_message)


def _refuse_unknown_keys(raw: dict) -> None:
    for key in raw:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f", did you mean '{near[0]}'?" if near else "."
            raise DefinitionError(str(key), f"unknown key{hint} Expected one of: {', '.join(KEYS)}")


def _names(raw: dict) -> tuple[str, str]:
    """The logical name and the name on the host. VDSM makes a device of the latter, hence its narrow rule."""
    if "name" not in raw:
        raise DefinitionError(
            "name", "this key is required; set it to the name of the logical network, for example 'ovirtmgmt'"
        )
    name = raw["name"]
    if (
        not isinstance(name, str)
        or not name.isprintable()
        or not 0 < len(name) <= MAX_LOGICAL_NAME
        or name != name.strip()
    ):
        raise _wrong(
            "name",
            name,
            f"a string of 1 to {MAX_LOGICAL_NAME} printable characters, without leading or trailing spaces",
        )
    vdsm_name = raw.get("vdsm_name")
    if not values.is_unset(vdsm_name):
        if not isinstance(vdsm_name, str) or not _is_device_name(vdsm_name):
            raise _wrong("vdsm_name", vdsm_name, _NAME_RULE, _name_message(vdsm_name))
        if name.startswith("bond"):
            raise _wrong("name", name, "a name not beginning with 'bond'", _name_message(name))
    elif not _is_device_name(name):
        raise _wrong(
            "name",
            name,
            f"{_NAME_RULE}; for any other name, set the key vdsm_name, the name on the host, which follows this rule",
            _name_message(name),
        )
    return str(name), str(name if values.is_unset(vdsm_name) else vdsm_name)


def _is_device_name(name: str) -> bool:
    return bool(_DEVICE_NAME.fullmatch(name)) and not name.startswith(("bond", "-"))


def _name_message(name) -> str:
    return "NETWORK_CANNOT_CONTAIN_BOND_NAME" if isinstance(name, str) and name.startswith("bond") else ""


def _text(raw: dict, key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(key, value, "a string")
    return str(value)


def _boolean(raw: dict, key: str, default: bool) -> bool:
    value = raw.get(key)
    try:
        return default if values.is_unset(value) else values.boolean(value)
    except ValueError:
        raise _wrong(key, value, "a boolean: true or false (yes, no, on, off)") from None


def _integer(raw: dict, key: str) -> int | None:
    """The integer of ``key``, None when it is not set, -1 (never allowed) for what is none."""
    value = raw.get(key)
    try:
        return None if values.is_unset(value) else values.integer(value)
    except ValueError:
        return -1


def _vlan_tag(raw: dict) -> int | None:
    tag = _integer(raw, "vlan_tag")
    if tag is not None and not 0 <= tag <= MAX_VLAN_TAG:
        raise _wrong(
            "vlan_tag",
            raw["vlan_tag"],
            f"an integer from 0 to {MAX_VLAN_TAG}, or null for an untagged network",
            "NETWORK_VLAN_OUT_OF_RANGE",
        )
    return tag


def _mtu(raw: dict) -> int:
    mtu = _integer(raw, "mtu") or 0
    if not (mtu == 0 or MIN_MTU <= mtu <= MAX_MTU):
        raise _wrong(
            "mtu", raw["mtu"], f"an integer: 0 (means {DEFAULT_MTU}) or {MIN_MTU} to {MAX_MTU}", "MTU_VALUE_INVALID"
        )
    return mtu or DEFAULT_MTU


def _dns_servers(raw: dict) -> list[str]:
    value = raw.get("dns_servers")
    try:
        value = [] if values.is_unset(value) else values.sequence(value)
    except ValueError:
        raise _wrong("dns_servers", value, "a list of IPv4 and IPv6 addresses") from None
    servers: list[str] = []
    for index, server in enumerate(value):
        address = parse_address(server)
        if not is_real(server) or address.is_multicast():
            raise _wrong(
                f"dns_servers[{index}]", server, "the IPv4 or IPv6 address of a DNS server, without prefix length"
            )
        if canonical(server) not in servers:
            servers.append(canonical(server))
    return servers


def _switch(raw: dict) -> str:
    value = raw.get("switch")
    if not values.is_unset(value) and (not isinstance(value, str) or value != "legacy"):
        raise _wrong("switch", value, "'legacy' (a Linux bridge)")
    return "legacy"
