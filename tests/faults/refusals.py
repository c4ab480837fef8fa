# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be refused in clear words, or survived: other runs and tools, full and read-only disks, clocks, a host in between."""

from __future__ import annotations

import time

from tests.faults import expect, victims
from tests.faults.play import APPLY, BRIDGE, ROLE, SSH, TIMEOUT, Play, apply_task
from tests.lab import hosts, image
from tests.lab.network import FABRIC

FILL_DISK = (
    "for size in 1G 512M 256M 128M 64M 32M 16M 8M 4M 1M 256K 64K 16K 4K; do for i in 1 2; do"
    " fallocate -l $size /var/lib/full.$size.$i 2>/dev/null; done; done; true"
)


def _apply(name, **options):
    return Play(name, {"tasks": [apply_task(BRIDGE, **options)]})


def second_run(name, before):
    """A second run while a change is pending: refused, and the first one is as it was."""
    expect.pend(name, timeout=90)
    text = expect.refused(
        Play(name, ROLE, mgmt_network={"name": "ovirtmgmt"}),
        ["another transaction is open", "started .* by root from", r" \d+ s ago", "Nothing was changed"],
    )
    how, result, _at = expect.end(name, "rolled_back")
    expect.expect(how == "ok" and result.get("phase") == "undone", f"the first run could not be ended: {result}")
    expect.state(name, before)
    return text


def foreign_checkpoint(name, before):
    """Somebody else's checkpoint: waited for, named with its owner, and left alone."""
    nm = "org.freedesktop.NetworkManager /org/freedesktop/NetworkManager org.freedesktop.NetworkManager"
    path = hosts.ssh(name, f"busctl call {nm} CheckpointCreate aouu 0 0 0").stdout.split()[1].strip('"')
    try:
        text = expect.refused(
            _apply(name, checkpoint_wait=3),
            [path + " of somebody else", r"made by process \d+", "after 3 s", "Nothing was changed"],
        )
        there = hosts.ssh(name, f"busctl get-property {nm} Checkpoints").stdout
        expect.expect(path in there, f"the checkpoint {path} is gone: {there}")
    finally:
        hosts.ssh(name, f"busctl call {nm} CheckpointDestroy o {path}", check=False)
    expect.state(name, before)
    return text


def disk_full(name, before):
    """No room for the journal."""
    hosts.ssh(name, FILL_DISK, timeout=60)
    try:
        text = expect.refused(_apply(name), ["[Nn]o space left", "Nothing was changed"])
    finally:
        hosts.ssh(name, "rm -f /var/lib/full.*")
    expect.state(name, before)
    return text


def disk_fills(name, before):
    """The disk fills up while the change is pending: it is committed whole, or undone."""
    expect.pend(name, timeout=60)
    hosts.ssh(name, FILL_DISK, timeout=60)
    try:
        how, result, _at = expect.end(name, "committed")
    finally:
        hosts.ssh(name, "rm -f /var/lib/full.*")
    if how == "ok":
        expect.state(name, before, "new")
        return "committed"
    expect.says("[Nn]o space left", str(result.get("msg")))
    expect.state(name, before)
    return str(result.get("msg"))


def read_only_etc(name, before):
    """Nothing can be written below /etc."""
    hosts.ssh(name, "mount --bind /etc /etc && mount -o remount,bind,ro /etc")
    try:
        text = expect.refused(_apply(name), ["[Rr]ead-only", "Nothing was changed"])
    finally:
        hosts.ssh(name, "umount /etc")
    expect.state(name, before)
    return text


def _with_clock_off(name, hours):
    hosts.ssh(name, f"date -s '{hours} hour'")


def clock_forward(name, before):
    """The clock jumps an hour ahead: the pending change gets its whole time, and is undone after it."""
    expect.pend(name)
    began = time.monotonic()
    _with_clock_off(name, "+1")
    try:
        expect.expect(
            not expect.reach(name, "undoing", TIMEOUT // 3), "the change was undone as soon as the clock had jumped"
        )
        expect.expect(expect.reach(name, "undone", 2 * TIMEOUT), "the change is still pending after its timeout")
        seconds = time.monotonic() - began
    finally:
        _with_clock_off(name, "-1")
    expect.state(name, before)
    return f"undone after {seconds / TIMEOUT:.2f} of its timeout"


def clock_back(name, before):
    """The clock jumps an hour back: the change is committed as ever, and a second one is refused with an age that makes sense."""
    expect.pend(name, timeout=90)
    _with_clock_off(name, "-1")
    try:
        text = expect.refused(_apply(name), [r"another transaction is open", r" \d+ s ago"])
        how, result, _at = expect.end(name, "committed")
    finally:
        _with_clock_off(name, "+1")
    expect.expect(how == "ok" and result.get("phase") == "committed", f"not committed: {result}")
    now_on_bridge = hosts.ssh(name, "ip -br -4 addr show dev ovirtmgmt").stdout
    expect.expect(hosts.about(name)["address"] in now_on_bridge, f"the address is not on the bridge: {now_on_bridge}")
    return f"committed; meanwhile a second run: {text}"


def jump_host(name, before):
    """The controller reaches the host by way of another one."""
    key = image.key_file()
    play = Play(
        name,
        ROLE,
        mgmt_network=victims.LAYOUTS["bond-vlan"],
        ansible_ssh_common_args=f"{SSH} -o ProxyCommand='ssh -i {key} {SSH} -W %h:%p root@{FABRIC}'",
    )
    play.wait(180)
    _how, result, _at = play.ended()
    expect.expect(result.get("phase") == "committed", f"not committed: {play.failure()}")
    expect.state(name, before, "new", victims.mtu_of("bond-vlan"))
    return "committed, reported, new"


def _role_refuses(name, words, definition):
    play = Play(name, ROLE, mgmt_network=definition)
    play.wait(180)
    expect.expect(not play.ended(APPLY)[0], "the change was begun")
    for one in words:
        expect.says(one, play.failure())
    return play.failure()


def unmanaged(name, before):
    """systemd-networkd has configured the VLAN with the address, and NetworkManager leaves it alone: refused by the decision and on the host."""
    how = r"nmcli device set eth1\.10 managed yes"
    text = _role_refuses(
        name,
        ["invalid interface", "NetworkManager does not manage eth1.10", how],
        {"name": "ovirtmgmt", "vlan_tag": 10},
    )
    expect.state(name, before)
    # a state that names the device, and one that does not: the connection comes in over it, and no change can touch that
    for device, words in (
        ("eth1.10", ["NetworkManager does not manage eth1.10", how]),
        ("eth2", ["eth1.10, which NetworkManager does not manage"]),
    ):
        state = {"interfaces": [{"name": device, "state": "up", "mtu": 1400}]}
        expect.refused(Play(name, {"tasks": [apply_task(state)]}), [*words, "Nothing was changed"])
        expect.state(name, before)
    return text


CASES = {
    "unmanaged": ("vlan-networkd", unmanaged, "refused, names the device and how NetworkManager gets it"),
    "second_run": ("nic-dhcp", second_run, "refused, names owner and age; the first untouched"),
    "foreign_checkpoint": ("nic-static", foreign_checkpoint, "refused, names its owner; left alone"),
    "disk_full": ("nic-static", disk_full, "refused, names the full disk"),
    "disk_fills": ("nic-dhcp", disk_fills, "undone, names the full disk, or new"),
    "read_only_etc": ("nic-static", read_only_etc, "refused, names the read-only folder"),
    "clock_forward": ("nic-dhcp", clock_forward, "undone after its timeout"),
    "clock_back": ("nic-dhcp", clock_back, "new, reported; second run refused"),
    "jump_host": ("bond-vlan", jump_host, "new, reported"),
}
