# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validation and completion of all values: of definitions, requests, records, role variables, and playbook variables.

Templates of ansible-core before 2.19, AWX surveys, and ``-e key=value`` pass text for numbers and booleans, and empty
text for "not set". Definitions and variables accept this; requests are typed, as in VDSM.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import (
    canonical,
    is_real,
    parse_address,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe

DEFAULT_MTU = 1500
MIN_MTU, MAX_MTU, MAX_VLAN_TAG = 68, 65535, 4094
MAX_DEVICE_NAME = 15
# the same as in the filter ansible.builtin.bool, which playbooks use
_TRUE = ("yes", "on", "1", "true")
_FALSE = ("no", "off", "0", "false")
_DECIMAL = re.compile(r"[+-]?[0-9]+")
# VDSM's rule for bridge names: characters that the kernel or VDSM's parsers would misinterpret. A VLAN device has a dot
# in its name.
_NOT_IN_NAMES = frozenset(":/% \t\n")


class FormatError(Exception):
    """Invalid data. ``key``: the path of the invalid key, "" for the whole. ``engine_message``: the engine's name of
    the rule, "" if it has none.
    """

    def __init__(self, key: str, problem: str, engine_message: str = "") -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.key = key
        self.engine_message = engine_message


def is_unset(value: object) -> bool:
    """Whether ``value`` means "not set" in templates and surveys: null or empty text."""
    return value is None or isinstance(value, str) and not value.strip()


def integer(value: object) -> int:
    """``value`` (int or decimal text) as int. Raises ValueError for other values: a boolean, a float, other text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return int(value)
    raise ValueError("an integer")


def boolean(value: object) -> bool:
    """``value`` (bool, 0, 1, or text such as yes) as bool. Raises ValueError for other values."""
    if isinstance(value, bool):
        return bool(value)
    word = str(value).strip().lower() if isinstance(value, (int, str)) else None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("a boolean")


def mapping(value: object) -> Data:
    """``value`` (dict or JSON text) as dict. Raises ValueError for other values."""
    value = _from_json(value)
    if not isinstance(value, dict):
        raise ValueError("a mapping")
    return value


def sequence(value: object) -> list[Any]:
    """``value`` (list or JSON text) as list. Raises ValueError for other values, including comma-separated text."""
    value = _from_json(value)
    if not isinstance(value, list):
        raise ValueError("a list")
    return value


def _from_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


class Values:
    """Validates the values of a mapping key by key; raises ``error``.

    ``path``: of the mapping, for messages. ``known``: its keys; others are rejected. ``text``: whether to accept text
    for numbers, booleans, and lists, empty text for "not set", and 0 for the default MTU.
    """

    def __init__(
        self, data: object, path: str, known: tuple[str, ...], error: type[FormatError], text: bool = False
    ) -> None:
        self._path, self._error, self._text = path, error, text
        if not isinstance(data, dict):
            raise error(path, f"got {describe(data)}, expected a mapping")
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f", did you mean '{near[0]}'?" if near else "."
                raise self.error(str(key), f"unknown key{hint} Expected one of: {', '.join(known)}")
        self._data: Data = {
            key: value for key, value in data.items() if not (is_unset(value) if text else value is None)
        }
        self._given = data

    def error(self, key: str, problem: str, engine_message: str = "") -> FormatError:
        """The error for ``key`` of this mapping."""
        return self._error(f"{self._path}.{key}" if self._path else key, problem, engine_message)

    def wrong(self, key: str, expected: str, engine_message: str = "") -> FormatError:
        """The error for the value of ``key``: got and expected."""
        return self.error(key, f"got {describe(self._given.get(key))}, expected {expected}", engine_message)

    def keys(self) -> set[str]:
        """The keys that are set."""
        return set(self._data)

    def get(self, key: str) -> Any:
        """The unconverted value of ``key``, None if not set."""
        return self._data.get(key)

    def text(self, key: str) -> str:
        """A string, "" if not set."""
        value = self._data.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, "a string")
        return str(value)

    def mapping(self, key: str) -> Data:
        """A mapping, {} if not set."""
        value = self._data.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a mapping")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """A boolean."""
        value = self._data.get(key, default)
        try:
            return boolean(value) if self._text else _only_boolean(value)
        except ValueError:
            words = " (yes, no, on, off)" if self._text else ""
            raise self.wrong(key, f"a boolean: true or false{words}") from None

    def integer(self, key: str, low: int, high: int, expected: str = "", engine_message: str = "") -> int | None:
        """An integer from ``low`` to ``high``, None if not set."""
        value = self._data.get(key)
        if value is None:
            return None
        try:
            number = integer(value) if self._text or not isinstance(value, str) else low - 1
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise self.wrong(key, expected or f"an integer from {low} to {high}", engine_message)
        return number

    def vlan(self, key: str) -> int | None:
        """A VLAN tag, None if untagged; 0 is kept."""
        untagged = ", or null for an untagged network" if self._text else ""
        expected = f"an integer from 0 to {MAX_VLAN_TAG}{untagged}"
        return self.integer(key, 0, MAX_VLAN_TAG, expected, "NETWORK_VLAN_OUT_OF_RANGE")

    def mtu(self) -> int:
        """The MTU in bytes, the default if not set."""
        zero = f"0 (means {DEFAULT_MTU}) or " if self._text else ""
        expected = f"an integer: {zero}{MIN_MTU} to {MAX_MTU}"
        if self._text and self._data.get("mtu") in (0, "0") and not isinstance(self._data["mtu"], bool):
            return DEFAULT_MTU
        return self.integer("mtu", MIN_MTU, MAX_MTU, expected, "MTU_VALUE_INVALID") or DEFAULT_MTU

    def switch(self) -> str:
        """The type of the switch; only one is supported."""
        if self._data.get("switch", "legacy") != "legacy":
            raise self.wrong("switch", "'legacy' (a Linux bridge)")
        return "legacy"

    def address(self, key: str, version: int, engine_message: str = "") -> str | None:
        """The canonical form of an address, None if not set or unspecified."""
        value = self._data.get(key)
        if value in (None, ""):
            return None
        parsed = parse_address(value)
        if parsed is None or parsed.version != version or "%" in value:
            raise self.wrong(key, f"an IPv{version} address", engine_message)
        return canonical(value) if is_real(value) else None

    def name_servers(self, key: str) -> tuple[str, ...] | None:
        """Addresses of DNS servers in canonical form without duplicates, None if not set."""
        servers = _from_json(self._data.get(key)) if self._text else self._data.get(key)
        if servers is None:
            return None
        if not isinstance(servers, list):
            raise self.wrong(key, "a list of IPv4 and IPv6 addresses")
        for index, server in enumerate(servers):
            address = parse_address(server)
            if not is_real(server) or address is None or address.is_multicast():
                raise self.error(
                    f"{key}[{index}]",
                    f"got {describe(server)}, expected the IPv4 or IPv6 address of a DNS server, without prefix length",
                )
        return tuple(dict.fromkeys(canonical(server) for server in servers))


def _only_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("a boolean")
    return value


def is_device_name(name: object) -> bool:
    """Whether the name is a valid device name for the kernel and VDSM."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= MAX_DEVICE_NAME
        and not name.startswith("-")
        and not set(name) & _NOT_IN_NAMES
    )
