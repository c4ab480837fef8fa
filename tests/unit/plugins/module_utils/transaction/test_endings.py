# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint that an undo may end; the end of transactions on a simulated host, with missing files, full disks, or
killed processes.
"""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects.base import Host as HostNow
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects.base import Plan
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import checkpoint as checkpoints
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import durable_files, profile_files
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import boot_unit, endings, journal, mailbox
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run as transaction
from ansible_collections.ovirt.mgmt_network.tests.unit.plugins.module_utils.transaction.scripted import Host


def checkpoint(path, created=5000, timeout=170):
    return {"path": path, "created": created, "timeout": timeout, "devices": []}


KILLED = {"foreign": ["/C/1"], "apply_window": [4000, 24000]}


@pytest.mark.parametrize(
    "status, there, expected",
    [
        pytest.param(
            {"checkpoint": "/C/2", **KILLED},
            [checkpoint("/C/1"), checkpoint("/C/2"), checkpoint("/C/3")],
            ["/C/2"],
            id="known",
        ),
        pytest.param(
            {"checkpoint": "/C/2", **KILLED}, [checkpoint("/C/1"), checkpoint("/C/3")], [], id="known, and gone"
        ),
        pytest.param(KILLED, [checkpoint("/C/1"), checkpoint("/C/2")], ["/C/2"], id="killed while nmstatectl ran"),
        pytest.param(
            KILLED,
            [checkpoint("/C/1"), checkpoint("/C/2", timeout=230)],
            ["/C/2"],
            id="nmstate has extended its timeout",
        ),
        pytest.param(
            {"checkpoint": "", **KILLED}, [checkpoint("/C/1"), checkpoint("/C/2")], ["/C/2"], id="killed, none known"
        ),
        pytest.param(KILLED, [checkpoint("/C/2", created=3999)], [], id="made before nmstatectl was called"),
        pytest.param(KILLED, [checkpoint("/C/2", created=24001)], [], id="made when nmstatectl was over"),
        pytest.param(KILLED, [checkpoint("/C/2", timeout=0)], [], id="without a timeout"),
        pytest.param(
            KILLED,
            [checkpoint("/C/3", created=9000), checkpoint("/C/2", created=5000)],
            ["/C/2"],
            id="the first of two",
        ),
        pytest.param({}, [checkpoint("/C/1")], [], id="nothing was applied"),
    ],
)
def test_own_checkpoints(status, there, expected):
    assert checkpoints.own(status, there) == expected


@pytest.fixture
def host(tmp_path, monkeypatch):
    (tmp_path / "var").mkdir()
    return Host(tmp_path, monkeypatch)


OLD, NEW = {"eth1": "old"}, {"eth1": "new", "ovirtmgmt": "new"}


def lose(entry):
    os.unlink(entry["path"] + "/files" + entry["path_of_eth1"])


def cut_short(entry):
    open(entry["path"] + "/files" + entry["path_of_eth1"], "w", encoding="ascii").close()


def lose_all(entry):
    os.rename(entry["path"] + "/files", entry["path"] + "/elsewhere")


def stale(entry):
    entry["path"] = entry["path"] + "-of-before"


@pytest.mark.parametrize("damage", [lose, cut_short, lose_all, stale])
def test_an_undo_never_uses_a_damaged_copy(host, damage):
    entry = host.open()
    entry["path_of_eth1"] = str(host.folder / "eth1.nmconnection")
    mailbox.tell("one", checkpoint="/C/7")
    host.checkpoints = [checkpoint("/C/7")]
    damage(entry)
    endings.undo(entry, "apply", "for a test")
    assert host.profiles() == NEW, "no profile was deleted"
    assert "roll back /C/7" in host.calls and not any("connection reload" in one for one in host.calls)
    assert host.status()["phase"] == "undone" and host.status()["exact"] is False
    assert "damaged" in host.status()["left"][0]["new"]


def test_a_damaged_copy_at_boot_deletes_nothing_and_is_reported(host):
    entry = host.open()
    entry["path_of_eth1"] = str(host.folder / "eth1.nmconnection")
    cut_short(entry)
    host.boots = "next boot"
    with pytest.raises(SystemExit):
        endings.boot(host.base)
    assert host.profiles() == NEW
    assert host.status()["phase"] == "failed" and "damaged" in host.status()["reason"]


def test_a_commit_whose_flush_fails_is_reverted(host, monkeypatch):
    entry = host.open()
    monkeypatch.setattr(durable_files, "sync", broken_sync(host.base))
    with pytest.raises(OSError):
        journal.commit_point(entry)
    assert journal.read(host.base)[0] == "open" and not journal.is_committed(entry)
    monkeypatch.undo()
    assert os.path.isdir(entry["path"])


def broken_sync(base):
    real = durable_files.sync

    def sync(path):
        if path == base:
            raise OSError(errno.EIO, "Input/output error")
        real(path)

    return sync


def test_a_full_disk_uses_the_reserved_space_for_the_undo(host, monkeypatch):
    entry, real = host.open(), profile_files._copy_file

    def copy(source, target):
        if os.path.exists(entry["path"] + "/reserve"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(profile_files, "_copy_file", copy)
    assert journal.put_back(entry, profile_files.ON_DISK) and host.profiles() == OLD


@pytest.mark.parametrize("last_resort", ["none", "reboot"])
def test_a_networkmanager_that_does_not_start_is_reported_and_the_last_resort_is_reached(host, last_resort):
    entry = host.open(last_resort=last_resort)
    host.trouble = {"bring_back": CommandError("nmcli: exit status 8: NetworkManager is not running", [])}
    endings.undo(entry, "apply", "for a test")
    assert host.profiles() == OLD
    assert "not running" in host.status()["left"][0]["new"]
    assert ("systemctl reboot" in host.calls) == (last_resort == "reboot")
    assert (host.status()["phase"] == "undone") == (last_resort == "none")
    assert bool(journal.find()[0]) == (last_resort == "reboot"), "the early-boot unit ends it"


def test_a_read_only_disk_keeps_the_journal_and_reaches_the_last_resort(host, monkeypatch):
    entry = host.open(last_resort="reboot")
    monkeypatch.setattr(profile_files, "restore", raising(OSError(errno.EROFS, "Read-only file system")))
    endings.undo(entry, "apply", "for a test")
    assert "systemctl reboot" in host.calls and journal.find()[0] == "open"
    assert "Read-only" in host.status()["left"][0]["new"]


def raising(trouble):
    def step(*_words, **_options):
        raise trouble

    return step


def test_a_full_run_does_not_prevent_an_undo(host, monkeypatch):
    entry = host.open()
    monkeypatch.setattr(mailbox, "_publish", raising(OSError(errno.ENOSPC, "No space left on device")))
    endings.undo(entry, "apply", "for a test")
    assert host.profiles() == OLD and not journal.find()[0]
    assert host.status()["phase"] == "undone" and host.status()["exact"]


def test_a_full_run_has_reserved_space_for_the_status(host, monkeypatch):
    host.open()
    reserve, real = os.path.join(mailbox.folder("one"), "reserve"), mailbox._publish
    durable_files.reserve(reserve, 4096)

    def write(path, status):
        if os.path.exists(reserve):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, status)

    monkeypatch.setattr(mailbox, "_publish", write)
    mailbox.tell("one", phase="undoing")
    assert not mailbox._unwritten and host.status()["phase"] == "undoing"


class Killed(BaseException):
    pass


def test_an_undo_killed_during_the_diagnosis_reports_after_a_restart(host):
    entry = host.open()
    journal.begin_life(entry)
    host.trouble = {"write": Killed()}
    with pytest.raises(Killed):
        endings.undo(entry, "prove", "for a test")
    host.trouble = {}
    transaction.guarded(host.base, "one")
    assert host.status()["phase"] == "undone" and host.profiles() == OLD and not journal.find()[0]
    assert (host.status()["step"], host.status()["reason"]) == ("prove", "for a test") and len(
        host.status()["repairs"]
    ) == 2


@pytest.mark.parametrize("outcome, phase", [("committed", "committed"), ("undone", "undone"), (None, "failed")])
def test_a_guard_without_a_journal_reports_the_outcome_and_ends(host, outcome, phase):
    entry = host.open()
    mailbox.tell("one", outcome=outcome)
    journal.close(entry)
    transaction.guarded(host.base, "one")
    assert host.status()["phase"] == phase
    assert not os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME))


def test_a_guard_killed_after_the_commit_point_completes_it(host):
    journal.commit_point(host.open())
    transaction.guarded(host.base, "one")
    assert host.status()["phase"] == "committed" and host.profiles() == NEW and not os.path.exists(host.base)


def test_nothing_is_undone_after_the_commit_point(host, monkeypatch):
    """A failure at this point (a read-only disk) must not cause an undo, which would have no journal."""
    entry = host.open()
    journal.commit_point(entry)
    monkeypatch.setattr(journal, "close", raising(OSError(errno.EROFS, "Read-only file system")))
    endings.carry_forward(entry)
    assert host.status()["phase"] == "committed" and host.profiles() == NEW
    assert os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME)), "the next boot removes the journal"


@pytest.mark.parametrize("lives, applied, expected", [(0, False, "done"), (1, False, "undone"), (1, True, "undone")])
def test_a_restarted_guard_undoes_independent_of_the_status(host, monkeypatch, lives, applied, expected):
    entry = host.open()
    mailbox.tell("one", phase="applied" if applied else "open")
    monkeypatch.setattr(transaction, "_live", lambda entry: mailbox.tell(entry["id"], phase="done"))
    for _one in range(lives):
        journal.begin_life(entry)
    transaction.guarded(host.base, "one")
    assert host.status()["phase"] == expected


def test_an_open_journal_always_has_its_boot_unit(host, monkeypatch):
    """After a power cut at any step: if there is a journal with its name, there is also the unit."""
    seen = []

    def look(real):
        def step(*words, **options):
            seen.append((bool(journal.find()[0]), os.path.islink(os.path.join(boot_unit.WANTS, boot_unit.NAME))))
            return real(*words, **options)

        return step

    for module, name in ((os, "rename"), (os, "unlink"), (os, "symlink"), (os, "fsync")):
        monkeypatch.setattr(module, name, look(getattr(module, name)))
    endings.end(host.open())
    assert (True, True) in seen and (True, False) not in seen
    assert not journal.find()[0] and not os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME))


def boot_again(host, entry, how):
    """Later boots, and changes of the profiles in the meantime."""
    if how != "applied":
        entry.pop("applied", None)
    else:
        journal.update(entry, applied=profile_files.digests())
    if how == "edited":
        host.write("eth1", "edited by a human")
    if how == "put back":
        host.write("eth1", "old")
        os.unlink(host.folder / "ovirtmgmt.nmconnection")
    if how == "cut":
        host.write("ovirtmgmt", "")
    host.boots = "next boot"


@pytest.mark.parametrize("how", ["applied", "cut", "edited"])
def test_the_first_boot_undoes_any_state_after_a_power_cut(host, how):
    boot_again(host, host.open(), how)
    endings.boot(host.base)
    assert host.profiles() == OLD and not os.path.exists(host.base) and host.status()["phase"] == "undone"


@pytest.mark.parametrize(
    "how, expected, phase", [("applied", OLD, "undone"), ("edited", {**NEW, "eth1": "edited by a human"}, "failed")]
)
def test_a_later_boot_only_undoes_known_files(host, how, expected, phase):
    entry = host.open()
    boot_again(host, entry, how)
    assert journal.first_boot(entry)  # one that did not succeed
    endings.boot(host.base)
    assert host.profiles() == expected and host.status()["phase"] == phase and not journal.find()[0]


@pytest.mark.parametrize(
    "how, expected, said",
    [
        ("applied", OLD, "was undone, because its unverified change was still present"),
        (
            "edited",
            {**NEW, "eth1": "edited by a human"},
            "the profile files have changed since, so it cannot be undone now",
        ),
        ("cut", {**NEW, "ovirtmgmt": ""}, "the profile files have changed since, so it cannot be undone now"),
        ("put back", OLD, ""),
    ],
)
def test_a_module_uses_a_journal_of_an_earlier_boot_only_if_it_knows_the_profiles(host, how, expected, said):
    boot_again(host, host.open(), how)
    assert said in transaction.recover_left_over()
    assert host.profiles() == expected and not journal.find()[0]
    assert not os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME))
    assert how == "applied" or not any("connection" in one for one in host.calls), "nothing was activated"


@pytest.mark.parametrize(
    "trouble", [(1, "", "Failed to connect to bus"), CommandError("systemctl: timed out after 10 s", [])]
)
def test_liveness_fails_closed(host, trouble):
    host.open()
    host.trouble = {"systemctl show": trouble}
    with pytest.raises(transaction.TransactionError, match="another transaction is open"):
        transaction.recover_left_over()
    assert host.profiles() == NEW and journal.find()[0] == "open"


@pytest.mark.parametrize("lives, expected", [(0, NEW), (1, OLD)])
def test_a_journal_without_its_guard_is_undone_if_the_guard_had_begun(host, monkeypatch, lives, expected):
    entry = host.open()
    monkeypatch.setattr(journal, "age", lambda _entry: 10)
    for _one in range(lives):
        journal.begin_life(entry)
    transaction.recover_left_over()
    assert (
        host.profiles() == expected
        and not journal.find()[0]
        and not os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME))
    )


def begin(host):
    now = HostNow()
    now._current = {"interfaces": []}
    plan = Plan({"state": {}, "persistent": True}, now)
    plan.missing = {"state": {"interfaces": [{"name": "eth1"}]}, "settings": {}}
    return transaction.begin(plan, host.options())


def test_a_guard_that_may_be_alive_keeps_its_journal(host):
    """systemd-run times out after the guard has started, and systemd no longer answers."""
    host.trouble = {
        "systemd-run": CommandError("systemd-run: timed out after 15 s", []),
        "systemctl": CommandError("systemctl: timed out after 20 s", []),
    }
    with pytest.raises(transaction.TransactionError, match="does not report it as stopped"):
        begin(host)
    assert journal.find()[0] == "open" and os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME))


def test_a_guard_is_stopped_before_its_journal_is_removed(host):
    """systemd-run times out; the guard is alive and has begun to change profiles."""
    there = []

    def guard_begins(words):
        if words.startswith("systemd-run"):
            journal.begin_life(journal.find()[1])
            host.write("eth1", "new")
        if words.startswith("systemctl stop"):
            there.append(journal.find()[0])

    host.on_call = guard_begins
    host.trouble = {"systemd-run": CommandError("systemd-run: timed out after 15 s", [])}
    with pytest.raises(
        transaction.TransactionError, match="The change was undone, and the old state was restored exactly"
    ):
        begin(host)
    assert there == ["open"] and host.profiles() == OLD and not journal.find()[0]


@pytest.mark.parametrize(
    "trouble",
    [CommandError("systemd-run: exit status 1: Job failed", []), (0, "", "")],
    ids=["not executable", "no first word"],
)
def test_an_interpreter_that_systemd_cannot_execute_is_an_error_with_nothing_changed(host, trouble):
    host.trouble = {"systemd-run": trouble}
    with pytest.raises(transaction.TransactionError, match="cannot start the guard.*Nothing was changed"):
        begin(host)
    assert host.profiles() == OLD and not os.path.exists(host.base) and not os.listdir(boot_unit.UNITS)
    assert [name for name in os.listdir(mailbox.RUN) if name.startswith("2")] == []


@pytest.mark.parametrize(
    "loader", [None, object(), type("Gone", (), {"get_source": raising(OSError("no such file"))})()]
)
def test_a_module_without_its_source_changes_nothing(host, monkeypatch, loader):
    monkeypatch.setattr(profile_files, "__loader__", loader)
    with pytest.raises(
        transaction.TransactionError, match="cannot read the source of .*profile_files.*Nothing was changed"
    ):
        begin(host)
    assert host.profiles() == OLD and not os.path.exists(host.base) and not os.path.exists(boot_unit.UNITS)


def test_a_full_run_at_the_start_is_rejected(host, monkeypatch):
    monkeypatch.setattr(mailbox, "_publish", raising(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(transaction.TransactionError, match="No space left.*Nothing was changed"):
        begin(host)
    assert not journal.find()[0] and not any(one.startswith("systemd-run") for one in host.calls)


def test_the_units_have_timeouts(host):
    with pytest.raises(transaction.TransactionError):
        begin(host)
    words = next(one for one in host.calls if one.startswith("systemd-run"))
    assert "Type=exec" in words and "StartLimitBurst=" in words and "StartLimitIntervalSec=0" not in words
    assert "TimeoutStartSec=" in boot_unit.text({"id": "one", "base": "/b", "python": "/usr/bin/python3"}, "boot")
