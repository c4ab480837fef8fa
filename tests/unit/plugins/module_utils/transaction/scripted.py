# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host: files in a folder, and scripted tools."""

from __future__ import annotations

import json
import os

from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import repair
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import snapshot
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import (
    kernel,
    networkmanager,
    nmcli,
    profile_files,
)
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import (
    boot_unit,
    diagnosis,
    endings,
    journal,
    mailbox,
    units,
)
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run as transaction


class Host:
    """A simulated host with files in ``top``: profiles, journal, units, /run. Its tools return ``rc``; calls are
    recorded.
    """

    def __init__(self, top, monkeypatch):
        self.calls, self.left, self.checkpoints, self.trouble, self.on_call = [], [], [], {}, None
        self.folder = top / "etc" / "system-connections"
        self.folder.mkdir(parents=True)
        self.write("eth1", "old")
        self.base = str(top / "var" / "journal")
        monkeypatch.setattr(os, "fsync", lambda _handle: None)  # no power cut in this test
        monkeypatch.setattr(profile_files, "ON_DISK", (str(self.folder),))
        monkeypatch.setattr(profile_files, "IN_MEMORY", (str(top / "run-profiles"),))
        monkeypatch.setattr(journal, "DISK", self.base)
        monkeypatch.setattr(journal, "MEMORY", str(top / "run" / "journal"))
        monkeypatch.setattr(mailbox, "RUN", str(top / "run"))
        monkeypatch.setattr(mailbox, "LAST", str(top / "run" / "last.json"))
        monkeypatch.setattr(mailbox, "_unwritten", {})
        monkeypatch.setattr(units, "FIRST_WORD_SECONDS", 0.3)
        monkeypatch.setattr(boot_unit, "UNITS", str(top / "units"))
        monkeypatch.setattr(boot_unit, "WANTS", str(top / "units" / "wants"))
        monkeypatch.setattr(
            snapshot, "take", lambda: {"devices": {"eth1": {}}, "guests": {}, "routes": [], "rules": [], "dns": []}
        )
        monkeypatch.setattr(snapshot, "guests", dict)
        for name in ("bring_back", "settle"):
            monkeypatch.setattr(repair, name, lambda *_words, name=name: self._do(name, self.left))
        monkeypatch.setattr(networkmanager, "objects", dict)
        monkeypatch.setattr(networkmanager, "checkpoint_paths", list)
        monkeypatch.setattr(networkmanager, "checkpoints_of", lambda _managed: self.checkpoints)
        monkeypatch.setattr(networkmanager, "destroy_checkpoint", lambda path: self.calls.append("destroy " + path))
        monkeypatch.setattr(networkmanager, "rollback_checkpoint", lambda path: self.calls.append("roll back " + path))
        for name in ("keep_failure", "write"):
            monkeypatch.setattr(diagnosis, name, lambda *_words, name=name: self._do(name, None))
        monkeypatch.setattr(diagnosis, "log_cursor", str)
        for module in (units, endings, nmcli, kernel):
            monkeypatch.setattr(module, "run", self.run)
        monkeypatch.setattr(mailbox, "linger", lambda *_words: None)
        self.boots = "this boot"
        monkeypatch.setattr(journal, "boot_id", lambda: self.boots)

    def _do(self, name, answer):
        if name in self.trouble:
            raise self.trouble[name]
        return answer

    def run(self, argv, timeout=10, stdin=None, check=False):
        words = " ".join(argv)
        self.calls.append(words)
        if self.on_call:
            self.on_call(words)
        for start, trouble in self.trouble.items():
            if words.startswith(start):
                if isinstance(trouble, Exception):
                    raise trouble
                return trouble
        return 0, "inactive\n" if "systemctl show" in words else "", ""

    def write(self, name, content):
        (self.folder / (name + ".nmconnection")).write_text(content)

    def profiles(self):
        return {path.name.partition(".")[0]: path.read_text() for path in sorted(self.folder.iterdir())}

    def options(self, **more):
        return {
            "timeout": 60,
            "keep": [],
            "last_resort": "none",
            "owner": "me",
            "probes": [],
            "proven": True,
            "commit": True,
            "control": {},
            **more,
        }

    def open(self, **more):
        """A journal whose change is on disk: eth1 was rewritten, ovirtmgmt is new."""
        entry = {
            "id": "one",
            "python": "/usr/bin/python3",
            "persistent": True,
            "change": {},
            "snapshot": snapshot.take(),
            "before": {},
            "effects": {},
            "scope": {"named": [], "devices": [], "rules": [], "new_rules": False},
            **self.options(),
            **more,
        }
        entry = transaction._open(entry, {"mod.py": b"x = 1\n"})
        mailbox.tell("one", phase="applied")
        self.write("eth1", "new")
        self.write("ovirtmgmt", "new")
        return entry

    def status(self):
        return mailbox.status_of("one") or {}

    def facts(self):
        """The facts written for the controller after the commit, None if there are none."""
        try:
            with open(os.path.join(mailbox.folder("one"), mailbox.FACTS), encoding="utf-8") as stream:
                return json.load(stream)
        except FileNotFoundError:
            return None
