# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid variables end a run of Ansible before a host is contacted. Contacting a host would fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

HOSTS = {"h1": {}, "h2": {}}
NETWORK = {"name": "ovirtmgmt", "vlan_tag": "{{ 3000 }}", "mtu": "{{ none }}"}


def play(folder, playbook, words=(), hosts=None, variables=None):
    """Run ``playbook`` (plays, or the name of one of the collection): ``(exit status, output)``."""
    inventory = {
        "hypervisors": {
            "hosts": hosts or HOSTS,
            "vars": {
                "ansible_host": "192.0.2.1",
                "ansible_connection": "ssh",
                "ansible_ssh_executable": "/bin/false",
                **(variables or {}),
            },
        }
    }
    (folder / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")
    if not isinstance(playbook, str):
        (folder / "play.yml").write_text(yaml.safe_dump(playbook, sort_keys=False), encoding="utf-8")
        playbook = str(folder / "play.yml")
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "default", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", str(folder / "hosts.yml"), playbook, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_wrong_networks_end_a_run_before_a_host_is_contacted(tmp_path):
    red = {"on": "eth1", "vlan_tag": 10}
    hosts = {
        "h1": {"host_networks": {"networks": {"red": {**red, "vlan_tag": 4095}}}},
        "h2": {"host_networks": {"networks": {"red": red, "blue": red}}},
        "h3": {
            "host_networks": json.dumps({"networks": {"red": {**red, "ipv4": {"address": "192.0.2.5", "prefix": 64}}}})
        },
        "h4": {},
    }
    words = ["-e", "setup_networks_timeout=5 setup_networks_patern=h1"]
    rc, said = play(tmp_path, "ovirt.mgmt_network.setup_networks", words, hosts)
    assert rc != 0
    for text in (
        "setup_networks_timeout: got 5, expected an integer from 10 to 600",
        "setup_networks_patern: unknown variable, did you mean setup_networks_pattern",
        "h1: host_networks: networks.red.vlan_tag: got 4095 (integer), expected an integer from 0 to 4094",
        "h2: host_networks: networks.blue: VLAN 10 on eth1 already carries the network red",
        "h3: host_networks: networks.red.ipv4.prefix: got 64 (integer), expected an integer from 1 to 32",
        "h4: host_networks: this variable is required",
        "No host was contacted",
    ):
        assert text in said
    assert "Summary" not in said and "UNREACHABLE" not in said and said.count("fatal: ") == 1


@pytest.mark.parametrize("playbook, limit", [("add_host", ()), ("remove_network", ("--limit", "h1:h2"))])
def test_a_run_with_invalid_variables_contacts_no_host_and_sets_no_status(tmp_path, playbook, limit):
    hosts = {"h1": {}, "h2": {"mgmt_network": {"name": "ovirtmgmt", "vlan_tag": 5000}}}
    words = [
        "-e",
        "configure_mgmt_sync=aply configure_mgmt_timeout=5 configure_mgmt_wait_timeout=3 "
        "configure_mgmt_after_tasks=hook.yml",
        "-e",
        json.dumps({"configure_mgmt_probes": [{"type": "ping"}]}),
        *limit,
    ]
    rc, said = play(tmp_path, "ovirt.mgmt_network." + playbook, words, hosts, {"mgmt_network": NETWORK})
    assert rc != 0
    for text in (
        "configure_mgmt_sync: got 'aply', expected one of report, apply",
        "configure_mgmt_timeout: got 5, expected an integer from 10 to 600",
        "configure_mgmt_wait_timeout: unknown variable, did you mean configure_mgmt_wait or ",
        "configure_mgmt_after_tasks: got 'hook.yml' (string), expected a task file; not found: ",
        "%s/hook.yml" % tmp_path,
        "configure_mgmt_probes[0].type: got 'ping', expected one of gateway, ",
        "h2: mgmt_network: vlan_tag: got 5000 (integer)",
        "No host was contacted",
    ):
        assert text in said
    assert "h1: mgmt_network" not in said and "h1, h2" not in said
    assert "install_failed" not in said and "VDS_" not in said and "Summary" not in said and "UNREACHABLE" not in said
    assert said.count("fatal: ") == 1 and ("fatal: [localhost]" in said) == (not limit)
    assert "DEPRECATION" not in said


def test_a_run_without_a_definition_names_the_variable(tmp_path):
    rc, said = play(tmp_path, "ovirt.mgmt_network.add_host")
    assert (
        rc != 0
        and '"mgmt_network: this variable is required; set it to the definition of the management network' in said
    )


def test_a_role_in_an_own_playbook(tmp_path):
    """The same values and messages as in playbooks, also for empty text, which Ansible's validation would reject."""
    (tmp_path / "hook.yml").write_text("[]", encoding="utf-8")
    check = {"ovirt.mgmt_network.check_arguments": {"roles": ["configure_mgmt"]}, "register": "found"}
    accepted = {
        "configure_mgmt_network": json.dumps({"name": "ovirtmgmt", "vlan_tag": "", "mtu": "9000"}),
        "configure_mgmt_timeout": "{{ 30 }}",
        "configure_mgmt_wait": "",
        "configure_mgmt_activate": "{{ 'no' }}",
        "configure_mgmt_verify_reboot": None,
        "configure_mgmt_sync": "",
        "configure_mgmt_permit_loss": "{{ ['slaac_address'] }}",
        "configure_mgmt_before_tasks": "hook.yml",
    }
    what = [
        "found.arguments.timeout == 30",
        "found.arguments.wait == 120",
        "not found.arguments.activate",
        "found.arguments.activate is boolean",
        "found.arguments.sync == 'report'",
        "found.arguments.permit_loss == ['slaac_address']",
        "found.arguments.network.mtu == '9000'",
        "found.arguments.before_tasks == playbook_dir ~ '/hook.yml'",
    ]
    role = {"ansible.builtin.include_role": {"name": "ovirt.mgmt_network.configure_mgmt"}}
    tasks = [
        {**check, "vars": accepted},
        {"ansible.builtin.assert": {"that": what}},
        {
            "block": [
                {
                    **role,
                    "vars": {
                        "configure_mgmt_sync": "aply",
                        "configure_mgmt_network": {"name": "ovirtmgmt", "vlan_tag": 1.5},
                    },
                }
            ],
            "rescue": [{"ansible.builtin.debug": {"msg": "refused: {{ ansible_failed_result.msg }}"}}],
        },
        {
            "block": [{**role}],
            "rescue": [{"ansible.builtin.debug": {"msg": "refused: {{ ansible_failed_result.msg }}"}}],
        },
        # this run contacts the host
        {
            "block": [{**role, "vars": {**accepted, "configure_mgmt_wait": "0", "configure_mgmt_before_tasks": ""}}],
            "rescue": [{"ansible.builtin.assert": {"that": "configure_mgmt_result.status == 'non_responsive'"}}],
        },
    ]
    rc, said = play(tmp_path, [{"hosts": "h1", "gather_facts": False, "tasks": tasks}])
    assert rc == 0, said
    refusals = [line for line in said.splitlines() if "refused: " in line]
    assert len(refusals) == 2, said
    assert (
        "configure_mgmt_network: vlan_tag: got 1.5 (float)" in refusals[0]
        and "configure_mgmt_sync: got 'aply', expected one of" in refusals[0]
    )
    assert "mgmt_network: this variable is required" in refusals[1]
    assert "DEPRECATION" not in said


def test_variables_of_the_play_are_checked_as_each_host_has_them(tmp_path):
    """An import of the playbook can set variables, with templates that use variables of each host."""
    hosts = {"h1": {"tag": 10}, "h2": {"tag": "ten"}}
    plays = [
        {
            "import_playbook": "ovirt.mgmt_network.add_host",
            "vars": {"mgmt_network": {"name": "ovirtmgmt", "vlan_tag": "{{ tag }}"}},
        }
    ]
    rc, said = play(tmp_path, plays, hosts=hosts)
    assert rc != 0 and "\"h2: mgmt_network: vlan_tag: got 'ten' (string)" in said


def test_invalid_module_arguments_fail_before_the_host_is_contacted(tmp_path):
    wrong = [
        ({"ovirt.mgmt_network.nmstate_apply": {"state": {}, "commit": "perhaps"}}, "commit"),
        (
            {"ovirt.mgmt_network.nmstate_apply": {"state": {}, "timeout": "5"}},
            "timeout: got 5, expected 10 to 600 seconds",
        ),
        (
            {"ovirt.mgmt_network.nmstate_apply": {"state": {}, "probes": [{"type": "ping"}]}},
            "value of type must be one of: gateway, dns",
        ),
        ({"ovirt.mgmt_network.nmstate_apply": {"state": {}, "tiemout": 60}}, "tiemout"),
        (
            {"ovirt.mgmt_network.network_commit": {"transaction": "../../etc"}},
            "transaction: got '../../etc', expected a transaction ID",
        ),
        (
            {"ovirt.mgmt_network.network_commit": {"state": "done"}},
            "value of state must be one of: committed, rolled_back",
        ),
    ]
    tasks = [
        {
            "block": [task],
            "rescue": [
                {
                    "ansible.builtin.assert": {
                        "that": "not ansible_failed_result.unreachable | default(false) and told in "
                        "ansible_failed_result.msg"
                    },
                    "vars": {"told": words},
                }
            ],
        }
        for task, words in wrong
    ]
    rc, said = play(tmp_path, [{"hosts": "h1", "gather_facts": False, "tasks": tasks}])
    assert rc == 0 and "rescued=%d" % len(wrong) in said and "UNREACHABLE" not in said, said
