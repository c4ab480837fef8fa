# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as data, the digest of the facts that it was made from, and requests that a hook has edited."""

from __future__ import annotations

import copy
import dataclasses
import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.derive import plan_management_network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.edit import with_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import Options, Plan, PlanError, digest_facts
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.remove import plan_removal
from ansible_collections.ovirt.mgmt_network.tests.unit.builders import produced
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import (
    bridgeless_host,
    founding_host,
    host,
    managed_host,
    nic_host,
)

DEFINITION = {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000}
FOUNDING = produced.facts("bond_vlan")
OPTIONS = Options("h")


@pytest.mark.parametrize(
    "plan",
    [
        plan_management_network(FOUNDING, DEFINITION, OPTIONS),
        plan_management_network(host("br0", bridges={"br0": {}}), {"name": "ovirtmgmt"}, OPTIONS),
        plan_removal(managed_host(), {"name": "ovirtmgmt"}, OPTIONS),
        plan_removal(nic_host(), {"name": "ovirtmgmt"}, OPTIONS),
    ],
    ids=["change", "refuse", "removal", "nothing to remove"],
)
def test_every_producer_returns_a_plan_as_plain_data(plan):
    data = plan.to_dict()
    assert list(data) == [entry.name for entry in dataclasses.fields(Plan)]
    assert json.loads(json.dumps(data)) == data
    assert Plan.from_dict(data) == plan
    assert set(plan.request) == {"networks", "bondings", "options"} and set(plan.record) == {"networks", "bondings"}
    assert len(plan.facts_digest) == 64


@pytest.mark.parametrize("data", [None, [], {}, {"decision": "change"}])
def test_other_data_is_not_a_plan(data):
    with pytest.raises(PlanError):
        Plan.from_dict(data)


def test_a_decision_is_one_of_three():
    data = plan_removal(nic_host(), {"name": "ovirtmgmt"}, OPTIONS).to_dict()
    with pytest.raises(PlanError, match="got 'maybe', expected in_sync, change or refuse"):
        Plan.from_dict({**data, "decision": "maybe"})


def test_a_change_has_all_parts():
    plan = plan_management_network(FOUNDING, DEFINITION, OPTIONS)
    assert [entry["name"] for entry in plan.state["interfaces"]] == ["bond4", "bond4.3000", "eth1", "eth2", "ovirtmgmt"]
    assert plan.record == {key: plan.request[key] for key in ("networks", "bondings")}
    assert set(plan.settings) == {"bond4", "ovirtmgmt"}


def test_a_missing_record_does_not_change_the_network():
    plan = plan_management_network(
        managed_host(running={"networks": {}, "bondings": {}}), {"name": "ovirtmgmt"}, OPTIONS
    )
    assert ([entry["attribute"] for entry in plan.differences], plan.state, plan.settings) == (["persistence"], {}, {})
    assert list(plan.record["networks"]) == ["ovirtmgmt"]


def _set(facts, path, value):
    changed = copy.deepcopy(facts)
    *parents, last = path
    entry = changed
    for key in parents:
        entry = entry[key]
    entry[last] = value
    return changed


@pytest.mark.parametrize(
    "path, value, same",
    [
        (("nics", "eth1", "speed"), 25000, True),
        (("bondings", "bond4", "active_slave"), "eth9", True),
        (("versions",), {"kernel": "9"}, True),
        (("routes",), [], True),
        (("nics", "eth1", "mtu"), "1400", False),
        (("bondings", "bond4", "slaves"), ["eth1"], False),
        (("bondings", "bond4", "opts", "mode"), "4", False),
        (("lastClientIface",), "eth0", False),
        (("running", "networks"), {"a": {}}, False),
        (("profiles", "bond4.3000", "settings"), {"connection.zone": "trusted"}, False),
        (("nmstate", "routes", "config"), [{"destination": "0.0.0.0/0"}], False),
    ],
)
def test_the_digest_covers_what_a_plan_depends_on(path, value, same):
    assert (digest_facts(_set(FOUNDING, path, value)) == digest_facts(FOUNDING)) is same


def test_the_digest_ignores_taps_of_guests():
    facts = managed_host()
    assert digest_facts(_set(facts, ("bridges", "ovirtmgmt", "ports"), ["eth1", "vnet7"])) == digest_facts(facts)
    assert digest_facts(_set(facts, ("bridges", "ovirtmgmt", "ports"), ["eth2"])) != digest_facts(facts)


def _edited(plan, **keys):
    request = copy.deepcopy(plan.request)
    request["networks"][plan.network].update(keys)
    return request


def test_an_edited_request_is_planned_again():
    facts = founding_host()
    plan = plan_management_network(facts, DEFINITION, OPTIONS)
    assert with_request(plan, copy.deepcopy(plan.request), facts, DEFINITION, OPTIONS) is plan
    edited = _edited(plan, mtu=8000)
    new = with_request(plan, edited, facts, DEFINITION, OPTIONS)
    assert (new.decision, new.request, new.record["networks"]) == ("change", edited, edited["networks"])
    assert {entry.get("mtu") for entry in new.state["interfaces"] if entry["name"] == "ovirtmgmt"} == {8000}


@pytest.mark.parametrize(
    "keys, rule, word",
    [
        ({"vlan": 5000}, "NETWORK_VLAN_OUT_OF_RANGE", "vlan"),
        ({"hostQos": {"out": {}, "in": {}}}, "", "quality of service"),
        ({"surprise": 1}, "", "surprise"),
    ],
)
def test_an_edited_request_that_violates_a_rule_is_refused(keys, rule, word):
    facts = founding_host()
    plan = plan_management_network(facts, DEFINITION, OPTIONS)
    new = with_request(plan, _edited(plan, **keys), facts, DEFINITION, OPTIONS)
    assert (new.decision, new.event["id"], new.event["values"].get("EngineMessage", "")) == ("refuse", 1120, rule)
    assert word in new.event["message"] and (new.state, new.request["networks"]) == ({}, {})


def test_the_request_of_a_removal_cannot_be_edited():
    facts = managed_host()
    plan = plan_removal(facts, {"name": "ovirtmgmt"}, OPTIONS)
    assert with_request(plan, plan.request, facts, {"name": "ovirtmgmt"}, OPTIONS) is plan
    new = with_request(plan, _edited(plan, mtu=8000), facts, {"name": "ovirtmgmt"}, OPTIONS)
    assert (new.decision, new.record) == ("refuse", {"networks": {}, "bondings": {}})


def _moving(record):
    """A host whose bridgeless network gets another VLAN tag, with settings that cannot be carried over."""
    stack = {"ipv4": {"enabled": True, "dhcp": True}, "ipv6": {"enabled": False}}
    eth1 = {"name": "eth1", "type": "ethernet", "state": "up", "mac-address": "52:54:00:00:00:01", **stack}
    records = {"ovirtmgmt": {"nic": "eth1", "bridged": False, "defaultRoute": True}} if record else {}
    profile = {"beyond_nmstate": ["the route 10.0.0.0/8 with onlink true"], "lease_client_id": "ff:01"}
    return bridgeless_host(
        running={"networks": records, "bondings": {}}, nmstate={"interfaces": [eth1]}, profiles={"eth1": profile}
    )


@pytest.mark.parametrize("record", [True, False])
def test_addresses_move_with_their_configuration_with_or_without_a_vdsm_record(record):
    definition = {"name": "ovirtmgmt", "vm_network": False, "vlan_tag": 10}
    plan = plan_management_network(_moving(record), definition, OPTIONS)
    assert (plan.decision, plan.event["interface"]) == ("refuse", "eth1")
    assert "configure_mgmt_permit_loss: [route_or_rule]" in plan.remedy
    plan = plan_management_network(_moving(record), definition, Options("h", permit_loss=["route_or_rule"]))
    assert (plan.decision, [warning["values"] for warning in plan.warnings]) == ("change", [{"Loss": "route_or_rule"}])
    vlan = next(entry for entry in plan.state["interfaces"] if entry["name"] == "eth1.10")
    assert vlan["ipv4"]["dhcp-client-id"] == "ff:01"


def test_a_removal_keeps_the_name_of_the_vlan_device_in_the_settings_too():
    vlan = {"vlans": {"mgmt": {"iface": "eth1", "vlanid": 10}}, "port": "mgmt"}
    up = {"state": "up", "ipv6": {"enabled": False}}
    state = [
        {"name": "eth1", "type": "ethernet", **up},
        {"name": "mgmt", "type": "vlan", "vlan": {"id": 10, "base-iface": "eth1"}, **up},
        {"name": "ovirtmgmt", "type": "linux-bridge", "ipv4": {"enabled": True, "dhcp": True}, **up},
    ]
    profiles = {"ovirtmgmt": {"settings": {"connection.zone": "internal"}}}
    facts = managed_host(**vlan, nmstate={"interfaces": state}, profiles=profiles)
    plan = plan_removal(facts, {"name": "ovirtmgmt"}, OPTIONS)
    assert (plan.decision, plan.settings) == ("change", {"mgmt": {"connection.zone": "internal"}})
