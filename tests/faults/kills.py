# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard is killed at every phase of the protocol, or prevented from starting or reporting.

Before the commit point, the change is undone; after it, the change is kept. Both are reported, nothing is left behind,
and later runs are not blocked.
"""

from __future__ import annotations

import contextlib
import functools
import time

from tests.faults import expect
from tests.faults.play import BRIDGE, Play, apply_task
from tests.lab import hosts
from tests.lab.machine import LabError

_SECONDS = 400  # for a play on a busy machine
_RECORD = {"networks": {"ovirtmgmt": {"bridged": True, "nic": "eth1", "bootproto": "dhcp"}}}
_RAISE = {
    "interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "mtu": 9000}]
}  # everything is done during the phase preparing

# Polls without a fork, because some phases last milliseconds. Kills the guard (its whole unit) at the phase, as many
# times as requested.
_WATCHER = r"""
import glob, json, os, signal, sys, time
phase, times, end = sys.argv[1], int(sys.argv[2]), time.monotonic() + 400
open("/run/killed", "w").close()

def status():
    try:
        with open((glob.glob("/run/ovirt-mgmt-network/2*/status.json") or [""])[0]) as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}

def due():
    if phase == "renamed":
        return os.path.isdir("/var/lib/ovirt-mgmt-network/committed")
    if phase == "diagnosing":
        return "exact" in status() and status()["phase"] == "undoing"
    if phase == "lingering":
        return status().get("phase") in ("committed", "undone")
    if phase == "preparing" and open("/sys/class/net/eth1/mtu").read() != "9000\n":  # something to undo
        return False
    return status().get("phase") == phase

while times and time.monotonic() < end:
    lists = glob.glob("/sys/fs/cgroup/system.slice/ovirt-mgmt-network-2*.service/cgroup.procs")
    guards = [pid for path in lists for pid in open(path).read().split()]
    if guards and due():
        for pid in guards:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        times -= 1
        with open("/run/killed", "a") as stream:
            stream.write("%s\n" % (status().get("phase")))
        time.sleep(1)
    time.sleep(0.001)
"""


def _watch(name, phase, times=1):
    """Kill the guard at ``phase``, from now on."""
    hosts.ssh(name, "cat > /run/watcher.py", input=_WATCHER)
    hosts.ssh(
        name,
        "rm -f /run/killed; systemd-run --quiet --collect --unit=watcher"
        # with the highest priority on the host's only processor, because some phases last milliseconds
        " --property=CPUSchedulingPolicy=fifo --property=CPUSchedulingPriority=50"
        f" python3 /run/watcher.py {phase} {times};"
        " until [ -e /run/killed ]; do sleep 0.1; done",
        timeout=30,
    )


def _killed(name, phase, times=1):
    """Expect the guard to have been killed, and remove the watcher."""
    seen = hosts.ssh(
        name, "systemctl stop watcher 2>/dev/null; cat /run/killed; rm -f /run/killed /run/watcher.py", check=False
    ).stdout.split()
    expect.expect(len(seen) == times, f"the guard was killed {len(seen)} times at {phase}, not {times}: {seen}")


def _clean(name):
    """Expect the guard to end and leave nothing behind."""
    line = (
        "for i in $(seq 100); do"
        " [ -n \"$(systemctl list-units --all --plain --no-legend 'ovirt-mgmt-network-2*')\" ] || exit 0;"
        " sleep 0.1; done;"
        " systemctl show -p NRestarts,ActiveState,SubState 'ovirt-mgmt-network-2*'; exit 1"
    )
    done = hosts.ssh(name, line, timeout=40, check=False)
    expect.expect(done.returncode == 0, f"the guard is still there: {done.stdout.split()}")
    left = hosts.ssh(
        name,
        "ls -d /var/lib/ovirt-mgmt-network /run/ovirt-mgmt-network/2*"
        " /etc/systemd/system/ovirt-mgmt-network-recover.service"
        " 2>/dev/null",
        check=False,
    ).stdout.split()
    expect.expect(not left, f"left behind: {left}")
    nm = "org.freedesktop.NetworkManager /org/freedesktop/NetworkManager org.freedesktop.NetworkManager"
    checkpoints = hosts.ssh(name, f"busctl get-property {nm} Checkpoints").stdout.strip()
    expect.expect(checkpoints == "ao 0", f"a checkpoint is left: {checkpoints}")


def _next_run(name):
    """Expect a second run to succeed, not blocked by the first one."""
    play = Play(name, {"tasks": [apply_task(BRIDGE, record=_RECORD, timeout=90)]}, "next")
    play.wait(_SECONDS)
    how, result, _at = play.ended()
    expect.expect(
        how == "ok" and result.get("phase") in (None, "committed"), f"the next run: {how or 'no end'}: {play.failure()}"
    )


def killed_at(phase, name, before):
    """The guard is killed at ``phase`` of a change that is applied and confirmed."""
    _watch(name, phase)
    state, record = (_RAISE, {}) if phase == "preparing" else (BRIDGE, _RECORD)
    play = Play(name, {"tasks": [apply_task(state, record=record, timeout=90)]})
    play.wait(_SECONDS)
    _killed(name, phase)
    how, result, _at = play.ended()
    expect.expect(how, "nothing was reported")
    new = phase == "renamed" or how == "ok"  # a guard that was killed before it had begun may start again
    expect.expect((how == "ok") == new, f"{how}: {play.failure()}")
    # a guard that was killed before its first status counts as not started
    ended = "committed" if new else "undone" if phase != "open" or "Nothing was changed" not in play.failure() else None
    expect.expect(result.get("phase") == ended, f"reported as {result.get('phase')}: {play.failure()}")
    _clean(name)
    expect.state(name, before, "new" if new else "old")
    if new:
        _next_run(name)
    return f"{ended}: {play.failure() or 'no failure'}"


def killed_undoing(phase, name, before, times=1):
    """The guard is killed during the undo, ``times`` times."""
    expect.pend(name, timeout=90)
    _watch(name, phase, times)
    how, result, _at = expect.end(name, "rolled_back")
    _killed(name, phase, times)
    expect.expect(
        how == "ok" and result.get("phase") == "undone" and result.get("exact"), f"{how or 'no end'}: {result}"
    )
    _clean(name)
    expect.state(name, before)
    return f"undone, exactly; repairs: {len(result.get('repairs') or [])}"


def killed_lingering(name, before):
    """The guard is killed while it keeps its result for a disconnected controller, which still gets it."""
    identity = expect.pend(name, record=_RECORD)
    confirm = (
        "cd /run/ovirt-mgmt-network/2*/ && python3 -c"
        ' \'import json; print(json.load(open("status.json"))["nonce"], end="")\' > confirm.new'
        " && mv confirm.new confirm"
    )
    hosts.ssh(name, confirm)
    expect.expect(expect.reach(name, "committed"), "not committed")
    _watch(name, "lingering")
    time.sleep(6)
    _killed(name, "lingering")
    seen = hosts.ssh(name, "systemctl show -p NRestarts,ActiveState 'ovirt-mgmt-network-2*'").stdout.split()
    expect.expect("NRestarts=1" in seen and "ActiveState=active" in seen, f"the guard does not linger: {seen}")
    _next_run(name)
    how, result, _at = expect.end(name, "committed", transaction=identity)
    expect.expect(how == "ok" and result.get("phase") == "committed", f"{how or 'no end'}: {result}")
    _clean(name)
    expect.state(name, before, "new")
    return f"committed; {', '.join(seen)}"


_FILL_RUN = r"""
cat >/run/filler.py <<'END'
import time
with open("/run/full", "ab", buffering=0) as stream:
    while True:
        try:
            stream.write(bytes(1 << 16))
        except OSError:
            try:
                stream.write(bytes(1 << 12))
            except OSError:
                time.sleep(0.001)
END
systemd-run --quiet --collect --unit=filler --property=CPUSchedulingPolicy=fifo python3 /run/filler.py
until [ "$(df --output=avail /run | tail -1)" -eq 0 ]; do sleep 0.1; done
systemctl kill -s KILL 'ovirt-mgmt-network-2*'
for i in $(seq 900); do
    journalctl --quiet --unit="ovirt-mgmt-network-$identity" | grep -q 'undone, exactly' && echo gone && break
    sleep 0.1
done
df /run | tail -1
"""


def run_full(name, before):
    """/run is full while a change is pending, free space is used immediately, and the guard is killed as well.

    The change is still undone, and the controller gets the result when there is space again.
    """
    identity = expect.pend(name)
    began = time.monotonic()
    try:
        seen = hosts.ssh(name, f"identity={identity}; {_FILL_RUN}", timeout=180).stdout
        gone = time.monotonic() - began
        expect.expect("100%" in seen, f"/run is not full: {seen}")
        expect.expect("gone" in seen, f"the change is still there: {seen}")
        told = hosts.ssh(name, "cat /run/ovirt-mgmt-network/2*/status.json", check=False).stdout
    finally:
        hosts.ssh(name, "systemctl stop filler; rm -f /run/full /run/filler.py", check=False)
    how, result, _at = expect.end(name, "rolled_back", transaction=identity)
    expect.expect(how == "ok" and result.get("phase") == "undone", f"not reported: {how}: {result}")
    _clean(name)
    expect.state(name, before)
    when = "then" if "undone" in told else "when there was room again"
    return f"undone {gone:.0f} s after /run was full; told {when}"


def no_networkmanager(name, before):
    """NetworkManager does not start while a change is pending. What cannot be undone is reported, and the last resort
    is reached.
    """
    expect.pend(name, last_resort="reboot")
    boot = hosts.ssh(name, "cat /proc/sys/kernel/random/boot_id").stdout
    hosts.ssh(name, "systemctl mask --runtime --quiet NetworkManager && systemctl stop NetworkManager", timeout=60)
    began, now = time.monotonic(), boot
    while now in (boot, "") and time.monotonic() < began + 420:
        time.sleep(2)
        with contextlib.suppress(LabError):  # shutting down
            now = hosts.ssh(name, "cat /proc/sys/kernel/random/boot_id", check=False, timeout=20).stdout
    expect.expect(now not in (boot, ""), "the host was not restarted")
    expect.state(name, before, seconds=120)
    seen = hosts.ssh(name, "cat /run/ovirt-mgmt-network/last.json", check=False).stdout
    expect.says('"phase": "undone".*"boot": true', seen)
    return f"restarted and undone at boot, within {time.monotonic() - began:.0f} s"


def full_at_boot(name, before):
    """The disk is full at a power cut during a pending change, and at the boot: the change is undone with the reserved
    space.
    """
    expect.pend(name)
    hosts.ssh(
        name,
        "cd /etc/NetworkManager/system-connections; echo >>eth1.nmconnection; rm ovirtmgmt*; cd /;"
        f" {expect.FILL_DISK}; sync",
        timeout=90,
    )
    hosts.power_cut(name)
    hosts.boot(name)
    used = hosts.ssh(name, "df --output=avail / | tail -1; rm -f /var/lib/full.*").stdout.strip()
    expect.state(name, before)
    return f"undone at boot with {used} kB of room"


def no_interpreter(path, name, before):
    """systemd cannot execute the interpreter that Ansible uses, or it exits immediately."""
    hosts.ssh(
        name,
        "mkdir -p /opt/py; cp /bin/false /opt/py/false; echo '#!/nonexistent' > /opt/py/unfit;"
        f" printf '#!/bin/bash\\nexec -a {path} /usr/bin/python3 \"$@\"\\n' > /opt/py/python3;"
        " chmod 755 /opt/py/*",
    )
    try:
        began = time.monotonic()
        play = Play(name, {"tasks": [apply_task(BRIDGE)]}, ansible_python_interpreter="/opt/py/python3")
        text = expect.refused(play, ["guard", "Nothing was changed"])
        expect.expect(time.monotonic() - began < 120, "it took too long to say so")
    finally:
        hosts.ssh(name, "rm -rf /opt/py", check=False)
    _clean(name)
    expect.state(name, before)
    return text


_OLD, _NEW = "old, exactly; reported; nothing left", "new; reported; nothing left; the next run goes through"
_AT = {
    "open": "old or new; reported",
    "baseline": _OLD,
    "preparing": _OLD,
    "applying": _OLD,
    "applied": _OLD,
    "committing": _OLD,
    "renamed": _NEW,
}
CASES = {
    **{f"killed_{phase}": ("nic-dhcp", functools.partial(killed_at, phase), words) for phase, words in _AT.items()},
    "killed_lingering": ("nic-dhcp", killed_lingering, _NEW),
    "killed_undoing": ("nic-dhcp", functools.partial(killed_undoing, "undoing"), _OLD),
    "killed_undoing_thrice": ("nic-dhcp", functools.partial(killed_undoing, "undoing", times=3), _OLD),
    "killed_diagnosing": ("nic-dhcp", functools.partial(killed_undoing, "diagnosing"), _OLD),
    "run_full": ("nic-dhcp", run_full, "undone and reported, although /run is full"),
    "no_networkmanager": ("nic-dhcp", no_networkmanager, "old, by the last resort"),
    "full_at_boot": ("nic-dhcp", full_at_boot, "old, by the early-boot unit"),
    "no_interpreter": ("nic-dhcp", functools.partial(no_interpreter, "/opt/py/unfit"), "refused; nothing touched"),
    "dead_interpreter": ("nic-dhcp", functools.partial(no_interpreter, "/opt/py/false"), "refused; nothing touched"),
}
