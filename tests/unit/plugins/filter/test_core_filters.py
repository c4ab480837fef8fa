# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core filters: errors of one sentence, and their documented examples in templates."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.ovirt.mgmt_network.plugins.filter import (
    derive_mgmt_network,
    mgmt_network_definition,
    mgmt_network_event,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import filter_edge
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.hosts import founding_host, nic_host
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.tagged import Text, exact_types, tagged

FILTERS = Path(__file__).resolve().parents[4] / "plugins" / "filter"
NAMES = ("derive_mgmt_network", "mgmt_network_definition", "mgmt_network_event")
derive = derive_mgmt_network.derive_mgmt_network
define = mgmt_network_definition.mgmt_network_definition
make_event = mgmt_network_event.mgmt_network_event
NETWORK = {"name": "ovirtmgmt"}


def test_tagged_input_gives_plain_output():
    found = derive(tagged(founding_host()), tagged({**NETWORK, "vlan_tag": 3000}), host=Text("h"))
    assert found["decision"] == "change"
    refused = derive(tagged(founding_host()), tagged({**NETWORK, "vlan_tag": 1}), host=Text("h"))
    assert refused["event"]["id"] == 1119
    for result in (
        found,
        refused,
        define(tagged(NETWORK)),
        make_event(Text("VDS_FAILURE"), Text("h"), values=tagged({"a": "b"})),
    ):
        assert exact_types(result) <= {dict, list, str, int, bool, type(None)}


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: derive(nic_host(), {**NETWORK, "vlan_tag": "ten"}),
            "derive_mgmt_network: vlan_tag: got 'ten' (string)",
        ),
        (
            lambda: derive(nic_host(), "ovirtmgmt"),
            "derive_mgmt_network: definition of the network: got 'ovirtmgmt' (string)",
        ),
        (lambda: derive({}, NETWORK), "derive_mgmt_network: nics: this key is missing in the facts"),
        (lambda: derive("x", NETWORK), "derive_mgmt_network: facts: expected a mapping"),
        (
            lambda: derive(nic_host(), {**NETWORK, "comment": object()}),
            "derive_mgmt_network: definition: expected plain data",
        ),
        (lambda: define({**NETWORK, "mtuu": 1}), "mgmt_network_definition: mtuu: unknown key, did you mean 'mtu'?"),
        (lambda: define(None), "mgmt_network_definition: definition of the network: got null"),
        (lambda: make_event("VDS_LOST"), "mgmt_network_event: unknown event 'VDS_LOST'"),
        (lambda: make_event(3), "mgmt_network_event: got 3 (integer), expected the name of an event"),
        (
            lambda: make_event("VDS_FAILURE", values=["x"]),
            "mgmt_network_event: values: got ['x'] (list), expected a mapping of placeholders to values",
        ),
        (
            lambda: make_event("VDS_FAILURE", values={"host": "x"}),
            "mgmt_network_event: values: host is a separate option",
        ),
    ],
)
def test_errors_name_the_filter_and_the_key(call, message):
    with pytest.raises(AnsibleFilterError) as caught:
        call()
    assert message in str(caught.value)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(filter_edge, "NETADDR_IMPORT_ERROR", ImportError("No module named 'netaddr'"))
    with pytest.raises(AnsibleFilterError, match="derive_mgmt_network: .*netaddr"):
        derive(nic_host(), NETWORK)


def documentation(name):
    return yaml.safe_load((FILTERS / f"{name}.yml").read_text(encoding="utf-8"))


def test_the_documented_keys_of_a_definition_are_its_keys():
    options = documentation("mgmt_network_definition")["DOCUMENTATION"]["options"]["_input"]["suboptions"]
    assert set(options) == set(define(NETWORK))


@pytest.mark.parametrize(
    "name, result",
    [("derive_mgmt_network", derive(nic_host(), NETWORK)), ("mgmt_network_event", make_event("VDS_FAILURE"))],
)
def test_the_documented_keys_of_a_result_are_its_keys(name, result):
    assert set(documentation(name)["RETURN"]["_value"]["contains"]) == set(result)


CHECKS = [
    {
        "that": [
            "(facts | ovirt.mgmt_network.derive_mgmt_network(network)).decision == 'change'",
            "(facts | ovirt.mgmt_network.derive_mgmt_network(network, "
            "host=inventory_hostname)).request.networks.ovirtmgmt.vlan == 3000",
            "(facts | ovirt.mgmt_network.derive_mgmt_network({'name': name})).event.message is search('(3000)')",
            "(facts | ovirt.mgmt_network.derive_mgmt_network({'name': name})).event.id == 1119",
            "({'name': name, 'stp': word} | ovirt.mgmt_network.mgmt_network_definition).stp is true",
            "('VDS_DETECTED' | ovirt.mgmt_network.mgmt_network_event('h', values={'HostStatus': 'up'})).message == "
            "'Status of host h was set to up.'",
        ]
    }
]


def test_in_real_templates(tmp_path):
    """Values from templates, in a play. (The examples are run by
    tests/gate/test_examples.py.)
    """
    variables = {
        "facts": founding_host(),
        "name": "{{ 'ovirt' ~ 'mgmt' }}",
        "word": "{{ 'yes' }}",
        "tag": 3000,
        "network": {"name": "{{ name }}", "vlan_tag": 3000, "mtu": 9000},
    }
    checks = [{"ansible.builtin.assert": check, "vars": variables} for check in CHECKS]
    wrong = {
        "block": [
            {
                "ansible.builtin.debug": {
                    "msg": "{{ {'name': 'ovirtmgmt', 'vlan_tag': 1.5} | ovirt.mgmt_network.mgmt_network_definition }}"
                }
            }
        ],
        "rescue": [
            {"ansible.builtin.assert": {"that": "ansible_failed_result.msg is search('vlan_tag: got 1.5 .float.')"}}
        ],
    }
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [*checks, wrong]}]), encoding="utf-8"
    )
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", str(playbook)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    output = run.stdout + run.stderr
    assert run.returncode == 0, output
    assert "rescued=1" in output
    assert "DEPRECATION" not in output
