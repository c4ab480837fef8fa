# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summarize the results of a run so that hundreds of hosts fit on a screen. Pure functions on plain data."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.lines import (
    attention_lines,
    head_words,
    result_lines,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.outcome import good

_WIDTH = 110
_NAMED = 3  # up to this number, hosts are named in the first line of their group; otherwise below it
# Text of each category, in the order on the screen. The last two are for hosts without a result.
CATEGORIES = {
    "changed": "changed",
    "in_sync": "in sync",
    "out_of_sync": "out of sync",
    "refused": "refused",
    "no_answer": "unreachable",
    "not_prepared": "not prepared",
    "undone": "undone",
    "failed": "failed",
    "prepared": "prepared only",
    "none": "without a result",
}
_ORDER = list(CATEGORIES)
_CAUSES = {
    events.INVALID_INTERFACE: "interface",
    events.INVALID_BOND: "bond",
    events.VLAN_MISMATCH: "VLAN",
    "VDS_SET_NONOPERATIONAL_IFACE_DOWN": "interface down",
    "VDS_SET_NON_OPERATIONAL_VM_NETWORK_IS_BRIDGELESS": "no bridge",
}
_SILENCE = (
    ("permission denied", "permission denied"),
    ("timed out", "timed out"),
    ("host key", "host key"),
    ("refused", "connection refused"),
    ("no route", "no route"),
    ("resolve", "name not resolved"),
)


def summary_lines(results: list[dict[str, Any]], hosts: Iterable[str] = (), verbose: bool = False) -> list[str]:
    """Lines for the screen: hosts with the same outcome in one group, groups that need attention last and with a
    remedy, then the number of hosts of each outcome.

    ``results``: results of outcome(), or ``{host, deployment}`` for a host without one. ``hosts``: names of all hosts
    of the run; those without an entry in ``results`` are counted as not started. ``verbose``: show all details of each
    host.
    """
    groups: dict[Any, list[dict[str, Any]]] = {}
    for one in results:
        groups.setdefault(_likeness(one), []).append(one)
    lines: list[str] = []
    for group in sorted(groups.values(), key=lambda group: (_ORDER.index(_category(group[0])), group[0]["host"])):
        lines += [line for one in group for line in _block(one)] if verbose else _group_lines(group)
    return [*lines, count_line(results, hosts)]


def count_line(results: list[dict[str, Any]], hosts: Iterable[str] = ()) -> str:
    """``180 of 200 hosts OK: 140 changed, 40 in sync; 20 refused: VLAN x18, bond x2``."""
    by_category: dict[tuple[bool, str], list[dict[str, Any]]] = {}
    for one in results:
        by_category.setdefault((good(one), _category(one)), []).append(one)
    well = [
        "%d %s" % (len(group), _counted(group[0]))
        for (fine, category), group in sorted(by_category.items(), key=_position)
        if fine
    ]
    bad = [_with_causes(group) for (fine, category), group in sorted(by_category.items(), key=_position) if not fine]
    begun = {one["host"] for one in results}
    waiting = len([name for name in hosts if name not in begun])
    parts = [", ".join(well), *bad, "%d not started" % waiting if waiting else ""]
    counted = "; ".join(part for part in parts if part)
    return "%d of %d hosts OK%s" % (sum(map(good, results)), len(results) + waiting, ": " + counted if counted else "")


def _category(result: dict[str, Any]) -> str:
    return result.get("category") or ("prepared" if (result.get("deployment") or {}).get("ended") else "none")


def _position(item: tuple[tuple[bool, str], list[dict[str, Any]]]) -> int:
    return _ORDER.index(item[0][1])


def _counted(result: dict[str, Any]) -> str:
    category = _category(result)
    return "would change" if category == "changed" and result.get("check") else CATEGORIES[category]


def _with_causes(group: list[dict[str, Any]]) -> str:
    causes = Counter(filter(None, map(_cause, group)))
    named = ", ".join("%s x%d" % one for one in sorted(causes.items(), key=lambda one: (-one[1], one[0])))
    return "%d %s%s" % (len(group), _counted(group[0]), ": " + named if named else "")


def _cause(result: dict[str, Any]) -> str:
    """A short cause to count, or "" if the category is enough."""
    category = _category(result)
    if category == "no_answer":
        said = result["reason"].lower()
        return next((word for sign, word in _SILENCE if sign in said), "other")
    told = [
        one
        for one in [*(result.get("events") or []), *((result.get("expected") or {}).get("events") or [])]
        if one["severity"] != "NORMAL"
    ]
    named = [_CAUSES[one["name"]] for one in told if one["name"] in _CAUSES]
    if named:
        return named[-1]
    if category == "refused":
        engine = [one["values"]["EngineMessage"] for one in told if (one.get("values") or {}).get("EngineMessage")]
        return engine[-1] if engine else "policy" if result["decision"] != "refuse" else "other"
    return ""


def _likeness(result: dict[str, Any]) -> tuple[Any, ...]:
    """Key of a group: everything except names, addresses, times, and folders of hosts."""
    head = re.sub(r" in [\d.]+ s", "", head_words([result, result]))
    return (
        head,
        good(result),
        *(
            re.sub(r"/\S*%s\S*" % re.escape(result["host"]), "", line)
            for line in attention_lines(result, nameless=True)
        ),
    )


def _group_lines(group: list[dict[str, Any]]) -> list[str]:
    names = [one["host"] for one in group]
    head = head_words(group)
    if len(group) <= _NAMED:
        lines = ["%s: %s" % (", ".join(names), head)]
    else:
        lines = ["%d hosts: %s" % (len(group), head)]
        lines += textwrap.wrap(
            ", ".join(names),
            _WIDTH,
            initial_indent="    ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines += ["    " + line for line in attention_lines(group[0], nameless=len(group) > 1)]
    kept = [one["diagnosis"] for one in group if one.get("diagnosis")]
    lines += ["    details: " + path for path in kept[:_NAMED]]
    return lines + (
        ["    details of %d more hosts are in the same directory" % (len(kept) - _NAMED)] if len(kept) > _NAMED else []
    )


def _block(result: dict[str, Any]) -> list[str]:
    if "category" not in result:
        return ["%s: %s" % (result["host"], head_words([result]))]
    head, *rest = result_lines(result)
    return [head] + ["    " + line for line in rest]
