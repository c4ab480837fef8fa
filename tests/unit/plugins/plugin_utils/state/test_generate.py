# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""VDSM's layouts of networks, and the intended differences."""

from __future__ import annotations

import zlib

import pytest
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import desired_state

OFF = {"ipv4": {"enabled": False}, "ipv6": {"enabled": False}}
STATIC4 = {"enabled": True, "dhcp": False, "address": [{"ip": "192.0.2.10", "prefix-length": 24}]}
STATIC6 = {"enabled": True, "dhcp": False, "autoconf": False, "address": [{"ip": "2001:db8::10", "prefix-length": 64}]}
LEARNT = {"auto-dns": True, "auto-gateway": True, "auto-routes": True, "auto-route-table-id": 254}
DHCP4 = {"enabled": True, "dhcp": True, **LEARNT}
DYNAMIC6 = {"enabled": True, "dhcp": True, "autoconf": True, **LEARNT}

BY_DHCP = {"bootproto": "dhcp", "defaultRoute": True}
BY_BOTH = {**BY_DHCP, "dhcpv6": True, "ipv6autoconf": True}
STATIC_V4 = {"ipaddr": "192.0.2.10", "netmask": "255.255.255.0"}
STATIC_V6 = {"ipv6addr": "2001:db8::10/64"}
GATEWAYS = {"gateway": "192.0.2.1", "ipv6gateway": "2001:db8::1", "defaultRoute": True}


def table(device):
    return zlib.adler32(device.encode())


def net(**attributes):
    return {"bridged": True, "mtu": 1500, "switch": "legacy", **attributes}


def iface(name, kind, mtu=1500, **properties):
    return {
        "name": name,
        "type": kind,
        "state": "up",
        "mtu": mtu,
        "mac-address": f"52:54:00:00:00:{zlib.crc32(name.encode()) % 256:02X}",
        **OFF,
        **properties,
    }


def vlan(name, base, tag, mtu=1500, **properties):
    return iface(name, "vlan", mtu, vlan={"id": tag, "base-iface": base}, **properties)


def bond(name, *ports, mode="active-backup", mtu=1500, **properties):
    return iface(name, "bond", mtu, **{"link-aggregation": {"mode": mode, "port": list(ports)}, **properties})


def bridge(name, port, mtu=1500, **properties):
    return iface(
        name,
        "linux-bridge",
        mtu,
        bridge={"port": [{"name": port}], "options": {"stp": {"enabled": False}}},
        **properties,
    )


def current(*interfaces, **sections):
    return {"interfaces": list(interfaces), **sections}


def generate(networks=None, bondings=None, host=None, running=None, running_bonds=None):
    request = {"networks": networks or {}, "bondings": bondings or {}, "options": {}}
    return desired_state(request, host or current(), {"networks": running or {}, "bondings": running_bonds or {}})


def named(state):
    return {interface["name"]: interface for interface in state.get("interfaces", [])}


def bridge_on(port, mtu=1500, stp=False, **ip):
    properties = {"port": [{"name": port}] if port else [], "options": {"stp": {"enabled": stp}}}
    return {"name": "ovirtmgmt", "type": "linux-bridge", "state": "up", "mtu": mtu, "bridge": properties, **OFF, **ip}


def base(name, mtu=1500, **ip):
    return {"name": name, "state": "up", "mtu": mtu, **ip}


def tagged(name, on, tag, mtu=1500, **ip):
    return {"name": name, "type": "vlan", "state": "up", "mtu": mtu, "vlan": {"id": tag, "base-iface": on}, **ip}


def bonded(mtu=1500, **ip):
    aggregation = {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"miimon": "100"}}
    return {
        "name": "bond4",
        "type": "bond",
        "state": "up",
        "mtu": mtu,
        "link-aggregation": aggregation,
        "mac-address": "52:54:00:00:00:02",
        **ip,
    }


BONDS = {
    "bond4": {
        "nics": ["eth3", "eth2"],
        "options": "mode=4 miimon=100",
        "hwaddr": "52:54:00:00:00:02",
        "switch": "legacy",
    }
}
ON_NIC, ON_BOND = {"nic": "eth1"}, {"bonding": "bond4"}
POSITIONS = {
    "nic": (ON_NIC, {}, "eth1", lambda top: [base("eth1", **top)]),
    "bond": (ON_BOND, BONDS, "bond4", lambda top: [bonded(**top)]),
    "vlan on nic": (
        {**ON_NIC, "vlan": 10},
        {},
        "eth1.10",
        lambda top: [base("eth1", **OFF), tagged("eth1.10", "eth1", 10, **top)],
    ),
    "vlan on bond": (
        {**ON_BOND, "vlan": 3000},
        BONDS,
        "bond4.3000",
        lambda top: [bonded(**OFF), tagged("bond4.3000", "bond4", 3000, **top)],
    ),
    "vlan 0": (
        {**ON_NIC, "vlan": 0},
        {},
        "eth1.0",
        lambda top: [base("eth1", **OFF), tagged("eth1.0", "eth1", 0, **top)],
    ),
}
IP = {
    "none": ({}, {"ipv4": {"enabled": False}, "ipv6": {"enabled": False}}),
    "dhcp": (BY_DHCP, {"ipv4": DHCP4, "ipv6": {"enabled": False}}),
    "dhcp both": (BY_BOTH, {"ipv4": DHCP4, "ipv6": DYNAMIC6}),
    "dhcpv6": (
        {"dhcpv6": True, "defaultRoute": True},
        {"ipv4": {"enabled": False}, "ipv6": {**DYNAMIC6, "autoconf": False}},
    ),
    "autoconf": ({"ipv6autoconf": True, "defaultRoute": True}, {"ipv4": {"enabled": False}, "ipv6": DYNAMIC6}),
    "static": (STATIC_V4, {"ipv4": STATIC4, "ipv6": {"enabled": False}}),
    "static both": ({**STATIC_V4, **STATIC_V6}, {"ipv4": STATIC4, "ipv6": STATIC6}),
    "static v6": (STATIC_V6, {"ipv4": {"enabled": False}, "ipv6": STATIC6}),
    "dhcp and static v6": ({**BY_DHCP, **STATIC_V6}, {"ipv4": DHCP4, "ipv6": STATIC6}),
}


@pytest.mark.parametrize("bridged", [True, False])
@pytest.mark.parametrize("ip", IP)
@pytest.mark.parametrize("position", POSITIONS)
def test_layouts(position, ip, bridged):
    where, bondings, port, below = POSITIONS[position]
    attributes, expected = IP[ip]
    state = generate({"ovirtmgmt": net(**where, **attributes, bridged=bridged)}, bondings)
    interfaces = below(OFF) + [bridge_on(port, **expected)] if bridged else below(expected)
    assert state == {"interfaces": sorted(interfaces, key=lambda one: one["name"])}


def test_a_network_without_a_nic_is_a_bridge_without_ports():
    assert generate({"ovirtmgmt": net()}) == {"interfaces": [bridge_on(None)]}


def test_an_empty_request_is_an_empty_state():
    assert generate() == {}


@pytest.mark.parametrize("stp", [True, False])
def test_stp_is_always_set(stp):
    assert named(generate({"ovirtmgmt": net(nic="eth1", stp=stp)}))["ovirtmgmt"] == bridge_on("eth1", stp=stp)


@pytest.mark.parametrize(
    "attributes, port",
    [
        (ON_NIC, iface("eth1", "ethernet")),
        (ON_BOND, bond("bond4", "eth2", "eth3")),
        ({**ON_NIC, "vlan": 10}, vlan("eth1.10", "eth1", 10)),
        ({**ON_BOND, "vlan": 3000}, vlan("bond4.3000", "bond4", 3000)),
    ],
)
def test_the_bridge_has_the_mac_of_its_port(attributes, port):
    state = generate({"ovirtmgmt": net(**attributes)}, host=current(port))
    assert named(state)["ovirtmgmt"]["mac-address"] == port["mac-address"]
    assert all("copy-mac-from" not in interface for interface in state["interfaces"])


def test_a_bridge_on_a_new_vlan_has_no_mac():
    state = generate({"ovirtmgmt": net(nic="eth1", vlan=10)}, host=current(iface("eth1", "ethernet")))
    assert "mac-address" not in named(state)["ovirtmgmt"]


def test_a_vlan_device_keeps_its_name_if_vdsms_name_is_in_use():
    host = current(bond("bond4", "eth2", "eth3"), vlan("mgmt3000", "bond4", 3000), vlan("bond4.3000", "bond4", 3001))
    interfaces = named(generate({"ovirtmgmt": net(bonding="bond4", vlan=3000)}, host=host))
    assert set(interfaces) == {"bond4", "mgmt3000", "ovirtmgmt"}
    assert interfaces["ovirtmgmt"]["bridge"]["port"] == [{"name": "mgmt3000"}]


@pytest.mark.parametrize(
    "below, expected",
    [
        (iface("eth1", "ethernet"), {}),  # it is up, and named for its MTU only
        (iface("eth1", "ethernet", ipv4={"enabled": True, "dhcp": True}), {}),
        (iface("eth1", "ethernet", state="down"), OFF),
    ],
)
def test_the_base_of_a_vlan_keeps_its_addresses(below, expected):
    state = generate({"ovirtmgmt": net(nic="eth1", vlan=10)}, host=current(below))
    assert named(state)["eth1"] == base("eth1", **expected)


# --- bonds ---


@pytest.mark.parametrize(
    "options, expected",
    [
        (None, {"mode": "balance-rr", "port": ["eth2", "eth3"]}),
        ("mode=1", {"mode": "active-backup", "port": ["eth2", "eth3"], "options": {}}),
        ("mode=802.3ad lacp_rate=1", {"mode": "802.3ad", "port": ["eth2", "eth3"], "options": {"lacp_rate": "1"}}),
        ("miimon=150", {"mode": "balance-rr", "port": ["eth2", "eth3"], "options": {"miimon": "150"}}),
    ],
)
def test_a_new_bond(options, expected):
    state = generate(bondings={"bond4": {"nics": ["eth3", "eth2"], "options": options}})
    assert state == {
        "interfaces": [{"name": "bond4", "type": "bond", "state": "up", "link-aggregation": expected, **OFF}]
    }


def test_a_bond_that_is_not_in_the_request_is_not_changed():
    state = generate({"ovirtmgmt": net(bonding="bond4", vlan=3000)}, host=current(bond("bond4", "eth2", "eth3")))
    assert named(state)["bond4"] == base("bond4")


def test_a_bond_described_without_options_keeps_its_mode():
    host = current(bond("bond4", "eth2", "eth3", mode="802.3ad"))
    state = generate(bondings={"bond4": {"nics": ["eth2", "eth3"]}}, host=host)
    assert named(state)["bond4"]["link-aggregation"] == {"mode": "802.3ad", "port": ["eth2", "eth3"]}


@pytest.mark.parametrize(
    "ipv4, running_bonds, off",
    [({"enabled": False}, {}, True), ({"enabled": True, "dhcp": True}, {}, False), ({"enabled": False}, BONDS, False)],
)
def test_a_bond_in_use_keeps_its_addresses_below_a_vlan(ipv4, running_bonds, off):
    host = current(bond("bond4", "eth2", "eth3", ipv4=ipv4))
    state = generate({"ovirtmgmt": net(bonding="bond4", vlan=3000)}, BONDS, host, running_bonds=running_bonds)
    assert ("ipv4" in named(state)["bond4"]) is off


def test_the_ports_of_a_removed_bond_have_the_default_mtu():
    host = current(bond("bond4", "eth2", "eth3", mtu=9000), iface("eth2", "ethernet", 9000), iface("eth3", "ethernet"))
    state = generate(bondings={"bond4": {"remove": True}}, host=host, running_bonds=BONDS)
    assert state == {"interfaces": [{"name": "bond4", "type": "bond", "state": "absent"}, base("eth2")]}


# --- MTU ---

BOND_OF_1500 = (bond("bond4", "eth2", "eth3"), iface("eth2", "ethernet"), iface("eth3", "ethernet"))


@pytest.mark.parametrize(
    "networks, running, host, expected",
    [
        # the founding example: everything below is raised, including the ports
        (
            {"ovirtmgmt": net(**ON_BOND, vlan=3000, mtu=9000)},
            {},
            BOND_OF_1500,
            {"bond4": 9000, "bond4.3000": 9000, "eth2": 9000, "eth3": 9000, "ovirtmgmt": 9000},
        ),
        # ports are only named if they change
        (
            {"ovirtmgmt": net(**ON_BOND, vlan=3000)},
            {},
            BOND_OF_1500,
            {"bond4": 1500, "bond4.3000": 1500, "ovirtmgmt": 1500},
        ),
        # the largest of two
        (
            {"ovirtmgmt": net(**ON_NIC, vlan=10, mtu=2000), "storage": net(**ON_NIC, vlan=20, mtu=9000, bridged=False)},
            {},
            (),
            {"eth1": 9000, "eth1.10": 2000, "eth1.20": 9000, "ovirtmgmt": 2000},
        ),
        # a VLAN that is not in the request needs a larger MTU
        (
            {"ovirtmgmt": net(**ON_NIC, vlan=10)},
            {},
            (iface("eth1", "ethernet", 9000), vlan("eth1.20", "eth1", 20, 9000)),
            {"eth1": 9000, "eth1.10": 1500, "ovirtmgmt": 1500},
        ),
        # so does a bridge, and so do addresses of the base's own
        (
            {"ovirtmgmt": net(**ON_NIC, vlan=10)},
            {},
            (iface("eth1", "ethernet", 9000), bridge("storage", "eth1", 9000)),
            {"eth1": 9000, "eth1.10": 1500, "ovirtmgmt": 1500},
        ),
        (
            {"ovirtmgmt": net(**ON_NIC, vlan=10)},
            {},
            (iface("eth1", "ethernet", 9000, ipv4=STATIC4),),
            {"eth1": 9000, "eth1.10": 1500, "ovirtmgmt": 1500},
        ),
        # nothing needs a larger MTU, so it is reduced
        (
            {"ovirtmgmt": net(**ON_NIC, vlan=10)},
            {},
            (iface("eth1", "ethernet", 9000), vlan("eth1.10", "eth1", 10, 9000)),
            {"eth1": 1500, "eth1.10": 1500, "ovirtmgmt": 1500},
        ),
        # the last network leaves
        (
            {"storage": {"remove": True}},
            {"storage": net(**ON_NIC, vlan=20, mtu=9000, bridged=False)},
            (iface("eth1", "ethernet", 9000), vlan("eth1.20", "eth1", 20, 9000)),
            {"eth1": 1500, "eth1.20": None},
        ),
        # one of two leaves
        (
            {"storage": {"remove": True}},
            {"storage": net(**ON_NIC, vlan=20, mtu=9000, bridged=False), "ovirtmgmt": net(**ON_NIC, vlan=10, mtu=2000)},
            (iface("eth1", "ethernet", 9000), vlan("eth1.20", "eth1", 20, 9000), vlan("eth1.10", "eth1", 10, 2000)),
            {"eth1": 2000, "eth1.20": None},
        ),
    ],
)
def test_mtu(networks, running, host, expected):
    state = generate(networks, host=current(*host), running=running)
    assert {interface["name"]: interface.get("mtu") for interface in state["interfaces"]} == expected


# --- changes of a recorded network, and removal ---


@pytest.mark.parametrize(
    "was, becomes, absent",
    [
        (net(**ON_NIC), net(**ON_NIC, bridged=False), {"ovirtmgmt"}),
        (net(**ON_NIC, vlan=10), net(**ON_NIC, vlan=20), {"eth1.10"}),
        (net(**ON_NIC, vlan=10), net(**ON_NIC), {"eth1.10"}),
        (net(**ON_NIC), net(**ON_NIC, vlan=20), set()),
        (net(**ON_NIC, vlan=10), net(nic="eth2", vlan=10), {"eth1.10"}),
        (net(**ON_NIC, vlan=10, bridged=False), {"remove": True}, {"eth1.10"}),
        (net(**ON_NIC, vlan=10), None, {"eth1.10", "ovirtmgmt"}),
    ],
)
def test_remainders_of_a_change_are_removed(was, becomes, absent):
    host = current(iface("eth1", "ethernet"), vlan("eth1.10", "eth1", 10), bridge("ovirtmgmt", "eth1"))
    state = generate({"ovirtmgmt": becomes}, host=host, running={"ovirtmgmt": was})
    assert {interface["name"] for interface in state["interfaces"] if interface["state"] == "absent"} == absent


def test_a_vlan_used_by_another_network_is_kept():
    running = {"red": net(**ON_NIC, vlan=10), "blue": net(**ON_NIC, vlan=20)}
    state = generate({"red": net(**ON_NIC, vlan=20), "blue": net(**ON_NIC, vlan=10)}, running=running)
    assert {interface["state"] for interface in state["interfaces"]} == {"up"}


@pytest.mark.parametrize(
    "host, expected",
    [
        (current(iface("eth1", "ethernet", 9000)), [base("eth1", **OFF), {"name": "ovirtmgmt", "state": "absent"}]),
        (current(), [{"name": "ovirtmgmt", "state": "absent"}]),  # the NIC is gone as well
    ],
)
def test_an_untagged_network_that_is_removed_frees_its_nic(host, expected):
    assert generate({"ovirtmgmt": {"remove": True}}, host=host, running={"ovirtmgmt": net(**ON_NIC, mtu=9000)}) == {
        "interfaces": expected
    }


# --- routes, rules, DNS ---


def default(version, gateway, device, number=0, **more):
    return {
        "destination": {4: "0.0.0.0/0", 6: "::/0"}[version],
        "next-hop-address": gateway,
        "next-hop-interface": device,
        "table-id": number,
        **more,
    }


def own_table(device, gateway="192.0.2.1", subnet="192.0.2.0/24", **more):
    number = table(device)
    return (
        [
            default(4, gateway, device, number, **more),
            {
                "destination": subnet,
                "next-hop-address": "0.0.0.0",
                "next-hop-interface": device,
                "table-id": number,
                **more,
            },
        ],
        [
            {"ip-from": subnet, "priority": 3200, "route-table": number, **more},
            {"ip-to": subnet, "priority": 3200, "route-table": number, **more},
        ],
    )


def test_the_table_of_a_device_is_vdsms():
    assert (own_table("ovirtmgmt")[0][0]["table-id"], own_table("eth0")[0][0]["table-id"]) == (329647082, 66322802)


@pytest.mark.parametrize(
    "attributes, device",
    [
        ({**ON_NIC}, "ovirtmgmt"),
        ({**ON_NIC, "bridged": False}, "eth1"),
        ({**ON_NIC, "vlan": 10, "bridged": False}, "eth1.10"),
    ],
)
def test_static_gateways(attributes, device):
    state = generate({"ovirtmgmt": net(**{**attributes, **STATIC_V4, **STATIC_V6, **GATEWAYS})})
    routes, rules = own_table(device)
    assert state["routes"]["config"] == [default(4, "192.0.2.1", device), default(6, "2001:db8::1", device), *routes]
    assert state["route-rules"]["config"] == rules


def test_without_the_default_route_learned_routes_go_to_the_own_table():
    state = generate({"ovirtmgmt": net(**ON_NIC, bootproto="dhcp")})
    learnt = {key: value for key, value in named(state)["ovirtmgmt"]["ipv4"].items() if key.startswith("auto-")}
    assert learnt == {**LEARNT, "auto-dns": False, "auto-route-table-id": table("ovirtmgmt")}
    assert "dns-resolver" not in state


WAS = net(**ON_NIC, **STATIC_V4, gateway="192.0.2.1", defaultRoute=True)
OLD_ROUTES, OLD_RULES = own_table("ovirtmgmt")
HOST_OF_WAS = current(
    iface("eth1", "ethernet"),
    bridge("ovirtmgmt", "eth1"),
    routes={"config": [default(4, "192.0.2.1", "ovirtmgmt", 254), *OLD_ROUTES]},
    **{"route-rules": {"config": OLD_RULES}},
)


def absent(entries):
    return [{**entry, "state": "absent"} for entry in entries]


@pytest.mark.parametrize(
    "becomes, routes, rules",
    [
        # nothing changes
        (WAS, [default(4, "192.0.2.1", "ovirtmgmt"), *OLD_ROUTES], OLD_RULES),
        # another gateway: its subnet is kept, and not marked as absent
        (
            {**WAS, "gateway": "192.0.2.2"},
            [
                default(4, "192.0.2.2", "ovirtmgmt"),
                default(4, "192.0.2.1", "ovirtmgmt", state="absent"),
                *absent(OLD_ROUTES[:1]),
                *own_table("ovirtmgmt", "192.0.2.2")[0],
            ],
            OLD_RULES,
        ),
        # another prefix: routes and rules of the old subnet are removed
        (
            {**WAS, "netmask": "255.255.0.0"},
            [
                default(4, "192.0.2.1", "ovirtmgmt"),
                *absent(OLD_ROUTES[1:]),
                *own_table("ovirtmgmt", subnet="192.0.0.0/16")[0],
            ],
            absent(OLD_RULES) + own_table("ovirtmgmt", subnet="192.0.0.0/16")[1],
        ),
        # another device: those of the old device are removed
        (
            {**WAS, "bridged": False},
            [default(4, "192.0.2.1", "eth1"), *absent(OLD_ROUTES), *own_table("eth1")[0]],
            absent(OLD_RULES) + own_table("eth1")[1],
        ),
        # to DHCP
        (
            net(**ON_NIC, **BY_DHCP),
            [default(4, "192.0.2.1", "ovirtmgmt", state="absent"), *absent(OLD_ROUTES)],
            absent(OLD_RULES),
        ),
        # it loses the default route
        (
            {**WAS, "defaultRoute": False},
            [default(4, "192.0.2.1", "ovirtmgmt", state="absent"), *OLD_ROUTES],
            OLD_RULES,
        ),
        # it goes
        ({"remove": True}, absent(OLD_ROUTES), absent(OLD_RULES)),
    ],
)
def test_routes_of_a_changed_network(becomes, routes, rules):
    state = generate({"ovirtmgmt": becomes}, host=HOST_OF_WAS, running={"ovirtmgmt": WAS})
    assert state["routes"]["config"] == routes
    assert state["route-rules"]["config"] == rules


def test_the_ipv6_gateway_goes_with_dhcpv6():
    was = net(**ON_NIC, **STATIC_V6, ipv6gateway="2001:db8::1", defaultRoute=True)
    state = generate({"ovirtmgmt": net(**ON_NIC, dhcpv6=True, defaultRoute=True)}, running={"ovirtmgmt": was})
    assert state["routes"]["config"] == [default(6, "2001:db8::1", "ovirtmgmt", state="absent")]


@pytest.mark.parametrize(
    "attributes, was, expected",
    [
        ({**BY_DHCP, "nameservers": []}, {}, []),
        (BY_DHCP, {}, None),
        ({**BY_DHCP, "nameservers": ["192.0.2.53", "2001:db8::53"]}, {}, ["192.0.2.53", "2001:db8::53"]),
        ({"bootproto": "dhcp", "nameservers": []}, {}, None),
        ({"bootproto": "dhcp", "nameservers": []}, {"defaultRoute": True, "nameservers": ["192.0.2.53"]}, []),
        ({"bootproto": "dhcp", "nameservers": []}, {"defaultRoute": True, "nameservers": []}, None),
        ({"remove": True}, {"defaultRoute": True, "nameservers": ["192.0.2.53"]}, []),
    ],
)
def test_dns(attributes, was, expected):
    attributes = attributes if attributes.get("remove") else net(**ON_NIC, **attributes)
    state = generate({"ovirtmgmt": attributes}, running={"ovirtmgmt": net(**ON_NIC, **was)})
    assert state.get("dns-resolver") == (None if expected is None else {"config": {"server": expected}})


def test_static_servers_disable_those_of_dhcp():
    state = generate({"ovirtmgmt": net(**ON_NIC, **BY_BOTH, nameservers=["192.0.2.53"])})
    assert [named(state)["ovirtmgmt"][family]["auto-dns"] for family in ("ipv4", "ipv6")] == [False, False]
