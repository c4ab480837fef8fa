# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/report/facts_diff.py: compares a host's network at two points in time."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain, type_name
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.facts_diff import difference


def host_network_difference(before, after):
    """See host_network_difference.yml."""
    for name, facts in (("before", before), ("after", after)):
        if not isinstance(facts, dict):
            raise AnsibleFilterError(
                f"host_network_difference: {name}: got {type_name(facts)}, expected a mapping, "
                "ansible_facts.host_network"
            )
    return difference(to_plain(before, "before"), to_plain(after, "after"))


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"host_network_difference": host_network_difference}
