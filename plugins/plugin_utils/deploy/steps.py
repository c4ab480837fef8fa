# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps that host_deploy runs on a host, from its arguments and the output of probe.sh. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy.firewall import RUNNING
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy.system import Family

_LEFT_ALONE = ("absent", "masked", "unconfigured")
Arguments = Mapping[str, Any]
Probe = Mapping[str, str]


def parse(text: str) -> dict[str, str]:
    """The lines key=value that probe.sh prints."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def packages(arguments: Arguments, family: Family) -> list[str]:
    """The packages to install."""
    wanted = [*arguments.get("packages", family.packages), *arguments["extra_packages"]]
    if arguments["firewall"] == "firewalld" and arguments["firewall_start"]:
        wanted.append("firewalld")
    return list(dict.fromkeys(wanted))


def units(arguments: Arguments, family: Family) -> list[str]:
    """The units on whose state the steps depend."""
    return list(dict.fromkeys([family.chrony_unit, "tuned", "firewalld", *arguments["services"]]))


def missing_packages(probe: Probe, nmstate_packages: list[str], installed: list[str]) -> list[str]:
    """The packages to install next: first only nmstate, which is required to read the network. ``installed``: packages
    that were requested before; they are not requested again.
    """
    if not probe["nmstate_version"]:
        nmstate = [name for name in nmstate_packages if name not in installed]
        if nmstate:
            return nmstate
    return [name for name in probe["missing"].split() if name not in installed]


def ssh_port(arguments: Arguments, probe: Probe, ansible_port: Any) -> int:
    """The host's port of Ansible's connection. Behind port forwarding, it differs from ansible_port."""
    return int(arguments.get("ssh_port") or probe["ssh_port"] or ansible_port or 22)


def steps(
    arguments: Arguments, probe: Probe, family: Family, identity: str, commands: list[list[str]], check: bool
) -> list[str]:
    """The task files that have something to do, in their order. ``commands``: from firewall.additions()."""
    chrony, tuned = probe["unit." + family.chrony_unit], probe["unit.tuned"]
    runs_chrony = arguments["clock"] == "chrony"
    asked = {
        "firewall.yml": bool(commands) or starts_firewalld(arguments, probe),
        # in check mode, the directory is not created
        "identity.yml": not probe["vdsm_dir"] or probe["vdsm_id"] != identity,
        "clock.yml": runs_chrony and (chrony == "idle" or chrony == "ready" and bool(arguments["ntp_servers"])),
        "tuned.yml": bool(arguments["tuned_profile"]) and (tuned == "idle" or switches_profile(arguments, probe)),
        "services.yml": bool(idle_services(arguments, probe)),
        "networkmanager.yml": bool(arguments["nm_slaves_order"]),
        "clock_required.yml": runs_chrony
        and arguments["clock_required"]
        and probe["clock_synchronised"] != "yes"
        and not check,
    }
    return [name for name, needed in asked.items() if needed] + [path for path in [arguments["post_tasks"]] if path]


def starts_firewalld(arguments: Arguments, probe: Probe) -> bool:
    """Whether to start firewalld."""
    return arguments["firewall"] == "firewalld" and arguments["firewall_start"] and probe["unit.firewalld"] == "idle"


def switches_profile(arguments: Arguments, probe: Probe) -> bool:
    """Whether to activate the tuned profile."""
    return (
        probe["unit.tuned"] in ("idle", "ready")
        and probe["tuned_known"] == "yes"
        and probe["tuned_active"] != arguments["tuned_profile"]
    )


def idle_services(arguments: Arguments, probe: Probe) -> list[str]:
    """The services to enable and start, in their order."""
    return [name for name in arguments["services"] if probe["unit." + name] == "idle"]


def services_left_alone(arguments: Arguments, probe: Probe) -> dict[str, str]:
    """The services that are skipped, each with the reason."""
    states = {name: probe["unit." + name] for name in arguments["services"]}
    return {name: state for name, state in states.items() if state in _LEFT_ALONE}


def firewalld_at_the_end(arguments: Arguments, probe: Probe, check: bool) -> str:
    """The state of firewalld: running, stopped, absent, or none if it is ignored."""
    if arguments["firewall"] == "none":
        return "none"
    return RUNNING if arguments["firewall_start"] and not check else probe["firewalld"]
