# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies on a host's capabilities."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.policies import PolicyError, violations

FACTS = {
    "lastClientIface": "bond4",
    "bondings": {"bond4": {"opts": {"mode": "1"}, "slaves": ["eth2", "eth3"]}},
    "bridges": {},
    "zero": 0,
}


@pytest.mark.parametrize(
    "query, holds",
    [
        ("lastClientIface == 'bond4'", True),
        ("lastClientIface == 'eth0'", False),
        ("bondings.bond4.slaves", True),
        ("bridges", False),
        ("no_such_fact", False),
        ("zero", True),
        ("length(bondings.*.slaves[]) >= `2`", True),
        ("values(bondings)[?opts.mode == '4']", False),
    ],
)
def test_a_policy_is_met_if_jmespath_returns_a_true_value(query, holds):
    assert violations(FACTS, [{"query": query, "message": "it does not hold"}]) == (
        [] if holds else ["it does not hold"]
    )


def test_messages_come_in_the_order_of_the_policies():
    policies = [
        {"query": "a", "message": "first"},
        {"query": "zero", "message": "never"},
        {"query": "b", "message": "second"},
    ]
    assert violations(FACTS, policies) == ["first", "second"]


@pytest.mark.parametrize(
    "policy, problem",
    [
        ("lastClientIface", r"policies\[0\]: got .*, expected a mapping"),
        ({"query": "a"}, r"policies\[0\].message: got null, expected text"),
        ({"query": 1, "message": "m"}, r"policies\[0\].query: got 1 \(integer\), expected text"),
        ({"query": "a", "message": "m", "when": "x"}, r"policies\[0\].when: unknown key"),
        ({"query": "a[", "message": "m"}, r"policies\[0\].query: 'a\[' is not a valid JMESPath expression"),
        ({"query": "length(zero)", "message": "m"}, r"policies\[0\].query: cannot be evaluated for this host"),
    ],
)
def test_an_invalid_policy_is_named(policy, problem):
    with pytest.raises(PolicyError, match=problem):
        violations(FACTS, [policy])


def test_without_facts_policies_are_only_validated():
    assert violations(None, [{"query": "length(zero)", "message": "m"}]) == []
    with pytest.raises(PolicyError, match=r"policies\[0\].query: 'a\[' is not a valid JMESPath expression"):
        violations(None, [{"query": "a[", "message": "m"}])
