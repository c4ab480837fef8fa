# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host of an action: run shell lines and modules, open a new connection, wait until it answers."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ansible.errors import AnsibleError

# The exceptions of a failed connection: AnsibleConnectionFailure is an AnsibleError; on ansible-core 2.16, a timeout of
# become is only an AnsibleError; paramiko raises the others.
UNREACHABLE = (AnsibleError, EOFError, OSError)
# Detect a dead path in time for another attempt: without these options, ssh has no timeout.
_SSH_BOUNDS = "-o ServerAliveInterval=2 -o ServerAliveCountMax=2"
_ANSWER = "ovirt-mgmt-network-answers"
_ATTEMPT_SECONDS = 20  # timeout of the first attempt, doubled for each further attempt up to the maximum
_LONGEST_SECONDS = 30
_PAUSE = 1


def cleaned_up(cleanup: Callable[[], None]) -> None:
    """Call ``cleanup`` of an action: it removes a folder on the host, and a lost host must not replace the result."""
    with contextlib.suppress(*UNREACHABLE):
        cleanup()


class Silent(Exception):
    """The host did not answer in time. The text is the error of the last attempt."""


class _Expired(BaseException):
    """Not caught by the retries of connection plugins, which catch every Exception."""


class Host:
    """``action``: an ActionBase with a connection. ``variables``: the variables of its task."""

    def __init__(self, action: Any, variables: dict[str, Any]) -> None:
        self._action = action
        self._variables = variables
        self.name: str = variables.get("inventory_hostname", "host")

    def line(self, line: str) -> str:
        """Run a shell line on the host with the become settings of the task; its output. Raises UNREACHABLE."""
        return self.run(line)[1]

    def run(self, line: str) -> tuple[int, str, str]:
        """``(exit status, stdout, stderr)`` of a shell line, in the same way."""
        answer = self._action._low_level_execute_command(line, sudoable=True)
        return answer.get("rc", 0), answer.get("stdout", ""), answer.get("stderr", "")

    def module(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Run a module of this collection, in check mode if the task is. Returns its result. Raises UNREACHABLE."""
        result: dict[str, Any] = self._action._execute_module(
            module_name="ovirt.mgmt_network." + name, module_args=arguments, task_vars=self._variables
        )
        result.pop("invocation", None)
        return result

    def reconnect(self) -> None:
        """Close the connection, including a persistent master; the next line opens a new one. Raises UNREACHABLE."""
        reset = getattr(self._action._connection, "reset", None)
        if reset is not None:
            reset()

    def bound_ssh(self) -> None:
        """Make connections opened from now on detect a dead path within seconds."""
        connection = self._action._connection
        if getattr(connection, "transport", "") == "ssh":
            own = connection.get_option("ssh_extra_args") or ""
            if _SSH_BOUNDS not in own:
                connection.set_option("ssh_extra_args", (own + " " + _SSH_BOUNDS).strip())

    def await_answer(self, seconds: float) -> None:
        """Wait until the host runs a shell line, with at least one attempt. Raises Silent after ``seconds``."""
        end = time.monotonic() + seconds
        patience = _ATTEMPT_SECONDS
        while True:
            try:
                with _at_most(patience):
                    trouble = self._attempt()
                if not trouble:
                    return
            except UNREACHABLE as exc:
                trouble = str(exc) or type(exc).__name__
            if time.monotonic() >= end:
                raise Silent(trouble)
            time.sleep(_PAUSE)
            patience = min(2 * patience, _LONGEST_SECONDS)
            with contextlib.suppress(*UNREACHABLE), _at_most(patience):
                self.reconnect()

    def _attempt(self) -> str:
        _status, out, err = self.run("echo " + _ANSWER)
        return "" if _ANSWER in out else err or out or "the host's shell does not answer"


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raises TimeoutError if the block takes longer. A timeout of the task itself has precedence."""
    # only the main thread, in which Ansible's own strategies run a task, can set a timer
    if threading.current_thread() is not threading.main_thread() or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def expire(_number: int, _frame: object) -> None:
        raise _Expired

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Expired:
        raise TimeoutError("timed out after %s s" % seconds) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
