# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of a profile that nmstate does not support."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import profile_properties
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.profiles import profile


def test_settings_of_a_profile():
    assert (
        profile_properties.carried(profile())
        == profile_properties.carried({"connection": {"zone": "", "mdns": None}})
        == {}
    )
    assert profile_properties.carried(
        profile(
            connection__zone="internal",
            connection__mdns=0,
            ipv4__dhcp_reject_servers=["192.0.2.1"],
            ipv4__may_fail=False,
        )
    ) == {"connection.zone": "internal", "connection.mdns": 0, "ipv4.dhcp-reject-servers": ["192.0.2.1"]}


@pytest.mark.parametrize(
    "values, expected",
    [
        ({}, []),
        (
            {
                "ipv4__route_data": [
                    {
                        "dest": "10.0.0.0",
                        "prefix": 8,
                        "next-hop": "192.0.2.1",
                        "metric": 5,
                        "table": 7,
                        "src": "192.0.2.10",
                    }
                ]
            },
            [],
        ),
        (
            {"ipv4__route_data": [{"dest": "10.0.0.0", "prefix": 8, "onlink": True, "mtu": 1400}]},
            ["the route 10.0.0.0/8 with mtu 1400, onlink true"],
        ),
        ({"ipv6__routing_rules": [{"family": 10, "priority": 5, "table": 7, "from": "::1", "from-len": 128}]}, []),
        (
            {"ipv6__routing_rules": [{"family": 10, "priority": 5, "dport-start": 22}]},
            ["the rule with priority 5 with dport-start 22"],
        ),
    ],
)
def test_attributes_that_nmstate_does_not_support(values, expected):
    assert profile_properties.beyond_nmstate(profile(**values)) == expected
