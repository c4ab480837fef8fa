# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration that moves with the addresses."""

from __future__ import annotations

import zlib

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.identity import eui64
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.nmstate import (
    DHCP4,
    MAC,
    addresses,
    bridge,
    eth,
    route,
    static4,
    static6,
)
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import desired_state

AUTO6 = {"enabled": True, "dhcp": True, "autoconf": True}
BY_DHCP = {"nic": "eth1", "bootproto": "dhcp", "defaultRoute": True, "nameservers": []}
BY_BOTH = {**BY_DHCP, "dhcpv6": True, "ipv6autoconf": True}
STATIC = {
    "nic": "eth1",
    "ipaddr": "192.0.2.10",
    "netmask": "255.255.255.0",
    "gateway": "192.0.2.1",
    "defaultRoute": True,
}
LEASE4, LEASE6 = "01:" + MAC.lower(), "00:03:00:01:" + MAC.lower()


def move(network, *interfaces, profile=None, running=None, **sections):
    """The state of ``network`` as ovirtmgmt, on a host with ``interfaces``."""
    sections = {key.replace("_", "-"): value for key, value in sections.items()}
    current = {"interfaces": list(interfaces), **sections}
    return desired_state(
        {"networks": {"ovirtmgmt": network}},
        current,
        {"networks": running or {}},
        {interfaces[0]["name"]: profile or {}},
    )


def stack(state, family="ipv4", name="ovirtmgmt"):
    return next(interface for interface in state["interfaces"] if interface["name"] == name)[family]


# --- addresses ---


@pytest.mark.parametrize(
    "has, expected",
    [
        (["192.0.2.10/24"], ["192.0.2.10/24"]),
        (["192.0.2.10/24", "198.51.100.10/25"], ["192.0.2.10/24", "198.51.100.10/25"]),
        # the current order determines the source address
        (["198.51.100.10/25", "192.0.2.10/24"], ["198.51.100.10/25", "192.0.2.10/24"]),
        # the prefix length of the request is used
        (["192.0.2.10/16", "192.0.2.11/24"], ["192.0.2.10/24", "192.0.2.11/24"]),
        # the host is renumbered
        (["198.51.100.10/25"], ["192.0.2.10/24"]),
    ],
)
@pytest.mark.parametrize("bridged", [True, False])
def test_secondary_addresses(has, expected, bridged):
    state = move({**STATIC, "bridged": bridged}, eth(ipv4=static4(*has)))
    assert stack(state, name="ovirtmgmt" if bridged else "eth1")["address"] == addresses(*expected)


def test_secondary_ipv6_addresses_without_the_link_local_one():
    has = static6("2001:db8::10/64", "fe80::5054:ff:fe0c:101/64", "2001:db8:1::10/64")
    state = move({**STATIC, "ipv6addr": "2001:db8::10/64"}, eth(ipv4=static4("192.0.2.10/24"), ipv6=has))
    assert stack(state, "ipv6")["address"] == addresses("2001:db8::10/64", "2001:db8:1::10/64")


def test_a_recorded_network_keeps_secondary_addresses_when_it_is_edited():
    host = (bridge(ipv4=static4("192.0.2.10/24", "198.51.100.10/25")), eth())
    state = move({**STATIC, "mtu": 9000}, *host, running={"ovirtmgmt": {**STATIC, "bridged": True}})
    assert stack(state)["address"] == addresses("192.0.2.10/24", "198.51.100.10/25")


def test_a_dhcp_address_does_not_become_static():
    state = move(STATIC, eth(ipv4={**DHCP4, "address": addresses("192.0.2.10/24", "192.0.2.11/24")}))
    assert stack(state)["address"] == addresses("192.0.2.10/24")


@pytest.mark.parametrize("bridged", [True, False])
def test_static_addresses_beside_dynamic_ones(bridged):
    profile = {"ipv4_addresses": ["192.0.2.77/24"], "ipv6_addresses": ["2001:db8::77/64"]}
    state = move({**BY_BOTH, "bridged": bridged}, eth(ipv4=DHCP4, ipv6=AUTO6), profile=profile)
    name = "ovirtmgmt" if bridged else "eth1"
    assert stack(state, "ipv4", name)["address"] == addresses("192.0.2.77/24")
    assert stack(state, "ipv6", name)["address"] == addresses("2001:db8::77/64")
    assert stack(state, "ipv4", name)["dhcp"] and stack(state, "ipv6", name)["dhcp"]


def test_addresses_do_not_come_from_the_base_of_a_vlan():
    host = (
        eth(ipv4=static4("198.51.100.10/25")),
        {**eth("eth1.10", ipv4=DHCP4), "type": "vlan", "vlan": {"id": 10, "base-iface": "eth1"}},
    )
    state = move({**BY_DHCP, "vlan": 10}, *host, routes={"config": [route("10.0.0.0/8", "198.51.100.1")]})
    assert "routes" not in state
    assert "ipv4" not in next(interface for interface in state["interfaces"] if interface["name"] == "eth1")


# --- the identity for DHCP servers ---


@pytest.mark.parametrize(
    "configured, profile, expected",
    [
        (None, {}, None),
        (None, {"lease_client_id": LEASE4}, None),
        (None, {"lease_client_id": "FF:12:34"}, "ff:12:34"),
        ("ll", {"lease_client_id": LEASE4}, None),
        ("ll", {}, None),
        # an ID set by the administrator is the same everywhere
        ("host-7", {"lease_client_id": "00:68"}, "host-7"),
        ("01:aa:bb", {}, "01:aa:bb"),
        # a keyword that is resolved with the device's name is not
        ("iaid+duid", {"lease_client_id": "FF:12:34"}, "ff:12:34"),
        ("stable", {"lease_client_id": "00:77"}, "00:77"),
        ("iaid+duid", {}, "iaid+duid"),
        (None, {"dhcp_client_id": "duid"}, "iaid+duid"),
        (None, {"dhcp_client_id": "host-7"}, "host-7"),
    ],
)
def test_client_id(configured, profile, expected):
    had = {**DHCP4, "dhcp-client-id": configured} if configured else DHCP4
    assert stack(move(BY_DHCP, eth(ipv4=had), profile=profile)).get("dhcp-client-id") == expected


@pytest.mark.parametrize(
    "configured, profile, expected",
    [
        (None, {}, None),
        (None, {"lease_duid": LEASE6}, None),
        (None, {"lease_duid": "00:04:9e:b3"}, "00:04:9e:b3"),
        ("ll", {"lease_duid": "00:03:00:01:52:54:00:00:00:99"}, "00:03:00:01:52:54:00:00:00:99"),
        ("uuid", {"lease_duid": "00:04:9e:b3"}, "00:04:9e:b3"),
        ("00:02:00:00", {}, "00:02:00:00"),
    ],
)
def test_duid(configured, profile, expected):
    had = {**AUTO6, "dhcp-duid": configured} if configured else AUTO6
    assert stack(move(BY_BOTH, eth(ipv4=DHCP4, ipv6=had), profile=profile), "ipv6").get("dhcp-duid") == expected


@pytest.mark.parametrize(
    "configured, profile, expected",
    [
        ("iaid+duid", {"lease_client_id": "ff:12:34"}, "iaid+duid"),
        (None, {"lease_client_id": "ff:12:34"}, "ff:12:34"),
        (None, {}, None),
    ],
)
def test_keywords_are_kept_on_the_same_device(configured, profile, expected):
    had = {**DHCP4, "dhcp-client-id": configured} if configured else DHCP4
    assert (
        stack(move({**BY_DHCP, "bridged": False}, eth(ipv4=had), profile=profile), name="eth1").get("dhcp-client-id")
        == expected
    )


@pytest.mark.parametrize(
    "had, expected",
    [
        ({"dhcp-send-hostname": True}, {}),
        ({"dhcp-send-hostname": False}, {"dhcp-send-hostname": False}),
        (
            {"dhcp-send-hostname": True, "dhcp-custom-hostname": "h7.example.org"},
            {"dhcp-custom-hostname": "h7.example.org"},
        ),
    ],
)
def test_hostname(had, expected):
    state = move(BY_BOTH, eth(ipv4={**DHCP4, **had}, ipv6={**AUTO6, **had}))
    for family in ("ipv4", "ipv6"):
        assert {key: value for key, value in stack(state, family).items() if "hostname" in key} == expected


def test_a_static_family_has_no_identity():
    assert stack(move(STATIC, eth(ipv4={**DHCP4, "dhcp-client-id": "host-7"}))) == static4("192.0.2.10/24")


# --- SLAAC ---

FROM_MAC = "2001:db8::5054:ff:fe0c:101/64"


@pytest.mark.parametrize(
    "has, expected",
    [
        ([FROM_MAC], {}),
        ([FROM_MAC, "2001:db8:1::5054:ff:fe0c:101/64"], {}),
        ([FROM_MAC, "2001:db8::dead:beef/64"], {}),
        ([], {}),
        (["2001:db8::1a2b:3c4d:5e6f:7081/64"], {"token": "::1a2b:3c4d:5e6f:7081"}),
        (["2001:db8::1a2b:3c4d:5e6f:7081/64", "2001:db8:1::5/64"], {"token": "::1a2b:3c4d:5e6f:7081"}),
    ],
)
def test_slaac(has, expected):
    state = move(
        BY_BOTH, eth(ipv4=DHCP4, ipv6={**AUTO6, "addr-gen-mode": "stable-privacy"}), profile={"slaac_addresses": has}
    )
    assert {key: value for key, value in stack(state, "ipv6").items() if key in ("token", "addr-gen-mode")} == expected


@pytest.mark.parametrize(
    "had, bridged, expected",
    [
        ({"token": "::7"}, True, {"token": "::7"}),
        ({"token": "::7"}, False, {"token": "::7"}),
        ({"addr-gen-mode": "stable-privacy"}, False, {"addr-gen-mode": "stable-privacy"}),
        ({"addr-gen-mode": "eui64"}, False, {}),
    ],
)
def test_the_address_generation_mode(had, bridged, expected):
    state = move({**BY_BOTH, "bridged": bridged}, eth(ipv4=DHCP4, ipv6={**AUTO6, **had}))
    holder = stack(state, "ipv6", "ovirtmgmt" if bridged else "eth1")
    assert {key: value for key, value in holder.items() if key in ("token", "addr-gen-mode")} == expected


@pytest.mark.parametrize(
    "mac, expected", [("52:54:00:0c:01:01", 0x505400FFFE0C0101), ("", None), ("x", None), ("00:11", None)]
)
def test_eui64(mac, expected):
    assert eui64(mac) == expected


# --- routes and rules ---

HOST = eth(ipv4=static4("192.0.2.10/24"))


@pytest.mark.parametrize(
    "config, expected",
    [
        # a single default route has no metric: otherwise VDSM's first edit would add a second route
        ([route("0.0.0.0/0", "192.0.2.1", metric=50)], [route("0.0.0.0/0", "192.0.2.1", "ovirtmgmt", 0)]),
        # with another default route, the route of the request gets the metric
        (
            [route("0.0.0.0/0", "192.0.2.1", metric=50), route("0.0.0.0/0", "203.0.113.1", "eth2", metric=60)],
            [route("0.0.0.0/0", "192.0.2.1", "ovirtmgmt", 0, metric=50)],
        ),
        (
            [route("0.0.0.0/0", "192.0.2.1", metric=50), route("0.0.0.0/0", "192.0.2.2", metric=900)],
            [
                route("0.0.0.0/0", "192.0.2.1", "ovirtmgmt", 0, metric=50),
                route("0.0.0.0/0", "192.0.2.2", "ovirtmgmt", metric=900),
            ],
        ),
        (
            [route("0.0.0.0/0", "192.0.2.1"), route("0.0.0.0/0", "192.0.2.2", metric=900)],
            [route("0.0.0.0/0", "192.0.2.1", "ovirtmgmt", 0), route("0.0.0.0/0", "192.0.2.2", "ovirtmgmt", metric=900)],
        ),
        ([route("10.0.0.0/8", "192.0.2.5", metric=7)], [route("10.0.0.0/8", "192.0.2.5", "ovirtmgmt", metric=7)]),
        ([route("0.0.0.0/0", "192.0.2.254", number=77)], [route("0.0.0.0/0", "192.0.2.254", "ovirtmgmt", 77)]),
        # the request has another gateway
        ([route("0.0.0.0/0", "192.0.2.254")], []),
        # routes of another device, of a family that is off, and of a table that is VDSM's for the device
        ([route("10.0.0.0/8", "192.0.2.5", "eth2")], []),
        ([route("2001:db8:9::/48", "2001:db8::5")], []),
        ([route("0.0.0.0/0", "192.0.2.1", number=zlib.adler32(b"eth1"))], []),
    ],
)
def test_static_routes(config, expected):
    routes = move(STATIC, HOST, routes={"config": config})["routes"]["config"]
    own = zlib.adler32(b"ovirtmgmt")
    others = [one for one in routes if one["table-id"] != own]
    assert [one["destination"] for one in routes if one["table-id"] == own] == ["0.0.0.0/0", "192.0.2.0/24"]
    if not any(one["destination"] == "0.0.0.0/0" and one["table-id"] == 0 for one in expected):
        expected = [route("0.0.0.0/0", "192.0.2.1", "ovirtmgmt", 0), *expected]
    assert others == expected


def test_without_the_default_route_only_other_routes_move():
    config = [route("0.0.0.0/0", "192.0.2.1"), route("10.0.0.0/8", "192.0.2.5")]
    state = move({**BY_DHCP, "defaultRoute": False}, eth(ipv4=DHCP4), routes={"config": config})
    assert state["routes"]["config"] == [route("10.0.0.0/8", "192.0.2.5", "ovirtmgmt")]


def test_routes_of_a_device_that_keeps_its_addresses_are_not_repeated():
    state = move({**BY_DHCP, "bridged": False}, eth(ipv4=DHCP4), routes={"config": [route("10.0.0.0/8", "192.0.2.5")]})
    assert "routes" not in state


@pytest.mark.parametrize(
    "rule, expected",
    [
        ({"ip-from": "192.0.2.10/32", "route-table": 254, "priority": 100}, {}),
        ({"ip-to": "198.51.100.0/24", "route-table": 77, "priority": 100}, {}),
        ({"family": "ipv4", "iif": "eth1", "route-table": 99, "priority": 100}, {"iif": "ovirtmgmt"}),
        ({"ip-from": "198.51.100.7/32", "route-table": 99, "priority": 100}, None),
        ({"ip-from": "192.0.2.0/24", "route-table": zlib.adler32(b"eth1"), "priority": 3200}, None),
    ],
)
def test_policy_rules(rule, expected):
    config = [
        route("0.0.0.0/0", "192.0.2.254", number=77),
        route("0.0.0.0/0", "192.0.2.1", number=zlib.adler32(b"eth1")),
    ]
    state = move(BY_DHCP, eth(ipv4=DHCP4), routes={"config": config}, route_rules={"config": [rule]})
    assert state.get("route-rules") == (None if expected is None else {"config": [{**rule, **expected}]})


# --- which default route is preferred ---

RIVAL = eth("eth2", ipv4={**DHCP4, "auto-route-table-id": 0})
VLAN = {**eth("eth1.10", ipv4=DHCP4), "type": "vlan", "vlan": {"id": 10, "base-iface": "eth1"}}


@pytest.mark.parametrize(
    "network, interfaces, sections, expected",
    [
        (BY_DHCP, [eth(ipv4=DHCP4)], {}, None),
        (BY_DHCP, [eth(ipv4=DHCP4), RIVAL], {}, 100),
        ({**BY_DHCP, "vlan": 10}, [VLAN, eth(), RIVAL], {}, 400),
        (BY_DHCP, [eth(ipv4={**DHCP4, "auto-route-metric": 7}), RIVAL], {}, 7),
        (BY_DHCP, [eth(ipv4={**DHCP4, "auto-route-metric": 7})], {}, 7),
        (BY_DHCP, [eth(ipv4=DHCP4), eth("eth2", ipv4={**DHCP4, "auto-gateway": False})], {}, None),
        (BY_DHCP, [eth(ipv4=DHCP4), eth("eth2", ipv4={**DHCP4, "auto-route-table-id": 7})], {}, None),
        (BY_DHCP, [eth(ipv4=DHCP4), eth("eth2", ipv4=DHCP4, state="down")], {}, None),
        (BY_DHCP, [eth(ipv4=DHCP4)], {"routes": {"config": [route("0.0.0.0/0", "203.0.113.1", "eth2")]}}, 100),
        (
            BY_DHCP,
            [eth(ipv4=DHCP4)],
            {
                "routes": {
                    "config": [],
                    "running": [
                        route("0.0.0.0/0", "203.0.113.1", "eth2", metric=100),
                        route("0.0.0.0/0", "192.0.2.1", metric=101),
                    ],
                }
            },
            101,
        ),
        ({**BY_DHCP, "defaultRoute": False, "nameservers": None}, [eth(ipv4=DHCP4), RIVAL], {}, None),
        ({**BY_DHCP, "bridged": False}, [eth(ipv4=DHCP4), RIVAL], {}, None),
    ],
)
def test_the_preference_among_dynamic_default_routes(network, interfaces, sections, expected):
    state = move(network, *interfaces, **sections)
    assert (
        stack(state, name="ovirtmgmt" if network.get("bridged", True) else "eth1").get("auto-route-metric") == expected
    )


def test_the_preference_of_a_static_default_route():
    wanted = move(STATIC, HOST, RIVAL)["routes"]["config"]
    assert {(one["destination"], one["table-id"]): one.get("metric") for one in wanted} == {
        ("0.0.0.0/0", 0): 100,
        ("0.0.0.0/0", zlib.adler32(b"ovirtmgmt")): None,
        ("192.0.2.0/24", zlib.adler32(b"ovirtmgmt")): None,
    }


# --- DNS ---


@pytest.mark.parametrize(
    "network, record, config, expected, auto",
    [
        (BY_DHCP, {}, {}, {"server": []}, True),
        (
            BY_DHCP,
            {},
            {"search": ["example.org"], "options": ["rotate"]},
            {"server": [], "search": ["example.org"], "options": ["rotate"]},
            True,
        ),
        # servers set by the administrator beside DHCP are kept, and whether DHCP's servers are used
        (BY_DHCP, {}, {"server": ["203.0.113.53"], "search": []}, {"server": ["203.0.113.53"]}, False),
        # servers of the network itself are removed, as in VDSM
        (
            BY_DHCP,
            {"nic": "eth1", "defaultRoute": True, "nameservers": ["203.0.113.53"]},
            {"server": ["203.0.113.53"]},
            {"server": []},
            True,
        ),
        (
            {**BY_DHCP, "nameservers": ["192.0.2.53"]},
            {},
            {"server": ["203.0.113.53"], "search": ["a"]},
            {"server": ["192.0.2.53"], "search": ["a"]},
            False,
        ),
    ],
)
def test_dns(network, record, config, expected, auto):
    source = eth(ipv4={**DHCP4, "auto-dns": "server" not in config})
    state = move(network, source, running={"ovirtmgmt": record} if record else {}, dns_resolver={"config": config})
    assert state["dns-resolver"]["config"] == expected
    assert stack(state)["auto-dns"] is auto


def test_servers_are_cleared_for_a_network_on_an_unused_nic():
    state = move(
        {**BY_DHCP, "nic": "eth3"}, eth(ipv4=DHCP4), eth("eth3"), dns_resolver={"config": {"server": ["203.0.113.53"]}}
    )
    assert state["dns-resolver"]["config"] == {"server": []}


# --- the reverse direction, and unmodified input ---


def test_from_the_bridge_back_to_the_nic():
    host = (bridge(ipv4=static4("192.0.2.10/24", "198.51.100.10/25")), eth())
    state = move(
        {**STATIC, "bridged": False},
        *host,
        running={"ovirtmgmt": {**STATIC, "bridged": True}},
        routes={"config": [route("10.0.0.0/8", "192.0.2.5", "ovirtmgmt")]},
    )
    assert stack(state, name="eth1")["address"] == addresses("192.0.2.10/24", "198.51.100.10/25")
    assert route("10.0.0.0/8", "192.0.2.5", "eth1") in state["routes"]["config"]


def test_the_input_is_not_modified():
    config = [route("0.0.0.0/0", "192.0.2.1", metric=50)]
    move(STATIC, HOST, RIVAL, routes={"config": config})
    assert config == [route("0.0.0.0/0", "192.0.2.1", metric=50)]
    assert eth(ipv4=static4("192.0.2.10/24")) == HOST


@pytest.mark.parametrize("running", [None, {"networks": {"ovirtmgmt": {"nic": "eth1", "bridged": False}}}])
def test_an_existing_bridge_is_removed_if_its_network_is_bridgeless(running):
    current = {"interfaces": [eth(), bridge(ipv4=DHCP4)]}
    state = desired_state(
        {"networks": {"ovirtmgmt": {**BY_DHCP, "bridged": False}}, "bondings": {}, "options": {}},
        current,
        running=running,
    )
    found = {one["name"]: one for one in state["interfaces"]}
    assert found["ovirtmgmt"]["state"] == "absent"
    assert found["eth1"]["ipv4"]["dhcp"] is True


def test_a_bridge_with_another_port_does_not_belong_to_the_network():
    current = {"interfaces": [eth(ipv4=DHCP4), eth("eth9"), bridge(port="eth9")]}
    state = desired_state(
        {"networks": {"ovirtmgmt": {**BY_DHCP, "bridged": False}}, "bondings": {}, "options": {}}, current
    )
    assert "ovirtmgmt" not in {one["name"] for one in state["interfaces"]}
