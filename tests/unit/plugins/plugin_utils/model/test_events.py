# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: the engine's IDs, severities, and texts, and their placeholders."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.events import CATALOGUE, EventError, event

IDS = {
    "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION": (None, "ERROR"),
    "INVALID_BOND_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION": (1118, "ERROR"),
    "VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION": (1119, "ERROR"),
    "SETUP_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK_CONFIGURATION": (1120, "ERROR"),
    "SETUP_NETWORK_FAILED": (None, "ERROR"),
    "PERSIST_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK": (1121, "WARNING"),
    "MANAGEMENT_NETWORK_ON_A_VLAN_DEVICE_THAT_VDSM_CANNOT_EDIT": (None, "WARNING"),
    "MANAGEMENT_NETWORK_WITHOUT_A_PART_OF_THE_CONFIGURATION": (None, "WARNING"),
    "HOST_NETWORKS_NOT_SAVED": (None, "WARNING"),
    "NETWORK_COMMINT_NETWORK_CHANGES": (1104, "NORMAL"),
    "NETWORK_COMMINT_NETWORK_CHANGES_FAILED": (1105, "ERROR"),
    "VDS_NETWORKS_OUT_OF_SYNC": (1110, "WARNING"),
    "VDS_INSTALL": (504, "NORMAL"),
    "VDS_INSTALL_FAILED": (505, "ERROR"),
    "VDS_ANSIBLE_INSTALL_STARTED": (560, "NORMAL"),
    "VDS_ANSIBLE_INSTALL_FINISHED": (561, "NORMAL"),
    "VDS_SET_NONOPERATIONAL_NETWORK": (519, "WARNING"),
    "VDS_SET_NONOPERATIONAL_IFACE_DOWN": (603, "WARNING"),
    "VDS_SET_NON_OPERATIONAL_VM_NETWORK_IS_BRIDGELESS": (9601, "WARNING"),
    "NETWORK_IPV4_GATEWAY_OUT_OF_RANGE": (10929, "WARNING"),
    "VDS_FAILURE": (12, "ERROR"),
    "VDS_DETECTED": (13, "NORMAL"),
}


def test_ids_and_severities():
    assert {name: entry[:2] for name, entry in CATALOGUE.items()} == IDS


@pytest.mark.parametrize("name", sorted(IDS))
def test_every_failure_has_a_remedy(name):
    made = event(name)
    assert bool(made["remedy"]) == (made["severity"] != "NORMAL")
    assert "${" not in made["message"]


@pytest.mark.parametrize(
    "name, options, message",
    [
        (
            "INVALID_BOND_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
            {"host": "h", "interface": "bond4"},
            "Failed to configure management network on host h. Host h has an invalid bond interface (bond4 contains "
            "less than 2 active slaves)"
            " for the management network configuration.",
        ),
        (
            "VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
            {"host": "h", "interface": "nic", "VlanId": 777, "MgmtVlanId": 666},
            "Failed to configure management network on host h. Host h has an interface nic for the management "
            "network configuration with VLAN-ID"
            " (777), which is different from data-center definition (666).",
        ),
        (
            "VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
            {"interface": "nic", "VlanId": None, "MgmtVlanId": 666},
            "Failed to configure management network on the host. The host has an interface nic for the management "
            "network configuration with VLAN-ID"
            " (none), which is different from data-center definition (666).",
        ),
        (
            "SETUP_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK_CONFIGURATION",
            {"host": "h", "reason": "The cable is out."},
            "Failed to configure management network on host h due to setup networks failure. The cable is out.",
        ),
        ("NETWORK_COMMINT_NETWORK_CHANGES_FAILED", {}, "Failed to commit network changes on the host"),
        (
            "NETWORK_COMMINT_NETWORK_CHANGES",
            {"host": "h", "reason": "At last."},
            "Network changes were saved on host h. At last.",
        ),
        (
            "VDS_NETWORKS_OUT_OF_SYNC",
            {"Networks": "ovirtmgmt"},
            "The host's following network(s) are not synchronized with their Logical Network configuration: ovirtmgmt.",
        ),
        ("VDS_DETECTED", {"host": "h", "HostStatus": "up"}, "Status of host h was set to up."),
        ("VDS_DETECTED", {"host": "h"}, "Status of host h was set to <UNKNOWN>."),
        (
            "NETWORK_IPV4_GATEWAY_OUT_OF_RANGE",
            {"host": "h", "interface": "eth1", "Gateway": "192.0.2.1", "ClusterName": "c"},
            "IPv4 gateway 192.0.2.1 is out of the subnet range defined by the IP address and netmask specified on "
            "eth1 in host h of cluster c",
        ),
    ],
)
def test_text(name, options, message):
    assert event(name, **options)["message"] == message


def test_all_keys_of_an_event():
    assert event("VDS_DETECTED", "h", "eth1", HostStatus="up", Extra=1) == {
        "name": "VDS_DETECTED",
        "id": 13,
        "severity": "NORMAL",
        "message": "Status of host h was set to up.",
        "host": "h",
        "interface": "eth1",
        "values": {"HostStatus": "up", "Extra": 1},
        "remedy": "",
    }
    assert event("VDS_FAILURE", remedy="Plug it in.")["remedy"] == "Plug it in."


def test_values_are_not_templates():
    assert (
        event("VDS_DETECTED", "${HostStatus}", HostStatus="${VdsName}")["message"]
        == "Status of host ${HostStatus} was set to ${VdsName}."
    )


def test_unknown_name():
    with pytest.raises(EventError, match="unknown event 'VDS_LOST'; expected one of: .*VDS_FAILURE"):
        event("VDS_LOST")
