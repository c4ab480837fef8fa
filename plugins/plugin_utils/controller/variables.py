# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validate the variables of roles and playbooks against their specification, convert and complete them.

The specification is that of ``meta/argument_specs.yml``. Ansible's own validation of a role is not suitable: it runs
for each host after others were contacted, prints the whole specification, and rejects the empty texts with which
surveys and templates mean "not set".
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import values
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import (
    DefinitionError,
    parse_definition,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan import policies
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.wanted import (
    HostNetworksError,
    parse_host_networks,
)

NETWORK, MGMT_NETWORK = "configure_mgmt_network", "mgmt_network"
ROLE_NETWORKS, HOST_NETWORKS = "setup_networks_host_networks", "host_networks"
# Variables of roles that default to a variable of the data center or the host, with an example of it.
DEFAULTS_TO = {NETWORK: MGMT_NETWORK, ROLE_NETWORKS: HOST_NETWORKS}
_REQUIRED = {
    MGMT_NETWORK: "the definition of the management network, for example {name: ovirtmgmt, vlan_tag: 3000}",
    HOST_NETWORKS: "the networks and bonds of the host, for example {networks: {red: {on: bond1, vlan_tag: 10}}}",
}
# Limits that argument_specs.yml cannot express. The first one is that of the option timeout of nmstate_apply.
BOUNDS = {
    "configure_mgmt_timeout": (10, 600),
    "configure_mgmt_wait": (0, 86400),
    "configure_mgmt_reboot_timeout": (1, 86400),
    "setup_networks_timeout": (10, 600),
    "setup_networks_wait": (0, 86400),
    "host_deploy_ssh_port": (1, 65535),
    "host_deploy_clock_timeout": (0, 86400),
    "port": (1, 65535),
    "size": (68, 65535),
    "timeout": (1, 600),  # of a probe
}
# Facts of the roles and playbooks, which exist for the rest of a run: not arguments, but known.
FACTS = {
    "configure_mgmt": ("request", "result"),
    "host_deploy": ("result",),
    "add_host": (),
    "remove_network": (),
    # the playbook has the role's name: its variables are not the role's
    "setup_networks": ("result", "pattern", "serial", "max_fail_percentage"),
}


class ArgumentError(Exception):
    """A value is invalid; the text names the variable, the value, and what is allowed."""


def check(prefix: str, options: dict[str, dict[str, Any]], given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """``(arguments, problems)`` of the variables whose names begin with ``prefix`` and "_".

    ``options``: the specification, ``{name: {type, choices, default, elements, options, required}}``. ``given``:
    ``{name: value}``, plain data; may contain other variables, and the variables of
    DEFAULTS_TO. ``arguments``: ``{name without
    prefix: value}`` of the variables that are set or have a default. ``problems``: a sentence for each invalid
    variable.
    """
    arguments, problems = {}, []
    for name, spec in options.items():
        label, value = (name, given.get(name)) if name not in DEFAULTS_TO else _network(name, given)
        try:
            value = _value(label, spec, value)
            if name == NETWORK:
                parse_definition(value)
            if name == ROLE_NETWORKS:
                parse_host_networks(value)
            if name == "configure_mgmt_policies":
                policies.violations(None, value)
        except ArgumentError as error:
            problems.append(str(error))
        except (DefinitionError, HostNetworksError) as error:
            problems.append("%s: %s" % (label, error))
        except policies.PolicyError as error:
            problems.append("%s_%s" % (prefix, error))  # the text begins with "policies[0]"
        else:
            if value is not None:
                arguments[name[len(prefix) + 1 :]] = value
    return arguments, problems + unknown(prefix, options, given)


def _network(name: str, given: dict[str, Any]) -> tuple[str, Any]:
    """The name of the variable that has the value of ``name``, and the value: see DEFAULTS_TO."""
    value, default = given.get(name), DEFAULTS_TO[name]
    return (name, value) if value is not None and value != given.get(default) else (default, given.get(default))


def unknown(prefix: str, options: dict[str, dict[str, Any]], names: dict[str, Any]) -> list[str]:
    """A sentence for each of ``names`` that begins with ``prefix`` and "_" but is not in ``options`` and not a fact,
    with similar names.
    """
    begin = prefix + "_"
    known = [one[len(begin) :] for one in options]
    strange = sorted(
        one
        for one in names
        if one.startswith(begin) and one not in options and one[len(begin) :] not in FACTS.get(prefix, ())
    )
    # compared without the common prefix, which would make all names similar
    return ["%s: unknown variable%s" % (one, _nearest(one[len(begin) :], known, begin)) for one in strange]


def _value(name: str, spec: dict[str, Any], value: Any) -> Any:
    """``value`` converted to the type in ``spec``, or its default if not set (None without a default). Raises
    ArgumentError.
    """
    kind = spec.get("type", "str")
    choices = spec.get("choices")
    # an empty text is valid, unless it is not one of the choices
    unset = value is None if kind in ("str", "path") and not (choices and "" not in choices) else values.is_unset(value)
    if unset:
        if name in _REQUIRED:
            raise ArgumentError("%s: this variable is required; set it to %s" % (name, _REQUIRED[name]))
        if spec.get("required"):
            raise ArgumentError(
                "%s: this key is required; expected %s" % (name, _expected(name, _NAMES.get(kind, kind), choices))
            )
        return spec.get("default")
    try:
        value = _CONVERT[kind](value)
    except ValueError as error:
        raise _wrong(name, value, _expected(name, str(error), choices)) from None
    if kind == "int" and not _within(name, value) or choices and kind != "list" and value not in choices:
        raise ArgumentError("%s: got %r, expected %s" % (name, value, _expected(name, _NAMES[kind], choices)))
    if kind == "list":
        element = {
            "type": spec.get("elements", "raw"),
            "choices": choices,
            "options": spec.get("options"),
            "required": True,
        }
        return [_value("%s[%d]" % (name, index), element, one) for index, one in enumerate(value)]
    if kind == "dict" and spec.get("options") and name not in (NETWORK, MGMT_NETWORK):
        return _mapping(name, spec["options"], value)
    return value


def _mapping(name: str, options: dict[str, dict[str, Any]], value: dict[str, Any]) -> dict[str, Any]:
    unknown = [key for key in value if key not in options]
    if unknown:
        raise ArgumentError("%s.%s: unknown key%s" % (name, unknown[0], _nearest(str(unknown[0]), list(options))))
    found = {key: _value("%s.%s" % (name, key), spec, value.get(key)) for key, spec in options.items()}
    return {key: one for key, one in found.items() if one is not None}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _element_text(value: Any) -> str:
    """Text. Numbers, such as a port or a VLAN in a YAML list, are converted to decimal text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "int": values.integer,
    "bool": values.boolean,
    "dict": values.mapping,
    "list": values.sequence,
    "str": _element_text,
    "path": _text,
    "raw": lambda value: value,
}


_NAMES = {
    "int": "an integer",
    "bool": "a boolean",
    "dict": "a mapping",
    "list": "a list",
    "str": "a text",
    "path": "a text",
}


def _within(name: str, value: int) -> bool:
    low, high = BOUNDS.get(name.rpartition(".")[2], (value, value))
    return low <= value <= high


def _expected(name: str, what: str, choices: list[str] | None) -> str:
    if choices and what != "a list":
        return "one of %s" % ", ".join(repr(one) if one == "" else str(one) for one in choices)
    low_high = BOUNDS.get(name.rpartition(".")[2])
    words = {
        "a boolean": "a boolean: true or false (yes, no, on, off)",
        "a list": "a list, or JSON text of one",
        "a mapping": "a mapping, or JSON text of one",
    }
    if choices:
        return "a list of %s" % ", ".join(choices)
    return "an integer from %s to %s" % low_high if low_high and what == "an integer" else words.get(what, what)


def _wrong(name: str, value: Any, expected: str) -> ArgumentError:
    return ArgumentError("%s: got %s, expected %s" % (name, describe(value), expected))


def _nearest(name: str, known: list[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    begins = [one for one in known if one not in near and (name.startswith(one) or one.startswith(name))]
    near = [prefix + one for one in begins + near][:3]
    if not near:
        return "; expected one of %s" % ", ".join(prefix + one for one in known)
    return ", did you mean %s?" % " or ".join(near)


def located(name: str, path: str, folders: list[str | None], exists: Callable[[str], bool]) -> str:
    """The absolute path of the task file ``path``; a relative path is searched for in ``folders`` with
    ``exists(path)``. Raises ArgumentError with the places that were searched. ``name``: the variable.
    """
    places = (
        [path]
        if path.startswith("/")
        else ["%s/%s" % (folder.rstrip("/"), path) for folder in dict.fromkeys(folders) if folder]
    )
    found = next((one for one in places if exists(one)), None)
    if found is None:
        raise ArgumentError(
            "%s: got %s, expected a task file; not found: %s" % (name, describe(path), " or ".join(places))
        )
    return found


def unmatched(pattern: str | list[str], playbook: str, groups: dict[str, list[str]], limit: str | None) -> str:
    """The message for a ``pattern`` (text or a list of texts) that matches no host. ``groups``: ``{name: [host]}`` of
    the inventory. ``limit``: of the run, or None. Ansible itself skips a play without hosts and reports success.
    """
    named = sorted(set(groups) - {"all", "ungrouped"})
    hosts = len(groups["all"])
    return (
        "No host matches the pattern '%s' (%s_pattern)%s. The inventory has %d %s and the groups: %s. Nothing was "
        "changed. Correct the inventory or --limit, or set %s_pattern."
        % (
            pattern if isinstance(pattern, str) else ":".join(pattern),
            playbook,
            "" if limit is None else " within --limit '%s'" % limit,
            hosts,
            "host" if hosts == 1 else "hosts",
            ", ".join(named) or "none",
            playbook,
        )
    )


def by_host(problems: dict[str, list[str]]) -> list[str]:
    """The lines of ``problems`` (``{host: [text]}``), each text once. Problems of only some hosts begin with their
    names.
    """
    hosts: dict[str, list[str]] = {}
    for host, texts in problems.items():
        for text in dict.fromkeys(texts):
            hosts.setdefault(text, []).append(host)
    everywhere = len(problems) if len(problems) > 1 else None
    return [text if len(names) == everywhere else "%s: %s" % (_some(names), text) for text, names in hosts.items()]


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else "%s and %d more hosts" % (", ".join(names[:3]), len(names) - 3)
