# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, and faults."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.ovirt.mgmt_network.tests.lab import __main__ as command
from ansible_collections.ovirt.mgmt_network.tests.lab import network, plays
from ansible_collections.ovirt.mgmt_network.tests.lab.machine import LabError


@pytest.mark.parametrize(
    "words, expected",
    [
        ("vlan-drop 11 3000", "vlan_drop 11 3000"),
        ("vlan_allow 98 1", "vlan_allow 98 1"),
        ("path-mtu 3000 1500", "path_mtu 3000 1500"),
        ("dhcp off", "dhcp off"),
        ("twin 10.88.0.50 3000", "twin 10.88.0.50 3000"),
        ("untwin", "untwin"),
    ],
)
def test_faults(words, expected, monkeypatch):
    sent = []
    monkeypatch.setattr(network, "_fabric", lambda script, **_options: sent.append(script))
    network.fault(*words.split())
    assert sent == [expected]


@pytest.mark.parametrize(
    "words, says",
    [
        ("flood 1", "got fault flood"),
        ("vlan-drop 11", "takes: HOST VLAN"),
        ("vlan-drop 11 3000 1", "takes: HOST VLAN"),
        ("vlan-drop h1 3000", "got 'h1', expected HOST"),
        ("vlan-drop 11 4095", "got '4095', expected VLAN"),
        ("path-mtu 1 $(reboot)", "expected MTU"),
        ("dhcp maybe", "expected on|off"),
        ("twin 10.0.0 1", "expected ADDRESS"),
        ("untwin x", "takes: nothing more"),
    ],
)
def test_invalid_arguments_do_not_reach_the_fabric(words, says, monkeypatch):
    monkeypatch.setattr(network, "_fabric", lambda *_arguments, **_options: pytest.fail("it was sent"))
    with pytest.raises(LabError) as error:
        network.fault(*words.split())
    assert says in str(error.value)


def test_inventory_as_yaml():
    found = {
        "hypervisors": {
            "hosts": {"h1": {"ansible_host": "fd00:80::11", "on": True}},
            "vars": {"args": "-o a=b: c", "none": {}},
        }
    }
    assert yaml.safe_load("\n".join(plays.as_yaml(found))) == found


@pytest.mark.parametrize(
    "argv, expected",
    [
        (["up", "a:nic-dhcp", "b"], {"hosts": ["a:nic-dhcp", "b"], "layout": None, "variant": "el"}),
        (["ssh", "a", "--", "ls", "-l"], {"host": "a", "mgmt": False}),
        (["ssh", "a", "ls", "--mgmt"], {"host": "a", "mgmt": False}),
        (["ssh", "--mgmt", "a", "ls"], {"host": "a", "mgmt": True}),
        (["down"], {"hosts": []}),
        (["watch", "a", "10.0.0.1", "--until", "f"], {"targets": ["a", "10.0.0.1"], "until": "f"}),
    ],
)
def test_words(argv, expected):
    found = vars(command.parser().parse_args(argv))
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("argv", [["up"], ["up", "a", "--layout", "none"], ["kill"], ["nonsense"], []])
def test_invalid_arguments(argv, capsys):
    with pytest.raises(SystemExit) as error:
        command.parser().parse_args(argv)
    assert error.value.code == 2 and "usage:" in capsys.readouterr().err
