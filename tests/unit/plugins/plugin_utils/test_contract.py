# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract between host_network_facts and the controller's side: the controller only reads keys that the module
returns.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import firewall, packed
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.network import BOND_KEYS, NETWORK_KEYS
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import plan
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.edit import check_request
from ansible_collections.ovirt.mgmt_network.tests.unit.builders import hosts, plans, produced
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.plans import desired_state

COLLECTION = Path(__file__).resolve().parents[4]
QOS = {"out": {"ls": {"m2": 50}, "ul": {"m2": 100000000}}}
LIMITED = {"nic": "eth2", "bridged": False, "hostQos": QOS}
DOCUMENTS = [
    produced.facts("bond_vlan"),
    produced.facts("busy", storage=LIMITED),
    produced.facts("busy", control_address="192.0.2.10"),
]
KEYS = set().union(*(produced.shape(document) for document in DOCUMENTS))
DEFINITIONS = [
    {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000},
    {"name": "ovirtmgmt", "vlan_tag": 3000, "vm_network": False},
    {"name": "ovirtmgmt", "vlan_tag": 3000, "stp": True, "dns_servers": ["192.0.2.99"]},
    {"name": "other"},
    {"name": "storage", "vm_network": False},
]


@pytest.mark.parametrize(
    "fixture",
    [
        hosts.nic_host(hosts.dual_stack()),
        hosts.vlan_host(),
        hosts.founding_host(),
        hosts.managed_host(),
        hosts.bridgeless_host(),
    ],
    ids=["nic", "vlan", "founding", "managed", "bridgeless"],
)
def test_no_fixture_invents_a_key(fixture):
    assert produced.shape(fixture) <= KEYS
    records = fixture["running"] or {"networks": {}, "bondings": {}}
    assert {key for record in records["networks"].values() for key in record} <= set(NETWORK_KEYS)
    assert {key for record in records["bondings"].values() for key in record} <= set(BOND_KEYS)


class Watched(dict):
    """A mapping that records the path of each key that is read in ``asked``."""

    asked: set = set()
    path = ""

    def __init__(self, values, path=""):
        super().__init__({key: watch(value, path, key) for key, value in values.items()})
        self.path = path

    def _note(self, key):
        self.asked.add(f"{self.path}.{'*' if self.path in produced.NAMED else key}".lstrip("."))

    def __getitem__(self, key):
        self._note(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self._note(key)
        return super().get(key, default)

    def __contains__(self, key):
        self._note(key)
        return super().__contains__(key)


def watch(value, path, key):
    here = f"{path}.{'*' if path in produced.NAMED else key}".lstrip(".")
    if here in ("nmstate", "running"):  # nmstate's and VDSM's own keys, validated where they are read
        return value
    return Watched(value, here) if isinstance(value, dict) else value


# What the recorded hosts happen not to have (the tables of networkmanager and hostfacts make it), and VDSM's word in a
# record, read in the same place.
OPTIONAL = {"profiles.*.beyond_nmstate", "profiles.*.slaac_addresses", "profiles.*.token", "networks.*.vlan"}
# A plan must not outlive a change of what it was made from.
DIGESTED = {*plan.READ, "control"}


def test_decisions_only_read_existing_keys():
    Watched.asked = set()
    seen = set()
    for document in DOCUMENTS:
        for definition in DEFINITIONS:
            seen.add(plans.derive(Watched(document), definition, "h")["decision"])
            plans.derive_removal(Watched(document), definition, "h")
    assert seen == {"change", "in_sync", "refuse"}
    # the options of a bond are the driver's, and only those that are not at their default are there
    assert {
        key for key in Watched.asked if not key.startswith(("nmstate", "running", "bondings.*.opts."))
    } - OPTIONAL - KEYS == set()
    assert {key.partition(".")[0] for key in Watched.asked} - DIGESTED == set()


def test_decisions_on_recorded_facts_can_be_validated_and_planned():
    document, definition = DOCUMENTS[0], DEFINITIONS[0]
    request = plans.derive(document, definition, "h")["request"]
    assert check_request(request, document, definition) == request
    state = desired_state(request, document["nmstate"], document["running"], document["profiles"])
    assert [one["name"] for one in state["interfaces"]] == ["bond4", "bond4.3000", "eth1", "eth2", "ovirtmgmt"]


def test_networks_contain_vdsms_quality_of_service():
    assert DOCUMENTS[1]["networks"]["storage"]["hostQos"] == QOS
    assert "hostQos" not in DOCUMENTS[0]["networks"]


@pytest.mark.parametrize(
    "document, given, expected",
    [(DOCUMENTS[2], "", "trusted"), (DOCUMENTS[0], "", ""), (DOCUMENTS[2], "public", "public"), ({}, "", "")],
)
def test_host_deploy_uses_the_zone_of_the_connected_interface(document, given, expected):
    zone = firewall.zone(given, document)
    assert zone == expected
    assert firewall.calls("stopped", zone) == [["firewall-offline-cmd", *([f"--zone={zone}"] if zone else [])]]


def test_host_deploy_keeps_the_lines_of_a_network_small():
    kept = packed.lines(DOCUMENTS[1])
    assert len(kept) < 2500 and packed.difference(kept, DOCUMENTS[1]) == []
    assert any(line.startswith("- ") for line in packed.difference(kept, DOCUMENTS[0]))


def test_roles_and_playbooks_only_read_existing_keys():
    words = re.compile(r"(?:host_network(?:'\])?)\.(\w+)")
    found = {}
    for folder in ("roles", "playbooks"):
        for path in (COLLECTION / folder).rglob("*.yml"):
            for key in words.findall(path.read_text(encoding="utf-8")):
                found.setdefault(key, path.name)
    assert {
        key: name
        for key, name in found.items()
        if key not in set.intersection(*(set(document) for document in DOCUMENTS))
    } == {}
