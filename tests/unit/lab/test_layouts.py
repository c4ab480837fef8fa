# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial networks of lab hosts."""

from __future__ import annotations

import configparser
import ipaddress
import re

import pytest
from ansible_collections.ovirt.mgmt_network.tests.lab.layouts import LAYOUTS, family, keyfiles, other_files

NETS = [
    ipaddress.ip_network(one) for octet in (80, 81, 82, 88, 78) for one in (f"10.{octet}.0.0/24", f"fd00:{octet}::/64")
]


def parsed(layout, number):
    """``{interface: profile}``, in NetworkManager's format."""
    found = {}
    for text in keyfiles(layout, number).values():
        profile = configparser.RawConfigParser(delimiters=("=",))
        profile.optionxform = str
        profile.read_string(text)
        found[profile["connection"].get("interface-name", LAYOUTS[layout]["device"])] = profile
    return found


def addresses(layout, number):
    return [
        ipaddress.ip_interface(value.split(",")[0])
        for profile in parsed(layout, number).values()
        for section in ("ipv4", "ipv6")
        if profile.has_section(section)
        for key, value in profile.items(section)
        if key.startswith("address")
    ]


def test_founding_example():
    found = parsed("bond-vlan", 11)
    assert sorted(found) == ["bond4", "bond4.3000", "eth2", "eth3"]
    assert dict(found["bond4"]["bond"]) == {"mode": "active-backup", "miimon": "100"}
    assert found["bond4"]["ipv4"]["method"] == "disabled"
    assert {leg: found[leg]["connection"]["controller"] for leg in ("eth2", "eth3")} == {
        "eth2": "bond4",
        "eth3": "bond4",
    }
    assert dict(found["bond4.3000"]["vlan"]) == {"id": "3000", "parent": "bond4"}
    assert found["bond4.3000"]["ipv4"]["method"] == "auto"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_profiles_fit_together(layout):
    found = parsed(layout, 11)
    first, count = LAYOUTS[layout]["nics"]
    nics = {f"eth{number}" for number in range(first, first + count)}
    assert LAYOUTS[layout]["device"] in found or "files" in LAYOUTS[layout]
    for interface, profile in found.items():
        assert len(interface) <= 15
        assert profile["connection"]["type"] != "ethernet" or interface in nics
        assert profile["connection"].get("controller", interface) in found
        if profile.has_section("vlan"):
            assert profile["vlan"]["parent"] in found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_placeholders_are_replaced(layout):
    assert not re.search(r"[{}]", "".join([*keyfiles(layout, 11).values(), *other_files(layout, 11).values()]))


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if addresses(one, 11)])
def test_static_addresses_are_the_hosts_own(layout):
    mine, others = addresses(layout, 11), addresses(layout, 98)
    assert not {one.ip for one in mine} & {one.ip for one in others}
    for one in mine + others:
        assert one.network in NETS or one in ipaddress.ip_network("192.0.2.0/24")
        assert one.version == 6 or not 50 <= int(one.ip) & 0xFF <= 99, "DHCP gives these away"


@pytest.mark.parametrize(
    "layout, expected",
    [("nic-static", 4), ("nic-static6", 6), ("nic-dual-auto", 4), ("bond-vlan", 4), ("mgmt-there-vlan", 4)],
)
def test_family_of_the_management_address(layout, expected):
    assert family(layout) == expected
