# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole fact from sources recorded on real hosts: a bond with a VLAN, and a host with a bit of everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import hostfacts

COMMON = {"addr", "netmask", "ipv4addrs", "ipv6addrs", "gateway", "ipv6gateway", "ipv4defaultroute", "dhcpv4", "dhcpv6", "ipv6autoconf", "mtu"}


def compose(host, **options):
    sources = json.loads((Path(__file__).parent / "fixtures" / f"host_{host}.json").read_text(encoding="utf-8"))
    return hostfacts.compose(sources, hostfacts.DEFAULT_HIDDEN_NICS, **options)


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
    assert (vlan["iface"], vlan["vlanid"], vlan["dhcpv4"], vlan["ipv4defaultroute"], vlan["gateway"]) == ("bond4", 3000, True, True, "10.88.0.1")
    assert facts["bridges"] == facts["networks"] == facts["teams"] == {}
    assert facts["versions"]["networkmanager"] == "1.52.1"
    assert facts["profiles"]["bond4.3000"]["file"] == "/etc/NetworkManager/system-connections/bond4.3000.nmconnection"
    assert facts["profiles"]["eth1"]["controller"] == "bond4"
    assert "lo" not in facts["profiles"]
    assert [iface["name"] for iface in facts["nmstate"]["interfaces"]] == ["bond4", "bond4.3000", "eth1", "eth2"]


def test_a_bit_of_everything():
    facts = compose("busy")
    assert facts["lastClientIface"] == "ovirtmgmt"
    assert set(facts["nics"]) == {"eth1", "eth2"}  # no tap, container, macvtap or wlan0
    assert set(facts["teams"]) == {"team0"}
    assert facts["bridges"]["ovirtmgmt"]["ports"] == ["bond4.3000"]  # without the tap and the container on it
    assert facts["nics"]["eth2"]["ipv4gateways"] == ["192.0.2.1", "198.51.100.1", "192.0.2.5", "192.0.2.9", "192.0.2.254"]
    assert facts["bridges"]["ovirtmgmt"]["ipv4gateways"] == ["10.88.0.1", "10.88.0.7"]  # one hop of the multipath route
    assert facts["bridges"]["ovirtmgmt"]["ipv6gateway"].startswith("fe80::")
    assert set(facts["networks"]) == {"ovirtmgmt", "storage"}
    assert facts["networks"]["ovirtmgmt"]["vlanid"] == 3000
    assert facts["networks"]["storage"]["interface"] == "eth2"
    assert set(facts["profiles"]) == {"bond4", "bond4.3000", "eth1", "eth2", "ovirtmgmt"}  # none of the tap's made-up ones
    assert facts["profiles"]["ovirtmgmt"]["in_memory"] is True
    assert facts["profiles"]["eth2"]["mac_address"] == "52:54:00:0c:01:02"
    assert "interface_name" not in facts["profiles"]["eth2"]
    assert facts["profiles"]["eth2"]["zone"] == "trusted"
    assert facts["profiles"]["ovirtmgmt"]["lease_duid"] == "00:03:00:01:52:54:00:0c:01:01"
    assert [one["timeout"] for one in facts["checkpoints"]] == [300]
    assert "vnet7" not in facts["checkpoints"][0]["devices"]
    assert {"destination": "0.0.0.0/0", "next-hop-address": "192.0.2.254", "next-hop-interface": "eth2", "table-id": 77} in facts["routes"]


def test_control_address_overrides():
    facts = compose("busy", control_address="2001:db8:0::10")
    assert facts["lastClientIface"] == "eth2"
    assert facts["control"] == {"local": "2001:db8:0::10", "peer": "", "ssh_connection_source": "option"}


def test_read_persistence(tmp_path):
    assert hostfacts.read_persistence(str(tmp_path / "none")) == {"networks": {}, "bondings": {}}
    real = tmp_path / "netconf.abcd1234"
    (real / "nets").mkdir(parents=True)
    (real / "bonds").mkdir()
    (real / "nets" / "ovirtmgmt").write_text('{"nic": "eth1", "bridged": true}')
    (real / "nets" / ".ovirtmgmt.swp").write_text("b0VIM")
    (real / "nets" / "list").write_text("[]")
    (real / "bonds" / "bond4").write_text('{"nics": ["eth1"]}')
    (tmp_path / "netconf").symlink_to(real)
    assert hostfacts.read_persistence(str(tmp_path / "netconf")) == {
        "networks": {"ovirtmgmt": {"nic": "eth1", "bridged": True}}, "bondings": {"bond4": {"nics": ["eth1"]}}}


@pytest.mark.parametrize(
    ("journal", "staging", "dirty"),
    [
        ("", None, "False"),
        ("open", None, "True"),
        ("committed", None, "False"),
        ("", '{"nic": "eth1"}', "True"),
        ("", '{"nic": "eth2"}', "False"),
    ],
)
def test_net_config_dirty(journal, staging, dirty, tmp_path, monkeypatch):
    nets = tmp_path / "persistence" / "netconf" / "nets"
    nets.mkdir(parents=True)
    (nets / "red").write_text('{"nic": "eth2"}')
    if staging:
        (tmp_path / "staging" / "netconf" / "nets").mkdir(parents=True)
        (tmp_path / "staging" / "netconf" / "nets" / "red").write_text(staging)
    monkeypatch.setattr(hostfacts, "VDSM", str(tmp_path))
    monkeypatch.setattr(hostfacts.journal, "find", lambda: (journal, None))
    for module, name, answer in ((hostfacts.networkmanager, "objects", {}), (hostfacts.nmstatectl, "show", {}), (hostfacts.nmstatectl, "version", "2.2.62"),
                                 (hostfacts.kernel, "links", []), (hostfacts.kernel, "default_routes", []), (hostfacts.profiles, "digests", {"/a": "b"})):
        monkeypatch.setattr(module, name, lambda answer=answer: answer)
    facts = hostfacts.gather()
    assert facts["netConfigDirty"] == dirty
    assert facts["running"]["networks"] == {"red": {"nic": "eth2"}}
    assert facts["versions"]["nmstate"] == "2.2.62"
    assert facts["profile_files"] == {"/a": "b"}
