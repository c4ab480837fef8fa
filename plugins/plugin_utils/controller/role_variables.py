# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Template the variables of roles and playbooks and validate them with variables.py."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import variables as rules
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import NETADDR_IMPORT_ERROR
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import PlainDataError, to_plain
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.policies import JMESPATH_IMPORT_ERROR

_ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "..", "roles")
Specifications = Mapping[str, Mapping[str, Any]]


def missing_library() -> str:
    """The message for a Python library that is missing on the controller, "" if none is."""
    for name, error in (("netaddr", NETADDR_IMPORT_ERROR), ("jmespath", JMESPATH_IMPORT_ERROR)):
        if error is not None:
            return str(missing_required_lib(name))
    return ""


def refusal(problems: Iterable[str]) -> str:
    """The message for invalid variables, each problem once."""
    text = "; ".join(dict.fromkeys(problems))
    return "%s%s No host was contacted" % (text, "" if text.endswith("?") else ".")


def specification(role: str) -> dict[str, Any]:
    """The options of ``role`` from its meta/argument_specs.yml: ``{name: {type, ...}}``."""
    with open(os.path.join(_ROLES, role, "meta", "argument_specs.yml"), encoding="utf-8") as stream:
        entry_points = yaml_load(stream)["argument_specs"]
    options: dict[str, Any] = next(iter(entry_points.values()))["options"]
    return options


def checked(
    specifications: Specifications, variables: Mapping[str, Any], templar: Any, given: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """``(arguments, problems)``, see variables.check(), of all ``specifications`` (``{prefix: options}``).

    ``variables``: of a task or a host, resolved by ``templar``. ``given``: resolved values of some options, which have
    precedence.
    """
    arguments: dict[str, Any] = {}
    problems: list[str] = []
    for prefix, options in specifications.items():
        values, broken = _templated(prefix, options, variables, templar)
        values.update({name: value for name, value in (given or {}).items() if name in options})
        readable = {name: spec for name, spec in options.items() if name not in broken}
        found, wrong = rules.check(prefix, readable, values)
        problems += ["%s: cannot be read: %s" % item for item in broken.items()]
        problems += wrong + _locate(prefix, options, found, variables)
        arguments.update(found)
    return arguments, problems


def _templated(
    prefix: str, options: Mapping[str, Any], variables: Mapping[str, Any], templar: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """``({name: value}, {name: error})`` of the variables with ``prefix``."""
    values: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for name in variables:
        if name not in options and name not in rules.DEFAULTS_TO.values():
            if name.startswith(prefix + "_"):
                values[name] = None  # only its name is used
            continue
        try:
            values[name] = to_plain(templar.template(variables[name]), name)
        except AnsibleUndefinedVariable as error:
            if rules.DEFAULTS_TO.get(name, name) in variables:
                broken[name] = " ".join(str(error).split())
        except (AnsibleError, PlainDataError) as error:
            broken[name] = " ".join(str(error).split())
    return values, broken


def _locate(prefix: str, options: Iterable[str], arguments: dict[str, Any], variables: Mapping[str, Any]) -> list[str]:
    """Replace the paths of directories (from the working directory) and of task files in ``arguments`` with absolute
    ones. Returns the problems.
    """
    folders = [variables.get("playbook_dir"), variables.get("inventory_dir"), os.getcwd()]
    problems = []
    for key, path in arguments.items():
        name = "%s_%s" % (prefix, key)
        if key.endswith("_dir") and name in options and path:
            arguments[key] = os.path.abspath(os.path.expanduser(path))
        if key.endswith("_tasks") and name in options and path:
            try:
                arguments[key] = rules.located(name, os.path.expanduser(path), folders, os.path.isfile)
            except rules.ArgumentError as error:
                problems.append(str(error))
    return problems
