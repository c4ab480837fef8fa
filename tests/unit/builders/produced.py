# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as returned by host_network_facts: its code, run on recorded sources of lab hosts."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import gather

HOSTS = ("bond_vlan", "busy")
_RECORDED = Path(__file__).parent / "recorded"
# keys whose own keys are names of devices, networks or files
NAMED = (
    "nics",
    "bondings",
    "vlans",
    "bridges",
    "teams",
    "networks",
    "max_mtu",
    "profiles",
    "profile_files",
    "unmanaged",
)


def sources(host):
    """The sources of the recorded ``host``."""
    return json.loads((_RECORDED / f"host_{host}.json").read_text(encoding="utf-8"))


def facts(host, control_address="", **records):
    """The fact of the recorded ``host``; ``records``: more networks in VDSM's running configuration."""
    said = sources(host)
    running = {**said["running"], "networks": {**said["running"]["networks"], **records}}
    nothing = {"networks": [], "bondings": []}
    answers = {
        "networkmanager": {"objects": said["managed"], "active_profiles": said["settings"]},
        "nmstatectl": {"show": said["state"], "version": "2.2.62"},
        "kernel": {
            "links": said["links"],
            "default_routes": said["routes"],
            "traits": said["traits"],
            "supports_ipv6": True,
        },
        "vdsm_persistence": {
            "running": {**running, "devices": {}},
            "unsaved": nothing,
            "in_memory": {"networks": {}, "bondings": {}},
        },
        "profile_files": {"digests": {"/etc/NetworkManager/system-connections/eth1.nmconnection": "00"}},
    }
    patches = [
        mock.patch.object(getattr(gather, module), name, lambda *_args, answer=answer: answer)
        for module, functions in answers.items()
        for name, answer in functions.items()
    ]
    for patch in patches:
        patch.start()
    try:
        control = said["control"]
        if control_address:
            control = {"local": control_address, "peer": "", "ssh_connection_source": "option"}
        return gather.gather(gather.DEFAULT_HIDDEN_NICS, control)
    finally:
        for patch in patches:
            patch.stop()


def shape(document, path=""):
    """The paths of all keys in ``document``, such as ``nics.*.addr`` (set of str); of records only their names: they
    are VDSM's own.
    """
    found = set()
    if isinstance(document, list):
        for one in document:
            found |= shape(one, path)
    if isinstance(document, dict):
        for key, value in document.items():
            here = f"{path}.*" if path in NAMED or path.startswith("running.") else f"{path}.{key}".lstrip(".")
            found.add(here)
            if not here.startswith(("running.networks.", "running.bondings.", "nmstate.")):
                found |= shape(value, here)
    return found
