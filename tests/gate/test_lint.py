# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Style, types, and structure of the Python code: the rules in pyproject.toml, the rooms, and their map."""

from __future__ import annotations

import ast
import re

import pytest
from test_checks import ROOT, run

COLLECTIONS = ROOT.parents[2]
ROOMS = [
    path
    for side in ("module_utils", "plugin_utils")
    for path in sorted((ROOT / "plugins" / side).rglob("*"))
    if path.is_dir() and path.name != "__pycache__"
]
MOST_MODULES = 9  # maximum number of modules in a room


def modules_of(folder):
    """The modules of a folder, without ``__init__.py``."""
    return [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]


def test_lint_format():
    run("ruff", "format", "--check", "--no-cache", ".")


def test_lint_ruff():
    run("ruff", "check", "--no-cache", "--output-format", "concise", ".")


def test_lint_types():
    run("mypy", "--no-error-summary", MYPY_CACHE_DIR=str(COLLECTIONS / ".mypy_cache"))


def test_lint_imports_go_one_way():
    run("lint-imports", "--no-logo", "--no-cache", PYTHONPATH=str(COLLECTIONS))


def test_lint_pre_commit_configuration():
    run("pre-commit", "validate-config", PRE_COMMIT_HOME=str(COLLECTIONS / ".pre-commit"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: f"{room.parent.name}/{room.name}")
def test_lint_room(room):
    """A room has at most nine modules, and its ``__init__.py`` says what belongs there."""
    assert 0 < len(modules_of(room)) <= MOST_MODULES
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))


@pytest.mark.parametrize("side", ("module_utils", "plugin_utils"))
def test_lint_map_is_the_tree(side):
    """The table of each side in CONTRIBUTING.md lists all rooms and modules, and no others."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = re.search(rf"^### [^\n]*`plugins/{side}`[^\n]*\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE).group(1)
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    named = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    base = ROOT / "plugins" / side
    rooms = [f"{room.relative_to(base).as_posix()}/" for room in ROOMS if base in room.parents]
    folders = [base, *(base / room for room in rooms)]
    modules = [path.relative_to(base).with_suffix("").as_posix() for folder in folders for path in modules_of(folder)]
    assert sorted(named) == sorted(rooms + modules)


def test_lint_places_to_look_at_exist():
    """What CONTRIBUTING.md sends a reader to: files of the tree, and functions or names in them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = re.search(r"^## Where to look\n(.*?)^## ", text, re.DOTALL | re.MULTILINE).group(1)
    answers = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(answers) > 3
    for answer in answers:
        words = re.findall(r"`([^`]+)`", answer)
        first = ROOT / next(word for word in words if word.startswith("plugins/"))
        for word in words:
            if word.endswith(".py"):
                assert any((place / word).is_file() for place in (ROOT, first.parent, first.parents[1])), answer
            else:
                assert re.search(rf"(def |^){re.escape(word.removesuffix('()'))}\b", first.read_text(), re.MULTILINE)
