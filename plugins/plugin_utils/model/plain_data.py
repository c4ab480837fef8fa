# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Convert Ansible's types to plain Python data, and format values for messages."""

from __future__ import annotations

import json
from typing import Any

# A mapping of external JSON data: facts, requests, nmstate states, events.
Data = dict[str, Any]
_TYPE_NAMES = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "float"),
    (str, "string"),
    (dict, "mapping"),
    (list, "list"),
)


class PlainDataError(Exception):
    """A value contains something other than plain data (None, bool, int, float, str, list, dict)."""


def to_plain(value: object, what: str) -> Any:
    """Return a deep copy of ``value`` with only dict, list, str, int, float, bool, and None.

    ansible-core 2.19 and later pass tagged and lazy subclasses to filters; do not compare their exact type or store
    them in a result. ``what``: the name of the value in the PlainDataError that is raised for other types.
    """
    try:
        return json.loads(json.dumps(value, default=_refuse))
    except (TypeError, ValueError) as error:
        raise PlainDataError(
            f"{what}: expected plain data (mappings, lists, strings, numbers, booleans): {error}"
        ) from error


def _refuse(value: object) -> Any:
    """Raise TypeError for other types. ansible-core before 2.19 passes undefined variables to filters; their text says
    what is undefined.
    """
    raise TypeError(f"not {type_name(value)} {str(value)[:60]}")


def type_name(value: object) -> str:
    """The user-visible name of the type of ``value``: ``string``, ``float``, ``null``, and so on."""
    if value is None:
        return "null"
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


def describe(value: object) -> str:
    """``value`` and its type for an error message, for example ``'maybe' (string)``. Long values are truncated."""
    text = "null" if value is None else repr(value)
    if value is None:
        return text
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type_name(value)})"


def shown(value: object) -> str:
    """Format a value for the screen."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(entry) for entry in value) or "none"
    return str(value)
