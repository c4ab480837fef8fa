# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of nmstate_apply: come back over a new connection, prove the change, confirm it."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import diagnosis_files, guard_client

# A dead path must be noticed while there is time to try again: ssh's own patience has no bound.
_SSH_BOUNDS = "-o ServerAliveInterval=2 -o ServerAliveCountMax=2"
# What the host may take beside its timeouts (module_utils/transaction/run.py, recovery.py): probes and preparation
# before the change, a spanning tree; for undoing, NetworkManager's start, the repair, its restart, the repair again,
# and a look for the diagnosis. How a connection fails: AnsibleConnectionFailure is an AnsibleError, and a time-out of
# become is only that on ansible-core 2.16; paramiko has the others.
_UNREACHABLE = (AnsibleError, EOFError, OSError)
_AROUND_SECONDS = 120
_UNDO_SECONDS = 300
_COMMIT_SECONDS = 60


class ActionModule(ActionBase):
    """Runs the module (which begins the transaction), then steers the guard on the host to its end."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        try:
            _validated, params = self.validate_argument_spec(argument_spec=arguments.nmstate_apply())
            arguments.check(params)
        except (AnsibleActionFail, arguments.ArgumentError) as exc:
            return {"failed": True, "changed": False, "msg": str(exc), "step": "begin", "rolled_back": False}
        begun = self._execute_module(
            module_name="ovirt.mgmt_network.nmstate_apply", module_args=self._task.args, task_vars=task_vars
        )
        begun.pop("invocation", None)
        host = (task_vars or {}).get("inventory_hostname", "host")
        if begun.get("failed") or not begun.get("transaction"):
            return diagnosis_files.kept(params, begun, {}, host, self._task.no_log)
        if not arguments.is_transaction(begun["transaction"]):
            return dict(
                begun,
                failed=True,
                changed=True,
                rolled_back=False,
                step="begin",
                msg=(
                    "the host returned %r, which is not a transaction ID. On the console of the host, run journalctl "
                    "-u 'ovirt-mgmt-network-*'" % str(begun["transaction"])[:80]
                ),
            )
        steer = guard_client.Steering(begun["transaction"], self._line, self._reconnect, _UNREACHABLE)
        found = {}
        try:
            status = self._steer(steer, params["timeout"], params["commit"])
            result = self._result(begun, status)
            if status["phase"] in guard_client.ENDED:
                found = steer.take()
        except guard_client.Unreachable as exc:
            result = dict(
                begun,
                failed=True,
                changed=True,
                rolled_back=False,
                step="commit" if exc.confirmed else "prove",
                phase=exc.status.get("phase", "unknown"),
                msg=lost(exc, begun["transaction"], params["timeout"]),
            )
        return diagnosis_files.kept(params, result, found, host, self._task.no_log)

    def _steer(self, steer, timeout, commit):
        # The connection that Ansible came with knows no bounds: on a path that falls silent it would hang for good.
        self._bound_ssh()
        status = steer.await_applied(2 * timeout + _AROUND_SECONDS + _UNDO_SECONDS)
        if status["phase"] == "applied":
            status = steer.prove(timeout)
        if status["phase"] == "applied" and commit:
            status = steer.confirm(status["nonce"], _COMMIT_SECONDS + _UNDO_SECONDS)
        return status

    def _result(self, begun, status):
        result = dict(
            begun,
            phase=status["phase"],
            timeline=status.get("timeline") or [],
            not_probed=status.get("not_probed") or [],
        )
        if status["phase"] in ("committed", "applied"):
            told = [
                "the path MTU was not probed: %s" % one for one in result["not_probed"] if one.startswith("path_mtu ")
            ]
            result["warnings"] = list(begun.get("warnings") or []) + told
        if status["phase"] == "committed":
            if not begun.get("proven", True):
                result["warnings"].append(
                    "the control connection does not verify the change; it was committed after its addresses and "
                    "probes were verified"
                )
            if status.get("record_trouble"):
                result["warnings"] += [
                    "the network was committed, but not recorded for VDSM: %s" % status["record_trouble"]
                ]
            return dict(result, recorded=bool(status.get("recorded")))
        if status["phase"] == "applied":
            return result
        exact = bool(status.get("exact"))
        state = (
            "The old state was restored exactly"
            if exact
            else "The old state was not restored completely: %s"
            % "; ".join("%(device)s %(what)s" % one for one in status.get("left") or [])
        )
        result.update(
            failed=True,
            changed=not exact,
            rolled_back=True,
            exact=exact,
            step=status.get("step"),
            repairs=status.get("repairs") or [],
            meanwhile=status.get("meanwhile") or [],
            error=status.get("error"),
            msg="the change was undone: %s. %s" % (status.get("reason"), state),
        )
        return result

    def _line(self, line):
        """Run one shell line on the host (with become as the task has it) and return what it prints."""
        return self._low_level_execute_command(line, sudoable=True).get("stdout", "")

    def _reconnect(self):
        """Drop the connection, also a persistent master: what is proven next must be a new one."""
        reset = getattr(self._connection, "reset", None)
        if reset is not None:
            reset()

    def _bound_ssh(self):
        if getattr(self._connection, "transport", "") == "ssh":
            own = self._connection.get_option("ssh_extra_args") or ""
            self._connection.set_option("ssh_extra_args", (own + " " + _SSH_BOUNDS).strip())


def lost(trouble, transaction, timeout):
    """What is said of a host that no longer answers (``trouble``: steering.Unreachable), and what to do."""
    if trouble.confirmed:
        return (
            "no answer from the host after the change was confirmed (%s). The change is either committed or undone. "
            "When the host answers, run again, or run network_commit with transaction=%s to find out. If the host "
            "does not answer, run journalctl -u 'ovirt-mgmt-network-*' on its console" % (trouble, transaction)
        )
    return (
        "no answer from the host after the change (%s). The host restores the old network %s s after the change was "
        "applied; run again then. If the host does not answer, run journalctl -u 'ovirt-mgmt-network-*' on its console"
        % (trouble, timeout)
    )
