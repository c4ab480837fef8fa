# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-sync table: every attribute in and out of sync, its asymmetries, and exactly what is compared when.

The cases are the rules of the engine's NetworkInSyncWithVdsNetworkInterface; boot protocols are enumerated, not drawn.
"""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import parse_definition
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.compliance import (
    actual_configuration,
    compare,
    differences,
)
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import by_dhcp, device, dual_stack, static

LINK = {"bridged": True, "vlan": None, "switch": "legacy", "stp": False}
ALWAYS = ["mtu", "bridged", "vlan", "switchType"]
IPV4 = ["ipv4_boot_protocol", "ipv4_netmask", "ipv4_address", "ipv4_gateway"]
IPV6 = ["ipv6_boot_protocol", "ipv6_prefix", "ipv6_address", "ipv6_gateway"]
QOS = ["outAverageLinkShare", "outAverageUpperLimit", "outAverageRealTime"]


def definition(**keys):
    return parse_definition({"name": "ovirtmgmt", **keys})


def actual(entry=None, nameservers=(), **link):
    return actual_configuration(entry or static(), nameservers, **{**LINK, **link})


def verdict(attribute, entries):
    return {entry["attribute"]: entry["in_sync"] for entry in entries}.get(attribute, "not compared")


def static4(**keys):
    return {
        "ipv4": {
            "boot_protocol": "static",
            "address": "192.0.2.10",
            "netmask": "255.255.255.0",
            "gateway": "192.0.2.1",
            **keys,
        }
    }


def static6(**keys):
    return {
        "ipv6": {"boot_protocol": "static", "address": "2001:db8::10", "prefix": 64, "gateway": "2001:db8::1", **keys}
    }


@pytest.mark.parametrize(
    "wanted, link, attribute, in_sync",
    [
        ({}, {}, "mtu", True),
        ({"mtu": 0}, {}, "mtu", True),
        ({"mtu": 9000}, {}, "mtu", False),
        ({}, {}, "bridged", True),
        ({}, {"bridged": False}, "bridged", False),
        ({"vm_network": False}, {"bridged": True}, "bridged", False),
        ({"vm_network": False}, {"bridged": False, "stp": None}, "bridged", True),
        ({"vlan_tag": 10}, {"vlan": 10}, "vlan", True),
        ({"vlan_tag": 10}, {"vlan": 11}, "vlan", False),
        ({"vlan_tag": 10}, {"vlan": None}, "vlan", False),
        ({}, {"vlan": 10}, "vlan", False),
        ({"vlan_tag": 0}, {"vlan": None}, "vlan", False),
        ({}, {"vlan": 0}, "vlan", False),
        ({}, {}, "switchType", True),
        ({}, {"switch": "ovs"}, "switchType", False),
        ({}, {}, "stp", True),
        ({"stp": True}, {}, "stp", False),
        ({"stp": True}, {"stp": True}, "stp", True),
        ({}, {"stp": True}, "stp", False),
        ({"vm_network": False}, {"stp": True}, "stp", "not compared"),
        ({}, {"bridged": False, "stp": None}, "stp", "not compared"),
    ],
)
def test_link(wanted, link, attribute, in_sync):
    assert verdict(attribute, compare(definition(**wanted), actual(**link))) == in_sync


FAMILY_PROTOCOLS = {
    "ipv4": {"none": device(), "dhcp": by_dhcp(), "static": static()},
    "ipv6": {
        "none": device(),
        "dhcp": device(dhcpv6=True),
        "autoconf": device(ipv6autoconf=True),
        "poly_dhcp_autoconf": device(dhcpv6=True, ipv6autoconf=True),
        "static": dual_stack(),
    },
}


@pytest.mark.parametrize(
    "family, wanted, found",
    [(family, *pair) for family, entries in FAMILY_PROTOCOLS.items() for pair in itertools.product(entries, repeat=2)],
)
def test_boot_protocols_and_when_addresses_are_compared(family, wanted, found):
    addressed = {"ipv4": static4, "ipv6": static6}[family](boot_protocol=wanted)
    entries = compare(definition(), actual(FAMILY_PROTOCOLS[family][found]), addressed)
    assert verdict(f"{family}_boot_protocol", entries) is (wanted == found)
    for attribute in (IPV4 if family == "ipv4" else IPV6)[1:]:
        assert (verdict(attribute, entries) != "not compared") is (wanted == found == "static")


@pytest.mark.parametrize(
    "wanted, found, attribute, in_sync",
    [
        ({}, {}, "ipv4_address", True),
        ({"address": "192.0.2.010"}, {}, "ipv4_address", True),
        ({"address": "192.0.2.11"}, {}, "ipv4_address", False),
        ({"netmask": "255.255.255.0"}, {}, "ipv4_netmask", True),
        ({"netmask": "24"}, {}, "ipv4_netmask", True),
        ({"netmask": "/24"}, {}, "ipv4_netmask", True),
        ({"netmask": "25"}, {}, "ipv4_netmask", False),
        ({"netmask": "255.255.255.0"}, {"netmask": ""}, "ipv4_netmask", False),
        ({"netmask": None}, {"netmask": ""}, "ipv4_netmask", True),
        ({"gateway": "192.0.2.2"}, {}, "ipv4_gateway", False),
        ({"gateway": None}, {"gateway": ""}, "ipv4_gateway", True),
        ({"gateway": "0.0.0.0"}, {"gateway": ""}, "ipv4_gateway", True),
        ({"gateway": None}, {"gateway": "0.0.0.0"}, "ipv4_gateway", False),
        ({"gateway": None}, {}, "ipv4_gateway", False),
        ({"gateway": "192.0.2.1"}, {"gateway": ""}, "ipv4_gateway", False),
    ],
)
def test_static_ipv4(wanted, found, attribute, in_sync):
    assert verdict(attribute, compare(definition(), actual(static(**found)), static4(**wanted))) is in_sync


@pytest.mark.parametrize(
    "wanted, found, attribute, in_sync",
    [
        ({}, {}, "ipv6_address", True),
        ({"address": "2001:DB8:0:0:0:0:0:10"}, {}, "ipv6_address", True),
        ({"address": "2001:db8::11"}, {}, "ipv6_address", False),
        ({"address": None}, {"ipv6addrs": ["::/64"]}, "ipv6_address", True),
        ({"address": "::"}, {}, "ipv6_address", False),
        ({"prefix": 64}, {}, "ipv6_prefix", True),
        ({"prefix": 65}, {}, "ipv6_prefix", False),
        ({"prefix": None}, {}, "ipv6_prefix", False),
        ({"gateway": "2001:db8:0::1"}, {}, "ipv6_gateway", True),
        ({"gateway": "2001:db8::2"}, {}, "ipv6_gateway", False),
        ({"gateway": None}, {"ipv6gateway": "::"}, "ipv6_gateway", True),
        ({"gateway": None}, {"ipv6gateway": "0:0:0::"}, "ipv6_gateway", True),
        ({"gateway": None}, {"ipv6gateway": ""}, "ipv6_gateway", True),
        ({"gateway": None}, {}, "ipv6_gateway", False),
        ({"gateway": "::"}, {"ipv6gateway": "::"}, "ipv6_gateway", True),
        ({"gateway": "::"}, {"ipv6gateway": ""}, "ipv6_gateway", False),
        ({"gateway": "2001:db8::1"}, {"ipv6gateway": "::"}, "ipv6_gateway", False),
    ],
)
def test_static_ipv6(wanted, found, attribute, in_sync):
    assert verdict(attribute, compare(definition(), actual(dual_stack(**found)), static6(**wanted))) is in_sync


QOS_HAS = {"out": {"ls": {"m2": 50}, "ul": {"m2": 200000000}, "rt": {"m2": 100000000}}}
QOS_WANTED = {"link_share": 50, "upper_limit": 200, "real_time": 100}


@pytest.mark.parametrize(
    "wanted, has, out_of_sync",
    [
        (None, None, None),
        (QOS_WANTED, QOS_HAS, []),
        (QOS_WANTED, None, QOS),
        (None, QOS_HAS, QOS),
        ({**QOS_WANTED, "link_share": 51}, QOS_HAS, QOS[:1]),
        ({**QOS_WANTED, "upper_limit": 201}, QOS_HAS, QOS[1:2]),
        ({**QOS_WANTED, "real_time": None}, QOS_HAS, QOS[2:]),
        ({"link_share": 50}, {"out": {"ls": {"m2": 50}}}, []),
        ({}, None, []),
    ],
)
def test_qos(wanted, has, out_of_sync):
    entries = compare(definition(), actual(static(hostQos=has)), {"qos": wanted})
    compared = [entry for entry in entries if entry["attribute"] in QOS]
    assert [entry["attribute"] for entry in compared] == ([] if out_of_sync is None else QOS)
    assert [entry["attribute"] for entry in compared if not entry["in_sync"]] == (out_of_sync or [])


@pytest.mark.parametrize(
    "network, attachment, host, in_sync",
    [
        ([], [], ["192.0.2.53"], True),
        ([], [], [], True),
        (["192.0.2.53"], [], ["192.0.2.53"], True),
        (["192.0.2.53"], [], [], False),
        (["192.0.2.53"], [], ["192.0.2.54", "192.0.2.53"], True),
        (["192.0.2.53", "192.0.2.54"], [], ["192.0.2.54", "192.0.2.53"], True),
        (["192.0.2.53", "192.0.2.54"], [], ["192.0.2.53"], False),
        (["192.0.2.53"], ["192.0.2.54"], ["192.0.2.54"], True),
        (["192.0.2.53"], ["192.0.2.54"], ["192.0.2.53"], False),
        ([], ["192.0.2.54"], ["192.0.2.53"], False),
        (["2001:DB8::53"], [], ["2001:db8:0::53"], True),
    ],
)
def test_name_servers(network, attachment, host, in_sync):
    wanted = definition(dns_servers=network)
    assert (
        verdict("dns_configuration", compare(wanted, actual(nameservers=host), {"dns_servers": attachment})) is in_sync
    )


def test_name_servers_belong_to_the_default_route():
    assert (
        verdict("dns_configuration", compare(definition(default_route=False, dns_servers=["192.0.2.53"]), actual()))
        == "not compared"
    )


@pytest.mark.parametrize("role", [True, False])
@pytest.mark.parametrize("ipv4", [True, False, None])
@pytest.mark.parametrize(
    "gateway, real",
    [("2001:db8::1", True), ("fe80::1", True), ("::", False), ("0::0", False), ("", False), (None, False)],
)
def test_default_route(role, ipv4, gateway, real):
    entries = compare(definition(default_route=role), actual(static(ipv4defaultroute=ipv4, ipv6gateway=gateway)))
    assert verdict("default_route", entries) is (role == (bool(ipv4) or real))


@pytest.mark.parametrize(
    "wanted, entry, attachment, names",
    [
        ({}, static(), None, [*ALWAYS, "dns_configuration", "default_route", "stp"]),
        ({"default_route": False}, static(), None, [*ALWAYS, "default_route", "stp"]),
        ({"vm_network": False}, static(), None, [*ALWAYS, "dns_configuration", "default_route"]),
        ({}, by_dhcp(), static4(boot_protocol="dhcp"), [*ALWAYS, IPV4[0], "dns_configuration", "default_route", "stp"]),
        (
            {},
            dual_stack(hostQos=QOS_HAS),
            {**static4(), **static6(), "qos": QOS_WANTED},
            [*ALWAYS, *IPV4, *IPV6, *QOS, "dns_configuration", "default_route", "stp"],
        ),
    ],
)
def test_exactly_what_is_compared(wanted, entry, attachment, names):
    entries = compare(definition(**wanted), actual(entry), attachment)
    assert [one["attribute"] for one in entries] == names


def test_seventeen_attributes_of_the_engine():
    assert len({*ALWAYS, *IPV4, *IPV6, *QOS, "dns_configuration", "default_route"}) == 17


def test_differences_are_the_attributes_out_of_sync():
    wanted = definition(mtu=9000, vlan_tag=10, dns_servers=["192.0.2.99"])
    assert differences(wanted, actual(nameservers=["192.0.2.53"])) == [
        {"attribute": "mtu", "desired": 9000, "actual": 1500},
        {"attribute": "vlan", "desired": 10, "actual": None},
        {"attribute": "dns_configuration", "desired": ["192.0.2.99"], "actual": ["192.0.2.53"]},
    ]
    assert differences(definition(), actual()) == []


def test_several_gateways_of_a_device_are_not_none():
    found = actual(
        static(
            gateway="", ipv4gateways=["192.0.2.1", "192.0.2.2"], ipv6gateway="::", ipv6gateways=["fe80::1", "fe80::2"]
        )
    )
    assert (found["ipv4"]["gateway"], found["ipv6"]["gateway"]) == ("192.0.2.1", "fe80::1")
