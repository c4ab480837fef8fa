# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of nmstate_apply and network_commit, shared by the modules and their action plugins. Pure."""

from __future__ import annotations

import re

from .proof import probes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = (10, 600)  # seconds
_DIAGNOSIS = {"type": "str", "default": "~/.ansible/ovirt-mgmt-network"}
_PROBE = {
    "type": {"type": "str", "required": True, "choices": list(probes.TYPES)},
    "target": {"type": "str"},
    "port": {"type": "int"},
    "size": {"type": "int"},
    "timeout": {"type": "int", "default": 2},
}
_TRANSACTION = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class ArgumentError(Exception):
    """An argument is invalid; nothing was changed. The text names the argument and what is allowed."""


def nmstate_apply() -> dict:
    return {
        "state": {"type": "dict", "required": True},
        "settings": {"type": "dict", "default": {}},
        "timeout": {"type": "int", "default": 60},
        "commit": {"type": "bool", "default": True},
        "persistent": {"type": "bool", "default": True},
        "record": {
            "type": "dict",
            "options": {"networks": {"type": "dict", "default": {}}, "bondings": {"type": "dict", "default": {}}},
        },
        "keep": {"type": "list", "elements": "str"},
        "probes": {
            "type": "list",
            "elements": "dict",
            "options": dict(_PROBE),
            "default": [{"type": probe["type"]} for probe in probes.DEFAULT],
        },
        "last_resort": {"type": "str", "choices": ["none", "reboot"], "default": "none"},
        "checkpoint_wait": {"type": "int", "default": 30},
        "diagnosis": dict(_DIAGNOSIS),
    }


def network_commit() -> dict:
    return {
        "state": {"type": "str", "choices": ["committed", "rolled_back"], "default": "committed"},
        "transaction": {"type": "str", "default": ""},
        "wait": {"type": "int", "default": 120},
        "diagnosis": dict(_DIAGNOSIS),
    }


def check(params: Mapping) -> None:
    """Check ``params`` (validated by one of the specifications above) beyond what a specification can express. Raises
    ArgumentError.
    """
    low, high = TIMEOUT
    if not low <= params.get("timeout", low) <= high:
        raise ArgumentError(
            "timeout: got %s, expected %s to %s seconds. Nothing was changed" % (params["timeout"], low, high)
        )
    try:
        probes.check(params.get("probes", ()))
    except probes.ProbeError as exc:
        raise ArgumentError("%s. Nothing was changed" % exc) from exc
    if params.get("transaction") and not is_transaction(params["transaction"]):
        raise ArgumentError(
            "transaction: got %r, expected a transaction ID such as 20261121T051643-5f0c1a. Nothing was changed"
            % params["transaction"][:80]
        )


def is_transaction(identity: object) -> bool:
    """Whether ``identity`` is a valid transaction ID, which is also safe as the name of a folder."""
    return isinstance(identity, str) and bool(_TRANSACTION.fullmatch(identity))
