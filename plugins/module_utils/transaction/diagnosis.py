# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnosis of a transaction that was undone, written beside its status for the controller.

Nothing here may prevent the undo: every step is short, has a timeout, and may fail.
"""

from __future__ import annotations

import json
import os

from ..facts import digest
from ..privacy import masking, private_files
from ..sources import durable_files, nmstatectl
from ..sources.command import CommandError, run
from . import mailbox, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_FAILURE = "failure.json"
FILE = "diagnosis.json"
_LOG_LINES = 3000  # NetworkManager logs about 300 lines for a change, and ten times as many at its debug level


def log_cursor() -> str:
    """The current position in the host's system log (str, "" if unknown). Later lines belong to the transaction."""
    out = _look(["journalctl", "--quiet", "--lines=0", "--show-cursor"])
    return out.partition("-- cursor: ")[2].strip()


def keep_failure(identity: str) -> None:
    """Save the kernel's state at the failure, before the undo changes it."""
    path = os.path.join(mailbox.folder(identity), _FAILURE)
    if os.path.exists(path):  # the undo was killed and has started again: keep the first record
        return
    seen = {
        "links": ["-d", "addr", "show"],
        "routes": ["-4", "route", "show", "table", "all"],
        "routes6": ["-6", "route", "show", "table", "all"],
        "neighbours": ["neigh", "show"],
    }
    _write(path, {key: _parsed(_look(["ip", "-j", *words])) for key, words in seen.items()})


def write(entry: Mapping, status: Mapping) -> None:
    """Write the diagnosis of the undone transaction ``entry`` (of a journal). ``status``: the guard's last status.

    ``{change, before, failure, after, status, log}``: nmstate states, the kernel's links, routes, and neighbors at the
    failure, and the log lines of NetworkManager and the guard since the start. Secrets are masked.
    """
    folder = mailbox.folder(entry["id"])
    try:
        with open(os.path.join(folder, _FAILURE), encoding="utf-8") as stream:
            failure = json.load(stream)
    except (OSError, ValueError):
        failure = {}
    try:
        after = digest.digest(nmstatectl.show())
    except (CommandError, nmstatectl.NmstateError) as exc:
        after = {"error": str(exc)}
    selected = ["--unit=NetworkManager", "--unit=" + units.name_of(entry["id"])]
    since = ["--after-cursor=" + status["log_cursor"]] if status.get("log_cursor") else ["--boot"]
    log = _look(["journalctl", "--quiet", "--output=short-iso-precise", "--lines=%d" % _LOG_LINES, *selected, *since])
    content = {
        "change": entry["change"],
        "before": entry.get("before"),
        "failure": failure,
        "after": after,
        "status": status,
        "log": log,
    }
    _write(os.path.join(folder, FILE), masking.masked(content, masking.secrets_of(entry["change"], entry["effects"])))


def read(identity: str) -> dict:
    """The result of write() (dict), {} if there is none."""
    try:
        with open(os.path.join(mailbox.folder(identity), FILE), encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}


def _write(path: str, data: Any) -> None:
    try:
        private_files.folder(os.path.dirname(path))
        durable_files.write_json(path, data)
    except OSError as exc:
        mailbox.log("cannot write the diagnosis: %s" % exc)


def _look(argv: list[str]) -> str:
    try:
        return run(argv, timeout=5)[1]
    except CommandError as exc:
        return str(exc)


def _parsed(text: str) -> Any:
    try:
        return [entry for entry in json.loads(text or "[]") if entry]
    except ValueError:
        return text
