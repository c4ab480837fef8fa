# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of all hosts, in layers that are only rebuilt if their recipe changes.

Debian (mmdebstrap) and nmstatectl (cargo) take minutes and are built at the same time; the other layers take seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import threading

from .machine import HERE, IMAGES, LabError, apt_install, in_parallel, locked, run, step, tree_digest

SUITE = "trixie"
KERNEL_SUITE = "forky"  # 7.2: the UML kernels of trixie and bookworm crash on current processors
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
NMSTATE = "2.2.62"
PACKAGES = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "udev",
    "iproute2",
    "network-manager",
    "openssh-server",
    "python3",
    "kmod",
    "iputils-ping",
    "procps",
    "nftables",
    "dnsmasq-base",
    "ethtool",
    "radvd",
    "tcpdump",
    "firewalld",
    "lldpd",
    "sudo",
    "jq",
    "python3-apt",
    "chrony",
    "tuned",
    "apt",
]
OVERLAY = HERE / "overlay"
DEMO_PACKAGES = {"vdsm-demo": "", "ovirt-host-demo": "vdsm-demo"}  # name: its dependencies
DISABLED = (
    "firewalld",
    "lldpd",
    "radvd",
    "tuned",
    "chrony",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "fstrim.timer",
    "dpkg-db-backup.timer",
    "getty@tty1",
)
_APT = threading.Lock()
ENABLED = ("ssh", "NetworkManager", "lab-seed", "lab-nics")


def build():
    """Build the image unless it exists. Returns ``(root, image)``: the root file system for UML, and the disk that is
    copied for hosts.
    """
    apt_install(
        {"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "ssh": "openssh-client", "ip": "iproute2", "cc": "gcc"}
    )
    with locked("image"):
        debian, kernel, nmstatectl = in_parallel(3, lambda part: part(), (_debian, _kernel, _nmstatectl))
        key = _key()
        recipe = tree_digest(
            OVERLAY,
            HERE / "image.py",
            text=f"{debian.name}{kernel.name}{nmstatectl.name}{key.read_text(encoding='ascii')}",
        )
        folder = IMAGES / f"image-{recipe}"
        if not (folder / "base.img").exists():
            with step("assemble the image"), _whole(folder):
                _assemble(folder, debian, kernel, nmstatectl, key)
            _drop_others("image-*", {folder, *_in_use()})
        return folder / "root", folder / "base.img"


def key_file():
    """The private key for all hosts."""
    return IMAGES / "id"


def _mirror():
    """The Debian mirror in this machine's apt configuration."""
    with _APT:
        for _attempt in range(2):
            sites = run(["apt-get", "indextargets", "--format", "$(SITE)"]).stdout.split()
            found = sorted({site for site in sites if site.rstrip("/").endswith("/debian")})
            if found:
                return found[0]
            run(["apt-get", "update", "-q"])  # a new machine has no package lists
    raise LabError(
        "apt is set to no Debian mirror here (a site whose address ends with /debian), so there is none to make the "
        "image from; add one to apt's sources"
    )


def _debian():
    recipe = hashlib.sha256((SUITE + " ".join(PACKAGES)).encode()).hexdigest()[:16]
    target = IMAGES / f"debian-{recipe}.tar"
    if not target.exists():
        with step(f"bootstrap Debian {SUITE}"):
            part = target.with_suffix(".part.tar")
            with _whole(part):
                run(
                    ["mmdebstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), SUITE, str(part), _mirror()],
                    timeout=1200,
                )
                part.rename(target)
        _drop_others("debian-*", {target})
    return target


def _kernel():
    found = sorted(IMAGES.glob("kernel-*"))
    if found:
        return found[-1]
    with (
        step(f"fetch the kernel (user-mode-linux of {KERNEL_SUITE})"),
        tempfile.TemporaryDirectory(dir=IMAGES) as scratch,
    ):
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(f"{scratch}/{name}")
        trust = f"[signed-by={KEYRING}] " if os.path.exists(KEYRING) else ""
        pathlib.Path(scratch, "sources.list").write_text(
            f"deb {trust}{_mirror()} {KERNEL_SUITE} main\n", encoding="ascii"
        )
        options = [
            f"-oDir::Etc::sourcelist={scratch}/sources.list",
            "-oDir::Etc::sourceparts=-",
            f"-oDir::State::lists={scratch}/lists",
            f"-oDir::Cache={scratch}/cache",
            "-oAPT::Sandbox::User=root",
            "-oAcquire::Languages=none",
        ]
        run(["apt-get", *options, "update", "-q"])
        run(["apt-get", *options, "download", "-q", "user-mode-linux"], cwd=scratch)
        package = next(pathlib.Path(scratch).glob("user-mode-linux_*.deb"))
        target = IMAGES / f"kernel-{package.name.split('_')[1]}"
        run(["dpkg", "-x", str(package), f"{scratch}/tree"])
        pathlib.Path(scratch, "tree").rename(target)
    return target


def _nmstatectl():
    target = IMAGES / f"nmstatectl-{NMSTATE}"
    if not target.exists():
        if not shutil.which("cargo"):
            raise LabError(
                "cargo is missing: nmstatectl is built from crates.io; install Rust 1.88 or later and try again"
            )
        with (
            step(f"build nmstatectl {NMSTATE} from crates.io (minutes, once)"),
            tempfile.TemporaryDirectory(dir=IMAGES) as scratch,
        ):
            run(
                ["cargo", "install", "--locked", "--quiet", "nmstatectl", "--version", NMSTATE, "--root", scratch],
                timeout=5400,
                env={**os.environ, "CARGO_TARGET_DIR": f"{scratch}/target", "CARGO_PROFILE_RELEASE_STRIP": "true"},
            )
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
    run(["cp", "-r", "--no-preserve=all", f"{OVERLAY}/.", str(root)])  # independent of the modes in the checkout
    for script in (root / "usr/local/sbin").iterdir():
        script.chmod(0o755)
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
    run(["chroot", str(root), "systemctl", "-q", "enable", *ENABLED])
    for unit in DISABLED:
        run(["chroot", str(root), "systemctl", "-q", "disable", unit], check=False)
    # a session for each SSH command would start a user's systemd, which takes two seconds
    run(["chroot", str(root), "pam-auth-update", "--package", "--disable", "systemd"])
    for stamp in ("etc/.updated", "var/.updated"):  # as after a first boot: /usr has not changed
        (root / stamp).touch()
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
    """A Debian repository in the image, the only one of the hosts, so that package tasks work without a network."""
    folder = root / "srv/repository"
    folder.mkdir(parents=True)
    stanzas = []
    for name, needs in DEMO_PACKAGES.items():
        tree = folder / "build" / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/share/doc" / name).mkdir(parents=True)
        (tree / "usr/share/doc" / name / "README").write_text("A stand-in of the lab.\n", encoding="ascii")
        control = (
            f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@example.com>\n"
            "Description: stand-in of the lab\n"
        )
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


def _in_use():
    """Images that hosts of any lab use: they are needed for the next boot."""
    for path in IMAGES.glob("labs/*/hosts/*/host.json"):
        with contextlib.suppress(FileNotFoundError):  # a host that is being removed
            yield pathlib.Path(json.loads(path.read_text(encoding="utf-8"))["root"]).parent


@contextlib.contextmanager
def _whole(path):
    """Remove ``path`` if it could not be completed."""
    try:
        yield
    except BaseException:
        _remove(path)
        raise


def _remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _drop_others(pattern, keep):
    for path in IMAGES.glob(pattern):
        if path not in keep:
            _remove(path)
