# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A change of a host's network from start to end: the module begins the transaction; the controller connects over a new
connection, verifies and confirms the change, and stores the diagnosis of a failure.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import diagnosis_files, guard_client
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import UNREACHABLE, Host

# How long the host may take in addition to its timeouts (module_utils/transaction/run.py, repair.py): probes and
# preparation before the change, a spanning tree; for an undo, NetworkManager's start, the repair, its restart, another
# repair, and the diagnosis.
_AROUND_SECONDS = 120
_UNDO_SECONDS = 300
_COMMIT_SECONDS = 60


def apply(
    host: Host, given: dict[str, Any], params: dict[str, Any], no_log: bool = False, facts: bool = False
) -> dict[str, Any]:
    """The result of nmstate_apply on ``host``. ``given``: the arguments for the module. ``params``: the same,
    validated. ``no_log``: of the task; no files are written then. ``facts``: after a commit, add ``host_network``, the
    fact, if the guard could give it.

    Raises UNREACHABLE if the host cannot be reached at the beginning. If it stops answering later, this is a result.
    """
    begun = host.module("nmstate_apply", given)
    if begun.get("failed") or not begun.get("transaction"):
        return diagnosis_files.kept(params, begun, {}, host.name, no_log)
    if not arguments.is_transaction(begun["transaction"]):
        msg = (
            "the host returned %r, which is not a transaction ID. On the console of the host, run journalctl "
            "-u 'ovirt-mgmt-network-*'" % str(begun["transaction"])[:80]
        )
        return dict(begun, failed=True, changed=True, rolled_back=False, step="begin", msg=msg)
    client = guard_client.Steering(begun["transaction"], host.line, host.reconnect, UNREACHABLE, facts=facts)
    diagnosis: dict[str, Any] = {}
    try:
        # Ansible's current connection has no timeout: it would hang forever on a dead path.
        host.bound_ssh()
        status = _to_the_end(client, params["timeout"], params["commit"])
        result = _result(begun, status)
        if status["phase"] == "committed":
            network = client.take()
            result.update({"host_network": network} if network else {})
        elif status["phase"] in guard_client.ENDED:
            diagnosis = client.take()
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
    return diagnosis_files.kept(params, result, diagnosis, host.name, no_log)


def _to_the_end(client: guard_client.Steering, timeout: int, commit: bool) -> dict[str, Any]:
    status = client.await_applied(2 * timeout + _AROUND_SECONDS + _UNDO_SECONDS)
    if status["phase"] == "applied":
        status = client.prove(timeout)
    if status["phase"] == "applied" and commit:
        status = client.confirm(status["nonce"], _COMMIT_SECONDS + _UNDO_SECONDS)
    return status


def _result(begun: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    phase, not_probed = status["phase"], status.get("not_probed") or []
    result = dict(begun, phase=phase, timeline=status.get("timeline") or [], not_probed=not_probed)
    if phase in ("committed", "applied"):
        result["warnings"] = [*(begun.get("warnings") or []), *_warnings(begun, status, not_probed)]
        return dict(result, recorded=bool(status.get("recorded"))) if phase == "committed" else result
    exact = bool(status.get("exact"))
    remains = "; ".join("%(device)s %(what)s" % difference for difference in status.get("left") or [])
    state = "The old state was restored exactly" if exact else "The old state was not restored completely: %s" % remains
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


def _warnings(begun: dict[str, Any], status: dict[str, Any], not_probed: list[str]) -> list[str]:
    told = ["the path MTU was not probed: %s" % text for text in not_probed if text.startswith("path_mtu ")]
    if status["phase"] == "committed" and not begun.get("proven", True):
        told.append(
            "the control connection does not verify the change; it was committed after its addresses and probes "
            "were verified"
        )
    if status["phase"] == "committed" and status.get("record_trouble"):
        told.append("the network was committed, but not recorded for VDSM: %s" % status["record_trouble"])
    return told


def lost(trouble: guard_client.Unreachable, transaction: str, timeout: int) -> str:
    """The message for a host that no longer answers, with the remedy."""
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
