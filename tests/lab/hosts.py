# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts: User Mode Linux processes, each with a disk. Killing the process is a real power cut."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time

from . import image, network
from .layouts import LAYOUTS, family, keyfiles, other_files
from .machine import (
    LOGS,
    NAME,
    SSH,
    STATE,
    LabError,
    check_interrupted,
    checked_name,
    in_parallel,
    locked,
    netns,
    run,
    step,
    tidying,
)

BOOT_SECONDS = 120  # ten times the duration of a boot on an idle machine
_SSH = [
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "ConnectTimeout=3",
    "-o",
    "ServerAliveInterval=5",
    "-o",
    "ServerAliveCountMax=3",
]


def names():
    """All hosts of this lab except the fabric, by number."""
    found = [path.parent.name for path in (STATE / "hosts").glob("*/host.json") if path.parent.name != "fabric"]
    return sorted(found, key=lambda name: about(name)["number"])


def about(name):
    """``{name, number, layout, variant, memory, address}`` of a host. Raises LabError for an unknown one."""
    path = STATE / "hosts" / name / "host.json"
    if not path.exists():
        raise LabError(f"no host {name} in the lab {NAME}; 'list' shows the hosts, 'up {name}:LAYOUT' creates it")
    return json.loads(path.read_text(encoding="utf-8"))


def process(name):
    """The ID of the host's process; None if it is off."""
    try:
        pid = int((STATE / "hosts" / name / "pid").read_text(encoding="ascii"))
        with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
            state = stream.read().rsplit(")", 1)[1].split()[0]
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as stream:
            return pid if state != "Z" and f"umid={name} " in stream.read().replace("\0", " ") else None
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None


def running(name):
    """Whether the host is running."""
    return process(name) is not None


def fabric():
    """Start the switch, router, and DHCP server, unless it is running. Everything else depends on it."""
    with _in_lab():
        _fabric()


def _fabric():
    with locked(f"fabric-{NAME}"):
        if running("fabric"):
            return
        network.raise_netns()
        with step("start the fabric"), _or_away("fabric"):
            _create("fabric", "", "el", "256M")
            _power("fabric")
            _booted("fabric")
            network.start_fabric()
            for name in names():  # of a fabric that has died
                network.plug(about(name), LAYOUTS[about(name)["layout"]])


def up(wanted, variant="el", memory="384M"):
    """Create and boot the hosts ``{name: layout}`` that are not up, two at a time. Returns the results of about()."""
    for name, layout in wanted.items():
        if layout not in LAYOUTS:
            raise LabError(f"got layout {layout}, expected one of: {', '.join(LAYOUTS)}")
        if checked_name(name, "host") == "fabric":
            raise LabError("fabric is the name of the switch; call the host something else")
    with _in_lab():
        _fabric()
        return in_parallel(2, lambda item: _up(*item, variant, memory), wanted.items())


def _up(name, layout, variant, memory):
    with _alone(name):
        if (STATE / "hosts" / name / "host.json").exists():
            if about(name)["layout"] != layout:
                raise LabError(f"the host {name} is there with the layout {about(name)['layout']}; 'down {name}' first")
            return _boot(name)
        with step(f"boot {name} ({layout})"), _or_away(name):
            _create(name, layout, variant, memory)
            _power(name)
            network.plug(about(name), LAYOUTS[layout])
            _booted(name)
            ssh(name, LAYOUTS[layout].get("start", ":"))
            return _learn_address(name)


def boot(name):
    """Boot a host, if it is off, and wait for it."""
    with _in_lab():
        _fabric()
        with _alone(name):
            return _boot(name)


def _boot(name):
    if not running(name):
        with step(f"boot {name}"):
            _power(name)
            _booted(name)
    return about(name)


def power_cut(name):
    """Cut the power with SIGKILL. Data that is not on disk is lost."""
    about(name)
    with _in_lab(), _alone(name):
        _kill(name)


def _kill(name):
    pid = process(name)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        if not _gone(name, 10):
            raise LabError(f"{name}: its process {pid} does not end")


def power_off(name):
    """Shut down cleanly."""
    about(name)
    with _in_lab(), _alone(name):
        if running(name):
            with step(f"shut {name} down"):
                ssh(name, "systemctl poweroff", check=False, timeout=15)
                if not _gone(name, 40):
                    raise LabError(f"{name} did not shut down within 40 s; 'kill {name}' cuts its power")


def down(name=None):
    """Remove a host, or the whole lab. Only logs are kept."""
    if name:
        with _in_lab(), _alone(checked_name(name, "host")):
            _down(name)
        return
    with locked(f"lab-{NAME}"):
        for one in [path.name for path in (STATE / "hosts").glob("*")]:
            _down(one, unplug=False)
        network.drop_netns()
        shutil.rmtree(STATE, ignore_errors=True)
        with contextlib.suppress(OSError):  # other labs may exist
            STATE.parent.rmdir()


def _down(name, unplug=True):
    folder = STATE / "hosts" / name
    if unplug and name != "fabric" and (folder / "host.json").exists() and running("fabric"):
        network.unplug(about(name), check=False)
    _kill(name)
    if unplug and (folder / "host.json").exists():
        network.drop_tap(about(name))
    if (folder / "console.log").exists():
        LOGS.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "console.log", LOGS / f"{name}.log")
    shutil.rmtree(folder, ignore_errors=True)
    # A later host with this address must not use the connection to this one.
    shutil.rmtree(SSH / name, ignore_errors=True)


def _in_lab():
    """Others may use the lab, but must not remove it in the meantime."""
    return locked(f"lab-{NAME}", shared=True)


def _alone(name):
    return locked(f"host-{NAME}-{name}")


@contextlib.contextmanager
def _or_away(name):
    """Remove a host that could not be completed."""
    try:
        yield
    except BaseException:
        with tidying():
            _down(name)
        raise


def log(name):
    """The console log of a host; the last one if the host was removed. Raises LabError if there is none."""
    for path in (STATE / "hosts" / name / "console.log", LOGS / f"{name}.log"):
        if path.exists():
            return path
    raise LabError(f"no log of a host {name} in the lab {NAME}")


def ssh_command(name, management=False, user="root"):
    """The command prefix to run a command on a host: over the out-of-band NIC, or over its management address."""
    one = about(name)
    back_door = f"10.77.{0 if name == 'fabric' else 1}.{one['number']}"
    return netns("ssh", "-i", image.key_file(), *_SSH, f"{user}@{one['address'] if management else back_door}")


def ssh(name, command, timeout=30, check=True, **options):
    """Run a shell ``command`` on a host over the out-of-band NIC. Returns the finished process."""
    return run([*ssh_command(name), command], timeout=timeout, check=check, **options)


def _booted(name):
    """Wait for a host that was just started. If it does not answer, it is restarted once, because a UML guest can hang
    while booting.
    """
    try:
        wait(name)
    except LabError as error:
        check_interrupted()
        LOGS.mkdir(parents=True, exist_ok=True)
        kept = LOGS / f"{name}-hung-{time.strftime('%Y%m%dT%H%M%S')}.log"
        shutil.copy(log(name), kept)
        print(
            f"lab: WARNING: {error}\nlab: WARNING: {name} is cut and booted again; its console is kept in {kept}",
            file=sys.stderr,
            flush=True,
        )
        _kill(name)
        log(name).write_text("", encoding="utf-8")
        _power(name)
        wait(name)


def wait(name, seconds=BOOT_SECONDS):
    """Wait until the host answers SSH over the out-of-band NIC. Raises LabError with the end of its console log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # ssh ends within this time; a guest that accepts a connection and then hangs must not end the wait early
        if (
            run(["timeout", "20", *ssh_command(name), "test -e /etc/lab-seeded"], check=False, timeout=30).returncode
            == 0
        ):
            return
        if not running(name):
            break
        time.sleep(0.3)
    console = log(name).read_text(encoding="utf-8", errors="replace")[-2000:]
    raise LabError(
        f"{name} {f'did not answer within {seconds} s' if running(name) else 'has ended while it booted'}; its "
        f"console ends:\n{console}"
    )


def _learn_address(name, seconds=60):
    """Record the management address; the IPv4 address if the layout has both."""
    one = about(name)
    device, end = LAYOUTS[one["layout"]]["device"], time.monotonic() + seconds
    while time.monotonic() < end:
        check_interrupted()
        found = ssh(
            name, f"ip -j -{family(one['layout'])} addr show dev {device} scope global 2>/dev/null", check=False
        ).stdout
        addresses = [
            entry
            for link in json.loads(found or "[]")
            for entry in link.get("addr_info", [])
            if "local" in entry and not entry.get("tentative")
        ]
        if addresses:
            one["address"] = addresses[0]["local"]
            _note(one)
            ssh(name, "sync")  # the files of an installed host are on disk already
            return one
        time.sleep(0.3)
    raise LabError(f"{name} has no address on {device} after {seconds} s")


def _note(host):
    """Write the data of a host atomically, because other calls read it."""
    path = STATE / "hosts" / host["name"] / "host.json"
    path.with_suffix(".part").write_text(json.dumps(host), encoding="utf-8")
    path.with_suffix(".part").rename(path)


def _create(name, layout, variant, memory):
    """Create the host's folder with its disk, and assign its number."""
    root, base = image.build()
    folder = STATE / "hosts" / name
    with locked(f"numbers-{NAME}"):
        used = {about(one)["number"] for one in names()}
        number = 2 if name == "fabric" else next((one for one in range(11, 99) if one not in used), None)
        if number is None:
            raise LabError("the lab has 88 hosts, which is all it has addresses for; take some down")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _note(
            {
                "name": name,
                "number": number,
                "layout": layout,
                "variant": variant,
                "memory": memory,
                "root": str(root),
                "address": "",
            }
        )
    first, count = LAYOUTS[layout]["nics"] if layout else (0, 0)
    small = "untagged" if layout and LAYOUTS[layout].get("small") else ""
    files = {
        "hostname": f"{name}\n",
        "machine-id": f"{number:032x}\n",
        "lab-host": f"{number} {first} {count} {small}\n",
        "lab-variant": f"{variant}\n",
        "hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    }
    if layout:
        files.update(
            {f"NetworkManager/system-connections/{file}": text for file, text in keyfiles(layout, number).items()},
            **other_files(layout, number),
        )
    _write_seed(folder / "seed.tar", files)
    run(["cp", "--sparse=always", "--reflink=auto", str(base), str(folder / "disk.img")])


def _write_seed(path, files):
    """The files of this host, as a tar on a block device that the host unpacks over / at its first boot."""
    with tarfile.open(path, "w") as seed:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"etc/{name}")
            entry.size, entry.mode = len(text), 0o600 if name.endswith(".nmconnection") else 0o644
            seed.addfile(entry, io.BytesIO(text.encode("ascii")))


def _power(name):
    """Start the process. Its mounts are in the mount namespace that "ip netns exec" creates, and end with it."""
    one, folder = about(name), STATE / "hosts" / name
    network.tap(one)
    root = shlex.quote(one["root"])
    words = [
        "/usr/bin/linux.uml",
        "ubd0=/lab/disk.img",
        "ubd1r=/lab/seed.tar",
        "root=/dev/ubda",
        "rw",
        f"mem={one['memory']}",
        f"umid={name}",
        "uml_dir=/lab/uml/",
        f"vec0:transport=tap,ifname={network.tap_name(one)},mac=52:54:00:{one['number']:02x}:00:00",
        "con=null",
        "con0=null,fd:1",
        "seccomp=on",
        f"systemd.machine_id={one['number']:032x}",
        "pty.legacy_count=0",
    ]  # 512 fewer devices for udev
    script = (
        f"set -e; for d in dev proc sys; do mount --rbind /$d {root}/$d; done; mount --bind "
        f"{shlex.quote(str(folder))} {root}/lab; "
        f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm; exec chroot {root} {shlex.join(words)}"
    )
    (folder / "uml").mkdir(exist_ok=True)
    with open(folder / "console.log", "a", encoding="utf-8") as log:
        process = subprocess.Popen(
            netns("sh", "-c", script),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"HOME": "/root", "PATH": os.environ["PATH"], "TMPDIR": "/dev/shm"},
        )
    (folder / "pid").write_text(str(process.pid), encoding="ascii")


def _gone(name, seconds):
    end = time.monotonic() + seconds
    while running(name) and time.monotonic() < end:
        time.sleep(0.05)
    return not running(name)
