# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transaction on a host with scripted tools: the order of the steps, early ends, and the parts of an undo. The real
tools are tested on lab hosts (scenarios, faults).
"""

from __future__ import annotations

import types

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import base, every, profile_settings
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import gather, snapshot
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import (
    networkmanager,
    nmstatectl,
    profile_files,
)
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import (
    boot_unit,
    diagnosis,
    endings,
    journal,
    mailbox,
    prove,
    run,
    units,
)
from ansible_collections.ovirt.mgmt_network.tests.unit.plugins.module_utils.transaction.scripted import Host

STP = {"interfaces": [{"name": "ovirtmgmt", "bridge": {"options": {"stp": {"enabled": True}}}}]}
CHANGE = {"interfaces": [{"name": "eth1", "mtu": 9000}]}
DIFFERENCE = {"device": "eth1", "what": "zone", "old": "a", "new": "b"}


class Scripted(base.Effect):
    """An effect that records its methods in ``log`` and fails at the one in ``trouble``."""

    def __init__(self, name, log, trouble):
        self.name, self.log, self.trouble = name, log, trouble

    def _verb(self, verb, answer=None):
        self.log.append("%s %s" % (verb, self.name))
        trouble = self.trouble.get("%s %s" % (verb, self.name))
        if isinstance(trouble, Exception):
            raise trouble
        return trouble or answer

    def missing(self, plan):
        return self._verb("missing", plan.request.get(self.name))

    def read(self, plan):
        return self._verb("read", "now")

    def snapshot(self, plan):
        return plan.missing[self.name]

    def devices(self, part):
        return part.get("devices", ())

    def prepare(self, part, context):
        self._verb("prepare")

    def put(self, part, context):
        self._verb("put")

    def seal(self, part, context):
        return self._verb("seal", {"tree": self.name})

    def commit(self, prepared):
        return {"recorded " + self.name: self._verb("commit", prepared)}

    def discard(self, prepared):
        if prepared:
            self._verb("discard %s of" % prepared["tree"])

    def undo(self, part, context):
        return self._verb("undo", [])


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A scripted host with the effects a, b and c, of which c has nothing to do; ``host.log`` has all steps in order,
    ``host.trouble`` makes one fail.
    """
    (tmp_path / "var").mkdir()
    host = Host(tmp_path, monkeypatch)
    host.log = []
    monkeypatch.setattr(every, "EFFECTS", tuple(Scripted(name, host.log, host.trouble) for name in "abc"))

    def step(module, name, words, answer=None, call=None):
        def scripted(*args, **options):
            host.log.append(words)
            if words in host.trouble:
                raise host.trouble[words]
            return call(*args, **options) if call else answer

        monkeypatch.setattr(module, name, scripted)

    step(prove, "baseline", "baseline", types.SimpleNamespace(finish=lambda: host.log.append("probed")))
    step(prove, "prove", "prove")
    step(prove, "check_checkpoint", "checkpoint is there")
    step(prove, "check_addresses", "addresses are there")
    step(profile_files, "flush", "flush profiles")
    step(networkmanager, "destroy_checkpoint", "destroy checkpoint")
    step(journal, "commit_point", "commit point", call=journal.commit_point)
    step(journal, "close", "close journal", call=journal.close)
    step(journal, "put_back", "put files back", call=journal.put_back)
    step(diagnosis, "keep_failure", "keep failure")
    step(endings, "_bring_back", "bring network back", call=lambda *_words: list(host.left))
    return host


def opened(host, **more):
    """An open journal during which nmstate has created the checkpoint 7; the log is reset."""
    entry = host.open(effects={"a": {"of": "a"}, "b": {"of": "b"}}, **more)
    mailbox.tell("one", phase="open", checkpoint="/C/7")
    host.checkpoints = [{"path": "/C/7", "created": 0, "timeout": 9, "devices": []}]
    host.log.clear()
    return entry


COMMITTED = (
    "baseline, prepare a, prepare b, probed, put a, put b, prove, checkpoint is there, addresses are there, seal b, "
    "seal a, flush profiles, destroy checkpoint, commit point, commit a, commit b, commit c, close journal"
)
UNDONE = "put files back, destroy checkpoint, bring network back, undo b, undo a, close journal"


def test_the_order_of_a_transaction(host):
    opened(host)
    run.guarded(host.base, "one")
    assert ", ".join(host.log) == COMMITTED
    status = host.status()
    phases = [entry["phase"] for entry in status["timeline"]]
    # baseline, applied and the confirmation are prove's
    assert phases == ["applied", "open", "preparing", "applying", "committing", "committed"]
    assert status["recorded a"] == {"tree": "a"} and status["recorded c"] is None
    assert host.profiles() == {"eth1": "new", "ovirtmgmt": "new"} and not journal.find()[0]


REFUSED = base.EffectError("refused", error={"kind": "InvalidArgument"})
EARLY_ENDS = {
    "baseline": (prove.Abort("prove", "nothing would prove the change"), "prove", ""),
    "prepare b": (REFUSED, "prepare", ""),
    "put a": (REFUSED, "apply", ""),
    "put b": (CommandError("nmcli: no end within 10 s", []), "apply", ""),
    "prove": (prove.Abort("prove", "no confirmation"), "prove", ""),
    "checkpoint is there": (prove.Abort("prove", "gone"), "prove", ""),
    "addresses are there": (prove.Abort("prove", "not back"), "prove", ""),
    "seal b": (OSError("no space"), "commit", ""),
    "seal a": (OSError("no space"), "commit", "discard b of b, "),
    "flush profiles": (OSError("I/O error"), "commit", "discard b of b, discard a of a, "),
    "commit point": (OSError("I/O error"), "commit", "discard b of b, discard a of a, "),
    "put b ": (ZeroDivisionError("a fault of our own"), "apply", ""),
}


@pytest.mark.parametrize("where", EARLY_ENDS)
def test_an_early_end_is_undone(host, where):
    trouble, step, discarded = EARLY_ENDS[where]
    opened(host)
    host.trouble[where.strip()] = trouble
    run.guarded(host.base, "one")
    done, _keep, undone = ", ".join(host.log).partition(", keep failure, ")
    assert done == COMMITTED[: COMMITTED.index(where.strip()) + len(where.strip())]
    assert undone == discarded + UNDONE
    status = host.status()
    assert (status["phase"], status["step"], status["exact"]) == ("undone", step, True)
    assert str(trouble) in status["reason"] and status.get("error") == getattr(trouble, "details", {}).get("error")
    assert host.profiles() == {"eth1": "old"} and not journal.find()[0]


def test_a_checkpoint_that_cannot_be_ended_undoes_the_change(host):
    opened(host)
    host.trouble["destroy checkpoint"] = networkmanager.NetworkManagerError("NetworkManager refused it")
    run.guarded(host.base, "one")
    assert host.status()["step"] == "commit" and "cannot end the checkpoint" in host.status()["reason"]
    assert host.profiles() == {"eth1": "old"} and "commit point" not in host.log


def test_a_commit_that_is_on_disk_is_not_undone(host, monkeypatch):
    opened(host)
    real = journal.commit_point

    def commit_point(entry):
        real(entry)
        raise OSError("Input/output error")

    monkeypatch.setattr(journal, "commit_point", commit_point)
    run.guarded(host.base, "one")
    assert host.status()["phase"] == "committed" and host.profiles()["eth1"] == "new"


@pytest.mark.parametrize(
    "status, paths, expected",
    [
        ({}, [], None),  # nmstate had nothing to do
        ({"foreign": [], "apply_window": [0, 9], "checkpoint": "/C/7"}, [], "/C/7"),
        ({"foreign": [], "apply_window": [0, 9], "checkpoint": ""}, ["/C/8"], "/C/8"),
        ({"foreign": [], "apply_window": [0, 9], "checkpoint": ""}, [], prove.Abort),
    ],
)
def test_the_checkpoint_is_found_after_the_change(host, status, paths, expected):
    host.open()
    mailbox.tell("one", **status)
    host.checkpoints = [{"path": path, "created": 5, "timeout": 9, "devices": []} for path in paths]
    if expected is prove.Abort:
        with pytest.raises(prove.Abort, match="its checkpoint is gone"):
            run._find_checkpoint("one")
    else:
        run._find_checkpoint("one")
        assert host.status().get("checkpoint") == expected


@pytest.mark.parametrize(
    "trouble, left, restarts",
    [
        ({}, [], False),
        ({"undo a": [DIFFERENCE]}, [DIFFERENCE], False),
        ({"undo b": CommandError("nmcli: no end", [])}, ["network"], False),
        ({"undo a": [DIFFERENCE], "undo b": [DIFFERENCE]}, [DIFFERENCE], False),
        ({}, [{"device": "eth1", "what": "mtu", "old": 1500, "new": 9000}], True),
    ],
)
def test_exact_covers_the_network_and_all_effects(host, trouble, left, restarts):
    entry = opened(host)
    host.trouble.update(trouble)
    if restarts:
        host.left = left
    endings.undo(entry, "prove", "for a test")
    status = host.status()
    assert status["exact"] is (not left)
    assert [DIFFERENCE if item == DIFFERENCE else item["what"] for item in status["left"]] == [
        DIFFERENCE if item == DIFFERENCE else item if isinstance(item, str) else item["what"] for item in left
    ]
    assert ("systemctl restart NetworkManager" in host.calls) is restarts
    assert host.log.index("undo b") < host.log.index("undo a")


def test_the_network_settles_again_after_an_effect_has_changed_it(host, monkeypatch):
    entry, settled = opened(host), []
    monkeypatch.setattr(endings, "_settle", lambda _entry: settled.append(True) or [])
    endings.undo(entry, "prove", "for a test")
    assert not settled
    entry = opened(host)
    monkeypatch.setattr(Scripted, "undo", lambda self, part, context: context.say("applied again") or [])
    endings.undo(entry, "prove", "for a test")
    assert settled == [True] and "applied again" in host.status()["repairs"]


# --- run by the module ---


def request(**more):
    return {"state": {}, "persistent": True, **more}


def test_a_plan_asks_each_effect(host):
    plan = run.plan(request(a={"of": "a"}, c={}))
    assert plan.missing == {"a": {"of": "a"}, "b": {}, "c": {}} and plan.present == {"a": "now", "b": {}, "c": {}}
    assert host.log == ["missing a", "missing b", "missing c", "read a"]
    assert every.live(plan.missing) and not every.live({"b": {}})


@pytest.mark.parametrize(
    "state, trouble, says",
    [
        ([], {}, "state: got list"),
        ({}, {"missing b": base.RequestError("b: eth9 is no device")}, "b: eth9 is no device. Nothing was changed"),
    ],
)
def test_an_invalid_request_is_rejected(host, state, trouble, says):
    host.trouble.update(trouble)
    with pytest.raises(run.TransactionError, match=says):
        run.plan(request(state=state))
    assert host.calls == [] and not journal.find()[0]


def planned(parts):
    now = base.Host()
    now._current = {"interfaces": [{"name": "eth1", "mtu": 1500}]}
    plan = base.Plan(request(), now)
    plan.missing = {"a": {}, "b": {}, "c": {}, "state": CHANGE, **parts}
    return plan


def test_the_order_of_a_begin(host, monkeypatch):
    steps = []

    def step(module, name, words, call):
        monkeypatch.setattr(module, name, lambda *args, **options: steps.append(words) or call(*args, **options))

    step(networkmanager, "checkpoint_paths", "no checkpoint of others", list)
    step(snapshot, "take", "snapshot", snapshot.take)
    step(units, "source_code", "code", lambda: {"mod.py": b"x = 1\n"})
    step(profile_files, "copy", "copy profiles", profile_files.copy)
    step(boot_unit, "arm", "arm boot unit", boot_unit.arm)
    step(journal, "_claim", "name journal", journal._claim)
    step(mailbox, "publish", "status", mailbox.publish)

    def launch(entry, code):
        assert journal.find()[1]["id"] == entry["id"] and code == {"mod.py": b"x = 1\n"}
        return {"id": entry["id"], "phase": "open"}

    step(units, "launch", "guard", launch)
    status = run.begin(planned({"a": {"devices": ["eth7"]}}), host.options())
    assert ", ".join(steps) == (
        "no checkpoint of others, snapshot, code, copy profiles, arm boot unit, name journal, status, status, guard"
    )
    state, entry = journal.find()
    assert state == "open" and status["id"] == entry["id"]
    assert entry["effects"] == {"a": {"devices": ["eth7"]}} and entry["change"] == CHANGE
    assert entry["scope"]["devices"] == ["eth1", "eth7"] and entry["scope"]["named"] == ["eth1"]


def test_nothing_begins_under_another_programs_checkpoint(host, monkeypatch):
    monkeypatch.setattr(networkmanager, "checkpoint_paths", lambda: ["/C/3"])
    monkeypatch.setattr(networkmanager, "checkpoint_owner", lambda _path: "made by a test")
    clock = iter([0.0, 1.0])
    monkeypatch.setattr(run.time, "monotonic", lambda: next(clock))
    with pytest.raises(run.TransactionError, match="checkpoint /C/3 is still open.*Nothing was changed"):
        run.begin(planned({}), host.options())
    assert not journal.find()[0] and host.calls == []


def test_effects_without_a_guard_are_applied_directly(host, monkeypatch):
    plan = planned({"a": {"of": "a"}})
    assert run.put_at_once(plan)["recorded a"] == {"tree": "a"}
    assert host.log == ["seal a", "commit a", "commit b", "commit c"]


# --- facts after the commit ---

CONTROL = {"local": "192.0.2.1", "peer": "192.0.2.9", "ssh_connection_source": "environment"}


@pytest.mark.parametrize(
    "asked, trouble, expected",
    [
        (True, None, {"hidden": ["w*", "usb*"], "control": CONTROL}),
        (False, None, None),
        (True, nmstatectl.NmstateError("no"), None),
        (True, OSError("no space"), None),
    ],
)
def test_facts_are_written_if_the_controller_requests_them(host, monkeypatch, asked, trouble, expected):
    def gathered(hidden, control):
        if trouble:
            raise trouble
        return {"hidden": list(hidden), "control": control}

    monkeypatch.setattr(gather, "gather", gathered)
    opened(host, control=CONTROL)
    if asked:
        mailbox.send("one", "facts")
    run.guarded(host.base, "one")
    assert host.status()["phase"] == "committed" and host.facts() == expected


# --- bounds ---


@pytest.mark.parametrize("timeout", [10, 30, 60, 120, 600])
@pytest.mark.parametrize("change, more", [({"interfaces": [{"name": "eth1"}]}, 0), (STP, prove.STP_SECONDS), ({}, 0)])
def test_the_checkpoint_outlives_the_steps_under_it(timeout, change, more):
    bounds = run.bounds({"timeout": timeout, "change": change, "effects": {}})
    assert bounds["prove"] == timeout + more
    assert bounds["checkpoint"] >= bounds["apply"] + bounds["prove"] + run.CHECKPOINT_MARGIN
    slower = run.bounds({"timeout": timeout, "change": change, "effects": {"settings": {"ovirtmgmt": {}}}})
    assert slower["checkpoint"] == bounds["checkpoint"] + profile_settings.SECONDS
