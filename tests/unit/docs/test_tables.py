# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables, statuses, events, and versions in the READMEs match the code."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup import wanted
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import outcome

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROLES = ("configure_mgmt", "host_deploy", "setup_networks")
PLAYBOOK_VARIABLE = re.compile(r"(?m)^ +((?:add_host|remove_network|setup_networks)_\w+): \{type:")


def load(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def spec(role):
    (one,) = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"].values()
    return one


def tables(path, first):
    """The rows of all tables of a Markdown file whose first column is called ``first``: ``{name without backticks:
    [cells]}``.
    """
    rows, inside = {}, False
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif not inside:
            inside = cells[0] == first and "header"
            wanted = bool(inside)
            inside = "header"
        elif wanted and not set(cells[0]) <= set("-"):
            for name in cells[0].split(", "):
                rows[name.strip("`")] = cells
    return rows


def documented(cell):
    """The default in a cell: the value for `code`, otherwise None."""
    return yaml.safe_load(cell.strip("`")) if re.fullmatch("`[^`]+`", cell) else None


def differences(rows, options):
    """``{name: (documented, real)}`` of defaults; a default of None, empty text, an empty list, or an empty mapping may
    also be described in text or omitted.
    """
    found = {name: (documented(rows[name][1]), options[name]) for name in set(rows) & set(options)}
    return {
        name: (said, real)
        for name, (said, real) in found.items()
        if said != real and not (said is None and real in (None, "", [], {}))
    }


def playbook_variables():
    """``{name: default}`` of the playbook variables, from ``NAME | default('X'`` or ``[NAME | default(none), X]``."""
    found = {}
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for name in PLAYBOOK_VARIABLE.findall(text):
            used = re.search(rf"\[{name} \| default\(none\), ([^]]+)\]|\b{name} \| default\(([^(),]*)", text)
            found[name] = yaml.safe_load(used[1] or used[2])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_role_readme_lists_every_variable_with_its_default(role):
    options = {name: one.get("default") for name, one in spec(role)["options"].items()}
    rows = tables(f"roles/{role}/README.md", "variable")
    assert set(rows) == set(options), (
        f"roles/{role}/README.md: add or remove these rows of the table of variables: {set(rows) ^ set(options)}"
    )
    assert differences(rows, options) == {}


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_of_a_role_are_those_that_it_documents(role):
    options, real = spec(role)["options"], load(f"roles/{role}/defaults/main.yml")
    assert set(real) <= set(options)
    told = {
        name: options[name].get("default")
        for name, value in real.items()
        if not (isinstance(value, str) and "{{" in value)
    }
    assert told == {name: real[name] for name in told}
    assert {name for name, one in options.items() if "default" in one} <= set(real)


def test_the_readme_lists_every_variable_of_the_playbooks():
    rows, real = tables("README.md", "variable"), playbook_variables()
    options = {name: one.get("default") for role in ROLES for name, one in spec(role)["options"].items()}
    assert set(real) <= set(rows) <= set(real) | set(options)
    assert differences(rows, {**options, **real}) == {}


def test_all_descriptions_of_the_definition_have_the_same_keys():
    real = load("plugins/filter/mgmt_network_definition.yml")["DOCUMENTATION"]["options"]["_input"]["suboptions"]
    rows = tables("README.md", "key")
    assert set(rows) == set(real)
    assert differences(rows, {name: one.get("default") for name, one in real.items()}) == {}
    of_role = spec("configure_mgmt")["options"]["configure_mgmt_network"].get("options")
    if of_role:
        assert {name: one.get("default") for name, one in of_role.items()} == {
            name: one.get("default") for name, one in real.items()
        }


def test_the_readme_explains_every_status():
    real = {
        value
        for name, value in vars(outcome).items()
        if name.isupper() and isinstance(value, str) and value == name.lower()
    }
    assert "up" in real and set(tables("README.md", "status")) == real


def test_events_that_the_readmes_name_exist():
    text = "".join(
        (ROOT / path).read_text(encoding="utf-8")
        for path in ("README.md", *(f"roles/{role}/README.md" for role in ROLES))
    )
    names = set(re.findall(r"`([A-Z]{3,}(?:_[A-Z]+)+)`", text))
    assert names and names <= set(events.CATALOGUE)


def versions(data):
    """Every ``version_added`` below ``data``."""
    if isinstance(data, dict):
        yield from (str(value) for key, value in data.items() if key == "version_added")
    for one in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from versions(one)


def released(kind):
    """``{name: version}`` of plugins, modules or roles that the changelog has."""
    found = {}
    for version, release in load("changelogs/changelog.yaml")["releases"].items():
        listed = (
            release.get("modules")
            if kind == "modules"
            else (release.get("objects" if kind == "role" else "plugins") or {}).get(kind)
        )
        found.update({one["name"]: version for one in listed or []})
    return found


def documentation(kind):
    """``{name: its documentation}`` of the modules, filters or roles."""
    if kind == "role":
        return {role: spec(role) for role in ROLES}
    if kind == "filter":
        return {path.stem: load(path)["DOCUMENTATION"] for path in sorted((ROOT / "plugins/filter").glob("*.yml"))}
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "plugins/modules").glob("*.py"))}
    return {
        name: yaml.safe_load(text.partition('DOCUMENTATION = r"""')[2].partition('"""')[0])
        for name, text in texts.items()
    }


@pytest.mark.parametrize(
    "page, name, path",
    [
        ("README.md", "networks.yml", ["host_networks"]),
        (
            "roles/setup_networks/README.md",
            "host_networks.yml",
            [0, "roles", 0, "vars", "setup_networks_host_networks"],
        ),
    ],
)
def test_networks_of_a_readme_are_valid(page, name, path):
    text = (ROOT / page).read_text(encoding="utf-8").partition(f"```yaml\n# {name}\n")[2].partition("```")[0]
    data = yaml.safe_load(text)
    for key in path:
        data = data[key]
    assert {"red", "old"} < set(wanted.parse_host_networks(data).networks)


@pytest.mark.parametrize("kind", ["modules", "filter", "role"])
def test_unreleased_items_have_the_next_version(kind):
    now, before = load("galaxy.yml")["version"], released(kind)
    found = documentation(kind)
    assert set(before) <= set(found)
    assert {name: str(one["version_added"]) for name, one in found.items()} == {
        name: before.get(name, now) for name in found
    }
    known = set(load("changelogs/changelog.yaml")["releases"]) | {now}
    assert set(versions(found)) <= known


def test_fragments_belong_to_an_unreleased_version():
    if list((ROOT / "changelogs/fragments").glob("*.yml")):
        assert load("galaxy.yml")["version"] not in load("changelogs/changelog.yaml")["releases"]


def test_the_execution_environment_installs_the_version_that_is_built():
    galaxy = load("galaxy.yml")
    tarball = f"{galaxy['namespace']}-{galaxy['name']}-{galaxy['version']}.tar.gz"
    (collection,) = load("execution-environment.yml")["dependencies"]["galaxy"]["collections"]
    assert collection["name"] == collection["source"] == tarball
