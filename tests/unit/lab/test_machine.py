# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of tools, locks and digests."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.ovirt.mgmt_network.tests.lab import machine


@pytest.mark.parametrize("name", ["h1", "bond-vlan", "a" * 30])
def test_names(name):
    assert machine.checked_name(name, "host") == name


@pytest.mark.parametrize("name", ["", "H1", "1h", "../x", "a b", "a/b", "a" * 31, "-a", "h1\n"])
def test_invalid_names(name):
    with pytest.raises(machine.LabError, match="cannot name a host"):
        machine.checked_name(name, "host")


class TestDigest:
    def test_content_and_name_count(self, tmp_path):
        (tmp_path / "a").write_text("1")
        first = machine.tree_digest(tmp_path)
        (tmp_path / "a").write_text("2")
        second = machine.tree_digest(tmp_path)
        (tmp_path / "a").rename(tmp_path / "b")
        assert len({first, second, machine.tree_digest(tmp_path), machine.tree_digest(tmp_path, text="x")}) == 4

    def test_compiled_files_and_modes_do_not(self, tmp_path):
        (tmp_path / "a").write_text("1")
        first = machine.tree_digest(tmp_path)
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__/a.pyc").write_text("x")
        (tmp_path / "a").chmod(0o600)
        assert machine.tree_digest(tmp_path) == first


class TestRun:
    def test_output(self):
        done = machine.run(["cat"], input="words")
        assert (done.returncode, done.stdout) == (0, "words")

    def test_failure_says_what_the_tool_said(self):
        with pytest.raises(machine.LabError, match="exit status 3\nbecause"):
            machine.run(["sh", "-c", "echo because >&2; exit 3"])

    def test_unchecked(self):
        assert machine.run(["sh", "-c", "exit 3"], check=False).returncode == 3

    def test_missing_tool(self):
        with pytest.raises(machine.LabError, match="no-such-tool is missing"):
            machine.run(["no-such-tool"])

    def test_timeout_ends_the_children_too(self, tmp_path):
        begin = time.monotonic()
        with pytest.raises(machine.LabError, match="timed out after"):
            machine.run(["sh", "-c", f"sleep 60 & echo $! >{tmp_path}/pid; wait"], timeout=0.5)
        assert time.monotonic() - begin < 10
        with pytest.raises(ProcessLookupError):
            _ended(int((tmp_path / "pid").read_text()))


def _ended(pid):
    """Raises ProcessLookupError once the process is gone or dead."""
    for _round in range(50):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
                if stream.read().rsplit(")", 1)[1].split()[0] == "Z":
                    raise ProcessLookupError
        except FileNotFoundError:
            raise ProcessLookupError from None
        time.sleep(0.1)


class TestParallel:
    def test_results_in_order(self):
        assert machine.in_parallel(2, lambda one: one * 2, [1, 2, 3]) == [2, 4, 6]

    def test_one_failure_leaves_the_others_alone(self):
        done = []

        def work(one):
            if one == 1:
                raise machine.LabError("one")
            done.append(one)

        with pytest.raises(machine.LabError, match="one"):
            machine.in_parallel(2, work, [1, 2, 3])
        assert sorted(done) == [2, 3]

    def test_interrupt_ends_tools_and_tidies_up(self, tmp_path):
        code = f"""
import sys
sys.path[:0] = {sys.path!r}
from ansible_collections.ovirt.mgmt_network.tests.lab import machine
def work(one):
    try:
        print("begun", flush=True)
        machine.run(["sleep", "60"])
    except machine.LabError:
        with machine.tidying():
            machine.run(["touch", "{tmp_path}/" + one])
        raise
try:
    machine.in_parallel(1, work, ["first", "second"])
except KeyboardInterrupt:
    print("interrupted")
"""
        with subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + code],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout.readline() == "begun\n"
            time.sleep(0.3)
            process.send_signal(2)
            assert process.communicate(timeout=20)[0] == "interrupted\n"
        assert [path.name for path in tmp_path.iterdir()] == ["first"]


class TestLocks:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(machine, "IMAGES", tmp_path)

    def test_no_file_is_left(self, tmp_path):
        with machine.locked("x"):
            assert [path.name for path in tmp_path.iterdir()] == ["x.lock"]
        assert not list(tmp_path.iterdir())

    def test_shared_owners_do_not_wait_for_each_other(self, tmp_path):
        with machine.locked("x", shared=True):
            with machine.locked("x", shared=True):
                pass
            assert list(tmp_path.iterdir())
        assert not list(tmp_path.iterdir())

    def test_turns_are_taken(self):
        order = []

        def second():
            with machine.locked("x"):
                order.append("second")

        other = threading.Thread(target=second)
        with machine.locked("x"):
            other.start()
            time.sleep(0.4)
            order.append("first")
        other.join(10)
        assert order == ["first", "second"]
