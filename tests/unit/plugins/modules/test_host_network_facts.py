# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""host_network_facts: returns only facts, and reports what is missing on a host."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.networkmanager import NetworkManagerError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.nmstatectl import NmstateError
from ansible_collections.ovirt.mgmt_network.plugins.modules import host_network_facts


class End(Exception):
    """The module has ended with these values."""


class FakeModule:
    """The part of AnsibleModule that the module uses."""

    missing = ""
    options: dict = {}

    def __init__(self, argument_spec, supports_check_mode):
        assert supports_check_mode is True
        self.params = {name: self.options.get(name, spec["default"]) for name, spec in argument_spec.items()}

    def get_bin_path(self, tool, opt_dirs):
        return None if tool == self.missing else "%s/%s" % (opt_dirs[0], tool)

    def fail_json(self, **values):
        raise End({"failed": True, **values})

    def exit_json(self, **values):
        raise End(values)


@pytest.fixture
def run(monkeypatch):
    def runner(gather, missing="", uid=0, **options):
        monkeypatch.setattr(
            host_network_facts, "AnsibleModule", type("Fake", (FakeModule,), {"missing": missing, "options": options})
        )
        monkeypatch.setattr(host_network_facts.gather, "gather", gather)
        monkeypatch.setattr(host_network_facts.os, "geteuid", lambda: uid)
        with pytest.raises(End) as ended:
            host_network_facts.main()
        return ended.value.args[0]

    return runner


def never(*_args):
    pytest.fail("the host was read")


def test_only_facts_are_returned(run):
    result = run(lambda *words: {"words": words}, control_address="2001:db8::1")
    control = {"local": "2001:db8::1", "peer": "", "ssh_connection_source": "option"}
    facts = {"words": (["w*", "usb*"], control)}
    assert result == {"ansible_facts": {"host_network": facts}}


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (
            {"missing": "nmstatectl"},
            "nmstatectl: command not found on this host. Nothing was changed. "
            "Install the package nmstate and run again",
        ),
        (
            {"missing": "busctl"},
            "busctl: command not found on this host. Nothing was changed. Install the package systemd and run again",
        ),
        ({"uid": 1000}, "become: true"),
        ({"control_address": "engine.example"}, "control_address: 'engine.example' is not an IP address"),
    ],
)
def test_missing_tools_are_reported_first(run, case, says):
    result = run(never, **case)
    assert result["failed"] is True
    assert says in result["msg"]


@pytest.mark.parametrize(
    "error",
    [
        CommandError("ip: timed out after 30 s", ["ip"]),
        NetworkManagerError("NetworkManager is not running"),
        NmstateError("no"),
        PermissionError(13, "Permission denied"),
    ],
)
def test_failures_are_messages(run, error):
    def fail(*_args):
        raise error

    result = run(fail)
    assert result["failed"] is True
    assert str(error) in result["msg"]
