# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine: the folders of the lab, calls of tools, and locks between calls."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = os.environ.get("OVIRT_LAB_NAME") or "ovirt-lab"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ovirt-mgmt-network"
IMAGES = CACHE / "lab"  # shared by all labs
STATE = IMAGES / "labs" / NAME  # this lab's hosts
LOGS = IMAGES / "logs" / NAME  # logs of hosts that were removed
SSH = pathlib.Path("/run/ovirt-mgmt-network-lab") / NAME  # ssh sockets; their paths must be short

_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")  # of a lab or a host: used as a folder, a namespace, and a host name
_GRACE = 20  # seconds for the cleanup of an interrupted tool
_HEARTBEAT = 60  # interval of progress messages of a long step

_children = set()
_interrupted = threading.Event()
_tidying = threading.local()


class LabError(Exception):
    """A requirement of the lab is missing or failed; the text says what to do."""


def run(argv, timeout=600, check=True, input=None, **options):  # noqa: A002  (the name that subprocess gives it)
    """Run ``argv`` (list) and return the finished process, with its output as text. Raises LabError if it fails.

    The tool has its own session, so that Ctrl-C only reaches this process, which then ends the tool with all its
    children.
    """
    check_interrupted()
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    said = " ".join(map(str, argv[:6]))
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, start_new_session=True, **options
        )
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is missing on this machine; install it and try again") from None
    _children.add(process)
    try:
        out, err = process.communicate(input, timeout=timeout)
    except BaseException as error:
        _end(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise LabError(f"{said}: timed out after {timeout} s") from None
        raise
    finally:
        _children.discard(process)
    check_interrupted()
    if check and process.returncode:
        raise LabError(f"{said}: exit status {process.returncode}\n{(err or out or '')[-1500:]}")
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def check_interrupted():
    """Raise LabError if the work was interrupted, unless this thread is cleaning up."""
    if _interrupted.is_set() and not getattr(_tidying, "on", False):
        raise LabError("interrupted")


@contextlib.contextmanager
def tidying():
    """The block continues after an interrupt, to clean up."""
    _tidying.on = True
    try:
        yield
    finally:
        _tidying.on = False


def in_parallel(workers, function, items):
    """``[function(item), ...]``, ``workers`` at a time. Waits for all, then raises the first failure.

    An interrupt (Ctrl-C) ends running tools and starts no more items.
    """
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            concurrent.futures.wait(futures)
        except BaseException:
            _interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(_children):
                _signal(process, signal.SIGTERM)
            pool.shutdown(wait=True)
            _interrupted.clear()
            raise
    return [one.result() for one in futures]


def _end(process):
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=_GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def netns(*argv):
    """``argv`` as a command in the network namespace of the lab, the engine's side."""
    return ["ip", "netns", "exec", NAME, *map(str, argv)]


def has_netns():
    return NAME in run(["ip", "netns", "list"]).stdout.split()


def checked_name(name, what):
    """``name`` if it is a valid name of a host or a lab; raises LabError otherwise."""
    if not _NAME.fullmatch(name):
        raise LabError(
            f"{name!r} cannot name a {what}: lower-case letters, digits and hyphens, a letter first, 30 at most"
        )
    return name


def check_machine():
    """Raise LabError if no lab can run here."""
    checked_name(NAME, "lab (OVIRT_LAB_NAME)")
    if os.geteuid():
        raise LabError("the lab needs root: it makes a network namespace, mounts and disks of its own")
    if not os.path.exists("/dev/net/tun"):
        raise LabError(
            "the lab needs /dev/net/tun, which is not here: load the module tun, or give it to this container"
        )


def tree_digest(*paths, text=""):
    """Digest of the names and contents of files and of ``text``, from which a cached item was built."""
    found = hashlib.sha256(text.encode())
    for path in paths:
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file() and "__pycache__" not in one.parts:
                found.update(str(one.relative_to(path.parent)).encode() + b"\0" + one.read_bytes())
    return found.hexdigest()[:16]


@contextlib.contextmanager
def locked(name, shared=False):
    """Hold the lock ``name`` of the lab's cache. The file is removed with its last owner."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / f"{name}.lock"
    stream = _take(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        with stream, contextlib.suppress(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a shared lock may have other owners
            path.unlink(missing_ok=True)


def _take(path, kind):
    begin, said = time.monotonic(), False
    while True:
        stream = open(path, "a", encoding="ascii")  # noqa: SIM115 - who calls closes it
        try:
            fcntl.flock(stream, kind | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return stream
        except (BlockingIOError, FileNotFoundError):
            pass
        stream.close()
        check_interrupted()
        if not said and time.monotonic() > begin + 2:
            said = True
            print(f"lab: waiting for another call ({path.stem}) ...", file=sys.stderr, flush=True)
        time.sleep(0.1)


@contextlib.contextmanager
def step(text):
    """Print a step and its duration to stderr; stdout is for results."""
    begin, done = time.monotonic(), threading.Event()

    def say(what):
        print(f"lab: {text}{what}", file=sys.stderr, flush=True)

    def heartbeat():
        while not done.wait(_HEARTBEAT):
            say(f" ... {time.monotonic() - begin:.0f} s")

    say(" ...")
    threading.Thread(target=heartbeat, daemon=True).start()
    try:
        yield
    except BaseException:
        say(f": gave up after {time.monotonic() - begin:.1f} s")
        raise
    finally:
        done.set()
    say(f": {time.monotonic() - begin:.1f} s")


def apt_install(programs):
    """Install the Debian packages (values of ``programs``) whose program (key) is missing."""
    missing = sorted({package for program, package in programs.items() if not shutil.which(program)})
    if not missing:
        return
    with step(f"install {', '.join(missing)}"):
        argv = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if run(argv, check=False, env=environment).returncode:
            run(["apt-get", "update", "-q"])
            run(argv, env=environment)
