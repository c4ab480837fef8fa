# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of NetworkManager."""

from __future__ import annotations


def profile(**values):
    """A profile as GetSettings gives it, from ``ipv6__dhcp_iaid="mac"``."""
    found = {"connection": {"id": "ovirtmgmt"}, "ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}
    for name, value in values.items():
        section, _mark, key = name.partition("__")
        found[section][key.replace("_", "-")] = value
    return found
