#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on three lab hosts, as a user would run it, with the network measured from outside."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

CHECKOUT = pathlib.Path(os.environ.get("OVIRT_CHECKOUT", pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(CHECKOUT))
from tests.lab import hosts, image, plays  # noqa: E402
from tests.lab.machine import CACHE, NAME, LabError  # noqa: E402

FOLDER = CACHE / "demo"
LAB = [sys.executable, str(CHECKOUT / "tests/lab")]
HOSTS = {
    "founding": (
        "bond-vlan",
        {"name": "ovirtmgmt", "vm_network": True, "vlan_tag": 3000, "mtu": 9000, "stp": False, "dns_servers": []},
        "the founding example: bond4.3000 over bond4 of eth2 and eth3, by DHCP; a bridged ovirtmgmt with MTU 9000",
    ),
    "static": (
        "nic-static",
        {"name": "ovirtmgmt", "vm_network": False},
        "static IPv4 and IPv6 on eth1; a bridgeless ovirtmgmt",
    ),
    "mismatch": (
        "vlan-mismatch",
        {"name": "ovirtmgmt", "vm_network": True, "vlan_tag": 3000},
        "VLAN 10, where the data center says 3000: to be refused",
    ),
}


def main():
    began = time.monotonic()
    title("Three hosts, fresh from installation")
    for name, (_layout, _definition, says) in HOSTS.items():
        print(f"  {name:9} {says}")
    for name in set(HOSTS) & set(hosts.names()):
        hosts.down(name)  # a demo starts with new hosts
    hosts.up({name: layout for name, (layout, _definition, _says) in HOSTS.items()})
    write_inputs()
    title("ansible-playbook -i inventory.yml ovirt.mgmt_network.add_host")
    lost = add_host("first")
    title("Packets lost while it ran (one per 10 ms to each host, sent by the engine)")
    show_losses(lost)
    title("Jumbo frames over the new bridge: 8972 bytes and the don't-fragment flag")
    command(LAB + ["ping", "founding", "--size", "8972", "--df"])
    title("The same again: nothing is to be changed")
    show_losses(add_host("second", quiet=True))
    title("Power cut of the host founding, and what it is after the boot")
    hosts.power_cut("founding")
    hosts.boot("founding")
    command(
        LAB
        + [
            "ssh",
            "founding",
            "--",
            "ip -br addr show ovirtmgmt; bridge link show dev bond4.3000; ls /var/lib/vdsm/persistence/netconf/nets",
        ]
    )
    answers("founding")
    title(f"Done in {time.monotonic() - began:.0f} s. Look around:")
    lab = f"OVIRT_LAB_NAME={NAME} " if NAME != "ovirt-lab" else ""
    print(f"""  {lab}python3 tests/lab ssh founding           a shell on a host; also: list, kill, boot, watch, --help
  {FOLDER}/inventory.yml         the inventory; definitions beside each host
  {lab}python3 tests/lab exec -- ansible ...    the engine's side, where the hosts are reached
  {lab}make lab-down                            take everything down
""")


def write_inputs():
    """Write the user's files: an inventory and an ansible.cfg."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = plays.inventory(
        {name: {"mgmt_network": definition} for name, (_layout, definition, _says) in HOSTS.items()}
    )
    (FOLDER / "inventory.yml").write_text("\n".join(plays.as_yaml(found)) + "\n", encoding="utf-8")
    (FOLDER / "ansible.cfg").write_text(
        "[defaults]\ncallback_result_format=yaml\ndisplay_skipped_hosts=false\n[connection]\npipelining=true\n",
        encoding="ascii",
    )


def add_host(label, quiet=False):
    """Run the main job while sending packets to every host: ``{host: losses}``. Shows the output of the playbook."""
    log = FOLDER / f"{label}.log"
    environment = dict(
        os.environ, ANSIBLE_CONFIG=str(FOLDER / "ansible.cfg"), ANSIBLE_FORCE_COLOR=str(sys.stdout.isatty())
    )
    words = plays.command("-i", FOLDER / "inventory.yml", "ovirt.mgmt_network.add_host")
    with plays.watched(HOSTS, FOLDER) as losses:
        process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with open(log, "w", encoding="utf-8") as stream:
            for line in process.stdout:
                stream.write(line)
                if not quiet:
                    print("  " + line, end="", flush=True)
        status = process.wait()
    if quiet:
        print("".join("  " + line + "\n" for line in summary(log)))
    # the refused host is a failed host, so the exit status of the play is 2
    if status != 2:
        sys.exit(f"demo: the play ended with {status}, not with 2 for the one refused host; see {log}")
    return losses


def summary(log):
    """The summary task and the recap in the output of a play."""
    lines, keep = [], False
    for line in log.read_text(encoding="utf-8").splitlines():
        if line.startswith(("TASK", "PLAY")):
            keep = line.startswith(("TASK [Summary]", "PLAY RECAP"))
        if keep and line.strip():
            lines.append(line)
    return lines


def show_losses(lost):
    for name, one in lost.items():
        print(f"  {name:9} {one['lost']:4} of {one['sent']} packets lost, longest blackout {one['blackout_ms']} ms")


def answers(name, seconds=30):
    """Wait until the host answers at its management address after booting."""
    end = time.monotonic() + seconds
    while subprocess.run(LAB + ["ping", name, "--count", "1"], capture_output=True, check=False).returncode:
        if time.monotonic() > end:
            sys.exit(f"demo: {name} does not answer at its address after the power cut")
    print(f"  {name} answers at {hosts.about(name)['address']}")


def command(argv):
    print("  " + subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip().replace("\n", "\n  "))


def title(text):
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    try:
        image.build()
        main()
    except LabError as error:
        sys.exit(f"demo: {error}")
