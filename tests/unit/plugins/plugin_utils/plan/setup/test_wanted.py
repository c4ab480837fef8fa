# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people may write as host_networks, and what is refused before a host is contacted, by table."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.wanted import (
    HostNetworksError,
    parse_host_networks,
)

STATIC = {"method": "static", "address": "192.0.2.5", "prefix": 24}
STATIC6 = {"method": "static", "address": "2001:db8::5", "prefix": 64}


def network(**keys):
    return {"networks": {"red": {"on": "eth1", **keys}}}


def ipv4(**keys):
    return network(ipv4={**STATIC, **keys})


def ipv6(**keys):
    return network(ipv6={**STATIC6, **keys})


def bond(**keys):
    return {"bonds": {"bond1": {"ports": ["eth2", "eth3"], **keys}}}


def two(first, second):
    return {"networks": {"red": {"on": "eth1", **first}, "blue": {"on": "eth1", **second}}}


@pytest.mark.parametrize(
    "wanted, key, words",
    [
        (None, "", "expected a mapping"),
        ({}, "", "got nothing"),
        ({"nets": {}}, "nets", "unknown key"),
        ({"networks": {"red": 5}}, "networks.red", "expected a mapping"),
        (network(vlan=10), "networks.red.vlan", "did you mean 'vlan_tag'"),
        (network(vlan_tag=4095), "networks.red.vlan_tag", "an integer from 0 to 4094"),
        (network(mtu=20), "networks.red.mtu", "68 to 65535"),
        (network(switch="ovs"), "networks.red.switch", "expected 'legacy'"),
        (network(vm_network=False, stp=True), "networks.red.stp", "only a VM network"),
        (network(qos={}), "networks.red.qos", "does not configure quality of service"),
        (network(labels=["a"]), "networks.red.labels", "does not configure network labels"),
        (network(sriov={}), "networks.red.sriov", "does not configure SR-IOV"),
        (network(nmstate={}), "networks.red.nmstate", "does not configure raw nmstate keys"),
        (network(on="label:red"), "networks.red.on", "does not support network labels"),
        ({"networks": {"red": {"vlan_tag": 5}}}, "networks.red.on", "requires the NIC or bond"),
        ({"networks": {"red": {"vm_network": False}}}, "networks.red.on", "requires the NIC or bond"),
        ({"networks": {"a network": {"on": "eth1"}}}, "networks.a network", "set the key vdsm_name"),
        ({"networks": {"bond9": {"on": "eth1"}}}, "networks.bond9", "not beginning with 'bond'"),
        (ipv4(prefix=64), "networks.red.ipv4.prefix", "from 1 to 32"),
        (ipv4(prefix=None), "networks.red.ipv4.prefix", "required"),
        (ipv4(netmask="255.255.255.0"), "networks.red.ipv4.netmask", "unknown key"),
        (ipv4(address="2001:db8::5"), "networks.red.ipv4.address", "an IPv4 address"),
        (ipv4(address="224.0.0.1"), "networks.red.ipv4.address", "of the host"),
        (ipv4(gateway="192.0.3.1"), "networks.red.ipv4.gateway", "not in the subnet"),
        (ipv4(gateway="192.0.2.5"), "networks.red.ipv4.gateway", "of the host itself"),
        (ipv4(method="dhcp"), "networks.red.ipv4.address", "expected static"),
        (ipv4(method="auto"), "networks.red.ipv4.method", "one of dhcp, static, none"),
        (ipv6(prefix=129), "networks.red.ipv6.prefix", "from 1 to 128"),
        (ipv6(gateway="2001:db9::1"), "networks.red.ipv6.gateway", "neither link-local nor in 2001:db8::/64"),
        (ipv6(method="magic"), "networks.red.ipv6.method", "dhcp_and_auto"),
        (network(default_route=False, dns_servers=["192.0.2.53"]), "networks.red.dns_servers", "default route"),
        (
            network(default_route=False, ipv6={**STATIC6, "gateway": "fe80::1"}),
            "networks.red.ipv6.gateway",
            "only the network with the default route",
        ),
        (two({}, {}), "networks.blue", "eth1, untagged, already carries the network red"),
        (two({}, {"vlan_tag": 0}), "networks.blue", "eth1, untagged, already carries the network red"),
        (two({"vlan_tag": 5}, {"vlan_tag": "5"}), "networks.blue", "VLAN 5 on eth1 already carries"),
        (
            two({"default_route": True}, {"vlan_tag": 5, "default_route": True}),
            "networks.blue.default_route",
            "the network red already has",
        ),
        (two({"vdsm_name": "net"}, {"vlan_tag": 5, "vdsm_name": "net"}), "networks.blue", "has the name net"),
        ({"bonds": {"team1": {"ports": ["eth1"]}}}, "bonds.team1", "'bond' followed by"),
        ({"bonds": {"bond1": {}}}, "bonds.bond1.ports", "a list of NIC names"),
        (bond(ports=[]), "bonds.bond1.ports", "a list of NIC names"),
        (bond(ports=["eth2", "eth2"]), "bonds.bond1.ports", "without doubles"),
        (bond(mode=7), "bonds.bond1.mode", "802.3ad"),
        (bond(mode="lacp"), "bonds.bond1.mode", "802.3ad"),
        (bond(options="miimon"), "bonds.bond1.options", "pairs such as"),
        (bond(options={"miimn": 1}), "bonds.bond1.options.miimn", "no such option"),
        (bond(options={"mode": 1}), "bonds.bond1.options.mode", "the key mode"),
        (bond(options={"miimon": [1]}), "bonds.bond1.options.miimon", "one word or number"),
        (
            {"bonds": {"bond1": {"ports": ["eth2", "eth3"]}, "bond2": {"ports": ["eth3", "eth4"]}}},
            "bonds.bond2.ports",
            "eth3 is a port of bond1",
        ),
        ({**network(), "bonds": {"bond1": {"ports": ["eth1", "eth2"]}}}, "networks.red.on", "expected the bond"),
        ({**network(on="bond1"), "bonds": {"bond1": None}}, "networks.red.on", "to be removed"),
    ],
)
def test_refused(wanted, key, words):
    with pytest.raises(HostNetworksError) as refused:
        parse_host_networks(wanted)
    assert refused.value.key == key
    assert words in str(refused.value)


def test_a_network_is_completed():
    red = parse_host_networks(network(vlan_tag="5")).networks["red"]
    assert (red.name, red.on, red.definition.vlan_tag, red.definition.mtu) == ("red", "eth1", 5, 1500)
    assert (red.definition.vm_network, red.ipv4, red.ipv6, red.default_route) == (True, None, None, None)


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"ipv4": {"method": "dhcp"}}, ("dhcp", None, None, None)),
        ({"ipv4": {"method": "none"}}, ("none", None, None, None)),
        ({"ipv4": {**STATIC, "gateway": "192.0.2.1"}}, ("static", "192.0.2.5", "255.255.255.0", "192.0.2.1")),
        ({"ipv4": {"address": "192.0.2.5", "prefix": "24"}}, ("static", "192.0.2.5", "255.255.255.0", None)),
        ({"ipv6": {"method": "auto"}}, ("autoconf", None, None, None)),
        ({"ipv6": {"method": "dhcp_and_auto"}}, ("poly_dhcp_autoconf", None, None, None)),
        ({"ipv6": {**STATIC6, "gateway": "fe80::1"}}, ("static", "2001:db8::5", 64, "fe80::1")),
        ({"ipv6": {**STATIC6, "address": "2001:DB8:0::5"}}, ("static", "2001:db8::5", 64, None)),
    ],
)
def test_addresses(given, expected):
    red = parse_host_networks(network(**given)).networks["red"]
    (family,) = (part for part in (red.ipv4, red.ipv6) if part)
    assert (family["boot_protocol"], family["address"], family.get("netmask") or family.get("prefix")) == expected[:3]
    assert family["gateway"] == expected[3]


@pytest.mark.parametrize(
    "given, options",
    [
        ({}, None),
        ({"mode": "802.3ad"}, {"mode": "4"}),
        (
            {"mode": 1, "options": {"miimon": 100, "use_carrier": True}},
            {"mode": "1", "miimon": "100", "use_carrier": "1"},
        ),
        ({"options": "miimon=100 lacp_rate=fast"}, {"miimon": "100", "lacp_rate": "fast"}),
    ],
)
def test_bonds(given, options):
    made = parse_host_networks({"bonds": {"bond1": {"ports": ["eth3", "eth2"], **given}}}).bonds["bond1"]
    assert (made.nics, made.options, made.remove) == (("eth2", "eth3"), options, False)


def test_null_removes():
    wanted = parse_host_networks({"networks": {"red": None}, "bonds": {"bond1": None}})
    assert wanted.networks == {"red": None} and wanted.bonds["bond1"].remove
