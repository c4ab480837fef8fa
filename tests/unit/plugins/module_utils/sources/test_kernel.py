# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Default routes from iproute2's JSON, and data from sysfs."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import kernel


@pytest.mark.parametrize(
    ("route", "hops"),
    [
        (
            {"dst": "default", "gateway": "10.88.0.1", "dev": "eth1", "metric": 425},
            [{"family": 4, "gateway": "10.88.0.1", "dev": "eth1", "table": "main", "metric": 425}],
        ),
        (
            {"dst": "default", "gateway": "192.0.2.254", "dev": "eth2", "table": "77"},
            [{"family": 4, "gateway": "192.0.2.254", "dev": "eth2", "table": "77", "metric": 0}],
        ),
        (
            {
                "dst": "default",
                "metric": 2000,
                "nexthops": [
                    {"gateway": "192.0.2.5", "dev": "eth2", "weight": 1},
                    {"gateway": "10.88.0.7", "dev": "br"},
                ],
            },
            [
                {"family": 4, "gateway": "192.0.2.5", "dev": "eth2", "table": "main", "metric": 2000},
                {"family": 4, "gateway": "10.88.0.7", "dev": "br", "table": "main", "metric": 2000},
            ],
        ),
        (
            {"dst": "default", "nhid": 5, "gateway": "192.0.2.9", "dev": "eth2", "metric": 3000},
            [{"family": 4, "gateway": "192.0.2.9", "dev": "eth2", "table": "main", "metric": 3000}],
        ),
        (
            {"dst": "default", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth2"},
            [{"family": 4, "gateway": "fe80::1", "dev": "eth2", "table": "main", "metric": 0}],
        ),
        ({"dst": "default", "dev": "ppp0", "scope": "link"}, []),
    ],
)
def test_hops(route, hops):
    assert kernel.default_route_hops(route, 4) == hops


def test_default_routes_of_both_families(monkeypatch):
    answers = {
        "-4": (
            0,
            json.dumps(
                [{"type": "unreachable", "dst": "default"}, {"dst": "default", "gateway": "10.0.0.1", "dev": "eth1"}]
            ),
        ),
        "-6": (2, ""),
    }  # no IPv6 route at all: "FIB table does not exist"
    monkeypatch.setattr(kernel, "run", lambda argv, **_kwargs: (*answers[argv[2]], ""))
    assert kernel.default_routes() == [
        {"family": 4, "gateway": "10.0.0.1", "dev": "eth1", "table": "main", "metric": 0}
    ]


@pytest.mark.parametrize(
    ("speed", "told"), [("10000", 10000), ("-1", 0), ("65535", 0), ("4294967295", 0), ("", 0), (None, 0)]
)
def test_traits(speed, told, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "SYSFS", str(tmp_path))
    monkeypatch.setattr(kernel, "bond_defaults", lambda modes: {"1": {"miimon": "0"}} if modes == {"1"} else {})
    (tmp_path / "eth1" / "device" / "physfn").mkdir(parents=True)
    (tmp_path / "bond4" / "bonding").mkdir(parents=True)
    (tmp_path / "bond4" / "bonding" / "mode").write_text("active-backup 1\n")
    (tmp_path / "vnet0").mkdir()
    (tmp_path / "vnet0" / "tun_flags").write_text("0x1002\n")
    if speed is not None:
        (tmp_path / "eth1" / "speed").write_text(speed + "\n")
    assert kernel.traits(["eth1", "bond4", "vnet0"]) == {
        "eth1": {"speed": told, "tap": False, "virtual_function": True, "bond": {}},
        "bond4": {
            "speed": 0,
            "tap": False,
            "virtual_function": False,
            "bond": {"mode": "active-backup 1"},
            "bond_defaults": {"miimon": "0"},
        },
        "vnet0": {"speed": 0, "tap": True, "virtual_function": False, "bond": {}},
    }


def test_bond_defaults_of_vdsm_s_dump(tmp_path, monkeypatch):
    dump = tmp_path / "bonding-defaults.json"
    dump.write_text(
        json.dumps(
            {
                "1": {"miimon": ["0"], "arp_ip_target": []},
                "4": {"mode": ["balance-rr", "0"], "lacp_rate": ["slow", "0"], "miimon": ["100"]},
            }
        )
    )
    monkeypatch.setattr(kernel, "BOND_DEFAULTS", str(dump))
    monkeypatch.setattr(kernel, "run", lambda argv, **_kwargs: pytest.fail("the kernel is asked although VDSM has"))
    assert kernel.bond_defaults({"4"}) == {"4": {"mode": "balance-rr 0", "lacp_rate": "slow 0", "miimon": "100"}}
    assert kernel.bond_defaults(set()) == {}


@pytest.mark.parametrize("dump", [None, "", "[]", '{"1": {}}', '{"4": []}'])
def test_bond_defaults_of_the_kernel(dump, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "BOND_DEFAULTS", str(tmp_path / "bonding-defaults.json"))
    if dump is not None:
        (tmp_path / "bonding-defaults.json").write_text(dump)
    calls = []
    out = "/sys/class/net/mode4/bonding/lacp_rate:slow 0\n/sys/class/net/mode4/bonding/miimon:100\n"
    monkeypatch.setattr(kernel, "run", lambda argv, **_kwargs: (calls.append(argv), (0, out, ""))[1])
    assert kernel.bond_defaults({"4"}) == {"4": {"lacp_rate": "slow 0", "miimon": "100"}}
    # in separate namespaces: these bonds are not visible in the host's network
    assert [argv[:3] for argv in calls] == [["unshare", "--net", "--mount"]]


def test_bond_defaults_if_neither_is_available(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "BOND_DEFAULTS", str(tmp_path / "none"))
    monkeypatch.setattr(kernel, "run", lambda argv, **_kwargs: (1, "", "unshare: Operation not permitted"))
    assert kernel.bond_defaults({"4"}) == {}

    def missing(argv, **_kwargs):
        raise kernel.CommandError("unshare: command not found on this host", argv)

    monkeypatch.setattr(kernel, "run", missing)
    assert kernel.bond_defaults({"4"}) == {}
