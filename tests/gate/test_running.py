# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other ways to run the collection: slices of an inventory with ansible-runner, roles in own playbooks, AWX job
templates.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gate"))
import scenarios  # noqa: E402

from tests.lab import plays  # noqa: E402

HOSTS = {"slice-1": "nic-dhcp", "slice-2": "nic-static", "slice-3": "vlan-mismatch"}
MODULES = {"execution_environment", "group", "inventory", "job_template", "workflow_job_template"}  # of awx.awx


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    """The path of an inventory with three lab hosts: two get their network, and one is refused."""
    with scenarios.lab_hosts(HOSTS):
        found = plays.inventory(
            {name: {"mgmt_network": {"name": "ovirtmgmt"}, "add_host_deploy": False} for name in HOSTS}
        )
        path = tmp_path_factory.mktemp("inventory") / "hosts.yml"
        path.write_text(json.dumps(found), encoding="utf-8")
        yield path


def runner(folder, inventory, playbook, *words):
    """Run a playbook with ansible-runner in a private folder on the engine's side: ``(exit status, data of set_stats,
    folder of artifacts)``.
    """
    (folder / "project").mkdir(parents=True)
    (folder / "inventory").mkdir()
    (folder / "env").mkdir()
    shutil.copy(inventory, folder / "inventory/hosts.yml")
    (folder / "project/site.yml").write_text(yaml.safe_dump(playbook), encoding="utf-8")
    (folder / "env/envvars").write_text(
        json.dumps(
            {"ANSIBLE_HOST_KEY_CHECKING": "false", "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
        )
    )
    argv = [
        sys.executable,
        str(ROOT / "tests/lab"),
        "exec",
        "--",
        "ansible-runner",
        "run",
        str(folder),
        "-p",
        "site.yml",
        "--ident",
        "one",
        "-q",
    ]
    done = subprocess.run(
        [*argv, *(["--cmdline=" + " ".join(words)] if words else [])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    artifacts = folder / "artifacts/one"
    assert (artifacts / "rc").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    stats = {}
    for path in sorted((artifacts / "job_events").glob("*.json"), key=lambda one: int(one.name.partition("-")[0])):
        event = json.loads(path.read_text(encoding="utf-8"))
        stats.update((event.get("event_data") or {}).get("artifact_data") or {})
    return int((artifacts / "rc").read_text()), stats.get("mgmt_network_results", {}), artifacts


def shape(results):
    """The part of the results that does not depend on the time."""
    keys = ("category", "changed", "decision", "network", "active_interface", "request", "differences", "reason")
    return {host: {key: one[key] for key in keys} for host, one in results.items()}


def test_parallel_slices_return_the_same_as_one_run(inventory, tmp_path):
    everything = [{"import_playbook": "ovirt.mgmt_network.add_host"}]
    rc, whole, _artifacts = runner(tmp_path / "whole", inventory, everything, "--check")
    # a check with one host that would be refused: this is a result, not a failure, and sets no status
    assert rc == 0 and set(whole) == set(HOSTS) and {one["status"] for one in whole.values()} == {""}
    assert {host: (one["expected"]["status"], one["changed"]) for host, one in whole.items()} == {
        "slice-1": ("up", True),
        "slice-2": ("up", True),
        "slice-3": ("non_operational", False),
    }
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        parts = list(pool.map(lambda name: runner(tmp_path / name, inventory, everything, "--limit", name), HOSTS))
    assert [rc == 0 for rc, _results, _artifacts in parts] == [True, True, False]
    merged = {host: one for _rc, results, _artifacts in parts for host, one in results.items()}
    assert shape(merged) == shape(whole)
    assert {host: one["status"] for host, one in merged.items()} == {
        "slice-1": "up",
        "slice-2": "up",
        "slice-3": "non_operational",
    }
    assert [1119 in [event["id"] for event in one["events"]] for one in merged.values()] == [False, False, True]


def test_a_failed_canary_stops_the_run(inventory, tmp_path):
    found = json.loads(inventory.read_text(encoding="utf-8"))
    hosts = found["hypervisors"]["hosts"]
    found["hypervisors"]["hosts"] = {
        name: hosts[name] for name in ("slice-3", "slice-1", "slice-2")
    }  # the refused host is first
    other = tmp_path / "hosts.yml"
    other.write_text(json.dumps(found), encoding="utf-8")
    rc, results, _artifacts = runner(
        tmp_path / "canary",
        other,
        [{"import_playbook": "ovirt.mgmt_network.add_host"}],
        "-e add_host_serial=1 -e add_host_max_fail_percentage=0",
    )
    assert rc != 0 and {host: one["status"] for host, one in results.items()} == {"slice-3": "non_operational"}


def test_an_own_playbook_uses_the_role_with_its_own_facts(inventory, tmp_path):
    """Hosts that already have their network do not change, by the role with given facts, hooks, events, and a canary; a
    violated policy is reported.
    """
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "failure.yml").write_text(
        yaml.safe_dump(
            [
                {"name": "Tell", "ansible.builtin.set_fact": {"told": "{{ configure_mgmt_result.reason }}"}},
                {
                    "name": "Keep",
                    "ansible.builtin.copy": {"content": "{{ told }}", "dest": str(hooks / "told")},
                    "delegate_to": "localhost",
                    "connection": "local",
                    "vars": {"ansible_python_interpreter": sys.executable},
                },
            ]
        )
    )
    role = {"ansible.builtin.import_role": {"name": "ovirt.mgmt_network.configure_mgmt"}}
    plays = [
        {
            "hosts": "slice-1:slice-2",
            "gather_facts": False,
            "serial": 1,
            "tasks": [
                {"ovirt.mgmt_network.host_network_facts": {}},
                {
                    **role,
                    "vars": {
                        "configure_mgmt_facts": "{{ ansible_facts['host_network'] }}",
                        "configure_mgmt_events_dir": str(tmp_path / "events"),
                    },
                },
                {
                    "ansible.builtin.assert": {
                        "that": ["configure_mgmt_result.status == 'up'", "not configure_mgmt_result.changed"]
                    }
                },
            ],
        },
        {
            "hosts": "slice-1",
            "gather_facts": False,
            "tasks": [
                {
                    **role,
                    "vars": {
                        "configure_mgmt_network": {"name": "ovirtmgmt", "mtu": 9000},
                        "configure_mgmt_sync": "apply",
                        "configure_mgmt_failure_tasks": str(hooks / "failure.yml"),
                        "configure_mgmt_policies": [
                            {"query": "starts_with(lastClientIface, 'bond')", "message": "No bond, no change."}
                        ],
                    },
                }
            ],
        },
    ]
    rc, _results, artifacts = runner(tmp_path / "other", inventory, plays)
    said = (artifacts / "stdout").read_text(encoding="utf-8")
    assert rc != 0 and "No bond, no change." in said
    assert "No bond, no change." in (hooks / "told").read_text()
    for host in ("slice-1", "slice-2"):
        events = [json.loads(line) for line in (tmp_path / "events" / f"{host}.jsonl").read_text().splitlines()]
        assert [one["id"] for one in events] == [13] and events[0]["time"] and events[0]["host"] == host


# the launch data that AWX passes to a job (awx_meta_vars of its models): by host here, to test all of them in one run
LAUNCHES = {
    "by-hand": {},
    "job": {"awx_job_id": 6, "awx_job_template_name": "Add hosts"},
    "in-a-workflow": {"awx_job_id": 7, "awx_job_template_name": "Add hosts", "awx_workflow_job_name": "Check and add"},
    "slice-one": {"awx_job_id": 8, "awx_job_template_name": "Add hosts", "awx_workflow_job_name": "Add hosts"},
    "slice-two": {"awx_job_id": 9, "awx_job_template_name": "Add hosts", "awx_workflow_job_name": "Add hosts"},
}


@pytest.mark.parametrize(
    "playbook, key",
    [
        ("add_host", "mgmt_network_results"),
        ("remove_network", "mgmt_network_results"),
        ("setup_networks", "host_networks_results"),
    ],
)
def test_an_artifact_contains_each_result_once_and_slices_do_not_overwrite_each_other(playbook, key, tmp_path):
    nobody = {
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
        "mgmt_network": {"name": "ovirtmgmt"},
        "configure_mgmt_wait": 1,
        "host_networks": {"networks": {"red": {"on": "eth1"}}},
        "setup_networks_wait": 1,
        "add_host_deploy": False,
    }
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        json.dumps({"hypervisors": {"hosts": {name: {**nobody, **told} for name, told in LAUNCHES.items()}}}),
        encoding="utf-8",
    )
    # in batches of one, because the variables of a job are read once for each batch; in check mode, which continues
    # after a host that does not answer
    words = ["-i", inventory, f"ovirt.mgmt_network.{playbook}", "--check", "-e", f"{playbook}_serial=1"]
    done = subprocess.run(
        ["ansible-playbook", *words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_NOCOLOR": "1"},
    )
    told = done.stdout.partition("CUSTOM STATS: ")[2].partition("RUN: ")[2]
    assert told, done.stdout[-3000:] + done.stderr[-1000:]
    artifact = json.JSONDecoder().raw_decode(told)[0]
    assert {key: set(value) for key, value in artifact.items()} == {
        key: {"by-hand", "job", "in-a-workflow"},
        f"{key}_8": {"slice-one"},
        f"{key}_9": {"slice-two"},
    }
    assert {one["expected"]["status"] for results in artifact.values() for one in results.values()} == {
        "non_responsive"
    }


def test_awx_templates_use_existing_modules_and_variables():
    (play,) = yaml.safe_load((ROOT / "extensions/awx/job_templates.yml").read_text(encoding="utf-8"))
    modules = {key.removeprefix("awx.awx.") for task in play["tasks"] for key in task if key.startswith("awx.awx.")}
    assert modules == MODULES
    known = yaml.safe_load((ROOT / "roles/configure_mgmt/meta/argument_specs.yml").read_text(encoding="utf-8"))[
        "argument_specs"
    ]["main.yml"]["options"]
    asked = {one["variable"] for one in play["vars"]["mgmt_network_survey"]["spec"]}
    text = (ROOT / "extensions/awx/job_templates.yml").read_text(encoding="utf-8")
    assert all(name in known or f"{{{{ {name}" in text for name in asked)
    templates = next(task for task in play["tasks"] if "awx.awx.job_template" in task)["loop"]
    assert all((ROOT / one["playbook"]).exists() for one in templates)
    group = next(task for task in play["tasks"] if "awx.awx.group" in task)["awx.awx.group"]
    template = next(task for task in play["tasks"] if "awx.awx.job_template" in task)["awx.awx.job_template"]
    assert (
        {template["extra_vars"][f"{one}_pattern"] for one in ("add_host", "remove_network")}
        == {group["name"]}
        == {"{{ mgmt_network_group }}"}
    )
