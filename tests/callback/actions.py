# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""For the bench: prints the cost of a run as the last line: task results, actions, facts in hostvars."""

from __future__ import annotations

import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Prints ``tally: {results, actions, facts}`` at the end of a run: how many results there were on all hosts,
    skipped ones included; the actions that were not skipped; the largest facts that tasks have left with a host, each
    with its bytes as JSON.
    """

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "actions"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._results = []
        self._actions = []
        self._variables = None

    def v2_playbook_on_play_start(self, play):
        self._variables = play.get_variable_manager()

    def v2_runner_on_ok(self, result, **_kwargs):
        self._count(result)
        self._actions.append(result._task.action)

    def _count(self, result, *_words, **_kwargs):
        self._results.append(result._task.get_name())

    v2_runner_on_skipped = v2_runner_on_failed = v2_runner_on_unreachable = _count

    def v2_playbook_on_stats(self, stats):
        # the manager's own stores: variables of the inventory are no facts
        stores = (self._variables._nonpersistent_fact_cache, self._variables._fact_cache)
        facts = [
            (len(json.dumps(value, default=str)), name)
            for store in stores
            for host in stats.processed
            for name, value in _of(store, host).items()
        ]
        told = {"results": len(self._results), "actions": self._actions, "facts": sorted(facts, reverse=True)[:3]}
        self._display.display("tally: " + json.dumps(told))


def _of(store, host):
    """A plain store is a dict, that of gathered facts a cache plugin, on some versions without an iterator."""
    try:
        return store.get(host) or {}
    except KeyError:
        return {}
