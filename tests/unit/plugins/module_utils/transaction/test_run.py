# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds of a transaction; what it does is shown by real hosts (scenarios, faults)."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import profile_settings
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import prove, run

STP = {"interfaces": [{"name": "ovirtmgmt", "bridge": {"options": {"stp": {"enabled": True}}}}]}


@pytest.mark.parametrize("timeout", [10, 30, 60, 120, 600])
@pytest.mark.parametrize("change, more", [({"interfaces": [{"name": "eth1"}]}, 0), (STP, prove.STP_SECONDS), ({}, 0)])
def test_the_checkpoint_outlives_the_steps_under_it(timeout, change, more):
    bounds = run.bounds({"timeout": timeout, "change": change, "effects": {}})
    assert bounds["prove"] == timeout + more
    assert bounds["checkpoint"] >= bounds["apply"] + bounds["prove"] + run.CHECKPOINT_MARGIN
    slower = run.bounds({"timeout": timeout, "change": change, "effects": {"settings": {"ovirtmgmt": {}}}})
    assert slower["checkpoint"] == bounds["checkpoint"] + profile_settings.SECONDS
