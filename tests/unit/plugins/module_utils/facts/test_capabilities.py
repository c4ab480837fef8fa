# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The capabilities: the devices, VDSM's keys and value types, and the differences from VDSM."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts.capabilities import (
    bond_options,
    capabilities,
    classify,
)


def link(name, kind="", **more):
    entry = {
        "ifname": name,
        "link_type": "ether",
        "address": "52:54:00:00:00:01",
        "mtu": 1500,
        "max_mtu": 9216,
        "addr_info": [],
    }
    info = {key: more.pop(key) for key in ("info_data", "info_slave_kind", "info_slave_data") if key in more}
    if kind or info:
        entry["linkinfo"] = dict(info, **({"info_kind": kind} if kind else {}))
    return dict(entry, **more)


def inet(local, prefix, **more):
    return dict(
        {"family": "inet6" if ":" in local else "inet", "local": local, "prefixlen": prefix, "scope": "global"}, **more
    )


def route(gateway, dev, metric=0, table="main"):
    return {"family": 6 if ":" in gateway else 4, "gateway": gateway, "dev": dev, "table": table, "metric": metric}


def caps(links, routes=(), state=None, managed=(), running=None, traits=None, hidden=()):
    return capabilities(links, traits or {}, list(routes), state or {}, set(managed), running or {}, hidden)


@pytest.mark.parametrize(
    ("device", "trait", "managed", "kind"),
    [
        (link("eno1"), {}, False, "nics"),
        (link("ib0", link_type="infiniband"), {}, False, "nics"),
        (link("ib0.8001", "ipoib", link_type="infiniband"), {}, False, "nics"),
        (link("eth1", "veth"), {}, True, "nics"),
        (link("vethc", "veth"), {}, False, None),
        (link("vethc", "veth", addr_info=[inet("10.1.0.1", 24)]), {}, False, None),
        (link("dummy0", "dummy"), {}, True, "nics"),
        (link("dummy0", "dummy"), {}, False, None),
        (link("vnet0", "tun"), {}, True, None),
        (link("vnet0"), {"tap": True}, True, None),  # older iproute2 does not name the kind of a tap
        (link("macvtap0", "macvtap"), {}, True, None),
        (link("macvlan0", "macvlan"), {}, True, None),
        (link("wg0", "wireguard", link_type="none"), {}, True, None),
        (link("tunl0", "ipip", link_type="ipip"), {}, False, None),
        (link("lo", link_type="loopback"), {}, True, None),
        (link("wlp3s0"), {}, True, None),
        (link("usb0"), {}, True, None),
        (link("bond0", "bond"), {}, False, "bondings"),
        (link("eno1.5", "vlan"), {}, False, "vlans"),
        (link("virbr0", "bridge"), {}, False, "bridges"),
        (link(";vdsmdummy;", "bridge"), {}, False, None),
        (link("team0", "team"), {}, False, "teams"),
        (link("ovs-system", "openvswitch"), {}, False, None),
        (link("ens1f0v0"), {"virtual_function": True}, False, "nics"),
    ],
)
def test_classify(device, trait, managed, kind):
    name = device["ifname"]
    assert classify([device], {name: trait}, {name} if managed else set(), ("w*", "usb*")) == {name: kind}


def test_a_virtual_function_of_a_vm_is_hidden():
    links = [link("ens1f0v0"), link("macvtap0", "macvtap"), link("ens1f1v0", address="52:54:00:00:00:02")]
    traits = {name: {"virtual_function": True} for name in ("ens1f0v0", "ens1f1v0")}
    assert [name for name, kind in classify(links, traits, set()).items() if kind] == ["ens1f1v0"]


def test_a_bare_nic_has_all_keys_and_types():
    assert caps([link("eth1")])["nics"]["eth1"] == {
        "hwaddr": "52:54:00:00:00:01",
        "speed": 0,
        "addr": "",
        "netmask": "",
        "ipv4addrs": [],
        "ipv6addrs": [],
        "gateway": "",
        "ipv6gateway": "::",
        "ipv4defaultroute": False,
        "dhcpv4": False,
        "dhcpv6": False,
        "ipv6autoconf": False,
        "mtu": "1500",
    }


def test_addresses():
    addresses = [
        inet("169.254.1.1", 16, scope="link"),
        inet("192.0.2.11", 24),
        inet("198.51.100.10", 25),
        inet("198.51.100.11", 25, secondary=True),
        inet("2001:db8::a", 64, dynamic=True, temporary=True),
        inet("2001:db8::b", 64, dynamic=True),
        inet("2001:db8::10", 64),
        inet("fe80::1", 64, scope="link"),
        {"family": "inet", "prefixlen": 32},
    ]
    nic = caps([link("eth1", addr_info=addresses)], [route("198.51.100.1", "eth1")])["nics"]["eth1"]
    assert (nic["addr"], nic["netmask"]) == ("198.51.100.10", "255.255.255.128")  # the one in the gateway's subnet
    assert nic["ipv4addrs"] == ["192.0.2.11/24", "198.51.100.10/25", "198.51.100.11/25"]
    assert nic["ipv6addrs"] == ["2001:db8::10/64", "2001:db8::b/64", "2001:db8::a/64"]


@pytest.mark.parametrize("gateway", ["203.0.113.1", "fe80::1"])
def test_first_address_when_the_gateway_is_elsewhere(gateway):
    routes = [dict(route("203.0.113.1", "eth1"), gateway=gateway)]
    nic = caps([link("eth1", addr_info=[inet("192.0.2.11", 32), inet("192.0.2.12", 24)])], routes)["nics"]["eth1"]
    assert (nic["addr"], nic["netmask"], nic["gateway"]) == ("192.0.2.11", "255.255.255.255", gateway)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([], {"gateway": "", "ipv6gateway": "::", "ipv4defaultroute": False}),
        ([route("192.0.2.1", "eth1")], {"gateway": "192.0.2.1", "ipv4defaultroute": True}),
        ([route("192.0.2.1", "eth2")], {"gateway": "", "ipv4defaultroute": False}),
        # VDSM: a gateway of a source route table counts, but is not the host's default route
        ([route("192.0.2.1", "eth1", table="329647082")], {"gateway": "192.0.2.1", "ipv4defaultroute": False}),
        # VDSM would return True here, because it only compares the gateway's address
        (
            [route("192.0.2.1", "eth1", table="77"), route("192.0.2.1", "eth2")],
            {"gateway": "192.0.2.1", "ipv4defaultroute": False},
        ),
        (
            [route("192.0.2.1", "eth1"), route("192.0.2.1", "eth1", table="77")],
            {"gateway": "192.0.2.1", "ipv4defaultroute": True},
        ),
        (
            [
                route("192.0.2.254", "eth1", table="77"),
                route("192.0.2.2", "eth1", 950),
                route("192.0.2.1", "eth1", 900),
            ],
            {
                "gateway": "192.0.2.1",
                "ipv4gateways": ["192.0.2.1", "192.0.2.2", "192.0.2.254"],
                "ipv4defaultroute": True,
            },
        ),
        (
            [route("fe80::1", "eth1", 100), route("fe80::2", "eth1", 50)],
            {"gateway": "", "ipv6gateway": "fe80::2", "ipv6gateways": ["fe80::2", "fe80::1"]},
        ),
    ],
)
def test_gateways(routes, expected):
    nic = caps([link("eth1")], routes)["nics"]["eth1"]
    assert {key: nic.get(key) for key in expected} == expected
    assert ("ipv4gateways" in nic, "ipv6gateways" in nic) == ("ipv4gateways" in expected, "ipv6gateways" in expected)


def test_the_origin_of_addresses():
    state = {
        "interfaces": [
            {
                "name": "eth1",
                "ipv4": {"enabled": True, "dhcp": True},
                "ipv6": {"enabled": True, "dhcp": True, "autoconf": True},
            }
        ]
    }
    nic = caps([link("eth1")], state=state)["nics"]["eth1"]
    assert (nic["dhcpv4"], nic["dhcpv6"], nic["ipv6autoconf"]) == (True, True, True)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ({"mode": "balance-rr 0", "miimon": "0"}, {"mode": "0"}),
        (
            {
                "mode": "802.3ad 4",
                "miimon": "100",
                "lacp_rate": "fast 1",
                "xmit_hash_policy": "layer2 0",
                "slaves": "a b",
                "ad_partner_mac": "00:00",
            },
            {"mode": "4", "lacp_rate": "1"},
        ),
        ({"mode": "active-backup 1", "miimon": "100"}, {"mode": "1", "miimon": "100"}),
        ({"mode": "802.3ad 4", "miimon": "0"}, {"mode": "4", "miimon": "0"}),
        (
            {
                "mode": "active-backup 1",
                "primary": "eth1",
                "arp_interval": "200",
                "arp_ip_target": "192.0.2.1 192.0.2.2",
                "queue_id": "eth1:0",
            },
            {"mode": "1", "primary": "eth1", "arp_interval": "200", "arp_ip_target": "192.0.2.1,192.0.2.2"},
        ),
        ({"mode": "active-backup 1", "primary": "", "an_option_of_tomorrow": "7"}, {"mode": "1"}),
        ({}, {}),
    ],
)
def test_bond_options(values, options):
    assert bond_options(values) == options


# In the format of VDSM's bonding-defaults.json or the kernel: words by option, empty for options without a value.
@pytest.mark.parametrize(
    ("values", "defaults", "options"),
    [
        (
            {"mode": "802.3ad 4", "miimon": "100", "lacp_rate": "fast 1"},
            {"miimon": "100", "lacp_rate": "slow 0"},
            {"mode": "4", "lacp_rate": "1"},
        ),
        ({"mode": "802.3ad 4", "miimon": "100"}, {"miimon": "0"}, {"mode": "4", "miimon": "100"}),
        (
            {"mode": "active-backup 1", "an_option_of_tomorrow": "7", "miimon": "0"},
            {"an_option_of_tomorrow": "7", "miimon": "0"},
            {"mode": "1"},
        ),
        (
            {"mode": "active-backup 1", "an_option_of_tomorrow": "7"},
            {"an_option_of_tomorrow": "8"},
            {"mode": "1", "an_option_of_tomorrow": "7"},
        ),
        (
            {"mode": "active-backup 1", "primary": "eth1", "arp_ip_target": ""},
            {"primary": "", "arp_ip_target": ""},
            {"mode": "1", "primary": "eth1"},
        ),
        # state, not options, whatever the dump says
        (
            {
                "mode": "802.3ad 4",
                "slaves": "a b",
                "ad_partner_mac": "00:00",
                "ad_actor_key": "9",
                "queue_id": "a:0",
                "mii_status": "up",
            },
            {"miimon": "100"},
            {"mode": "4"},
        ),
    ],
)
def test_bond_options_by_the_defaults_of_the_host(values, defaults, options):
    assert bond_options(values, defaults) == options


def test_an_lacp_bond():
    slave = {
        "info_slave_kind": "bond",
        "info_slave_data": {"perm_hwaddr": "52:54:00:00:00:0b", "ad_aggregator_id": 1},
        "master": "bond4",
    }
    links = [
        link("eth2", **slave),
        link("eth1", **slave),
        link(
            "bond4",
            "bond",
            info_data={"mode": "802.3ad", "ad_info": {"aggregator": 1, "partner_mac": "52:54:00:00:00:99"}},
        ),
    ]
    document = caps(links, traits={"bond4": {"speed": 20000, "bond": {"mode": "802.3ad 4"}}, "eth1": {"speed": 10000}})
    bond = document["bondings"]["bond4"]
    assert {
        key: bond[key]
        for key in ("slaves", "active_slave", "opts", "speed", "switch", "ad_aggregator_id", "ad_partner_mac")
    } == {
        "slaves": ["eth1", "eth2"],
        "active_slave": "",
        "opts": {"mode": "4"},
        "speed": 20000,
        "switch": "legacy",
        "ad_aggregator_id": "1",
        "ad_partner_mac": "52:54:00:00:00:99",
    }
    nic = document["nics"]["eth1"]
    assert (nic["permhwaddr"], nic["ad_aggregator_id"], nic["speed"]) == ("52:54:00:00:00:0b", "1", 10000)


def bridge(name, stp=0, **more):
    return link(
        name,
        "bridge",
        info_data={"stp_state": stp, "forward_delay": 1500, "mcast_snooping": 1, "gc_timer": 9, "group_fwd_mask": "0"},
        **more,
    )


def test_bridge_vlan_and_team():
    links = [
        bridge("br0", stp=1),
        link("eth1", master="br0", max_mtu=0),
        link("vnet0", "tun", master="br0"),
        link("eth2.5", "vlan", link="eth2", info_data={"id": 5}, master="br0"),
        link("team0", "team"),
        link("eth3", master="team0"),
    ]
    document = caps(links)
    assert {key: document["bridges"]["br0"][key] for key in ("ports", "stp", "opts")} == {
        "ports": ["eth1", "eth2.5"],
        "stp": "on",
        "opts": {"forward_delay": "1500", "group_fwd_mask": "0x0", "multicast_snooping": "1"},
    }
    assert (document["vlans"]["eth2.5"]["iface"], document["vlans"]["eth2.5"]["vlanid"]) == ("eth2", 5)
    assert "hwaddr" not in document["vlans"]["eth2.5"]
    assert document["teams"]["team0"]["ports"] == ["eth3"]
    assert document["max_mtu"] == {"eth1": 65535, "eth3": 9216}


@pytest.mark.parametrize(("iproute2", "vdsm"), [("0", "0x0"), (0, "0x0"), ("0x4000", "0x4000"), (16388, "0x4004")])
def test_the_group_forward_mask_reads_as_in_sysfs(iproute2, vdsm):
    entry = bridge("br0")
    entry["linkinfo"]["info_data"]["group_fwd_mask"] = iproute2
    assert caps([entry])["bridges"]["br0"]["opts"]["group_fwd_mask"] == vdsm


NETWORK_LINKS = [
    bridge("red"),
    link("eth1", master="red"),
    link("eth2"),
    link("storage", "vlan", link="eth2", info_data={"id": 5}),
    bridge("two"),
    link("eth3", master="two"),
    link("eth4", master="two"),
]


@pytest.mark.parametrize(
    ("name", "record", "expected"),
    [
        (
            "red",
            {"nic": "eth1", "bridged": True},
            {
                "iface": "red",
                "bridged": True,
                "southbound": "eth1",
                "ports": ["eth1"],
                "stp": "off",
                "switch": "legacy",
            },
        ),
        (
            "plain",
            {"nic": "eth2", "bridged": False, "switch": "legacy"},
            {"iface": "eth2", "interface": "eth2", "bridged": False, "southbound": "eth2"},
        ),
        # a VLAN device of any name is found by its base and tag
        (
            "tagged",
            {"nic": "eth2", "vlan": 5, "bridged": False},
            {"iface": "storage", "southbound": "storage", "vlanid": 5},
        ),
        ("two", {"bridged": True}, {"southbound": None, "ports": ["eth3", "eth4"]}),
        ("gone", {"nic": "eth9", "bridged": False}, None),
        ("nobridge", {"nic": "eth1", "bridged": True}, None),
        ("notag", {"nic": "eth2", "vlan": "7", "bridged": False}, None),
    ],
)
def test_networks(name, record, expected):
    found = caps(NETWORK_LINKS, running={"networks": {name: record}})["networks"].get(name)
    if expected is None:
        assert found is None
    else:
        assert {key: found.get(key) for key in expected} == expected
        assert found["mtu"] == "1500"


def test_nameservers():
    assert caps([], state={"dns-resolver": {"running": {"server": ["192.0.2.53"]}, "config": {}}})["nameservers"] == [
        "192.0.2.53"
    ]
    assert caps([])["nameservers"] == []
