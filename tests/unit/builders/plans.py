# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans in the format of the public filters."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.derive import plan_management_network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import Options
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.remove import plan_removal
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import desired


def derive(facts, definition, host="", attachment=None, permit_loss=None, keep_vlan_name=False, persistent=True):
    options = Options(host, attachment, permit_loss, keep_vlan_name, persistent)
    return plan_management_network(facts, definition, options).decision_dict()


def derive_removal(facts, definition, host="", permit_loss=None):
    plan = plan_removal(facts, definition, Options(host, permit_loss=permit_loss))
    return {**plan.decision_dict(), "record": plan.record, "state": plan.state}


def desired_state(*arguments, **options):
    return desired(*arguments, **options).state


def profile_settings(*arguments, **options):
    return desired(*arguments, **options).settings
