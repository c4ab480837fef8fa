#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: network_commit
short_description: Commit or roll back a pending network transaction
version_added: 0.1.0
description:
  - Ends a transaction that M(ovirt.mgmt_network.nmstate_apply) has left pending. oVirt calls this
    setSafeNetworkConfig.
  - A commit first makes the configuration durable (profile files are flushed to disk, VDSM's unified persistence is
    written atomically), and then removes the journal that would undo it. A transaction that was already undone is never
    committed.
options:
  state:
    description: Whether the host keeps the new configuration (V(committed)) or returns to the old one (V(rolled_back)).
    type: str
    choices: [committed, rolled_back]
    default: committed
  transaction:
    description:
      - ID of the transaction, RV(ovirt.mgmt_network.nmstate_apply#module:transaction). Defaults to the transaction that
        is pending on the host.
    type: str
    default: ""
  wait:
    description: Seconds to wait for the end of the transaction.
    type: int
    default: 120
  diagnosis:
    version_added: 0.2.0
    description:
      - Directory on the controller. A failure gets a folder in it with the host's diagnostic data, as for
        M(ovirt.mgmt_network.nmstate_apply). If empty, nothing is written.
    type: str
    default: ~/.ansible/ovirt-mgmt-network
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The difference was shown when the change was applied.
  platform:
    platforms: linux
    support: full
  action:
    support: full
  async:
    support: none
    details: The transaction has its own timer.
seealso:
  - module: ovirt.mgmt_network.nmstate_apply
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Commit the pending transaction
  ovirt.mgmt_network.network_commit:

- name: Restore the old configuration immediately
  ovirt.mgmt_network.network_commit:
    state: rolled_back
"""

RETURN = r"""
transaction:
  description: ID of the transaction. Empty if none was pending.
  type: str
  returned: always
phase:
  description: How the transaction ended, C(committed) or C(undone). Empty if none was pending.
  type: str
  returned: always
diagnosis:
  description: Folder on the controller with the diagnostic data of the failure.
  type: str
  returned: failure, unless O(diagnosis) is empty
diagnosis_summary:
  description: Short form of the diagnosis, as RV(ovirt.mgmt_network.nmstate_apply#module:diagnosis_summary).
  type: dict
  returned: failure
event:
  description: Name and ID of the event that oVirt Engine would log for the failure.
  type: dict
  returned: failure
  sample: {"name": "PERSIST_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK", "id": 1121, "severity": "WARNING"}
exact:
  description: Whether the old state was restored exactly.
  type: bool
  returned: when the transaction was undone
repairs:
  description: What was done to restore the old state.
  type: list
  elements: str
  returned: when the transaction was undone
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import (
    diagnosis,
    journal,
    mailbox,
    run,
    units,
)

EVENT = {"name": "PERSIST_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK", "id": 1121, "severity": "WARNING"}
ENDS = {"committed": "committed", "rolled_back": "undone"}


def find(wanted: str) -> tuple[str, dict | None]:
    """``(id, status)`` of the transaction ``wanted``, or of the open one; ``("", None)`` if there is none."""
    _state, entry = journal.find()
    identity = wanted or (entry["id"] if entry else "")
    return (identity, mailbox.status_of(identity)) if identity else ("", None)


def finish(module: AnsibleModule, identity: str, status: dict, state: str) -> dict:
    """End the pending transaction in ``state`` and return its last status. If its guard is gone, it is ended here."""
    if not units.alive(identity):
        run.recover_left_over()
        return mailbox.status_of(identity) or status
    if state == "rolled_back":
        mailbox.send(identity, "cancel", "rolled back on request")
    else:
        status = mailbox.wait_for(identity, ("applied",), module.params["wait"]) or status
        if status.get("phase") == "applied":
            mailbox.send(identity, "confirm", status["nonce"])
    return mailbox.wait_for(identity, (), module.params["wait"]) or status


def take(identity: str, status: dict) -> None:
    """Tell the guard that its result was received, so that it cleans up."""
    try:
        if status.get("phase") in mailbox.ENDED:
            mailbox.send(identity, "taken")
    except OSError:  # it has already ended
        pass


def main() -> None:
    module = AnsibleModule(argument_spec=arguments.network_commit(), supports_check_mode=True)
    try:
        arguments.check(module.params)
    except arguments.ArgumentError as exc:
        module.fail_json(msg=str(exc), transaction="", phase="", event=EVENT)
    state = module.params["state"]
    identity, status = find(module.params["transaction"])
    if identity and status is None:
        module.fail_json(
            msg="the transaction %s is unknown on this host, so it is not open. Run host_network_facts to get the "
            "current configuration" % identity,
            transaction=identity,
            phase="",
            event=EVENT,
        )
    if not identity or status.get("phase") == ENDS[state]:
        if identity and not module.check_mode:
            take(identity, status)
        module.exit_json(changed=False, transaction=identity, phase=status["phase"] if identity else "")
    if status.get("phase") not in mailbox.ENDED:
        if module.check_mode:
            module.exit_json(changed=True, transaction=identity, phase=ENDS[state])
        try:
            status = finish(module, identity, status, state)
        except (OSError, run.TransactionError) as exc:
            module.fail_json(
                msg="cannot reach the guard of the transaction %s: %s. The guard undoes the change" % (identity, exc),
                transaction=identity,
                phase=status.get("phase"),
                event=EVENT,
            )
    answer = {
        "transaction": identity,
        "phase": status.get("phase"),
        "exact": status.get("exact"),
        "repairs": status.get("repairs") or [],
    }
    if status.get("phase") != ENDS[state]:
        details = diagnosis.read(identity)
        take(identity, status)
        module.fail_json(
            msg="transaction %s: expected %s, got %s: %s"
            % (identity, state, status.get("phase"), status.get("reason") or "see the log of its unit"),
            event=EVENT,
            found=details,
            **answer,
        )
    take(identity, status)
    module.exit_json(changed=True, **answer)


if __name__ == "__main__":
    main()
