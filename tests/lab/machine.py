# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine: where the lab keeps its things, how it calls tools, and the locks that keep two calls apart."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = os.environ.get("OVIRT_LAB_NAME", "ovirt-lab")
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ovirt-mgmt-network"
IMAGES = CACHE / "lab"  # shared by all labs
STATE = IMAGES / "labs" / NAME  # this lab's hosts
LOGS = IMAGES / "logs" / NAME  # what is left of hosts that were taken down


class LabError(Exception):
    """Something the lab needs is missing or did not work; the text says what to do."""


def run(argv, timeout=600, check=True, **options):
    """Run ``argv`` (list) and return the finished process, its output as text. Raises LabError when it fails."""
    options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL if "input" not in options else None, **options}
    try:
        done = subprocess.run(argv, timeout=timeout, check=False, **options)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is missing on this machine; install it and try again") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(map(str, argv[:4]))}: no end within {timeout} s") from None
    if check and done.returncode:
        raise LabError(f"{' '.join(map(str, argv[:6]))}: exit status {done.returncode}\n{(done.stderr or done.stdout or '')[-1500:]}")
    return done


def netns(*argv):
    """``argv`` as a command inside of the lab's network namespace, the engine's side."""
    return ["ip", "netns", "exec", NAME, *map(str, argv)]


def has_netns():
    return NAME in run(["ip", "netns", "list"]).stdout.split()


def tree_digest(*paths, text=""):
    """Digest of files' names and contents, and of ``text``: what a cached thing was made of."""
    found = hashlib.sha256(text.encode())
    for path in paths:
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file() and "__pycache__" not in one.parts:
                found.update(str(one.relative_to(path.parent)).encode() + b"\0" + one.read_bytes())
    return found.hexdigest()[:16]


@contextlib.contextmanager
def locked(name):
    """Hold the lock ``name`` of the lab's cache; two calls at once take turns."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with open(IMAGES / f"{name}.lock", "w", encoding="ascii") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def step(text):
    """Say what is done and how long it took, on stderr: stdout is for answers."""
    begin = time.monotonic()
    print(f"lab: {text} ...", file=sys.stderr, flush=True)
    yield
    print(f"lab: {text}: {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)


def apt_install(programs):
    """Install the Debian packages (values of ``programs``) whose program (key) is not there."""
    missing = sorted({package for program, package in programs.items() if not shutil.which(program)})
    if not missing:
        return
    with step(f"install {', '.join(missing)}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], check=False, env=environment).returncode:
            run(["apt-get", "update", "-q"])
            run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], env=environment)
