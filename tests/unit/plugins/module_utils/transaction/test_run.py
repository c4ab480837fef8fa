# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds of a transaction; what it does is shown by real hosts (scenarios, faults)."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import prove
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run

STP = {"interfaces": [{"name": "ovirtmgmt", "bridge": {"options": {"stp": {"enabled": True}}}}]}


@pytest.mark.parametrize("timeout", [10, 30, 60, 120, 600])
@pytest.mark.parametrize("change, more", [({"interfaces": [{"name": "eth1"}]}, 0), (STP, prove.STP_SECONDS), ({}, 0)])
def test_the_checkpoint_outlives_the_steps_under_it(timeout, change, more):
    bounds = run.bounds({"timeout": timeout, "change": change})
    assert bounds["prove"] == timeout + more
    assert bounds["checkpoint"] >= bounds["apply"] + bounds["prove"] + run.CHECKPOINT_MARGIN
    slower = run.bounds({"timeout": timeout, "change": change, "settings": {"ovirtmgmt": {}}})
    assert slower["checkpoint"] == bounds["checkpoint"] + run.profile_settings.SECONDS


@pytest.mark.parametrize(
    "change, lacking, expected",
    [
        ({}, {}, []),
        ({}, {"eth1": {"connection.zone": "a"}}, ["eth1"]),
        # nmstate writes the profile again, and with it what it decides by itself
        ({"interfaces": [{"name": "ovirtmgmt"}]}, {}, ["ovirtmgmt"]),
        ({"interfaces": [{"name": "eth9"}]}, {}, []),
    ],
)
def test_settings_that_are_seen_to(change, lacking, expected):
    settings = {"eth1": {"connection.zone": "a"}, "ovirtmgmt": {"ipv6.dhcp-iaid": "00:00:00:05"}}
    assert sorted(run.concerned(settings, change, lacking)) == expected
    assert run.concerned(None, change, {}) == {}
