# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edge of plugin_utils/report/outcome.py for playbooks: the result of a host."""

from __future__ import annotations

import time

from ansible.errors import AnsibleFilterError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.failures import of_task
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain, type_name
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import interfaces_down
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import outcome


def mgmt_network_outcome(
    decision,
    host,
    applied=None,
    failure=None,
    activate=True,
    began=None,
    deployment=None,
    learn_vlan=False,
    facts=None,
    after=None,
    check=False,
):
    """See mgmt_network_outcome.yml."""
    if not isinstance(decision, dict):
        raise AnsibleFilterError("mgmt_network_outcome: decision: got %s, expected a mapping" % type_name(decision))
    decision, facts = to_plain(decision, "decision"), to_plain(facts, "facts")
    return outcome.outcome(
        decision,
        str(host),
        to_plain(applied, "applied"),
        of_task(to_plain(failure, "failure")) if failure is not None else None,
        bool(activate),
        now=time.time(),
        began=None if began is None else float(began),
        deployment=to_plain(deployment, "deployment"),
        learn_vlan=bool(learn_vlan),
        check=bool(check),
        down=interfaces_down(facts, decision["network"]) if facts else (),
        after=to_plain(after, "after"),
    )


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"mgmt_network_outcome": mgmt_network_outcome}
