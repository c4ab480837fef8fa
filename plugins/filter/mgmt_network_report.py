# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edge of plugin_utils/report/lines.py and summary.py for playbooks: formats a decision, a result, or a summary for the
screen.
"""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain, type_name
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import lines as words
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import summary


def mgmt_network_report(data, what="result", sync="apply", hosts=None, verbose=False):
    """See mgmt_network_report.yml."""
    lines = {
        "result": words.result_lines,
        "short": words.short_lines,
        "decision": lambda one: words.decision_lines(one, sync),
        "summary": lambda results: summary.summary_lines(results, to_plain(hosts, "hosts") or [], bool(verbose)),
    }
    if what not in lines:
        raise AnsibleFilterError("mgmt_network_report: what: got %r, expected one of %s" % (what, ", ".join(lines)))
    expected = list if what == "summary" else dict
    if not isinstance(data, expected):
        raise AnsibleFilterError(
            "mgmt_network_report: %s: got %s, expected %s" % (what, type_name(data), type_name(expected()))
        )
    return lines[what](to_plain(data, what))


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"mgmt_network_report": mgmt_network_report}
