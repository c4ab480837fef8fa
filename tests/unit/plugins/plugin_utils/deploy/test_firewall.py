# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What firewalld must allow."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import firewall

ZONE = """internal (active)
  target: default
  interfaces: eth1
  services: dhcpv6-client ssh vdsm
  ports: 22/tcp 6081/udp
  protocols:
"""
EMPTY = "public\n  services: \n  ports: \n"


@pytest.mark.parametrize(
    "what, names", [("ports", ["22/tcp", "6081/udp"]), ("services", ["dhcpv6-client", "ssh", "vdsm"])]
)
def test_a_listing_is_read(what, names):
    assert firewall.listed(ZONE, what) == names
    assert firewall.listed(EMPTY, what) == []


@pytest.mark.parametrize(
    "state, zone, listings, expected",
    [
        ("absent", "", [], []),
        ("stopped", "", [ZONE], []),
        (
            "stopped",
            "",
            [EMPTY],
            [
                ["firewall-offline-cmd", "--add-port=22/tcp"],
                ["firewall-offline-cmd", "--add-service=vdsm"],
                ["firewall-offline-cmd", "--add-port=6081/udp"],
            ],
        ),
        (
            "running",
            "internal",
            [ZONE, EMPTY],
            [
                ["firewall-cmd", "--zone=internal", "--add-port=22/tcp"],
                ["firewall-cmd", "--zone=internal", "--add-service=vdsm"],
                ["firewall-cmd", "--zone=internal", "--add-port=6081/udp"],
            ],
        ),
        ("running", "", [EMPTY, ZONE], "--permanent"),
    ],
)
def test_only_what_is_missing_is_added_the_ssh_port_first(state, zone, listings, expected):
    lines = firewall.additions(state, zone, listings, 22, ["vdsm"], ["22/tcp", "6081/udp"])
    if expected == "--permanent":
        assert len(lines) == 3 and all(line[:2] == ["firewall-cmd", "--permanent"] for line in lines)
    else:
        assert lines == expected


@pytest.mark.parametrize(
    "listings, unlisted", [([ZONE], ["cockpit"]), ([EMPTY, ZONE], ["cockpit"]), ([EMPTY], ["vdsm", "cockpit"])]
)
def test_services_that_firewalld_must_know(listings, unlisted):
    assert firewall.unlisted_services(listings, ["vdsm", "cockpit"]) == unlisted


@pytest.mark.parametrize("state, tool", [("running", "firewall-cmd"), ("stopped", "firewall-offline-cmd")])
def test_the_tool_for_its_state(state, tool):
    assert firewall.services_known_by(state) == [tool, "--get-services"]
