# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extract the examples of the documentation: fenced blocks of Markdown, and EXAMPLES of plugins."""

from __future__ import annotations

import ast
import pathlib
import re
import textwrap

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "roles/configure_mgmt/README.md",
    "roles/host_deploy/README.md",
    "roles/setup_networks/README.md",
)
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_TASK = re.compile(r"(?m)^(?=- )")
_COMMENT = re.compile(r"(?m)^ *# ?(.*)$")


def blocks(page, *languages):
    """The texts of the fenced blocks of a page in one of the ``languages``."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [textwrap.dedent(found["text"]) for found in _FENCE.finditer(text) if found["language"] in languages]


def files():
    """``{name: text}`` of the files in the pages. Each begins with a comment with its name."""
    found = {}
    for page in PAGES:
        for text in blocks(page, "yaml", "ini"):
            name = re.match(r"# ([\w.]+)\n", text)
            assert name, f"{page}: this example has no line '# NAME' at its begin:\n{text}"
            found[name[1]] = text
    return found


def commands():
    """``[(page, command, documented output)]`` of the console blocks; a command begins with ``$ `` or ``# ``."""
    found = []
    for page in PAGES:
        for line in "\n".join(blocks(page, "console")).splitlines():
            if line.startswith(("$ ", "# ")):
                found.append((page, line[2:], []))
            elif line.strip():
                found[-1][2].append(line)
    return found


def filter_examples():
    """``[(name of the filter, task, documented result in the comment below)]``."""
    return [
        (path.stem, *one)
        for path in sorted((ROOT / "plugins/filter").glob("*.yml"))
        for one in _tasks(yaml.safe_load(path.read_text(encoding="utf-8"))["EXAMPLES"])
    ]


def module_examples(name):
    """The tasks of a module's EXAMPLES."""
    tree = ast.parse((ROOT / f"plugins/modules/{name}.py").read_text(encoding="utf-8"))
    texts = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    return yaml.safe_load(texts["EXAMPLES"])


def _tasks(text):
    for part in _TASK.split(text):
        if part.strip():
            yield yaml.safe_load(part)[0], yaml.safe_load("\n".join(_COMMENT.findall(part)))


def holds(said, real, where=""):
    """The differences between ``said`` and ``real``: ``[text]``. A mapping may end with ``...``, and a top-level key
    may be a path with dots.
    """
    if isinstance(said, dict) and isinstance(real, dict):
        missing = (
            []
            if "..." in said
            else [f"{where}: not told: {sorted(set(real) - set(said))}"]
            if where and set(real) - set(said)
            else []
        )
        return missing + [
            line
            for key, value in said.items()
            if key != "..."
            for line in holds(value, _at(real, key), f"{where}.{key}")
        ]
    if isinstance(said, list) and isinstance(real, list) and len(said) == len(real):
        return [
            line
            for number, (one, other) in enumerate(zip(said, real))
            for line in holds(one, other, f"{where}[{number}]")
        ]
    return [] if said == real else [f"{where}: {said!r} is told, {real!r} is true"]


def _at(data, key):
    for part in [key] if key in data else key.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data
