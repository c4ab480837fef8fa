# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of roles and playbooks: accepted values, their conversion, and the sentence for each mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import variables

ROOT = Path(__file__).resolve().parents[5]
NETWORK = {"name": "ovirtmgmt", "vlan_tag": "3000"}


def options(role):
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return next(iter(yaml.safe_load(text)["argument_specs"].values()))["options"]


def check(role="configure_mgmt", **given):
    """Validate variables, named without the role's prefix."""
    named = {"%s_%s" % (role, key): value for key, value in given.items()}
    return variables.check(role, options(role), {"mgmt_network": NETWORK, **named})


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"timeout": "30"}, {"timeout": 30}),
        ({"timeout": ""}, {"timeout": 60}),
        ({"timeout": None, "wait": " "}, {"timeout": 60, "wait": 120}),
        ({"wait": 0}, {"wait": 0}),
        ({"activate": "no"}, {"activate": False}),
        (
            {"activate": "Off", "persistent": "False", "learn_vlan": "1"},
            {"activate": False, "persistent": False, "learn_vlan": True},
        ),
        ({"activate": ""}, {"activate": True}),
        ({"sync": ""}, {"sync": "report"}),
        ({"sync": "apply"}, {"sync": "apply"}),
        ({"permit_loss": ["slaac_address"]}, {"permit_loss": ["slaac_address"]}),
        ({"permit_loss": '["slaac_address"]'}, {"permit_loss": ["slaac_address"]}),
        ({"permit_loss": ""}, {"permit_loss": []}),
        (
            {"probes": '[{"type": "tcp", "target": "192.0.2.1", "port": "22"}]'},
            {"probes": [{"type": "tcp", "target": "192.0.2.1", "port": 22, "timeout": 2}]},
        ),
        ({"deployment": '{"began": 1.5}'}, {"deployment": {"began": 1.5}}),
        ({"network": '{"name": "ovirtmgmt"}'}, {"network": {"name": "ovirtmgmt"}}),
        ({"diagnosis_dir": ""}, {"diagnosis_dir": ""}),  # an empty text is a text
        ({"diagnosis_dir": None}, {"diagnosis_dir": "~/.ansible/ovirt-mgmt-network"}),
    ],
)
def test_values_from_templates_and_surveys_are_converted(given, expected):
    found, problems = check(**given)
    assert problems == []
    assert {key: found[key] for key in expected} == expected
    assert [type(found[key]) for key in expected] == [type(value) for value in expected.values()]


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"sync": "aply"}, "configure_mgmt_sync: got 'aply', expected one of report, apply"),
        ({"timeout": 5}, "configure_mgmt_timeout: got 5, expected an integer from 10 to 600"),
        ({"timeout": "601"}, "configure_mgmt_timeout: got 601, expected an integer from 10 to 600"),
        ({"timeout": 60.0}, "configure_mgmt_timeout: got 60.0 (float), expected an integer from 10 to 600"),
        ({"timeout": "60 s"}, "configure_mgmt_timeout: got '60 s' (string), expected an integer from 10 to 600"),
        ({"timeout": True}, "configure_mgmt_timeout: got True (boolean), expected an integer from 10 to 600"),
        (
            {"activate": "maybe"},
            "configure_mgmt_activate: got 'maybe' (string), expected a boolean: true or false (yes, no, on, off)",
        ),
        (
            {"activate": 0.0},
            "configure_mgmt_activate: got 0.0 (float), expected a boolean: true or false (yes, no, on, off)",
        ),
        (
            {"permit_loss": "slaac_address"},
            "configure_mgmt_permit_loss: got 'slaac_address' (string), expected a list of slaac_address, route_or_rule",
        ),
        (
            {"permit_loss": ["all"]},
            "configure_mgmt_permit_loss[0]: got 'all', expected one of slaac_address, route_or_rule",
        ),
        (
            {"probes": [{"type": "gateway"}, {"type": "pingg"}]},
            "configure_mgmt_probes[1].type: got 'pingg', expected one of gateway, dns, tcp, path_mtu, "
            "duplicate_address",
        ),
        ({"probes": [{"typ": "dns"}]}, "configure_mgmt_probes[0].typ: unknown key, did you mean type?"),
        (
            {"probes": [{}]},
            "configure_mgmt_probes[0].type: this key is required; expected one of gateway, dns, tcp, path_mtu, "
            "duplicate_address",
        ),
        ({"probes": [None]}, "configure_mgmt_probes[0]: this key is required; expected a mapping, or JSON text of one"),
        (
            {"probes": [{"type": "tcp", "port": 70000}]},
            "configure_mgmt_probes[0].port: got 70000, expected an integer from 1 to 65535",
        ),
        (
            {"wait_timeout": 3},
            "configure_mgmt_wait_timeout: unknown variable, did you mean "
            "configure_mgmt_wait or configure_mgmt_timeout or configure_mgmt_reboot_timeout?",
        ),
        ({"activte": 3}, "configure_mgmt_activte: unknown variable, did you mean configure_mgmt_activate or "),
        (
            {"zzz": 3},
            "configure_mgmt_zzz: unknown variable; expected one of configure_mgmt_network, configure_mgmt_wait, ",
        ),
        (
            {"network": {"name": "ovirtmgmt", "vlan_tag": 5000}},
            "configure_mgmt_network: vlan_tag: got 5000 (integer), expected an integer from 0 to 4094, "
            "or null for an untagged network",
        ),
        (
            {"policies": [{"query": "nics", "message": ""}]},
            "configure_mgmt_policies[0].message: got '' (string), expected text",
        ),
        (
            {"policies": [{"query": "nics[", "message": "m"}]},
            "configure_mgmt_policies[0].query: 'nics[' is not a valid JMESPath expression",
        ),
    ],
)
def test_mistakes_are_reported_in_one_line(given, problem):
    _found, problems = check(**given)
    assert len(problems) == 1 and problems[0].startswith(problem)
    assert "\n" not in problems[0]


def test_errors_in_a_definition_name_its_variable():
    spec = options("configure_mgmt")
    wrong = {"name": "ovirtmgmt", "vlan_tag": "x"}
    assert variables.check("configure_mgmt", spec, {})[1] == [
        "mgmt_network: this variable is required; set it to the definition of the management network, for example "
        "{name: ovirtmgmt, vlan_tag: 3000}"
    ]
    assert variables.check("configure_mgmt", spec, {"mgmt_network": wrong})[1][0].startswith(
        "mgmt_network: vlan_tag: got 'x' (string)"
    )
    assert variables.check("configure_mgmt", spec, {"mgmt_network": wrong, "configure_mgmt_network": wrong})[1][
        0
    ].startswith("mgmt_network: vlan_tag")
    assert variables.check("configure_mgmt", spec, {"mgmt_network": wrong, "configure_mgmt_network": NETWORK})[1] == []


def test_the_other_role():
    found, problems = check(
        "host_deploy", ssh_port="22", clock_required="yes", firewall_ports=[8080, "6081/udp"], known_ids=""
    )
    assert problems == []
    assert (found["ssh_port"], found["clock_required"], found["firewall_ports"], found["known_ids"]) == (
        22,
        True,
        ["8080", "6081/udp"],
        {},
    )
    assert "packages" not in found, "without a default, what is not set is not there"
    assert check("host_deploy", firewall="iptables")[1] == [
        "host_deploy_firewall: got 'iptables', expected one of firewalld, none"
    ]


def test_lines_for_many_hosts():
    problems = {
        "h%d" % number: ["sync: wrong"]
        + (["vlan: wrong"] if number < 5 else [])
        + (["mtu: wrong"] if number == 7 else [])
        for number in range(10)
    }
    assert variables.by_host(problems) == ["sync: wrong", "h0, h1, h2 and 2 more hosts: vlan: wrong", "h7: mtu: wrong"]
    assert variables.by_host({"h1": [], "h2": []}) == []


@pytest.mark.parametrize(
    "path, there, expected",
    [
        ("/srv/hook.yml", {"/srv/hook.yml"}, "/srv/hook.yml"),
        ("hook.yml", {"/inventory/hook.yml", "/here/hook.yml"}, "/inventory/hook.yml"),
        ("hook.yml", set(), None),
        ("/srv/hook.yml", set(), None),
    ],
)
def test_task_files_are_searched_for(path, there, expected):
    if expected is None:
        with pytest.raises(
            variables.ArgumentError, match="^configure_mgmt_after_tasks: got '%s' .*not found: /" % path
        ):
            variables.located("configure_mgmt_after_tasks", path, ["/play", None, "/play"], there.__contains__)
    else:
        assert variables.located("x", path, ["/play", "/inventory", "/here"], there.__contains__) == expected


@pytest.mark.parametrize(
    "prefix, where, role",
    [
        ("configure_mgmt", "roles/configure_mgmt", "configure_mgmt"),
        ("host_deploy", "roles/host_deploy", "host_deploy"),
        ("add_host", "playbooks", None),
        ("remove_network", "playbooks", None),
        ("setup_networks", "roles/setup_networks", "setup_networks"),
    ],
)
def test_every_name_in_roles_and_playbooks_is_an_option_or_a_known_fact(prefix, where, role):
    """A fact that the validation does not know would be rejected when a role runs twice."""
    texts = [
        path.read_text(encoding="utf-8")
        for folder in ("tasks", "vars", "handlers", "")
        for path in sorted((ROOT / where / folder).glob("*.yml"))
    ]
    used = set(re.findall(r"(?<![\w.])%s_([a-z_]+[a-z])\b" % prefix, "\n".join(texts)))
    known = (
        {name[len(prefix) + 1 :] for name in options(role)}
        if role
        else {"pattern", "serial", "max_fail_percentage", "deploy"}
    )
    assert used - known - set(variables.FACTS[prefix]) == set()


def test_defaults_are_the_roles_defaults():
    for role in ("configure_mgmt", "host_deploy", "setup_networks"):
        defaults = yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text(encoding="utf-8"))
        specified = {name: spec["default"] for name, spec in options(role).items() if "default" in spec}
        for name in variables.DEFAULTS_TO:
            defaults.pop(name, None)
        assert defaults == specified


@pytest.mark.parametrize(
    "given, problem",
    [
        ({}, "host_networks: this variable is required; set it to the networks and bonds of the host"),
        ({"host_networks": {"nets": {}}}, "host_networks: nets: unknown key"),
        ({"setup_networks_host_networks": {"nets": {}}}, "setup_networks_host_networks: nets: unknown key"),
        ({"host_networks": {"networks": {}}, "setup_networks_wait": -1}, "setup_networks_wait: got -1"),
        ({"host_networks": {"networks": {}}, "setup_networks_sync": 1}, "setup_networks_sync: unknown variable"),
    ],
)
def test_networks_of_a_host(given, problem):
    _arguments, problems = variables.check("setup_networks", options("setup_networks"), given)
    assert len(problems) == 1 and problems[0].startswith(problem)


def test_variables_of_the_playbook_setup_networks_are_not_the_roles():
    given = {"host_networks": {"networks": {}}, "setup_networks_pattern": "x", "setup_networks_result": {}}
    assert variables.check("setup_networks", options("setup_networks"), given)[1] == []
