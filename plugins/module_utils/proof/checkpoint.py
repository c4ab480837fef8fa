# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction's own checkpoint, by which NetworkManager rolls back when the guard cannot. Others' are never
touched.
"""

from __future__ import annotations

from ..sources import networkmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def own(status: Mapping, checkpoints: Iterable[Mapping]) -> list[str]:
    """The paths of those among ``checkpoints`` (of networkmanager.checkpoints_of()) that are the transaction's (pure).

    A guard that was killed during the apply does not know its checkpoint. Then it is the first one that was not there
    before, that was made while nmstatectl had its time for it, and that has a timeout: not the one that was asked for,
    which nmstate extends as it verifies.
    """
    if status.get("checkpoint"):
        return [entry["path"] for entry in checkpoints if entry["path"] == status["checkpoint"]]
    if "foreign" not in status:
        return []
    first, last = status["apply_window"]
    candidates = [
        entry
        for entry in checkpoints
        if entry["path"] not in status["foreign"] and entry["timeout"] and first <= entry["created"] <= last
    ]
    # one that covers all devices, as nmstate's does, keeps others from being made
    return [entry["path"] for entry in sorted(candidates, key=lambda entry: entry["created"])[:1]]


def existing(status: Mapping) -> list[str]:
    """The path of the transaction's own checkpoint, in a list; [] when there is none. Raises NetworkManagerError,
    CommandError.
    """
    return own(status, networkmanager.checkpoints_of(networkmanager.objects()))
