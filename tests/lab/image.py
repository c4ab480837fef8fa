# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that every host starts from, in layers that are each made anew only when their recipe changes.

Debian (mmdebstrap) and nmstatectl (cargo) take minutes and are made at the same time; what is laid over them takes seconds.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import tempfile

from .machine import HERE, IMAGES, LabError, apt_install, locked, run, step, tree_digest

SUITE = "trixie"
KERNEL_SUITE = "forky"  # 7.2: the UML kernels of trixie and bookworm crash on today's processors
NMSTATE = "2.2.62"
PACKAGES = (
    "systemd systemd-sysv dbus udev iproute2 network-manager openssh-server python3 kmod iputils-ping procps nftables dnsmasq-base ethtool radvd "
    "tcpdump firewalld lldpd sudo jq python3-apt chrony tuned apt"
).split()
OVERLAY = HERE / "overlay"
DEMO_PACKAGES = {"vdsm-demo": "", "ovirt-host-demo": "vdsm-demo"}  # name: what it depends on
DISABLED = ("firewalld", "lldpd", "radvd", "tuned", "chrony", "apt-daily.timer", "apt-daily-upgrade.timer", "fstrim.timer", "dpkg-db-backup.timer")
ENABLED = ("ssh", "NetworkManager", "lab-seed", "lab-nics")


def build():
    """Make (or find) the image. Returns ``(root, image)``: the tree that UML runs in, and the disk that hosts are copies of."""
    apt_install({"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "ssh": "openssh-client", "ip": "iproute2", "cc": "gcc"})
    with locked("image"):
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            parts = [pool.submit(one) for one in (_debian, _kernel, _nmstatectl)]
            debian, kernel, nmstatectl = [one.result() for one in parts]
        key = _key()
        recipe = tree_digest(OVERLAY, HERE / "image.py", text=f"{debian.name}{kernel.name}{nmstatectl.name}")
        folder = IMAGES / f"image-{recipe}"
        if not (folder / "base.img").exists():
            with step("assemble the image"):
                _assemble(folder, debian, kernel, nmstatectl, key)
            _drop_others("image-*", folder)
        return folder / "root", folder / "base.img"


def key_file():
    """The private key that opens every host."""
    return IMAGES / "id"


def _mirror():
    sites = run(["apt-get", "indextargets", "--format", "$(SITE)"]).stdout.split()
    found = sorted({site for site in sites if site.rstrip("/").endswith("/debian")})
    if not found:
        raise LabError("apt knows no Debian mirror; run 'apt-get update' and try again")
    return found[0]


def _debian():
    recipe = hashlib.sha256((SUITE + " ".join(PACKAGES)).encode()).hexdigest()[:16]
    target = IMAGES / f"debian-{recipe}.tar"
    if not target.exists():
        with step(f"bootstrap Debian {SUITE}"):
            part = target.with_suffix(".part.tar")
            run(["mmdebstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), SUITE, str(part), _mirror()], timeout=1200)
            part.rename(target)
        _drop_others("debian-*", target)
    return target


def _kernel():
    found = sorted(IMAGES.glob("kernel-*"))
    if found:
        return found[-1]
    with step(f"fetch the kernel (user-mode-linux of {KERNEL_SUITE})"), tempfile.TemporaryDirectory() as scratch:
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(f"{scratch}/{name}")
        shutil.chown(scratch, "_apt") if _has_user("_apt") else None
        pathlib.Path(scratch, "sources.list").write_text(f"deb {_mirror()} {KERNEL_SUITE} main\n", encoding="ascii")
        options = [f"-oDir::Etc::sourcelist={scratch}/sources.list", "-oDir::Etc::sourceparts=-", f"-oDir::State::lists={scratch}/lists",
                   f"-oDir::Cache={scratch}/cache", "-oAPT::Sandbox::User=root", "-oAcquire::Languages=none"]
        run(["apt-get", *options, "update", "-q"])
        run(["apt-get", *options, "download", "-q", "user-mode-linux"], cwd=scratch)
        package = next(pathlib.Path(scratch).glob("user-mode-linux_*.deb"))
        target = IMAGES / f"kernel-{package.name.split('_')[1]}"
        part = IMAGES / "part-kernel"
        shutil.rmtree(part, ignore_errors=True)
        run(["dpkg", "-x", str(package), str(part)])
        part.rename(target)
    return target


def _nmstatectl():
    target = IMAGES / f"nmstatectl-{NMSTATE}"
    if not target.exists():
        if not shutil.which("cargo"):
            raise LabError("cargo is missing: nmstatectl is built from crates.io; install Rust 1.88 or later and try again")
        with step(f"build nmstatectl {NMSTATE} from crates.io (minutes, once)"), tempfile.TemporaryDirectory(dir=IMAGES) as scratch:
            run(["cargo", "install", "--locked", "--quiet", "nmstatectl", "--version", NMSTATE, "--root", scratch], timeout=2400,
                env={**os.environ, "CARGO_TARGET_DIR": f"{scratch}/target", "CARGO_PROFILE_RELEASE_STRIP": "true"})
            pathlib.Path(scratch, "bin/nmstatectl").rename(target)
    return target


def _key():
    if not key_file().exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key_file())])
    return key_file().with_suffix(".pub")


def _assemble(folder, debian, kernel, nmstatectl, key):
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "root"
    root.mkdir(parents=True)
    run(["tar", "xf", str(debian), "-C", str(root)])
    run(["cp", "-a", "--no-preserve=ownership", f"{OVERLAY}/.", str(root)])
    modules = next((kernel / "usr/lib/uml/modules").iterdir())
    (root / "lib/modules").mkdir(exist_ok=True)
    run(["cp", "-a", str(modules), str(root / "lib/modules")])
    run(["chroot", str(root), "depmod", modules.name])
    shutil.copy2(kernel / "usr/bin/linux.uml", root / "usr/bin/linux.uml")
    shutil.copy2(nmstatectl, root / "usr/local/bin/nmstatectl")
    _users(root, key)
    _repository(root)
    for name in ("lab", "dev", "proc", "sys"):
        (root / name).mkdir(exist_ok=True)
    run(["systemctl", f"--root={root}", "enable", *ENABLED])
    for unit in DISABLED:
        run(["systemctl", f"--root={root}", "disable", unit], check=False)
    image = folder / "part.img"
    run(["truncate", "-s", "2G", str(image)])
    run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", "-d", str(root), str(image)])
    image.rename(folder / "base.img")


def _users(root, key):
    run(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "admin"])
    (root / "etc/sudoers.d/admin").write_text("admin ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
    (root / "etc/sudoers.d/admin").chmod(0o440)
    for home, owner in (("root", "root"), ("home/admin", "admin")):
        folder = root / home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(key, folder / "authorized_keys")
        run(["chroot", str(root), "chown", "-R", f"{owner}:{owner}", f"/{home}/.ssh"])


def _repository(root):
    """A Debian repository inside of the image, the hosts' only one: package tasks are real and reach nothing outside."""
    folder = root / "srv/repository"
    folder.mkdir(parents=True)
    stanzas = []
    for name, needs in DEMO_PACKAGES.items():
        tree = folder / "build" / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/share/doc" / name).mkdir(parents=True)
        (tree / "usr/share/doc" / name / "README").write_text("A stand-in of the lab.\n", encoding="ascii")
        control = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@example.com>\nDescription: stand-in of the lab\n"
        control += f"Depends: {needs}\n" if needs else ""
        (tree / "DEBIAN/control").write_text(control, encoding="ascii")
        package = folder / f"{name}_1.0_all.deb"
        run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)])
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        stanzas.append(f"{control}Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n")
    shutil.rmtree(folder / "build")
    (folder / "Packages").write_text("\n".join(stanzas), encoding="ascii")
    shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
    (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/repository ./\n", encoding="ascii")


def _has_user(name):
    return any(line.startswith(f"{name}:") for line in pathlib.Path("/etc/passwd").read_text(encoding="utf-8").splitlines())


def _drop_others(pattern, keep):
    for path in IMAGES.glob(pattern):
        if path != keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
