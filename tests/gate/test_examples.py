# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every example of the documentation as a reader would, on this machine and on three lab hosts.

A block that shows a file begins with its name as a comment. The output in a console block is compared with the output
of the command.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gate"))
import examples  # noqa: E402
import scenarios  # noqa: E402

from tests.lab import plays  # noqa: E402

HOSTS = {
    "example-1": "bond-vlan",
    "example-2": "bond-vlan-static",
    "example-3": "nic-dhcp",
}  # host1.example.com and so on
NEEDS_A_HOST = ("ansible_facts['host_network']", "decision.request", "configure_mgmt_result |")
ENGINE = """
from ansible.module_utils.basic import AnsibleModule
arguments = {"auth": {"type": "dict", "required": True}, "name": {"required": True}, "public_key": {"type": "bool"}}
module = AnsibleModule({**arguments, "address": {}, "cluster": {}})
module.exit_json(changed=True)
"""


def bash(command, cwd, lab=False, **environment):
    """Run a command line as a reader would, optionally on the engine's side of the lab: ``(exit status, output)``."""
    argv = ["bash", "-euc", command]
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/lab"), "exec", "--", *argv] if lab else argv,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder: the files in the pages, and the collection, installed with the commands of the README without
    a network.
    """
    path = tmp_path_factory.mktemp("reader")
    for name, text in examples.files().items():
        (path / name).write_text(text, encoding="utf-8")
    offline = {
        "ANSIBLE_GALAXY_SERVER": "http://127.0.0.1:9",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(path),
    }
    shown = [
        command
        for page, command, _output in examples.commands()
        if page == "README.md" and command.startswith(("ansible-galaxy", "python3 -m pip"))
    ]
    assert [command.split()[2] for command in shown[:3]] == ["build", "install", "pip"]
    checkout = path / "checkout"
    status, said = bash(f"cp -r {ROOT} {checkout} && rm -rf {checkout}/.git", path)
    assert status == 0, said
    for command in shown[:3]:
        status, said = bash(command, checkout, **offline)
        assert status == 0, f"{command}\n{said[-3000:]}"
    assert (path / "ansible_collections/ovirt/mgmt_network/plugins/modules/nmstate_apply.py").exists()
    return path


def test_every_documented_command_is_tested():
    targets = re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"))
    for page, command, _output in examples.commands():
        first = command.split()
        if first[0] == "make":
            assert first[1] in targets, f"{page}: {command}"
            status, said = bash(f"make -n {' '.join(first[1:])}", ROOT)
            assert status == 0, said
        else:
            assert first[0] in ("ansible-galaxy", "ansible-playbook", "ansible-builder", "python3"), (
                f"{page}: nothing runs this command: {command}"
            )


def test_inline_commands_work():
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in examples.PAGES)
    for command in set(re.findall(r"`(ansible-doc [^`]+)`", text)):
        status, said = bash(command, ROOT)
        assert status == 0 and "was not found" not in said, f"{command}\n{said}"
    for target in set(re.findall(r"`make ([a-z-]+)[^`]*`", text)):
        assert bash(f"make -n {target}", ROOT)[0] == 0, target


def test_links_are_valid():
    for page in examples.PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^):]+)\)", text):
            name, _hash, anchor = target.partition("#")
            other = (ROOT / page).parent / name if name else ROOT / page
            assert other.exists(), f"{page}: {target}"
            heads = (
                [
                    re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-")
                    for head in re.findall(r"(?m)^#+ (.*)$", other.read_text(encoding="utf-8"))
                ]
                if anchor
                else []
            )
            assert not anchor or anchor in heads, f"{page}: {target}"


def test_filter_examples_return_the_documented_results(tmp_path):
    play, told = [], []
    for name, task, said in examples.filter_examples():
        if not any(word in json.dumps(task) for word in NEEDS_A_HOST):
            play.append({**task, "register": f"example_{len(told)}"})
            told.append((name, task["name"], said))
    results = "[" + ", ".join(f"example_{number}" for number in range(len(told))) + "]"
    play.append(
        {
            "ansible.builtin.copy": {
                "content": "{{ " + results + " | to_json }}",
                "dest": str(tmp_path / "results.json"),
                "mode": "0600",
            }
        }
    )
    (tmp_path / "site.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
                    "tasks": play,
                }
            ]
        ),
        encoding="utf-8",
    )
    status, said = bash("ansible-playbook -i localhost, -c local site.yml", tmp_path)
    assert status == 0, said[-3000:]
    wrong = []
    for (name, task, comment), result in zip(told, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))):
        if comment is not None:
            wrong += [
                f"{name}: {task}: {line}"
                for line in examples.holds(comment, result.get("msg") or result.get("ansible_facts"))
            ]
    assert len(told) >= 10 and not wrong, "\n".join(wrong)


def test_files_that_need_no_host_run(folder, tmp_path):
    module = (
        folder / "ansible_collections/ovirt/ovirt/plugins/modules/ovirt_host.py"
    )  # a replacement, because there is no engine
    module.parent.mkdir(parents=True)
    module.write_text(ENGINE, encoding="utf-8")
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(folder)}
    python = "-e ansible_python_interpreter='{{ ansible_playbook_python }}'"
    status, said = bash(
        f"ansible-playbook -i inventory add_to_engine.yml -e engine_password=x {python}", folder, **paths
    )
    assert status == 0 and said.count("changed=1 ") == 3, said[-3000:]
    artifact = {
        "mgmt_network_results": {},
        "mgmt_network_results_9": {"h1": {"status": "up"}, "h2": {"status": "maintenance"}},
        "mgmt_network_results_10": {"h2": {"status": "non_operational"}},
    }
    (tmp_path / "artifact.json").write_text(json.dumps(artifact), encoding="utf-8")
    status, said = bash(
        f"ansible-playbook -i localhost, read_results.yml -e @{tmp_path}/artifact.json", folder, **paths
    )
    assert status == 0 and re.search(r'"h1": "up",\s+"h2": "non_operational"', said), said[-3000:]
    status, said = bash(
        'ansible-playbook -i localhost, read_results.yml -e \'{"mgmt_network_results": {"h1": {"status": "up"}}}\'',
        folder,
        **paths,
    )
    assert status == 0 and '"h1": "up"' in said, said[-3000:]
    status, said = bash(
        "ansible-playbook -i inventory --syntax-check add_host.yml site.yml management_network.yml host_networks.yml "
        "deploy.yml -e @datacenter.yml",
        folder,
        **paths,
    )
    assert status == 0, said[-3000:]


@pytest.fixture(scope="module")
def lab(folder):
    """Three lab hosts with the names in the README's inventory."""
    with scenarios.lab_hosts(HOSTS):
        found = plays.inventory()["hypervisors"]
        for number, name in enumerate(HOSTS, 1):
            path = folder / f"host_vars/host{number}.example.com.yml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps({**found["vars"], **found["hosts"][name]}), encoding="utf-8")
        yield


def play(command, folder):
    return bash(
        command,
        folder,
        lab=True,
        ANSIBLE_COLLECTIONS_PATH=str(folder),
        ANSIBLE_CONFIG=str(folder / "ansible.cfg"),
        ANSIBLE_HOST_KEY_CHECKING="false",
    )


def recap(said):
    """``{host: {changed, failed, ...}}`` from a play recap."""
    lines = said.partition("PLAY RECAP")[2].splitlines()[1:]
    return {
        words[0]: {key: int(value) for key, value in (word.split("=") for word in words[2:])}
        for words in map(str.split, lines)
        if words[1:2] == [":"]
    }


def ending(said):
    """The stripped lines of an output, without values that differ between runs (times, addresses)."""
    return [
        re.sub(r"\d+\.\d+ s\b", "N s", re.sub(r"\d+\.\d+\.\d+\.\d+", "ADDRESS", line.strip()))
        for line in said.splitlines()
    ]


def test_the_readme_from_first_run_to_removal(lab, folder):
    ran = []
    for page, command, shown in examples.commands():
        if command.startswith("ansible-playbook"):
            # host_deploy runs only once, because it takes most of the time
            (folder / "group_vars").mkdir(exist_ok=True)
            (folder / "group_vars/all.json").write_text(
                json.dumps({"add_host_deploy": len(ran) == 1}), encoding="utf-8"
            )
            status, said = play(command, folder)
            ended = recap(said)
            ended.pop("localhost", None)  # checks whether there are hosts
            assert set(ended) == {f"host{number}.example.com" for number in (1, 2, 3)}, f"{command}\n{said[-4000:]}"
            ran.append((command, status, [ended[host]["failed"] for host in sorted(ended)]))
            real = iter(ending(said))
            missing = [line for line in ending("\n".join(shown)) if line not in ("", "...") and line not in real]
            assert not missing, (
                f"{page} shows what is not printed (any more), or in another order:\n"
                + "\n".join(missing)
                + f"\n--- printed:\n{said}"
            )
    (check, *_rest), (run, *_rest), *_others = ran
    assert "--check" in check and "--check" not in run
    # host3 is refused, because its address is untagged; a removal has nothing to do there
    assert [failed for _command, _status, failed in ran] == [[0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 1]], ran
    assert ["remove_network" in command for command, _status, _failed in ran] == [False, False, True, False]


MODULES = (
    "host_network_facts",
    "nmstate_apply",
    "network_commit",
    "mgmt_network_plan",
    "mgmt_network_apply",
    "host_deploy_plan",
    "host_deploy_verify",
    "setup_networks_plan",
)


def test_the_examples_of_the_modules_and_filters_on_a_host(lab, folder):
    tasks = [task for name in MODULES for task in examples.module_examples(name)]
    asked = [
        task
        for _name, task, _said in examples.filter_examples()
        if any(word in json.dumps(task) for word in NEEDS_A_HOST)
    ]
    (folder / "examples.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "host3.example.com",
                    "gather_facts": False,
                    "vars": {
                        "mgmt_network": {"name": "ovirtmgmt", "mtu": 9000},
                        "configure_mgmt_result": "{{ decision | "
                        "ovirt.mgmt_network.mgmt_network_outcome(inventory_hostname) }}",
                    },
                    "tasks": tasks[:1] + asked + tasks[1:],
                }
            ]
        ),
        encoding="utf-8",
    )
    status, said = play("ansible-playbook -i inventory examples.yml", folder)
    assert status == 0, said[-5000:]
    assert recap(said)["host3.example.com"] == {**recap(said)["host3.example.com"], "changed": 5, "skipped": 0}


def test_the_roles_in_own_playbooks(lab, folder):
    """Both examples of configure_mgmt, the second one with the documented hook and policy; setup_networks; then
    host_deploy.
    """
    status, said = play(
        "ansible-playbook -i inventory ovirt.mgmt_network.remove_network -e @datacenter.yml --limit "
        "'!host3.example.com'",
        folder,
    )
    assert status == 0, said[-4000:]
    status, said = play("ansible-playbook -i inventory site.yml --limit host1.example.com", folder)
    assert status == 0 and recap(said)["host1.example.com"]["changed"], said[-4000:]
    status, said = play("ansible-playbook -i inventory host_networks.yml --limit host3.example.com", folder)
    assert status == 0 and recap(said)["host3.example.com"]["changed"], said[-4000:]
    status, said = play(
        "ansible-playbook -i inventory management_network.yml --limit host2.example.com -e @policies.yml --diff", folder
    )
    assert status == 0 and "192.0.2.53" in said, said[-4000:]
    # packages of the oVirt repositories are not available; everything else is as documented
    status, said = play(
        'ansible-playbook -i inventory deploy.yml --limit host1.example.com -e \'{"host_deploy_extra_packages": '
        "[]}' --diff",
        folder,
    )
    assert status == 0 and "This host belongs to oVirt." in said, said[-4000:]
