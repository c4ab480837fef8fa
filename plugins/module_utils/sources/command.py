# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounded calls of the host's own tools (nmstatectl, busctl, nmcli, ip, systemctl).

Every call has a timeout: during a network change, any tool can hang, and a hung tool must not outlive the transaction
that called it.
"""

from __future__ import annotations

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class CommandError(Exception):
    """A tool is missing, timed out, or (with ``check``) failed. ``argv``, ``rc`` (None if it did not start or end),
    ``out``, and ``err`` describe the failure.
    """

    def __init__(self, message: str, argv: Iterable[str], rc: int | None = None, out: str = "", err: str = "") -> None:
        super().__init__(message)
        self.argv = list(argv)
        self.rc = rc
        self.out = out
        self.err = err


# sbin is not on the PATH of every unprivileged login. Messages are parsed, so they must be in English.
_ENV = {
    **os.environ,
    "LC_ALL": "C.UTF-8",
    "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin:/usr/local/bin",
}


def run(argv: list[str], timeout: float = 10, stdin: str | None = None, check: bool = False) -> tuple[int, str, str]:
    """Run ``argv`` (list of str) for at most ``timeout`` seconds and return ``(rc, out, err)`` (int, str, str).

    ``stdin``: text for standard input (None: empty). With ``check``, an exit status other than 0 raises as well. Raises
    CommandError if the program is missing or times out (it is killed then).
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            env=_ENV,
        )
    except FileNotFoundError:
        raise CommandError("%s: command not found on this host; install it and run again" % argv[0], argv) from None
    except subprocess.TimeoutExpired as exc:
        raise CommandError(
            "%s: timed out after %s s" % (" ".join(argv[:3]), timeout),
            argv,
            out=_text(exc.stdout),
            err=_text(exc.stderr),
        ) from None
    if check and done.returncode:
        raise CommandError(
            "%s: exit status %s: %s"
            % (" ".join(argv[:4]), done.returncode, (done.stderr or done.stdout).strip()[-500:]),
            argv,
            done.returncode,
            done.stdout,
            done.stderr,
        )
    return done.returncode, done.stdout, done.stderr


def _text(raw: bytes | str | None) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw or ""
