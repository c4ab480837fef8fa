# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole fact from sources recorded on lab hosts: a bond with a VLAN, and a host with all kinds of devices."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import gather
from ansible_collections.ovirt.mgmt_network.tests.unit.builders import produced

COMMON = {
    "addr",
    "netmask",
    "ipv4addrs",
    "ipv6addrs",
    "gateway",
    "ipv6gateway",
    "ipv4defaultroute",
    "dhcpv4",
    "dhcpv6",
    "ipv6autoconf",
    "mtu",
}


def compose(host, **options):
    sources = produced.sources(host)
    return gather.compose({**sources, **options}, gather.DEFAULT_HIDDEN_NICS)


@pytest.mark.parametrize("host", ["bond_vlan", "busy"])
def test_every_device_has_vdsms_common_keys_and_the_fact_is_small(host):
    facts = compose(host)
    for kind in ("nics", "bondings", "vlans", "bridges", "teams", "networks"):
        for device in facts[kind].values():
            assert set(device) >= COMMON
            assert isinstance(device["mtu"], str)
    assert len(json.dumps(facts)) < 15000


def test_bond_with_a_vlan():
    facts = compose("bond_vlan")
    assert facts["lastClientIface"] == "bond4.3000"
    assert set(facts["nics"]) == {"eth1", "eth2"}  # not the unmanaged oob0
    assert facts["bondings"]["bond4"]["opts"] == {"mode": "1", "miimon": "100"}
    assert facts["bondings"]["bond4"]["slaves"] == ["eth1", "eth2"]
    assert facts["nics"]["eth2"]["permhwaddr"] == "52:54:00:0c:01:02"
    vlan = facts["vlans"]["bond4.3000"]
    assert (vlan["iface"], vlan["vlanid"], vlan["dhcpv4"], vlan["ipv4defaultroute"], vlan["gateway"]) == (
        "bond4",
        3000,
        True,
        True,
        "10.88.0.1",
    )
    assert facts["bridges"] == facts["networks"] == facts["teams"] == {}
    assert facts["versions"]["networkmanager"] == "1.52.1"
    assert facts["profiles"]["bond4.3000"]["file"] == "/etc/NetworkManager/system-connections/bond4.3000.nmconnection"
    assert facts["profiles"]["eth1"]["controller"] == "bond4"
    assert "lo" not in facts["profiles"]
    assert [iface["name"] for iface in facts["nmstate"]["interfaces"]] == ["bond4", "bond4.3000", "eth1", "eth2"]


def test_a_host_with_all_kinds_of_devices():
    facts = compose("busy")
    assert facts["lastClientIface"] == "ovirtmgmt"
    assert set(facts["nics"]) == {"eth1", "eth2"}  # no tap, container, macvtap or wlan0
    assert set(facts["teams"]) == {"team0"}
    assert facts["bridges"]["ovirtmgmt"]["ports"] == ["bond4.3000"]  # without the tap and the container on it
    assert facts["nics"]["eth2"]["ipv4gateways"] == [
        "192.0.2.1",
        "198.51.100.1",
        "192.0.2.5",
        "192.0.2.9",
        "192.0.2.254",
    ]
    assert facts["bridges"]["ovirtmgmt"]["ipv4gateways"] == ["10.88.0.1", "10.88.0.7"]  # one hop of the multipath route
    assert facts["bridges"]["ovirtmgmt"]["ipv6gateway"].startswith("fe80::")
    assert set(facts["networks"]) == {"ovirtmgmt", "storage"}
    assert facts["networks"]["ovirtmgmt"]["vlanid"] == 3000
    assert facts["networks"]["storage"]["interface"] == "eth2"
    assert set(facts["profiles"]) == {
        "bond4",
        "bond4.3000",
        "eth1",
        "eth2",
        "ovirtmgmt",
    }  # no generated profiles of taps
    assert facts["profiles"]["ovirtmgmt"]["in_memory"] is True
    assert facts["profiles"]["eth2"]["mac_address"] == "52:54:00:0c:01:02"
    assert "interface_name" not in facts["profiles"]["eth2"]
    assert facts["profiles"]["eth2"]["settings"] == {"connection.zone": "trusted", "ipv6.dhcp-iaid": "mac"}
    assert facts["profiles"]["eth2"]["ipv4_addresses"] == ["192.0.2.10/24", "192.0.2.11/24", "198.51.100.10/24"]
    assert facts["profiles"]["ovirtmgmt"]["lease_duid"] == "00:03:00:01:52:54:00:0c:01:01"
    assert [one["timeout"] for one in facts["checkpoints"]] == [300]
    assert "vnet7" not in facts["checkpoints"][0]["devices"]
    assert {
        "destination": "0.0.0.0/0",
        "next-hop-address": "192.0.2.254",
        "next-hop-interface": "eth2",
        "table-id": 77,
    } in facts["routes"]


def test_unmanaged_devices_are_named():
    assert compose("bond_vlan")["unmanaged"] == {}  # not the out-of-band NIC, which is not in use
    assert compose("busy")["unmanaged"] == {"team0": "unmanaged"}  # none of the guests' devices


def test_control_address_overrides():
    control = {"local": "2001:db8:0::10", "peer": "", "ssh_connection_source": "option"}
    facts = compose("busy", control=control)
    assert facts["lastClientIface"] == "eth2"
    assert facts["control"] == control


@pytest.mark.parametrize(
    ("pending", "unsaved", "dirty"), [(False, [], "False"), (True, [], "True"), (False, ["red"], "True")]
)
def test_net_config_dirty(pending, unsaved, dirty, monkeypatch):
    record = {"networks": {"red": {"nic": "eth2"}}, "bondings": {}, "devices": {"eth2": {}}}
    monkeypatch.setattr(gather, "pending", lambda: pending)
    for module, name, answer in (
        (gather.networkmanager, "objects", {}),
        (gather.nmstatectl, "show", {}),
        (gather.nmstatectl, "version", "2.2.62"),
        (gather.kernel, "links", []),
        (gather.kernel, "default_routes", []),
        (gather.profile_files, "digests", {"/a": "b"}),
        (gather.vdsm_persistence, "running", record),
        (gather.vdsm_persistence, "in_memory", {"networks": {"red": {}}, "bondings": {}}),
        (gather.vdsm_persistence, "unsaved", {"networks": unsaved, "bondings": []}),
    ):
        monkeypatch.setattr(module, name, lambda answer=answer: answer)
    facts = gather.gather([], {"local": "", "peer": "", "ssh_connection_source": ""})
    assert facts["netConfigDirty"] == dirty
    assert facts["running"] == {"networks": {"red": {"nic": "eth2"}}, "bondings": {}}
    assert facts["unsaved"] == {"networks": unsaved, "bondings": []}
    assert facts["in_memory"] == {"networks": ["red"], "bondings": []}
    assert facts["versions"]["nmstate"] == "2.2.62"
    assert facts["profile_files"] == {"/a": "b"}


def announced(*addresses, method="auto", static=(), local=""):
    """``slaac_addresses`` of eth1 with ``addresses``, each ``address/prefix`` and flags."""
    nm, path = gather.networkmanager.BUS, gather.networkmanager.PATH
    managed = {
        path + "/Devices/2": {nm + ".Device": {"Interface": "eth1", "Managed": True}},
        path + "/ActiveConnection/7": {
            nm + ".Connection.Active": {"Uuid": "u", "Devices": [path + "/Devices/2"], "State": 2, "Connection": "/p"}
        },
    }
    profile = {
        "connection": {"uuid": "u", "id": "eth1", "type": "802-3-ethernet"},
        "ipv6": {
            "method": method,
            "address-data": [{"address": one.split("/")[0], "prefix": int(one.split("/")[1])} for one in static],
        },
    }
    entries = [
        {
            "family": "inet6",
            "scope": "link" if one.startswith("fe80") else "global",
            "local": one.split("/")[0],
            "prefixlen": int(one.split("/")[1].split()[0]),
            **dict.fromkeys(one.split()[1:], True),
        }
        for one in addresses
    ]
    links = [{"ifname": "eth1", "flags": ["UP"], "addr_info": entries, "mtu": 1500}]
    state = {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up"}]}
    facts = gather.compose(
        {
            "managed": managed,
            "settings": {"/p": profile},
            "state": state,
            "links": links,
            "traits": {},
            "routes": [],
            "running": {"networks": {}, "bondings": {}},
            "control": {"local": local, "peer": "", "ssh_connection_source": ""},
        }
    )
    return facts["profiles"]["eth1"].get("slaac_addresses")


@pytest.mark.parametrize(
    ("addresses", "more", "expected"),
    [
        (["fe80::1/64"], {}, None),
        (["2001:db8::5/64 dynamic", "2001:db8::140/128 dynamic", "fe80::1/64"], {}, ["2001:db8::5/64"]),
        (["2001:db8::7/64 temporary", "2001:db8::5/64", "2001:db8::9/64 deprecated"], {}, ["2001:db8::5/64"]),
        (["2001:db8::5/64", "2001:db8::6/64"], {"static": ["2001:db8:0::6/64"]}, ["2001:db8::5/64"]),
        (["2001:db8::5/64"], {"method": "manual"}, None),
        # the address of the control connection is the first
        (["2001:db8::5/64", "2001:db8:1::6/64"], {"local": "2001:db8:1::6"}, ["2001:db8:1::6/64", "2001:db8::5/64"]),
    ],
)
def test_addresses_from_router_advertisements(addresses, more, expected):
    assert announced(*addresses, **more) == expected
