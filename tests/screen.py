#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen output of a run with many hosts, without contacting a host (tests/connection/scripted.py answers for
them).

screen.py [--hosts 200] [--refused 20] [--unreachable 0] [--show] [WORDS for ansible-playbook]   prints the number of
lines
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
if ROOT.parts[-3:] == ("ansible_collections", "ovirt", "mgmt_network"):
    sys.path.insert(0, str(ROOT.parents[2]))
from ansible_collections.ovirt.mgmt_network.tests.unit.builders import hosts  # noqa: E402

DENIED = "root@192.0.2.1: Permission denied (publickey,password)."
ETH1 = {
    "name": "eth1",
    "type": "ethernet",
    "state": "up",
    "mtu": 1500,
    "mac-address": "52:54:00:00:00:01",
    "ipv4": {"enabled": True, "dhcp": True},
    "ipv6": {"enabled": False},
}
VLAN = {
    "name": "eth1.10",
    "type": "vlan",
    "state": "up",
    "mtu": 1500,
    "vlan": {"base-iface": "eth1", "id": 10},
    "ipv4": {"enabled": True, "dhcp": True},
}
NMSTATE = {
    "nmstate": {"interfaces": [ETH1], "routes": {"config": [], "running": []}, "dns-resolver": {}},
    "profiles": {},
}
BRIDGED = hosts.managed_host(**NMSTATE)
CHANGE = {"facts": hosts.nic_host(**NMSTATE), "after": BRIDGED}
IN_SYNC = {"facts": BRIDGED}
ON_A_VLAN = {"facts": hosts.vlan_host(**NMSTATE)}
ON_A_POOR_BOND = {"facts": hosts.host("bond4", bondings={"bond4": hosts.bond("eth2", **hosts.by_dhcp())}, **NMSTATE)}
UNREACHABLE = {"error": DENIED}


def many(total, refused, unreachable=0):
    """``{host: script}``: a tenth of ``refused`` because of the bond, the others because of the VLAN; two of nine other
    hosts are in sync.
    """
    scripts = [ON_A_POOR_BOND if number % 10 == 9 else ON_A_VLAN for number in range(refused)] + [
        UNREACHABLE
    ] * unreachable
    well = total - len(scripts)
    scripts += [IN_SYNC] * (well * 2 // 9) + [CHANGE] * (well - well * 2 // 9)
    return {"host%03d" % (number + 1): script for number, script in enumerate(reversed(scripts))}


def play(
    folder,
    scripts,
    *words,
    playbook="ovirt.mgmt_network.add_host",
    group="hypervisors",
    ansible="ansible-playbook",
    hostvars=None,
    **environment,
):
    """Run a playbook with scripted hosts: ``(exit status, screen output, {host: result} of the artifact)``."""
    folder = pathlib.Path(folder)
    inventory = {
        group: {
            "hosts": {name: {"scripted": script, **(hostvars or {}).get(name, {})} for name, script in scripts.items()},
            "vars": {
                "ansible_connection": "scripted",
                "ansible_python_interpreter": "/usr/bin/python3",
                "scripted_folder": str(folder),
                "mgmt_network": {"name": "ovirtmgmt"},
                "add_host_deploy": False,
                "configure_mgmt_wait": 1,
            },
        }
    }
    (folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    argv = [ansible, "-i", str(folder / "inventory.json"), playbook, *words]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_CONNECTION_PLUGINS": str(ROOT / "tests/connection"),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "artifact",
            "OVIRT_ARTIFACT": str(folder / "artifact.json"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_FORKS": "4",
            **environment,
        },
    )
    artifact = folder / "artifact.json"
    kept = json.loads(artifact.read_text(encoding="utf-8")) if artifact.exists() else {}
    return done.returncode, done.stdout + done.stderr, kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--refused", type=int, default=20)
    parser.add_argument("--unreachable", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the screen, too")
    options, words = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        status, screen, _kept = play(folder, many(options.hosts, options.refused, options.unreachable), *words)
    if options.show:
        print(screen)
    print(
        f"{options.hosts} hosts, {options.refused} refused, {options.unreachable} unreachable: exit status {status}, "
        f"{len(screen.splitlines())} lines, "
        f"{len(screen)} characters"
    )


if __name__ == "__main__":
    main()
