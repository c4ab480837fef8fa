# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain data in subclasses, as Ansible passes it to filters."""

from __future__ import annotations


class Text(str):
    """Like Ansible's tagged strings: a str by isinstance, but not by its exact type."""


class Mapping(dict):
    """The same for mappings."""


def exact_types(value):
    """The exact types that occur in ``value``."""
    if isinstance(value, dict):
        return {type(value)}.union(*(exact_types(key) | exact_types(item) for key, item in value.items()))
    if isinstance(value, list):
        return {type(value)}.union(*(exact_types(item) for item in value))
    return {type(value)}


def tagged(value):
    if isinstance(value, dict):
        return Mapping({Text(key): tagged(item) for key, item in value.items()})
    if isinstance(value, list):
        return [tagged(item) for item in value]
    return Text(value) if isinstance(value, str) else value
