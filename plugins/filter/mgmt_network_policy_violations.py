# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edge of plugin_utils/plan/policies.py: the policies that a host violates."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain, type_name
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import policies


def mgmt_network_policy_violations(facts, wanted):
    """See mgmt_network_policy_violations.yml."""
    if wanted and policies.JMESPATH_IMPORT_ERROR is not None:
        raise AnsibleFilterError(
            "mgmt_network_policy_violations: %s" % missing_required_lib("jmespath")
        ) from policies.JMESPATH_IMPORT_ERROR
    if not isinstance(wanted, list):
        raise AnsibleFilterError(
            "mgmt_network_policy_violations: policies: got %s, expected a list" % type_name(wanted)
        )
    try:
        return policies.violations(to_plain(facts, "facts"), to_plain(wanted, "policies"))
    except policies.PolicyError as error:
        raise AnsibleFilterError("mgmt_network_policy_violations: %s" % error) from None


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"mgmt_network_policy_violations": mgmt_network_policy_violations}
