# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which probes a change is asked for."""

from __future__ import annotations

import pytest

from ansible_collections.ovirt.mgmt_network.plugins.module_utils import probes

GATEWAY = {"type": "gateway", "target": "192.0.2.1", "timeout": 3}
GATEWAY6 = {"type": "gateway", "target": "2001:db8::1"}
OWN = {"type": "duplicate_address", "target": "192.0.2.7"}


def route(gateway, destination="0.0.0.0/0", **more):
    return {"destination": destination, "next-hop-address": gateway, "next-hop-interface": "eth1", **more}


@pytest.mark.parametrize("change, known, passed, expected", [
    pytest.param({"routes": {"config": [route("192.0.2.254")]}}, [GATEWAY], [GATEWAY], [{**GATEWAY, "target": "192.0.2.254"}], id="another gateway"),
    pytest.param({"routes": {"config": [route("192.0.2.1")]}}, [GATEWAY], [GATEWAY], [], id="the gateway that is known"),
    pytest.param({"routes": {"config": [route("192.0.2.254")]}}, [GATEWAY], [], [], id="gateways are silent here"),
    pytest.param({"routes": {"config": [route("192.0.2.254")]}}, [], [], [], id="gateways are not asked"),
    pytest.param({"routes": {"config": [route("192.0.2.254", state="absent")]}}, [GATEWAY], [GATEWAY], [], id="a route that goes"),
    pytest.param({"routes": {"config": [route("192.0.2.254", destination="198.51.100.0/24")]}}, [GATEWAY], [GATEWAY], [], id="no default route"),
    pytest.param({"routes": {"config": [route("2001:db8::ff", destination="::/0")]}}, [GATEWAY], [GATEWAY], [], id="nothing known of IPv6"),
    pytest.param({"routes": {"config": [route("2001:db8::ff", destination="::/0")]}}, [GATEWAY6], [GATEWAY6],
                 [{**GATEWAY6, "target": "2001:db8::ff"}], id="IPv6"),
    pytest.param({"routes": {"config": [route("fe80::1", destination="::/0")]}}, [GATEWAY6], [GATEWAY6], [], id="a gateway of the link"),
    pytest.param({"interfaces": [{"name": "eth1", "ipv4": {"address": [{"ip": "192.0.2.7"}, {"ip": "192.0.2.8"}]}}]}, [OWN], [OWN],
                 [{**OWN, "target": "192.0.2.8"}], id="a second address"),
    pytest.param({"interfaces": [{"name": "eth1", "ipv4": None}], "routes": {}}, [OWN], [OWN], [], id="nothing new"),
])
def test_promised(change, known, passed, expected):
    assert probes.promised(change, known, passed) == expected
