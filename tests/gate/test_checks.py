# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the whole collection, one test each. They run in the copy of the checkout created by setup.py."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import setup as tools  # noqa: E402

TARGETS = ((3, 9), (3, 12), (3, 13))  # EL9, EL10, Debian 13
FILTERS = (
    "derive_mgmt_network",
    "host_network_difference",
    "mgmt_network_definition",
    "mgmt_network_event",
    "mgmt_network_outcome",
    "mgmt_network_policy_violations",
    "mgmt_network_report",
    "mgmt_network_request",
    "nmstate_desired_state",
    "profile_settings",
    "remove_mgmt_network",
)
MODULES = (
    "check_arguments",
    "host_deploy_plan",
    "host_deploy_verify",
    "host_network_facts",
    "mgmt_network_apply",
    "mgmt_network_plan",
    "network_commit",
    "nmstate_apply",
    "setup_networks_plan",
)
ROLES = ("configure_mgmt", "host_deploy", "setup_networks")


OTHER_CORES = {
    "2.16.19": ((3, 11), (3, 12), (3, 10)),
    "2.21.5": ((3, 13), (3, 12), (3, 14)),
}  # oldest and newest ansible-core, and their Pythons


@pytest.fixture(scope="module")
def pythons():
    """The Python interpreters of this machine."""
    return tools.interpreters()


def run(*argv, timeout=600, cwd=ROOT, **environment):
    """Run a tool; fail with its complete output if it fails."""
    done = subprocess.run(
        [str(one) for one in argv],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    if done.returncode:
        # ansible-test prints its errors first, then everything that it installs
        errors = "\n".join(line for line in done.stdout.splitlines() if line.startswith("ERROR"))
        pytest.fail(
            f"{' '.join(map(str, argv))}: exit status "
            f"{done.returncode}\n{errors}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}",
            pytrace=False,
        )
    return done.stdout + done.stderr


def with_pythons(pythons):
    """PATH with the names of the target Pythons, for ansible-test."""
    folders = [str(pathlib.Path(pythons[version]).parent) for version in TARGETS if version in pythons]
    return os.pathsep.join([os.environ["PATH"], *folders])


def test_sanity(pythons):
    # the lab and its callers are programs of this checkout, not plugins that are sent to hosts
    programs = (
        "tests/lab/",
        "tests/gate/",
        "tests/faults/",
        "tests/setup.py",
        "tests/demo.py",
        "tests/bench.py",
        "tests/screen.py",
        "extensions/",
    )
    own = [name for name in programs if (ROOT / name).exists()]
    excluded = [word for name in own for word in ("--exclude", name)]
    run("ansible-test", "sanity", "--local", "--color", "no", *excluded, timeout=1800, PATH=with_pythons(pythons))


def test_units_as_ansible_test_runs_them():
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    run("ansible-test", "units", "--local", "--color", "no", "--python", version, timeout=1800)


@pytest.mark.parametrize("version", TARGETS, ids=map(tools.dotted, TARGETS))
def test_host_side_imports_on_the_oldest_and_newest_targets(version, pythons):
    if version not in pythons:
        pytest.skip(f"NOT CHECKED with Python {tools.dotted(version)}: it is not on this machine")
    base = ROOT / "plugins/module_utils"
    names = [".".join(path.relative_to(base).with_suffix("").parts) for path in sorted(base.rglob("*.py"))]
    lines = "; ".join(f"import ansible_collections.ovirt.mgmt_network.plugins.module_utils.{name}" for name in names)
    run(
        pythons[version],
        "-I",
        "-W",
        "error",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT.parents[2])!r}); {lines}",
    )


def test_ansible_lint():
    run("ansible-lint", "--offline", "--profile", "production", "--strict", "-q")


def test_yamllint():
    run("yamllint", "--strict", ".")


def test_docs_lint():
    run("antsibull-docs", "lint-collection-docs", "--plugin-docs", ".")


@pytest.mark.parametrize(
    "kind, names", [("module", MODULES), ("filter", FILTERS), ("role", ROLES)], ids=["modules", "filters", "roles"]
)
def test_docs_show(kind, names):
    pages = json.loads(
        run("ansible-doc", "-t", kind, "--json", *(f"ovirt.mgmt_network.{name}" for name in names)).split(
            "\n[WARNING]"
        )[0]
    )
    assert sorted(pages) == sorted(f"ovirt.mgmt_network.{name}" for name in names)


def test_docs_know_every_plugin_and_role():
    listed = {"modules": MODULES, "filter": FILTERS}
    for folder, names in listed.items():
        assert sorted(path.stem for path in (ROOT / "plugins" / folder).glob("*.py")) == sorted(names)
    assert sorted(path.name for path in (ROOT / "roles").iterdir()) == sorted(ROLES)


def test_changelog_lint():
    run("antsibull-changelog", "lint")


def test_playbooks_parse():
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        run(
            "ansible-playbook",
            "-i",
            "localhost,",
            "--syntax-check",
            f"ovirt.mgmt_network.{path.stem}",
            "-e",
            '{"mgmt_network": {"name": "ovirtmgmt"}}',
        )


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    run("ansible-galaxy", "collection", "build", "--output-path", folder)
    return next(folder.glob("*.tar.gz"))


def test_the_built_collection_contains_what_users_need(tarball):
    names = run("tar", "tzf", tarball).split()
    assert {
        "plugins/modules/nmstate_apply.py",
        "playbooks/add_host.yml",
        "roles/host_deploy/README.md",
        "LICENSE",
    } <= set(names)
    assert not [
        name
        for name in names
        if any(part == "__pycache__" or part.startswith(".") and part != ".keep" for part in name.split("/"))
    ]


def test_galaxy_importer(tarball):
    run(
        sys.executable,
        "-m",
        "galaxy_importer.main",
        tarball,
        cwd=tarball.parent,
        GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="True",
    )


def test_the_execution_environment_build_context(tarball, tmp_path):
    shutil.copy(tarball, tmp_path)
    for name in ("execution-environment.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    run("ansible-builder", "create", "-f", "execution-environment.yml", cwd=tmp_path)
    assert list((tmp_path / "context").glob("*file"))  # Containerfile or Dockerfile, by the runtime there is


@pytest.mark.parametrize("core", OTHER_CORES)
def test_other_ansible_cores(core, pythons, tmp_path):
    wanted = OTHER_CORES[core]
    if not set(wanted) & set(pythons):
        pytest.skip(
            f"NOT CHECKED with ansible-core {core}: Python {' or '.join(map(tools.dotted, wanted))} is not on this "
            f"machine"
        )
    needs = tmp_path / "requirements.txt"
    needs.write_text(f"ansible-core=={core}\njmespath\nnetaddr\npytest\n", encoding="ascii")
    venv = tools.tools(needs, f"core-{core}", wanted)
    where = {
        "PATH": f"{venv}/bin:{tools.clean_path()}",
        "ANSIBLE_INJECT_FACT_VARS": "false",
        "ANSIBLE_DEPRECATION_WARNINGS": "true",
    }
    said = [run(venv / "bin/python", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "tests/unit", **where)]
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        said.append(
            run("ansible-playbook", "-i", "localhost,", "--syntax-check", f"ovirt.mgmt_network.{path.stem}", **where)
        )
    for kind, names in (("module", MODULES), ("filter", FILTERS), ("role", ROLES)):
        said.append(run("ansible-doc", "-t", kind, *(f"ovirt.mgmt_network.{name}" for name in names), **where))
    assert not [line for text in said for line in text.splitlines() if "[DEPRECATION WARNING]" in line]


def test_every_file_has_a_license():
    """In its first lines, or in a file NAME.license beside it or beside one of its parent folders."""
    listed = run("git", "ls-files", "-z").split("\0")
    stated = re.compile(r"SPDX-FileCopyrightText: .*\n.*SPDX-License-Identifier: GPL-3.0-or-later\n")
    silent = []
    for name in filter(None, listed):
        path = ROOT / name
        beside = [path, *path.parents[: len(pathlib.PurePath(name).parents) - 1]]
        said = any(
            stated.search(one.with_name(one.name + ".license").read_text(encoding="utf-8"))
            for one in beside
            if one.with_name(one.name + ".license").exists()
        )
        if (
            path.stat().st_size
            and name != "LICENSE"
            and not said
            and not stated.search(path.read_text(encoding="utf-8")[:1000])
        ):
            silent.append(name)
    assert not silent
