# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values as templates, surveys and ``-e key=value`` deliver them, converted to the type that they stand for.

The one place for it: definitions, role variables and playbook variables go through here. Templates of ansible-core
before 2.19 and the surveys of AWX give text for numbers and booleans, and an empty text where nothing was answered.
"""

from __future__ import annotations

import json
import re

# the words of the filter ansible.builtin.bool, by which playbooks read them
_TRUE = ("yes", "on", "1", "true")
_FALSE = ("no", "off", "0", "false")
_DECIMAL = re.compile(r"[+-]?[0-9]+")


def is_unset(value) -> bool:
    """Whether ``value`` is what a template or a survey gives for "not set": null or an empty text."""
    return value is None or isinstance(value, str) and not value.strip()


def integer(value) -> int:
    """``value`` (int, or decimal text) as int. Raises ValueError for all else: a boolean, a float, other text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return int(value)
    raise ValueError("an integer")


def boolean(value) -> bool:
    """``value`` (bool, 0, 1, or a word for one) as bool. Raises ValueError for all else."""
    if isinstance(value, bool):
        return bool(value)
    word = str(value).strip().lower() if isinstance(value, (int, str)) else None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("a boolean")


def mapping(value) -> dict:
    """``value`` (dict, or JSON text of one) as dict. Raises ValueError for all else."""
    value = _from_json(value)
    if not isinstance(value, dict):
        raise ValueError("a mapping")
    return value


def sequence(value) -> list:
    """``value`` (list, or JSON text of one) as list. Raises ValueError for all else, also for words with commas between
    them.
    """
    value = _from_json(value)
    if not isinstance(value, list):
        raise ValueError("a list")
    return value


def _from_json(value):
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
