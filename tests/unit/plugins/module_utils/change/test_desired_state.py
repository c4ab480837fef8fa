# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""An invalid desired state is rejected with a sentence that names the key, without a traceback."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.change import desired_state
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import digest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import nmstatectl
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run


def one(**iface):
    return {"interfaces": [{"name": "eth1", "state": "up", **iface}]}


MALFORMED = {
    "no mapping": ([], "state: got list, expected a mapping"),
    "an unknown section": ({"interface": []}, "state: unknown key interface, expected one of interfaces"),
    "interfaces by name": ({"interfaces": {"eth1": {}}}, "interfaces: got .*, expected a list"),
    "no name": ({"interfaces": [{"name": "eth1"}, {"type": "bond"}]}, r"interfaces\[1\]: name: got None"),
    "a text in place of an interface": ({"interfaces": ["eth1"]}, r"interfaces\[0\]: got 'eth1', expected a mapping"),
    "an unknown state": (one(state="upp"), "eth1: state: got 'upp'"),
    "an MTU that is none": (one(mtu="jumbo"), "eth1: mtu: got 'jumbo', expected an integer"),
    "an MTU that is a boolean": (one(mtu=True), "eth1: mtu: got True"),
    "a bad address": (
        one(ipv4={"address": [{"ip": "10.0.0.256", "prefix-length": 24}]}),
        "eth1: ipv4: address: got '10.0.0.256', expected an IP address",
    ),
    "no address": (one(ipv4={"address": [{"prefix-length": 24}]}), "eth1: ipv4: address: got None"),
    "an address of the other family": (
        one(ipv6={"address": [{"ip": "10.0.0.1", "prefix-length": 24}]}),
        "expected an IPv6 address",
    ),
    "a prefix that is too long": (
        one(ipv4={"address": [{"ip": "10.0.0.1", "prefix-length": 33}]}),
        "prefix-length: got 33, expected 0 to 32",
    ),
    "no prefix": (one(ipv4={"address": [{"ip": "10.0.0.1"}]}), "prefix-length: got None"),
    "addresses that are no list": (
        one(ipv4={"address": "10.0.0.1/24"}),
        "eth1: ipv4: address: got '10.0.0.1/24', expected a list",
    ),
    "a port of a bridge by its name": (
        one(bridge={"port": ["eth2"]}),
        "eth1: bridge: port: got 'eth2', expected mappings with a name",
    ),
    "a port of a bond by a mapping": (
        one(**{"link-aggregation": {"port": [{"name": "eth2"}]}}),
        "eth1: link-aggregation: port: got .*, expected names",
    ),
    "a destination": (
        {"routes": {"config": [{"destination": "10.0.0.0/99"}]}},
        r"routes: config\[0\]: destination: got '10.0.0.0/99'",
    ),
    "a gateway": (
        {"routes": {"config": [{"next-hop-address": "gw"}]}},
        r"next-hop-address: got 'gw', expected an IP address",
    ),
    "routes that are a list": ({"routes": []}, r"routes: got \[\], expected a mapping"),
    "a rule": ({"route-rules": {"config": [{"ip-from": 10}]}}, "ip-from: got 10, expected a network"),
    "a server": ({"dns-resolver": {"config": {"server": ["one.one"]}}}, "dns-resolver: server: got 'one.one'"),
    "servers that are no list": ({"dns-resolver": {"config": {"server": "10.0.0.1"}}}, "expected a list"),
}


@pytest.mark.parametrize("state, says", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(state, says, monkeypatch):
    with pytest.raises(desired_state.StateError, match=says):
        desired_state.checked(state)
    monkeypatch.setattr(nmstatectl, "show", lambda: {"interfaces": []})
    with pytest.raises(run.TransactionError, match=r"Nothing was changed$"):
        run.plan({"state": state, "persistent": True})


def test_a_state_is_completed_and_the_input_stays():
    given = {
        "description": "for the ticket",
        "routes": None,
        "interfaces": [{"name": "eth1", "mtu": "9000", "mac-address": None}],
        "route-rules": {"config": [{"priority": "5"}]},
    }
    assert desired_state.checked(given) == {
        "interfaces": [{"name": "eth1", "mtu": 9000}],
        "route-rules": {"config": [{"priority": 5}]},
    }
    assert given["interfaces"][0]["mtu"] == "9000"
    assert desired_state.checked({"interfaces": [], "dns-resolver": {"config": {}}}) == {"dns-resolver": {"config": {}}}


CURRENT = {
    "hostname": {"running": "h1", "config": "h1"},
    "interfaces": [
        {
            "name": "eth1",
            "type": "ethernet",
            "state": "up",
            "mtu": 1500,
            "802.1x": {"identity": "me", "password": "<_password_hid_by_nmstate>"},
        },
        {"name": "ovs0", "type": "ovs-bridge", "state": "up"},
        {"name": "vnet0", "type": "tun", "state": "ignore"},
        {
            "name": "br1",
            "type": "linux-bridge",
            "state": "up",
            "bridge": {"port": [{"name": "eth1"}, {"name": "vnet0"}], "options": {"gc-timer": 5}},
        },
    ],
}
REFUSED = {
    "a host's name": ({"hostname": {"config": "other"}}, "^hostname: .* Use the module ansible.builtin.hostname"),
    "a database": ({"ovs-db": {"external_ids": {"a": "b"}}}, "^ovs-db: "),
    "an OVS bridge": (
        {"interfaces": [{"name": "ovs1", "type": "ovs-bridge", "state": "up"}]},
        "^ovs1: a change of type ovs-bridge cannot be undone",
    ),
    "an OVS bridge that is there": ({"interfaces": [{"name": "ovs0", "state": "absent"}]}, "^ovs0: "),
    "a dispatcher script": (one(dispatch={"post-activation": "true"}), "^eth1: dispatch: "),
    "a secret": (one(**{"802.1x": {"password": "x"}}), "^eth1: 802.1x: password: nmstate hides this value"),
    "an unknown key": (one(mtuu=9000), "^eth1: mtuu: unknown key"),
    "a device by its MAC": (one(identifier="mac-address"), "^eth1: identifier: got mac-address"),
    "a MAC of nobody": (one(**{"copy-mac-from": "eth7"}), "^eth1: copy-mac-from: no interface eth7"),
    "a VRF's name": (
        {"routes": {"config": [{"destination": "10.0.0.0/8", "next-hop-interface": "eth1", "vrf-name": "red"}]}},
        "^routes: vrf-name",
    ),
}


@pytest.mark.parametrize("state, says", REFUSED.values(), ids=REFUSED.keys())
def test_state_that_cannot_be_undone_or_compared_is_rejected(state, says, monkeypatch):
    monkeypatch.setattr(nmstatectl, "show", lambda: CURRENT)
    monkeypatch.setattr(run.networkmanager, "profiled_devices", set)
    with pytest.raises(run.TransactionError, match=says) as raised:
        run.plan({"state": state, "persistent": True})
    assert str(raised.value).endswith("Nothing was changed")


@pytest.mark.parametrize(
    "state",
    [
        {"hostname": {"config": "h1"}},
        {"ovs-db": {}},
        one(mtu=1500, type="ethernet"),
        {"description": "words"},
        {"interfaces": [{"name": "br1", "bridge": {"port": [{"name": "eth1"}]}}]},
    ],
)
def test_unchanged_state_is_never_rejected(state, monkeypatch):
    monkeypatch.setattr(nmstatectl, "show", lambda: CURRENT)
    assert run.plan({"state": state, "persistent": True}).missing["state"] == {}


def test_only_guests_are_left_out():
    seen = digest.without_guests(CURRENT)
    assert [iface["name"] for iface in seen["interfaces"]] == ["eth1", "ovs0", "br1"]
    assert seen["interfaces"][2]["bridge"] == {"port": [{"name": "eth1"}], "options": {"gc-timer": 5}}
    assert len(CURRENT["interfaces"][3]["bridge"]["port"]) == 2 and seen["hostname"] == CURRENT["hostname"]
