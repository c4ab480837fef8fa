# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change is verified, and when the probes may start."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import probes
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import prove

STP = {"options": {"stp": {"enabled": True}}, "port": [{"name": "eth1"}]}


def entry(change, before=(), keep=("192.0.2.7",), **more):
    return {
        "id": "t",
        "change": {"interfaces": change},
        "before": {"interfaces": list(before)},
        "keep": list(keep),
        "effects": {},
        "persistent": False,
        "probes": [dict(one) for one in probes.DEFAULT],
        "timeout": 30,
        "snapshot": snapshot(1500),
        **more,
    }


def snapshot(mtu):
    return {
        "devices": {"eth1": {"mtu": mtu, "addresses": ["192.0.2.7/24", "2001:db8::7/64"]}},
        "dns": [],
        "routes": [{"dst": "default", "gateway": gateway, "dev": "eth1"} for gateway in ("192.0.2.1", "2001:db8::1")],
    }


@pytest.mark.parametrize(
    "change, before, expected",
    [
        ([{"name": "ovirtmgmt", "bridge": STP}], [], prove.STP_SECONDS),
        ([{"name": "eth1", "mtu": 9000}], [{"name": "ovirtmgmt", "bridge": STP}], prove.STP_SECONDS),
        ([{"name": "eth2", "mtu": 9000}], [{"name": "virbr0", "bridge": STP}], 0),
        (
            [{"name": "ovirtmgmt", "bridge": {"options": {"stp": {"enabled": False}}}}],
            [{"name": "ovirtmgmt", "bridge": STP}],
            0,
        ),
        ([{"name": "ovirtmgmt", "mtu": 9000}], [{"name": "ovirtmgmt", "bridge": STP}], prove.STP_SECONDS),
        ([], [], 0),
    ],
)
def test_stp_seconds(change, before, expected):
    assert prove.stp_seconds(entry(change, before)) == expected


@pytest.mark.parametrize(
    "states, expected",
    [
        ({}, True),
        ({"eth1": "3"}, True),
        ({"eth1": "1"}, False),
        ({"eth1": "2"}, False),
        ({"eth1": "3", "vnet0": "2"}, False),
        ({"eth1": "3", "eth2": "4"}, True),
        ({"eth1": "4"}, False),
        ({"eth1": "0"}, False),
    ],
)
def test_forwards(states, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(prove, "SYSFS", str(tmp_path))
    (tmp_path / "br0/brif").mkdir(parents=True)
    for port, state in states.items():
        (tmp_path / "br0/brif" / port).touch()
        (tmp_path / port / "brport").mkdir(parents=True)
        (tmp_path / port / "brport/state").write_text(state + "\n")
    assert prove.forwards("br0") is expected


class Clock:
    def __init__(self):
        self.now = 0.0
        self.waiting = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        for one in self.waiting:
            one(self.now)


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(prove, "time", found)
    return found


@pytest.mark.parametrize("opens_at, ends_within", [(30, (30, 31)), (None, (40, 41))])
def test_probes_wait_for_the_spanning_tree(opens_at, ends_within, tmp_path, monkeypatch, clock):
    monkeypatch.setattr(prove, "SYSFS", str(tmp_path))
    for path in ("ovirtmgmt/bridge", "ovirtmgmt/brif", "eth1/brport"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "ovirtmgmt/brif/eth1").touch()
    (tmp_path / "ovirtmgmt/bridge/stp_state").write_text("1\n")
    (tmp_path / "ovirtmgmt/bridge/forward_delay").write_text("1500\n")
    state = tmp_path / "eth1/brport/state"
    state.write_text("1\n")
    clock.waiting.append(lambda now: opens_at and now >= opens_at and state.write_text("3\n"))
    prove.wait_for_bridges(entry([{"name": "ovirtmgmt"}], keep=()), snapshot(1500), 1000)
    assert ends_within[0] <= clock.now <= ends_within[1]


def test_probes_do_not_wait_for_bridges_without_stp(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(prove, "SYSFS", str(tmp_path))
    prove.wait_for_bridges(entry([{"name": "ovirtmgmt"}], keep=()), snapshot(1500), 1000)
    assert clock.now == 0


@pytest.fixture
def host(monkeypatch):
    """The environment of the guard: ``host(answer)``, where ``answer(probe)`` is the result of run(). Returns the
    messages and the probes.
    """
    told, asked = {}, []

    def scripted(answer):
        def run_all(wanted, _snapshot):
            asked.extend(wanted)
            return [answer(one) for one in wanted]

        monkeypatch.setattr(probes, "start", lambda wanted, now: lambda: run_all(wanted, now))
        monkeypatch.setattr(prove.mailbox, "tell", lambda _id, **values: told.update(values) or told)
        monkeypatch.setattr(prove.mailbox, "status_of", lambda _id: told)
        monkeypatch.setattr(
            prove.mailbox, "received", lambda _id, name: told.get("nonce") if name == "confirm" else None
        )
        monkeypatch.setattr(prove.snapshot, "take", lambda: snapshot(9000))
        return told, asked

    return scripted


RAISED = [{"name": "eth1", "mtu": 9000}]


def proven(one, answer, host, seconds=0.2):
    told, asked = host(answer)
    before = prove.baseline(one)
    before.finish()
    begun = len(asked)
    prove.prove(one, before, prove.time.monotonic() + seconds)
    return told, asked[begun:]


def sizes(asked):
    return sorted((one["target"], one["size"]) for one in asked if one["type"] == "path_mtu")


def test_larger_packets_are_probed_in_both_families(host):
    told, asked = proven(entry(RAISED), lambda one: probes.Seen("", None), host)
    assert sizes(asked) == [("192.0.2.1", 9000), ("2001:db8::1", 9000)]
    assert told["not_probed"] == []


def test_a_silent_gateway_does_not_fail_the_path(host):
    told, asked = proven(
        entry(RAISED), lambda one: probes.Seen("" if one["type"] == "duplicate_address" else "no answer", None), host
    )
    assert sizes(asked) == []
    assert [one for one in told["not_probed"] if "path_mtu 192.0.2.1" in one and "1500 bytes" in one and "9000" in one]
    assert [one for one in told["not_probed"] if "path_mtu 2001:db8::1" in one]


def test_a_path_that_reported_its_limit_is_probed(host):
    limit = probes.Seen("the path carries 1450", 1450)
    with pytest.raises(prove.Abort, match="carries 1450"):
        proven(entry(RAISED), lambda one: limit if one["type"] == "path_mtu" else probes.Seen("", None), host)


def test_a_switch_that_drops_silently_is_found(host):
    with pytest.raises(prove.Abort, match="nothing comes back"):
        proven(
            entry(RAISED),
            lambda one: probes.Seen("nothing comes back", None) if one.get("size") == 9000 else probes.Seen("", None),
            host,
        )


def test_a_probe_that_is_no_longer_possible_does_not_fail_the_change(host):
    asked_before = set()

    def answer(one):
        if one["type"] != "duplicate_address" or one["target"] not in asked_before:
            asked_before.add(one["target"])
            return probes.Seen("", None)
        return probes.Seen("br3 of this host is on the same segment", None, False)

    proven(entry([{"name": "eth1", "ipv4": {"enabled": True}}]), answer, host)
    assert asked_before


def test_without_an_mtu_change_paths_are_not_probed(host):
    _told, asked = proven(entry([{"name": "eth1", "ipv4": {"enabled": True}}]), lambda one: probes.Seen("", None), host)
    assert sizes(asked) == []


def test_a_larger_mtu_on_other_devices_is_not_probed(host, monkeypatch):
    one = entry([{"name": "eth2", "mtu": 9000}])
    host(lambda _probe: probes.Seen("", None))
    monkeypatch.setattr(prove.snapshot, "take", lambda: snapshot(1500))
    before = prove.baseline(one)
    before.finish()
    paths, left_out = probes.larger(before.paths, probes.paths(one["probes"], snapshot(1500)), before.saw)
    assert (paths, left_out) == ([], [])


@pytest.mark.parametrize("answer", ["no answer", ""])
@pytest.mark.parametrize("proven_by, commit", [(True, True), (False, True), (False, False)])
def test_a_change_must_be_verifiable(answer, proven_by, commit, host):
    """The probe for duplicates of the host's own address does not verify a change."""
    host(lambda one: probes.Seen("" if one["type"] == "duplicate_address" else answer, None))
    one = entry([], proven=proven_by, commit=commit)
    if answer and commit and not proven_by:
        with pytest.raises(prove.Abort, match="the change cannot be verified"):
            prove.baseline(one)
    else:
        assert prove.baseline(one).paths == []
