# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to a scripted host: results of modules come from the variable ``scripted`` of the host, so plays can run
with any number of hosts.
"""

from __future__ import annotations

import base64
import json
import pathlib
import re

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: scripted
short_description: Answers modules without a host
description: For the tests. Nothing is contacted.
author: The ovirt.mgmt_network developers (@oVirt)
options:
  script:
    description: >-
      Answers of the host: C(facts), C(after) (facts once a change was applied), C(apply) (the result of a change),
      C(error) (what SSH says of a host that cannot be reached), C(lost_at) (the module from which on the host cannot
      be reached), C(back_after) (attempts after which it can).
    type: dict
    vars: [{name: scripted}]
  folder:
    description: Where it is remembered which host was changed.
    type: str
    vars: [{name: scripted_folder}]
"""
_MODULE = re.compile(rb"ansible(?:_collections\.\w+\.\w+\.plugins)?\.modules\.(\w+)")
_CHECK = re.compile(rb"_ansible_check_mode\W{1,6}true")
_COMMITTED = {
    "changed": True,
    "phase": "committed",
    "transaction": "",
    "change": {},
    "settings": {},
    "timeline": [{"phase": "open", "at": 1.0}, {"phase": "committed", "at": 5.4}],
}
_SYSTEM = {
    "os_family": "RedHat",
    "distribution": "CentOS",
    "distribution_major_version": "9",
    "pkg_mgr": "dnf",
    "python": {"version": {"major": 3, "minor": 9}},
}


class Connection(ConnectionBase):
    """Answers every command that contains a module with a result of this module."""

    transport = "scripted"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def close(self):
        self._connected = False

    def reset(self):
        self.close()

    def put_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("scripted: modules travel by pipelining only")

    def fetch_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("scripted: there are no files")

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        found = _MODULE.search(in_data or b"")
        module = found.group(1).decode() if found else ""
        script = self.get_option("script")
        self._fail(script, module)
        if b"echo ovirt-mgmt-network-answers" in (cmd if isinstance(cmd, bytes) else cmd.encode()):
            return 0, b"ovirt-mgmt-network-answers\n", b""
        answer = self._answer(script, module, bool(_CHECK.search(in_data or b"")))
        return (1 if answer.get("failed") else 0), json.dumps(answer).encode(), b""

    def _fail(self, script, module):
        lost = self._state("lost")
        if script.get("lost_at") and module == script["lost_at"]:
            lost.touch()
        if not script.get("error") or (script.get("lost_at") and not lost.exists()):
            return
        attempts = self._state("attempts")
        made = int(attempts.read_text(encoding="ascii")) if attempts.exists() else 0
        attempts.write_text(str(made + 1), encoding="ascii")
        if made < script.get("back_after", made + 1):
            raise AnsibleConnectionFailure("Failed to connect to the host via ssh: %s" % script["error"])

    def _answer(self, script, module, check):
        changed = self._state("changed")
        if module == "host_network_facts":
            return {
                "changed": False,
                "ansible_facts": {"host_network": script["after"] if changed.exists() else script["facts"]},
            }
        if module == "nmstate_apply" and check:
            return {"changed": True, "change": {}, "settings": {}, "transaction": ""}
        if module == "nmstate_apply":
            answer = script.get("apply") or _COMMITTED
            if not answer.get("failed"):
                changed.touch()
            return answer
        return {
            "ping": {"ping": "pong"},
            "setup": {"ansible_facts": {"ansible_" + key: value for key, value in _SYSTEM.items()}},
            "command": {"rc": 0, "stdout": script.get("command", ""), "stderr": "", "changed": False},
        }.get(module, {"changed": False})

    def _state(self, what):
        name = base64.urlsafe_b64encode(self._play_context.remote_addr.encode()).decode()
        return pathlib.Path(self.get_option("folder")) / ("%s.%s" % (name, what))
