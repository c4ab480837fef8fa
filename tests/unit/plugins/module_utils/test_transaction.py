# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds of a transaction; what it does is shown by real hosts (scenarios, faults)."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import transaction

STP = {"interfaces": [{"name": "ovirtmgmt", "bridge": {"options": {"stp": {"enabled": True}}}}]}


@pytest.mark.parametrize("timeout", [10, 30, 60, 120, 600])
@pytest.mark.parametrize("change, more", [({"interfaces": [{"name": "eth1"}]}, 0), (STP, transaction.STP_SECONDS), ({}, 0)])
def test_the_checkpoint_outlives_the_steps_under_it(timeout, change, more):
    bounds = transaction.bounds({"timeout": timeout, "change": change})
    assert bounds["prove"] == timeout + more
    assert bounds["checkpoint"] >= bounds["apply"] + bounds["prove"] + transaction.CHECKPOINT_MARGIN
