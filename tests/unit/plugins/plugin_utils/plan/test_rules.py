# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edited requests: each rule with its EngineMessage name."""

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ovirt.mgmt_network.plugins.filter.mgmt_network_request import mgmt_network_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.edit import check_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.rules import RequestError
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import bond, founding_host, nic_host
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import derive

DEFINITION = {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000}
FACTS = {
    **founding_host(),
    "bondings": {"bond4": bond("eth2", "eth3"), "bond5": bond("eth0", "eth9")},
    "networks": {"store": {"iface": "eth1", "mtu": "1500"}},
}
FACTS["nics"]["eth9"] = {"mtu": "1500"}
STATIC = {"bootproto": "none", "ipaddr": "192.0.2.10", "netmask": "255.255.255.0"}
IP = "NETWORK_ATTACHMENT_IP_CONFIGURATION_"


def edited(bondings=None, drop=(), **keys):
    request = copy.deepcopy(derive(FACTS, DEFINITION)["request"])
    network = {**request["networks"]["ovirtmgmt"], **keys}
    request["networks"]["ovirtmgmt"] = {key: value for key, value in network.items() if key not in drop}
    request["bondings"] = bondings if bondings is not None else request["bondings"]
    return request


@pytest.mark.parametrize(
    "request_",
    [
        edited(),
        edited(mtu=1500),
        edited(vlan=10),
        edited(**STATIC),
        edited(nameservers=["192.0.2.53"]),
        edited(bridged=False, stp=False),
    ],
)
def test_valid_requests(request_):
    assert check_request(request_, FACTS, DEFINITION) == request_


@pytest.mark.parametrize(
    "request_, rule, words",
    [
        (
            edited(vlan=4095),
            "NETWORK_VLAN_OUT_OF_RANGE",
            "networks.ovirtmgmt.vlan: got 4095 (integer), expected an integer from 0 to 4094",
        ),
        (edited(vlan="10"), "NETWORK_VLAN_OUT_OF_RANGE", "'10' (string)"),
        (edited(mtu=67), "MTU_VALUE_INVALID", "67"),
        (edited(mtu=9001), "MTU_VALUE_INVALID", "eth2 supports at most 9000"),
        (edited(bridged=False, stp=True), "NON_VM_NETWORK_CANNOT_SUPPORT_STP", "stp"),
        (edited(vlna=10), "", "unknown key, did you mean 'vlan'?"),
        (edited(bridged="yes"), "", "bridged"),
        (edited(ipaddr="192.0.2.10"), IP + "INCOMPATIBLE_BOOT_PROTOCOL_AND_IP_ADDRESS_DETAILS", "and bootproto 'dhcp'"),
        (
            edited(bootproto="none", ipaddr="192.0.2.10"),
            IP + "STATIC_BOOT_PROTOCOL_MISSING_IP_ADDRESS_DETAILS",
            "netmask",
        ),
        (
            edited(**STATIC, ipv6addr="2001:db8::1/64", ipv6gateway="2001:db8::2", defaultRoute=False),
            IP + "STATIC_BOOT_PROTOCOL_IPV6_GATEWAY_ON_NON_DEFAULT_ROUTE_ROLE",
            "without the default route",
        ),
        (edited(bootproto="none"), "ACTION_TYPE_FAILED_ROLE_NETWORK_HAS_NO_BOOT_PROTOCOL", "no IPv4 or IPv6"),
        (
            edited(drop=["bonding"], nic="bond4.3000", bondings={}),
            "ATTACHMENT_REFERENCE_VLAN_DEVICE",
            "bond4.3000 is a VLAN device",
        ),
        (
            edited(drop=["bonding"], nic="eth7", bondings={}),
            "HOST_NETWORK_INTERFACE_HAVING_ID_OR_NAME_DOES_NOT_EXIST",
            "no NIC 'eth7'",
        ),
        (edited(bonding="bond9"), "HOST_NETWORK_INTERFACE_HAVING_ID_OR_NAME_DOES_NOT_EXIST", "no bond 'bond9'"),
        (
            edited(drop=["bonding"], nic="eth2", bondings={}),
            "NETWORK_INTERFACE_ALREADY_IN_BOND",
            "port of the bond bond4",
        ),
        (edited({"bond4": {"nics": ["eth2"]}}), "NETWORK_BONDS_INVALID_SLAVE_COUNT", "only the port eth2"),
        (edited({"bond4": {"nics": ["eth2", "eth2"]}}), "NETWORK_BONDS_INVALID_SLAVE_COUNT", "only"),
        (edited({"team0": {"nics": ["eth2", "eth3"]}}), "NETWORK_BOND_NAME_BAD_FORMAT", "team0"),
        (
            edited({"bond4": {"nics": ["eth2", "bond5"]}}),
            "NETWORK_INTERFACE_BOND_OR_VLAN_CANNOT_BE_SLAVE",
            "bond5 is not a NIC",
        ),
        (
            edited({"bond4": {"nics": ["eth2", "eth7"]}}),
            "HOST_NETWORK_INTERFACE_HAVING_ID_OR_NAME_DOES_NOT_EXIST",
            "eth7",
        ),
        (edited({"bond4": {"nics": ["eth2", "eth9"]}}), "NETWORK_INTERFACE_ALREADY_IN_BOND", "port of the bond bond5"),
        (
            edited({"bond4": {"nics": ["eth2", "eth1"]}}),
            "NETWORK_INTERFACE_ATTACHED_TO_NETWORK_CANNOT_BE_SLAVE",
            "has the network store",
        ),
        (
            edited({"bond4": {"nics": ["eth2", "eth3"], "options": "mode=0"}}),
            "INVALID_BOND_MODE_FOR_BOND_WITH_VM_NETWORK",
            "mode 0",
        ),
        (edited({"bond4": {"remove": True}}), "", "request removes the bond"),
        (edited(bridged=False, stp=False, custom={"bridge_opts": "x"}), "", "networks.ovirtmgmt.custom"),
        ({"networks": {}, "bondings": {}}, "", "does not contain the network ovirtmgmt"),
        ({"networks": {"ovirtmgmt": {"remove": True}}}, "", "does not contain the network ovirtmgmt"),
        (
            {"networks": {**edited()["networks"], "vms": {"nic": "eth0", "defaultRoute": False}}},
            "",
            "the network vms, which the host does not have",
        ),
        ("x", "", "a mapping"),
    ],
)
def test_invalid_requests(request_, rule, words):
    with pytest.raises(RequestError) as caught:
        check_request(request_, FACTS, DEFINITION)
    assert caught.value.engine_message == rule
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "key, value", [("hostQos", {"out": {"ls": {"m2": 70}}}), ("custom", {"bridge_opts": "multicast_snooping=0"})]
)
def test_unsupported_keys_are_refused_unless_vdsm_has_the_same(key, value):
    asked = edited(**{key: value})
    with pytest.raises(RequestError, match=f"networks.ovirtmgmt.{key}: this collection does not configure"):
        check_request(asked, FACTS, DEFINITION)
    running = {"networks": {"ovirtmgmt": {"bonding": "bond4", "vlan": 3000, key: value}}, "bondings": {}}
    assert check_request(asked, {**FACTS, "running": running}, DEFINITION) == asked
    assert check_request(edited(**{key: {}}), FACTS, DEFINITION)


# Rules apply to the host as it would be after the whole request, not to its current state.
ON_BOND4 = {"iface": "vms", "southbound": "bond4.5", "bridged": True, "mtu": "1500"}
HOST = {
    **founding_host(),
    "networks": {"store": {"iface": "eth1", "mtu": "1500"}, "vms": ON_BOND4},
    "running": {"networks": {"store": {"nic": "eth1", "bridged": False}, "vms": {"bonding": "bond4", "vlan": 5}}},
}
HOST["vlans"] = {**HOST["vlans"], "bond4.5": {"iface": "bond4", "vlanid": 5}}
HOST["bondings"] = {"bond4": bond("eth1", "eth2", "eth3"), "bond5": bond("eth0", "eth9")}


def whole(bondings=None, others=None, **keys):
    request = edited(bondings, **keys)
    request["networks"].update(others or {})
    return request


@pytest.mark.parametrize(
    "facts, request_",
    [
        # a NIC that leaves its bond can have a network
        (
            {**HOST, "networks": {}},
            {
                "networks": {"ovirtmgmt": {"nic": "eth1", "bootproto": "dhcp"}, "store": None},
                "bondings": {"bond4": {"nics": ["eth2", "eth3"], "options": "mode=1"}},
            },
        ),
        # a NIC that leaves another bond can be used
        (
            HOST,
            whole(
                {"bond5": {"remove": True}, "bond4": {"nics": ["eth2", "eth3", "eth0"], "options": "mode=1"}},
                {"store": {"remove": True}},
            ),
        ),
        # a removed network can be replaced by another one
        (FACTS, whole(drop=["bonding", "vlan"], nic="eth1", mtu=9000, others={"store": {"remove": True}})),
    ],
)
def test_valid_requests_as_a_whole(facts, request_):
    running = {"networks": {"store": {"nic": "eth1"}, "vms": {"bonding": "bond4", "vlan": 5}}}
    assert check_request(request_, {**facts, "running": running}, DEFINITION) == request_


@pytest.mark.parametrize(
    "request_, rule, words",
    [
        # the bond of another network gets an unsupported mode
        (
            whole(
                {"bond4": {"nics": ["eth2", "eth3"], "options": "mode=5"}}, {"store": None}, bridged=False, drop=["stp"]
            ),
            "INVALID_BOND_MODE_FOR_BOND_WITH_VM_NETWORK",
            "bond4 has mode 5",
        ),
        # its new port does not support the MTU
        (
            whole({"bond4": {"nics": ["eth2", "eth3", "eth6"], "options": "mode=1"}}, mtu=9000),
            "MTU_VALUE_INVALID",
            "eth6 supports at most 1500",
        ),
        # a removed bond below another network
        (
            whole({"bond4": {"remove": True}}, drop=["bonding", "vlan"], nic="eth6", mtu=1500),
            "",
            "The request removes the bond bond4, but the network vms is on it",
        ),
        # two networks of one request on one interface
        (
            whole(
                drop=["bonding", "vlan"],
                nic="eth6",
                mtu=1500,
                others={"store": {"nic": "eth6", "vlan": 7, "mtu": 1400}},
            ),
            "NETWORK_MTU_DIFFERENCES",
            "ovirtmgmt(1500)",
        ),
    ],
)
def test_invalid_requests_as_a_whole(request_, rule, words):
    facts = {**HOST, "nics": {**HOST["nics"], "eth6": {"mtu": "1500"}}, "max_mtu": {"eth6": 1500}}
    facts["bondings"] = {"bond4": bond("eth2", "eth3"), "bond5": HOST["bondings"]["bond5"]}
    with pytest.raises(RequestError) as caught:
        check_request(request_, facts, DEFINITION)
    assert (caught.value.engine_message, words in str(caught.value)) == (rule, True), str(caught.value)


def test_existing_configuration_is_not_a_reason_to_refuse():
    facts = {**HOST, "bondings": {"bond4": bond("eth2"), "bond9": bond("eth1", mode="0")}}
    facts["networks"] = {"vms": {**ON_BOND4, "southbound": "bond9"}}
    request = edited({"bond4": {"nics": ["eth2"], "options": "mode=1"}})
    assert check_request(request, facts, DEFINITION) == request


def test_the_filter_names_rule_and_remedy():
    with pytest.raises(
        AnsibleFilterError,
        match=r"mgmt_network_request: .*4095.*\(NETWORK_VLAN_OUT_OF_RANGE\) Correct the request.*Nothing was changed",
    ):
        mgmt_network_request(edited(vlan=4095), FACTS, DEFINITION)


def test_a_quality_of_service_is_for_all_networks_of_an_interface_or_none():
    limited = {
        "vms": {
            "iface": "vms",
            "southbound": "eth1.5",
            "bridged": True,
            "hostQos": {"out": {"ls": {"m2": 50}}},
            "mtu": "1500",
        }
    }
    facts = nic_host(networks=limited, vlans={"eth1.5": {"iface": "eth1", "vlanid": 5}})
    refused = derive(facts, {"name": "ovirtmgmt"}, "h")
    assert refused["event"]["values"] == {"EngineMessage": "ACTION_TYPE_FAILED_HOST_NETWORK_QOS_INTERFACES_WITHOUT_QOS"}
