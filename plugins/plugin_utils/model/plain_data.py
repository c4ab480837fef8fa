# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From Ansible's own types to plain Python data, and words for values in messages."""

from __future__ import annotations

import json
from typing import Any

# A mapping of JSON data from outside: facts, requests, nmstate states, events.
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
    """A value holds something that is not plain data (None, bool, int, float, str, list, dict)."""


def to_plain(value: object, what: str) -> Any:
    """Return a deep copy of ``value`` made of plain dict, list, str, int, float, bool and None only.

    ansible-core >= 2.19 hands tagged and lazy subclasses to filters: they must neither be asked for their exact
    type nor be stored in a result. ``what`` names the value in the PlainDataError that is raised for other types.
    """
    try:
        return json.loads(json.dumps(value, default=_refuse))
    except (TypeError, ValueError) as error:
        raise PlainDataError(
            f"{what}: expected plain data (mappings, lists, strings, numbers, booleans): {error}"
        ) from error


def _refuse(value: object) -> Any:
    """Raise for what is not plain. ansible-core before 2.19 hands undefined variables to filters; as text they say
    themselves what is undefined.
    """
    raise TypeError(f"not {type_name(value)} {str(value)[:60]}")


def type_name(value: object) -> str:
    """The name a user knows for the type of ``value``: ``string``, ``float``, ``null`` and so on."""
    if value is None:
        return "null"
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


def describe(value: object) -> str:
    """``value`` and its type for an error message, for example ``'maybe' (string)``; long values are cut."""
    text = "null" if value is None else repr(value)
    if value is None:
        return text
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type_name(value)})"


def shown(value: object) -> str:
    """A value for the screen."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(entry) for entry in value) or "none"
    return str(value)
