# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transient systemd unit of a transaction's guard, and the code that it runs.

The unit survives SSH, nmstatectl, and NetworkManager, and systemd restarts it when it is killed (then it undoes the
change). Its code is in the
mailbox: a module's code is deleted when the module ends, and the journal's when the transaction ends. The early-boot
unit (boot_unit.py) uses the journal's.
"""

from __future__ import annotations

import os
import sys
import time

from ..sources import durable_files
from ..sources.command import CommandError, run
from . import mailbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY = "ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction.run"
FIRST_WORD_SECONDS = 60  # timeout for the start of an interpreter on a busy host
_LOOK_SECONDS = 1  # interval between calls of systemd, which are expensive
_NO_SOURCE = (
    "cannot read the source of %s (%s), which the guard of the change needs. Nothing was changed. Use one of "
    "Ansible's own strategies, such as linear, instead of an accelerated one"
)
_NOT_RUN = (
    "systemd cannot run it with %s (%s). Check that systemd can execute this interpreter (mount options, SELinux), or "
    "set ansible_python_interpreter to the system's Python. See journalctl -u %s for details"
)
_PROPERTIES = (
    "Type=exec",  # systemd-run fails then if systemd cannot execute the interpreter
    "Restart=on-failure",
    "RestartSec=500ms",
    # sufficient for an undo that is killed repeatedly, but a limit for a guard that cannot run at all
    "StartLimitIntervalSec=300",
    "StartLimitBurst=60",
    "KillMode=control-group",
    "OOMScoreAdjust=-900",
    "TimeoutStopSec=5s",
)


class SourceError(Exception):
    """The source of this code is not available, so a guard cannot run it. Nothing was changed."""


def source_code() -> dict[str, bytes]:
    """``{path: bytes}`` of every loaded module of this collection, which the guard and the boot unit will run. Raises
    SourceError.
    """
    package = __name__.rsplit(".", 2)[0]
    code = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(package + "."):
            try:
                text = module.__loader__.get_source(name)  # type: ignore[union-attr]
            except (OSError, ImportError, AttributeError, ValueError) as exc:
                raise SourceError(_NO_SOURCE % (name, exc)) from exc
            room = hasattr(module, "__path__")  # an __init__.py is often empty
            if not text and not room:
                raise SourceError(_NO_SOURCE % (name, "its loader has none"))
            # a loader may return bytes (PEP 302 requires text)
            path = name.replace(".", "/") + ("/__init__.py" if room else ".py")
            code[path] = text if isinstance(text, bytes) else (text or "").encode()
    return code


def name_of(identity: str) -> str:
    """The name of the transaction's unit."""
    return "ovirt-mgmt-network-%s.service" % identity


def launch(entry: dict, code: Mapping[str, bytes]) -> dict:
    """Start the guard of ``entry`` (an open journal) and return its first status.

    ``code``: see source_code(). Raises OSError if the mailbox cannot be written, CommandError if the guard cannot be
    started or does not report in time. Call stop() then, because it may be alive.
    """
    identity, python = entry["id"], entry["python"]
    folder = os.path.join(mailbox.folder(identity), "code")
    durable_files.write_all(folder, code)
    mailbox.reserve(identity)
    argv = [
        "systemd-run",
        "--quiet",
        "--collect",
        "--no-ask-password",
        "--unit=" + name_of(identity),
        "--description=oVirt management network transaction " + identity,
        *["--property=" + text for text in _PROPERTIES],
        "--setenv=PYTHONPATH=" + folder,
    ]
    rc, _out, err = run([*argv, python, "-m", ENTRY, "run", entry["base"], identity], timeout=15)
    if rc:
        raise CommandError(_NOT_RUN % (python, err.strip() or "exit status %d" % rc, name_of(identity)), argv, rc)
    end = time.monotonic() + FIRST_WORD_SECONDS
    while True:
        status = mailbox.wait_until(identity, lambda status: status.get("guard"), _LOOK_SECONDS) or {}
        if status.get("guard") or status.get("phase") in mailbox.ENDED:
            return status
        if time.monotonic() > end or not alive(identity):
            raise CommandError(_NOT_RUN % (python, "it did not answer", name_of(identity)), argv)


def alive(identity: str) -> bool:
    """Whether the guard of the transaction runs, or systemd is about to restart it. True if systemd does not answer."""
    try:
        rc, out, _err = run(["systemctl", "show", "--property=ActiveState", "--value", name_of(identity)], timeout=10)
    except CommandError:
        return True
    return bool(rc) or out.strip() not in ("inactive", "failed")


def stop(identity: str) -> bool:
    """Stop the guard of the transaction. Returns whether it is certainly stopped."""
    try:
        run(["systemctl", "stop", name_of(identity)], timeout=20)
        run(["systemctl", "reset-failed", name_of(identity)], timeout=10)
    except CommandError as exc:
        mailbox.log(exc)
    return not alive(identity)
