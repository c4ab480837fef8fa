# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that can be kept, and the connections that can verify a change."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import kept_addresses

LINKS = [
    {
        "ifname": "lo",
        "ifindex": 1,
        "addr_info": [{"local": "127.0.0.1", "scope": "host"}, {"local": "192.0.2.99", "scope": "global"}],
    },
    {
        "ifname": "eth1",
        "ifindex": 2,
        "addr_info": [
            {"local": "192.0.2.7", "scope": "global"},
            {"local": "2001:db8::7", "scope": "global"},
            {"local": "fe80::7", "scope": "link"},
            {"local": "2001:db8::abcd", "scope": "global", "temporary": True},
        ],
    },
    {"ifname": "oob0", "ifindex": 3, "addr_info": [{"local": "198.51.100.7", "scope": "global"}]},
]
PROBES = ({"type": "gateway"},)


def wanted(addresses=None, local="192.0.2.7", probes=PROBES, commit=True):
    return kept_addresses.wanted(addresses, local, probes, commit, LINKS, {"oob0": "unmanaged"})


@pytest.mark.parametrize(
    "addresses, local, expected",
    [
        (None, "192.0.2.7", (["192.0.2.7"], True)),
        (None, "::ffff:192.0.2.7", (["192.0.2.7"], True)),
        (["2001:DB8::0007"], "192.0.2.7", (["2001:db8::7"], True)),
        ([], "192.0.2.7", ([], True)),
        (["192.0.2.7"], "", (["192.0.2.7"], False)),
        (["192.0.2.7"], "127.0.0.1", (["192.0.2.7"], False)),
        (["192.0.2.7"], "198.51.100.7", (["192.0.2.7"], False)),
    ],
)
def test_kept(addresses, local, expected):
    assert wanted(addresses, local) == expected


NOTHING = [
    ("", "not an SSH connection"),
    ("127.0.0.1", "on lo"),
    ("192.0.2.99", "on lo"),
    ("fe80::7%eth1", "link-local"),
    ("2001:db8::abcd", "temporary"),
    ("198.51.100.7", "oob0, which NetworkManager does not manage"),
    ("203.0.113.1", "not an address of this host"),
]


@pytest.mark.parametrize("local, words", NOTHING)
@pytest.mark.parametrize("more", [{}, {"addresses": []}, {"addresses": ["192.0.2.7"], "probes": []}])
def test_a_connection_that_cannot_verify_does_not_commit(local, words, more):
    with pytest.raises(kept_addresses.KeepError, match=words) as caught:
        wanted(local=local, **more)
    assert all(
        remedy in str(caught.value)
        for remedy in ("Nothing was changed", "keep", "probe", "commit: false", "network_commit")
    )


@pytest.mark.parametrize("local, _words", NOTHING)
def test_a_connection_that_cannot_verify_can_leave_the_change_pending(local, _words):
    assert wanted(local=local, commit=False) == ([], False)


@pytest.mark.parametrize(
    "address, words",
    [one for one in NOTHING if one[0] and one[0] != "198.51.100.7"]
    + [("192.0.2.7/24", "is not an IP address"), ("host1", "is not an IP address"), ("", "is not an IP address")],
)
@pytest.mark.parametrize("commit", [True, False])
def test_addresses_that_cannot_be_kept(address, words, commit):
    with pytest.raises(kept_addresses.KeepError, match=words) as caught:
        wanted([address], commit=commit)
    assert "Nothing was changed" in str(caught.value)
