# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell code of the early-boot unit."""

from __future__ import annotations

import errno
import os
import re
import subprocess

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import boot_unit, journal


@pytest.fixture
def unit(tmp_path, monkeypatch):
    """``(entry, start)``: an armed unit, whose interpreter prints its words; ``start(boot)`` runs it, made by the boot
    with that id.
    """
    monkeypatch.setattr(boot_unit, "UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(boot_unit, "WANTS", str(tmp_path / "units" / "wants"))
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\necho $PYTHONPATH $*\n")
    python.chmod(0o755)
    entry = {"id": "one", "base": str(tmp_path / "var"), "python": str(python)}
    os.mkdir(entry["base"])
    boot_unit.arm(entry)

    def start(boot):
        script = re.search("ExecStart=/bin/sh -c '(.*)'\n", boot_unit.text(entry, boot)).group(1)
        return subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout

    return entry, start


def there(entry):
    return os.path.exists(os.path.join(boot_unit.UNITS, boot_unit.NAME)), os.path.exists(entry["base"])


def test_a_start_in_the_same_boot_does_nothing(unit):
    entry, start = unit
    os.mkdir(entry["base"] + "/new-one")
    assert (
        start(journal.boot_id()) == "" and there(entry) == (True, True) and os.path.exists(entry["base"] + "/new-one")
    )


@pytest.mark.parametrize("left", ["new-one", "ended-one", ""])
def test_without_a_journal_it_removes_itself_and_remainders(unit, left):
    entry, start = unit
    os.makedirs(os.path.join(entry["base"], left, "code"))
    assert start("another boot") == ""
    assert there(entry) == (False, left == "") and not os.path.exists(boot_unit.WANTS)


def test_a_unit_that_cannot_be_written_leaves_nothing(unit, monkeypatch):
    entry, _start = unit
    boot_unit.disarm()

    def text(*_words):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(boot_unit, "text", text)
    with pytest.raises(OSError, match="No space left"):
        boot_unit.arm(entry)
    boot_unit.disarm()
    assert os.listdir(boot_unit.UNITS) == []


@pytest.mark.parametrize("state", ["transaction", "committed"])
def test_with_a_journal_it_runs_the_code_in_it(unit, state):
    entry, start = unit
    folder = os.path.join(entry["base"], state)
    os.mkdir(folder)
    open(folder + "/journal.json", "w", encoding="ascii").close()
    assert start("another boot").split() == [folder + "/code", "-m", boot_unit.units.ENTRY, "boot", entry["base"]]
    assert there(entry) == (True, True)


def test_an_aside_journal_stays(unit):
    entry, start = unit
    os.mkdir(entry["base"] + "/aside-zero")
    start("another boot")
    assert os.listdir(entry["base"]) == ["aside-zero"]
