# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What firewalld of a host must allow: the SSH port first, then services and ports. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

RUNNING, STOPPED, ABSENT = "running", "stopped", "absent"
# The options for each configuration to change, the permanent one first.
_MODES: dict[str, list[list[str]]] = {RUNNING: [["--permanent"], []], STOPPED: [[]], ABSENT: []}


def zone(given: str, facts: Mapping[str, Any]) -> str:
    """The zone to configure: ``given``, otherwise the zone of the interface that Ansible is connected to, otherwise "",
    firewalld's default zone. ``facts``: of host_network_facts, {} if there are none.
    """
    profile = (facts.get("profiles") or {}).get(facts.get("lastClientIface") or "") or {}
    return given or str((profile.get("settings") or {}).get("connection.zone") or "")


def calls(firewalld: str, zone_name: str) -> list[list[str]]:
    """The beginning of a command line for each configuration."""
    tool = "firewall-cmd" if firewalld == RUNNING else "firewall-offline-cmd"
    options = ["--zone=" + zone_name] if zone_name else []
    return [[tool, *mode, *options] for mode in _MODES[firewalld]]


def services_known_by(firewalld: str) -> list[str]:
    """The command line that prints the names of all services."""
    return [calls(firewalld, "")[-1][0], "--get-services"]


def listed(listing: str, what: str) -> list[str]:
    """The ``what`` (ports, services) that a --list-all shows."""
    return [word for line in re.findall("(?m)^ +%s:(.*)$" % what, listing) for word in line.split()]


def unlisted_services(listings: list[str], services: list[str]) -> list[str]:
    """The ``services`` that no configuration allows yet."""
    allowed = {name for listing in listings for name in listed(listing, "services")}
    return [name for name in services if name not in allowed]


def additions(
    firewalld: str, zone_name: str, listings: list[str], ssh_port: int, services: list[str], ports: list[str]
) -> list[list[str]]:
    """The command lines that allow what is not allowed yet. ``listings``: output of calls(), the zone's --list-all."""
    ssh = "%d/tcp" % ssh_port
    lines = []
    for option, what, wanted in (
        ("--add-port=", "ports", [ssh]),
        ("--add-service=", "services", services),
        ("--add-port=", "ports", [port for port in ports if port != ssh]),
    ):
        for call, listing in zip(calls(firewalld, zone_name), listings):
            missing = [option + name for name in wanted if name not in listed(listing, what)]
            if missing:
                lines.append([*call, *missing])
    return lines
