# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses, netmasks and subnets."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import addresses


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("1::2", "1:0:0:0:0:0:0:2", True),
        ("1::2", "1::3", False),
        ("2001:DB8::1", "2001:db8:0::1", True),
        ("1.2.3.4", "1.2.3.04", True),
        ("1.2.3.4", "1.2.3.5", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("0.0.0.0", "::", False),
        ("", "", False),
        (None, None, False),
        ("nonsense", "nonsense", False),
    ],
)
def test_same_address(one, other, same):
    assert addresses.same_address(one, other) is same


@pytest.mark.parametrize(
    "text, unspecified, real",
    [
        ("0.0.0.0", True, False),
        ("::", True, False),
        ("0:0::0", True, False),
        ("", False, False),
        (None, False, False),
        ("192.0.2.1", False, True),
        ("fe80::1%eth0", False, True),
        ("x", False, False),
        (4, False, False),
    ],
)
def test_unspecified_and_real(text, unspecified, real):
    assert addresses.is_unspecified(text) is unspecified
    assert addresses.is_real(text) is real


@pytest.mark.parametrize(
    "mask, prefix",
    [
        ("255.255.255.0", 24),
        ("255.255.255.255", 32),
        ("0.0.0.0", 0),
        ("24", 24),
        ("/24", 24),
        (24, 24),
        ("33", None),
        ("255.0.255.0", None),
        ("0.0.0.255", None),
        ("", None),
        (None, None),
        ("ffff::", None),
        ("x", None),
        ("-1", None),
    ],
)
def test_prefix_length(mask, prefix):
    assert addresses.prefix_length(mask) == prefix


@pytest.mark.parametrize(
    "address, mask, other, inside",
    [
        ("192.0.2.10", "255.255.255.0", "192.0.2.1", True),
        ("192.0.2.10", "24", "198.51.100.1", False),
        ("192.0.2.10", "32", "192.0.2.1", False),
        ("192.0.2.10", "", "192.0.2.1", False),
        ("192.0.2.10", "24", "2001:db8::1", False),
        ("", "24", "192.0.2.1", False),
    ],
)
def test_in_subnet(address, mask, other, inside):
    assert addresses.in_subnet(address, mask, other) is inside


@pytest.mark.parametrize(
    "text, spelling",
    [
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("FE80::1%eth0", "fe80::1%eth0"),
        ("1.2.3.04", "1.2.3.4"),
        ("a name", "a name"),
    ],
)
def test_canonical(text, spelling):
    assert addresses.canonical(text) == spelling


@pytest.mark.parametrize(
    "prefix, mask", [(0, "0.0.0.0"), (24, "255.255.255.0"), (25, "255.255.255.128"), (32, "255.255.255.255")]
)
def test_netmask(prefix, mask):
    assert addresses.netmask(prefix) == mask
    assert addresses.prefix_length(mask) == prefix
