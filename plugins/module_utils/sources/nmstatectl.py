# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thin client of the command line tool nmstatectl. It does not use the Python binding, because libnmstate only exists
for the distribution's Python, while Ansible modules can run with any interpreter.
"""

from __future__ import annotations

import json
import re

from .command import CommandError, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# nmstate reads every interface with ethtool, which is slow on hosts with hundreds of taps.
SHOW_SECONDS = 60


class NmstateError(Exception):
    """nmstatectl failed or returned unexpected output; the text says what to do next."""


def show() -> dict:
    """The running state as a dict (interfaces, routes, route-rules, dns-resolver, ...), with secrets hidden. Raises
    NmstateError if nmstatectl fails, CommandError if it is missing or times out.
    """
    rc, out, err = run(["nmstatectl", "show", "--json"], timeout=SHOW_SECONDS)
    if rc:
        raise NmstateError(
            "nmstatectl cannot read the network of this host: %s. Nothing was changed. Check systemctl status "
            "NetworkManager and nmstatectl show on the host" % explain(err, rc)
        )
    try:
        return json.loads(out)
    except ValueError:
        raise NmstateError(
            "nmstatectl show: got %r, expected JSON; check that nmstatectl on this host is from nmstate 2" % out[:80]
        ) from None


def version() -> str:
    """The version of nmstate, such as ``2.2.62``; an empty string if unknown."""
    _rc, out, _err = run(["nmstatectl", "--version"])
    match = re.search(r"\d+(\.\d+)+", out)
    return match.group() if match else ""


def explain(err: str, rc: int | None = 1) -> str:
    """The error message in nmstatectl's stderr (str), without the log lines around it."""
    # Log lines look like "[2026-01-02T15:28:14Z INFO  nmstate::...] ..."; the error is what comes after them.
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    errors = [line for line in lines if not re.match(r"\[\d{4}-\d\d-\d\dT\S+ ", line)]
    chosen = errors or lines[-1:]
    return " ".join(chosen)[:500] or "exit status %s without a message" % rc


def apply(state: Mapping, timeout: int, bound: int, memory_only: bool = False) -> dict:
    """Apply ``state`` without committing it, under a checkpoint that NetworkManager rolls back after ``timeout``
    seconds.

    ``bound``: timeout of nmstatectl in seconds. Returns ``{checkpoint, error}``: the checkpoint's D-Bus path ("" if
    there is none) and None or the result of parse_error(). Success means that the interfaces are configured, not that
    the host is
    reachable: nmstate does not wait for a lease. Raises only CommandError (missing tool).
    """
    argv = (
        ["nmstatectl", "apply", "--no-commit", "--timeout", str(timeout)]
        + (["--memory-only"] if memory_only else [])
        + ["-"]
    )
    try:
        rc, out, err = run(argv, timeout=bound, stdin=json.dumps(state))
    except CommandError as exc:
        if exc.argv and "not found" in str(exc):
            raise
        rc, out, err = None, exc.out, exc.err + "\n" + str(exc)
    made = re.findall(r"/org/freedesktop/NetworkManager/Checkpoint/\d+", err + out)
    return {"checkpoint": made[-1] if made else "", "error": None if rc == 0 else parse_error(err, rc)}


_VERIFICATION = re.compile(
    r"Verification failure: (?P<interface>[^ ]+?)\.interface\.(?P<property>\S+) desire '(?P<desired>.*?)', current "
    r"'(?P<current>.*?)'"
)
_HINTS = {
    "CheckpointConflict": "Another program is changing this host's network. Wait until it has finished.",
    "VerificationError": "NetworkManager did not apply the desired state of the interface; see its log.",
    "InvalidArgument": "The desired state contradicts itself or the host and was rejected.",
    "PermissionError": "Run as root, or with become.",
}


def parse_error(err: str, rc: int | None = 1) -> dict[str, str]:
    """nmstatectl's stderr as ``{kind, message, interface, property, desired, current, hint}`` (str; "" if unknown)."""
    message = explain(err, rc)
    kinds = re.findall(r"\b(?:NmstateError: )?(\w*(?:Error|Conflict|InvalidArgument|PluginFailure|Bug))\b: ", message)
    kind = next((name for name in reversed(kinds) if name in _HINTS), kinds[-1] if kinds else "")
    match = _VERIFICATION.search(message)
    parts = match.groupdict() if match else {"interface": "", "property": "", "desired": "", "current": ""}
    if rc is not None and rc < 0:
        kind, message = "Killed", "nmstatectl was killed by signal %d" % -rc
    return dict(parts, kind=kind, message=message, hint=_HINTS.get(kind, ""))
