# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that must be refused with a clear message before anything is changed: other runs and programs, full and
read-only disks, devices that NetworkManager does not manage, a connection that cannot verify the change.
"""

from __future__ import annotations

from tests.faults import expect
from tests.faults.play import APPLY, BRIDGE, COMMIT, Play, apply, apply_task, configure
from tests.lab import hosts

# The interpreter as a child of systemd: SSH_CONNECTION is neither in its environment nor in that of its parents, as in
# a container's exec.
_DETACHED = "/usr/local/bin/python-detached"

_WRAPPER = '#!/bin/sh\nexec systemd-run --quiet --wait --pipe --collect /usr/bin/python3 "$@"\n'
_MTU = {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "mtu": 1400}]}


def second_run(name, before):
    """A second run while a change is pending: refused, and the first one is not affected."""
    expect.pend(name, timeout=90)
    text = expect.refused(
        configure(name, {"name": "ovirtmgmt"}),
        ["another transaction is open", "started .* by root from", r" \d+ s ago", "Nothing was changed"],
    )
    how, result, _at = expect.end(name, "rolled_back")
    expect.expect(how == "ok" and result.get("phase") == "undone", f"the first run could not be ended: {result}")
    expect.state(name, before)
    return text


def foreign_checkpoint(name, before):
    """Another program's checkpoint: waited for, reported with its owner, and not touched."""
    nm = "org.freedesktop.NetworkManager /org/freedesktop/NetworkManager org.freedesktop.NetworkManager"
    path = hosts.ssh(name, f"busctl call {nm} CheckpointCreate aouu 0 0 0").stdout.split()[1].strip('"')
    try:
        text = expect.refused(
            apply(name, BRIDGE, checkpoint_wait=3),
            ["checkpoint " + path, r"created by process \d+", "after 3 s", "Nothing was changed"],
        )
        there = hosts.ssh(name, f"busctl get-property {nm} Checkpoints").stdout
        expect.expect(path in there, f"the checkpoint {path} is gone: {there}")
    finally:
        hosts.ssh(name, f"busctl call {nm} CheckpointDestroy o {path}", check=False)
    expect.state(name, before)
    return text


def disk_full(name, before):
    """No space for the journal."""
    hosts.ssh(name, expect.FILL_DISK, timeout=60)
    try:
        text = expect.refused(apply(name, BRIDGE), ["[Nn]o space left", "Nothing was changed"])
    finally:
        hosts.ssh(name, "rm -f /var/lib/full.*")
    expect.state(name, before)
    return text


def read_only_etc(name, before):
    """Nothing can be written below /etc."""
    hosts.ssh(name, "mount --bind /etc /etc && mount -o remount,bind,ro /etc")
    try:
        text = expect.refused(apply(name, BRIDGE), ["[Rr]ead-only", "Nothing was changed"])
    finally:
        hosts.ssh(name, "umount /etc")
    expect.state(name, before)
    return text


def _role_refuses(name, words, definition):
    play = configure(name, definition)
    play.wait(180)
    expect.expect(not play.ended(APPLY)[0], "the change was begun")
    for one in words:
        expect.says(one, play.failure())
    return play.failure()


def unmanaged(name, before):
    """systemd-networkd has configured the VLAN with the address, and NetworkManager ignores it: refused by the plan and
    on the host.
    """
    how = r"nmcli device set eth1\.10 managed yes"
    text = _role_refuses(
        name,
        ["invalid interface", "NetworkManager does not manage eth1.10", how],
        {"name": "ovirtmgmt", "vlan_tag": 10},
    )
    expect.state(name, before)
    # a state that names the device, and one that does not, but the connection uses the device
    for device, words in (
        ("eth1.10", ["NetworkManager does not manage eth1.10", how]),
        ("eth2", ["eth1.10, which NetworkManager does not manage"]),
    ):
        state = {"interfaces": [{"name": device, "state": "up", "mtu": 1400}]}
        expect.refused(apply(name, state), [*words, "Nothing was changed"])
        expect.state(name, before)
    return text


def proves_nothing(name, before):
    """A connection without SSH: refused. With addresses and probes, the change is committed, or left pending, and the
    result says that the connection does not verify it.
    """
    hosts.ssh(name, f"cat >{_DETACHED}; chmod 755 {_DETACHED}", input=_WRAPPER)
    detached = {"ansible_python_interpreter": _DETACHED}
    text = expect.refused(
        apply(name, _MTU, detached),
        ["cannot verify the change", "not an SSH connection", "Nothing was changed", "keep", "commit: false"],
    )
    expect.refused(
        apply(name, _MTU, detached, keep=["192.0.2.200"]), ["is not an address of this host", "Nothing was changed"]
    )
    expect.state(name, before)
    play = Play(
        name,
        {"tasks": [apply_task(_MTU, commit=False), {COMMIT: {"state": "rolled_back", "diagnosis": ""}}]},
        "pending",
        **detached,
    )
    play.wait(180)
    expect.expect(
        play.ended()[1].get("phase") == "applied" and play.ended(COMMIT)[0] == "ok",
        f"commit: false did not leave it pending: {play.failure()}",
    )
    expect.state(name, before)
    result = expect.committed(apply(name, _MTU, detached, keep=[hosts.about(name)["address"]]))
    expect.expect(result.get("proven") is False, f"it does not say that nothing is proven: {result}")
    return f"committed with keep and probes only: {text}"


def out_of_band(name, before):
    """The controller is connected to a NIC that NetworkManager does not manage, which a change cannot affect."""
    address = f"10.77.1.{hosts.about(name)['number']}"
    text = expect.refused(
        apply(name, _MTU, {"ansible_host": address}),
        ["cannot verify the change", "oob0, which NetworkManager does not manage", "Nothing was changed"],
    )
    expect.state(name, before)
    return text


CASES = {
    "second_run": ("nic-dhcp", second_run, "refused, names owner and age; the first untouched"),
    "foreign_checkpoint": ("nic-static", foreign_checkpoint, "refused, names its owner; not touched"),
    "disk_full": ("nic-static", disk_full, "refused, names the full disk"),
    "read_only_etc": ("nic-static", read_only_etc, "refused, names the read-only folder"),
    "unmanaged": ("vlan-networkd", unmanaged, "refused, names the device and the remedy"),
    "proves_nothing": ("nic-dhcp", proves_nothing, "refused; with keep and probes committed, not proven"),
    "out_of_band": ("nic-static", out_of_band, "refused, names the NIC"),
}
