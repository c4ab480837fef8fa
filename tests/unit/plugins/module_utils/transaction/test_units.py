# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a guard has started, and when it is stopped."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import mailbox, units

ENTRY = {"id": "one", "base": "/base", "python": "/usr/bin/python3"}


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """``systemd[word]``: the result of systemd-run, "systemctl show", or "systemctl stop", or a function to call."""
    monkeypatch.setattr(mailbox, "RUN", str(tmp_path))
    monkeypatch.setattr(mailbox, "LAST", str(tmp_path / "last.json"))
    monkeypatch.setattr(mailbox, "_unwritten", {})
    monkeypatch.setattr(units, "FIRST_WORD_SECONDS", 0)
    monkeypatch.setattr(units, "_LOOK_SECONDS", 0)
    answers = {"calls": []}

    def run(argv, timeout):
        answers["calls"].append(argv)
        answer = answers.get(argv[0] if argv[0] == "systemd-run" else argv[1], (0, "", ""))
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(units, "run", run)
    return answers


def says(**status):
    def run():
        mailbox.publish({"id": "one", "timeline": [], **status})
        return 0, "", ""

    return run


@pytest.mark.parametrize("status", [{"guard": 77, "phase": "open"}, {"phase": "undone"}])
def test_a_guard_has_started_with_its_first_status(systemd, tmp_path, status):
    systemd["systemd-run"] = says(**status)
    assert units.launch(ENTRY, {"a/b.py": b"x = 1\n"})["phase"] == status["phase"]
    assert (tmp_path / "one" / "code" / "a" / "b.py").read_bytes() == b"x = 1\n"
    assert (tmp_path / "one" / "reserve").stat().st_size > 0
    argv = systemd["calls"][0]
    assert argv[-6:] == ["/usr/bin/python3", "-m", units.ENTRY, "run", "/base", "one"]
    assert "--setenv=PYTHONPATH=%s/one/code" % tmp_path in argv and len(systemd["calls"]) == 1


@pytest.mark.parametrize(
    "answers, message",
    [
        ({"systemd-run": (1, "", "Job failed\n")}, "Job failed"),
        ({"systemd-run": (1, "", "")}, "exit status 1"),
        ({"systemd-run": says(phase="open"), "show": (0, "active\n", "")}, "it did not answer"),
        ({"systemd-run": says(phase="open"), "show": (0, "failed\n", "")}, "it did not answer"),
    ],
)
def test_a_guard_that_does_not_start_is_an_error(systemd, answers, message):
    systemd.update(answers)
    with pytest.raises(CommandError, match=message):
        units.launch(ENTRY, {"a.py": b""})


@pytest.mark.parametrize(
    "answer, alive",
    [
        ((0, "active\n", ""), True),
        ((0, "activating\n", ""), True),  # about to be started again
        ((0, "deactivating\n", ""), True),
        ((0, "inactive\n", ""), False),
        ((0, "failed\n", ""), False),
        ((1, "", "Failed to connect to bus"), True),  # systemd does not answer
        (CommandError("systemctl: timed out", []), True),
    ],
)
def test_alive(systemd, answer, alive):
    systemd["show"] = answer
    assert units.alive("one") is alive
    assert units.stop("one") is not alive


def test_the_code_contains_all_loaded_modules():
    code = units.source_code()
    base = "ansible_collections/ovirt/mgmt_network/plugins/module_utils/"
    assert code[base + "transaction/units.py"].startswith(b"# SPDX")
    assert base + "transaction/__init__.py" in code and all(name.startswith(base) for name in code)
