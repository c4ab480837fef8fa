# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts: User Mode Linux processes with a disk each. Killing the process is a true power cut."""

from __future__ import annotations

import concurrent.futures
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import tarfile
import time

from . import image, network
from .layouts import LAYOUTS, keyfiles
from .machine import LOGS, NAME, STATE, LabError, has_netns, locked, netns, run, step

BOOT_SECONDS = 120
_SSH = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=3",
        "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]


def names():
    """All hosts of this lab but the fabric, by number."""
    found = [path.parent.name for path in (STATE / "hosts").glob("*/host.json") if path.parent.name != "fabric"]
    return sorted(found, key=lambda name: about(name)["number"])


def about(name):
    """``{name, number, layout, variant, memory, address}`` of a host. Raises LabError for an unknown one."""
    path = STATE / "hosts" / name / "host.json"
    if not path.exists():
        raise LabError(f"there is no host {name} in the lab {NAME}; 'list' shows those there are, 'up {name}:LAYOUT' makes it")
    return json.loads(path.read_text(encoding="utf-8"))


def running(name):
    """Whether the host has power."""
    path = STATE / "hosts" / name / "pid"
    if not path.exists():
        return False
    try:
        pid = int(path.read_text(encoding="ascii"))
        with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
            state = stream.read().rsplit(")", 1)[1].split()[0]
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as stream:
            return state != "Z" and f"umid={name}" in stream.read()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False


def fabric():
    """Start the switch, router and DHCP server, unless it runs. Everything else hangs on it."""
    with locked(f"fabric-{NAME}"):
        if running("fabric"):
            return
        network.raise_netns()
        with step("start the fabric"):
            _create("fabric", 2, "", "el", "256M")
            _power("fabric")
            wait("fabric")
            network.start_fabric()


def up(wanted, variant="el", memory="384M"):
    """Make and boot the hosts ``{name: layout}`` that are not there, two at a time. Returns what about() says of each."""
    for layout in wanted.values():
        if layout not in LAYOUTS:
            raise LabError(f"there is no layout {layout}; there are: {', '.join(LAYOUTS)}")
    fabric()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda item: _up(item[0], item[1], variant, memory), wanted.items()))


def _up(name, layout, variant, memory):
    if (STATE / "hosts" / name / "host.json").exists():
        if about(name)["layout"] != layout:
            raise LabError(f"the host {name} is there with the layout {about(name)['layout']}; 'down {name}' first")
        return boot(name)
    with step(f"boot {name} ({layout})"):
        with locked(f"numbers-{NAME}"):
            used = {about(one)["number"] for one in names()}
            _create(name, next(number for number in range(11, 99) if number not in used), layout, variant, memory)
        try:
            _power(name)
            network.plug(about(name), LAYOUTS[layout])
            wait(name)
            return _learn_address(name)
        except BaseException:
            down(name)
            raise


def boot(name):
    """Give a host power again, when it has none, and wait for it."""
    if not running(name):
        with step(f"boot {name}"):
            _power(name)
            wait(name)
    return about(name)


def power_cut(name):
    """Cut the power: SIGKILL. What was not on the disk is lost."""
    path = STATE / "hosts" / name / "pid"
    if running(name):
        try:
            os.killpg(int(path.read_text(encoding="ascii")), signal.SIGKILL)
        except ProcessLookupError:
            pass
        _gone(name, 10)


def power_off(name):
    """Shut down cleanly."""
    if running(name):
        ssh(name, "systemctl poweroff", check=False, timeout=15)
        if not _gone(name, 40):
            raise LabError(f"{name} did not shut down within 40 s; 'kill {name}' cuts its power")


def down(name=None):
    """Take one host away, or the whole lab: nothing is left but the logs."""
    for one in [name] if name else [*names(), "fabric"]:
        folder = STATE / "hosts" / one
        if name and one != "fabric" and folder.exists() and running("fabric"):
            network.unplug(about(one), check=False)
        power_cut(one)
        if (folder / "console.log").exists():
            LOGS.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "console.log", LOGS / f"{one}.log")
        shutil.rmtree(folder, ignore_errors=True)
    if not name:
        network.drop_netns()
        shutil.rmtree(STATE, ignore_errors=True)


def ssh_command(name, management=False, user="root"):
    """The command that runs the rest of its words on a host: over the back door, or over its management address."""
    one = about(name)
    back_door = f"10.77.{0 if name == 'fabric' else 1}.{one['number']}"
    return netns("ssh", "-i", image.key_file(), *_SSH, f"{user}@{one['address'] if management else back_door}")


def ssh(name, command, timeout=30, check=True, **options):
    """Run a shell ``command`` on a host over the back door; the finished process."""
    return run([*ssh_command(name), command], timeout=timeout, check=check, **options)


def wait(name, seconds=BOOT_SECONDS):
    """Wait until the host answers SSH over the back door. Raises LabError with the end of its console."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if run([*ssh_command(name), "systemctl is-active -q NetworkManager || test -e /etc/lab-host"], check=False, timeout=20).returncode == 0:
            return
        if not running(name):
            break
        time.sleep(0.3)
    console = (STATE / "hosts" / name / "console.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise LabError(f"{name} does not answer; its console ends:\n{console}")


def _learn_address(name, seconds=60):
    one = about(name)
    device, end = LAYOUTS[one["layout"]]["device"], time.monotonic() + seconds
    while time.monotonic() < end:
        found = ssh(name, f"ip -j addr show dev {device} scope global 2>/dev/null", check=False).stdout
        addresses = [entry for link in json.loads(found or "[]") for entry in link.get("addr_info", []) if "local" in entry and not entry.get("tentative")]
        if addresses:
            # IPv4 first, as an engine that has both would
            one["address"] = sorted(addresses, key=lambda entry: entry["family"])[0]["local"]
            (STATE / "hosts" / name / "host.json").write_text(json.dumps(one), encoding="utf-8")
            return one
        time.sleep(0.3)
    raise LabError(f"{name} has no address on {device} after {seconds} s")


def _create(name, number, layout, variant, memory):
    root, base = image.build()
    folder = STATE / "hosts" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    first, count = LAYOUTS[layout]["nics"] if layout else (0, 0)
    files = {"hostname": f"{name}\n", "machine-id": f"{number:032x}\n", "lab-host": f"{number} {first} {count}\n", "lab-variant": f"{variant}\n"}
    profiles = keyfiles(layout, number) if layout else {}
    files.update({f"NetworkManager/system-connections/{file}": text for file, text in profiles.items()})
    _write_seed(folder / "seed.tar", files)
    run(["cp", "--sparse=always", "--reflink=auto", str(base), str(folder / "disk.img")])
    host = {"name": name, "number": number, "layout": layout, "variant": variant, "memory": memory, "root": str(root), "address": ""}
    (folder / "host.json").write_text(json.dumps(host), encoding="utf-8")


def _write_seed(path, files):
    """What makes the disk this host, as a tar that the host sees as a block device and unpacks over / at its first boot."""
    with tarfile.open(path, "w") as seed:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"etc/{name}")
            entry.size, entry.mode = len(text), 0o600 if name.endswith(".nmconnection") else 0o644
            seed.addfile(entry, io.BytesIO(text.encode("ascii")))


def _power(name):
    """Start the process. Its mounts live in the mount namespace that "ip netns exec" makes, and go with it."""
    one, folder = about(name), STATE / "hosts" / name
    network.tap(one)
    root = shlex.quote(one["root"])
    words = ["/usr/bin/linux.uml", "ubd0=/lab/disk.img", "ubd1r=/lab/seed.tar", "root=/dev/ubda", "rw", f"mem={one['memory']}", f"umid={name}", "uml_dir=/lab/uml/",
             f"vec0:transport=tap,ifname={network.tap_name(one)},mac=52:54:00:{one['number']:02x}:00:00", "con=null", "con0=null,fd:1", "seccomp=on",
             f"systemd.machine_id={one['number']:032x}"]
    script = (f"set -e; for d in dev proc sys; do mount --rbind /$d {root}/$d; done; mount --bind {shlex.quote(str(folder))} {root}/lab; "
              f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm; exec chroot {root} {shlex.join(words)}")
    (folder / "uml").mkdir(exist_ok=True)
    with open(folder / "console.log", "a", encoding="utf-8") as log:
        process = subprocess.Popen(netns("sh", "-c", script), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                   env={"HOME": "/root", "PATH": os.environ["PATH"], "TMPDIR": "/dev/shm"})
    (folder / "pid").write_text(str(process.pid), encoding="ascii")


def _gone(name, seconds):
    end = time.monotonic() + seconds
    while running(name) and time.monotonic() < end:
        time.sleep(0.05)
    return not running(name)


def lab_is_up():
    return has_netns() and running("fabric")
