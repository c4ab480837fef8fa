# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: JMESPath expressions on a host's capabilities that must be true before its network is changed."""

from __future__ import annotations

from typing import Any

try:
    import jmespath
except ImportError as error:  # the filter reports it; importing this file must not fail
    jmespath = None
    JMESPATH_IMPORT_ERROR: ImportError | None = error
else:
    JMESPATH_IMPORT_ERROR = None

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe

_KEYS = ("message", "query")


class PolicyError(Exception):
    """A policy is invalid. The text names it and the problem."""


def violations(facts: Data | None, policies: list[Any]) -> list[str]:
    """The messages of the ``policies`` ([{query, message}]) that ``facts`` (a host's capabilities) violate, in their
    order.

    A policy is met if its query returns a true value in JMESPath: not false, null, or empty (specification, "Or
    expressions"). Raises PolicyError if any of them is invalid, before they are evaluated. ``facts``
    None: the policies are only validated.
    """
    compiled = [(_compiled(number, policy), policy["message"]) for number, policy in enumerate(policies)]
    broken: list[str] = []
    if facts is None:
        return broken
    for number, (expression, message) in enumerate(compiled):
        try:
            answer = expression.search(facts)
        except jmespath.exceptions.JMESPathError as error:
            raise PolicyError(
                "policies[%d].query: cannot be evaluated for this host: %s" % (number, _one_line(error))
            ) from error
        if answer is None or answer is False or answer in ("", [], {}) and answer != 0:
            broken.append(message)
    return broken


def _compiled(number: int, policy: object) -> Any:
    where = "policies[%d]" % number
    if not isinstance(policy, dict):
        raise PolicyError("%s: got %s, expected a mapping of query and message" % (where, describe(policy)))
    unknown = sorted(set(policy) - set(_KEYS))
    if unknown:
        raise PolicyError("%s.%s: unknown key; expected query and message" % (where, unknown[0]))
    for key in _KEYS:
        if not isinstance(policy.get(key), str) or not policy[key].strip():
            raise PolicyError("%s.%s: got %s, expected text" % (where, key, describe(policy.get(key))))
    try:
        return jmespath.compile(policy["query"])
    except jmespath.exceptions.JMESPathError as error:
        raise PolicyError(
            "%s.query: %r is not a valid JMESPath expression: %s" % (where, policy["query"], _one_line(error))
        ) from error


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
