# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction's own checkpoint, with which NetworkManager rolls back if the guard cannot. Other checkpoints are
never touched.
"""

from __future__ import annotations

from ..sources import networkmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def own(status: Mapping, checkpoints: Iterable[Mapping]) -> list[str]:
    """The paths of the transaction's own checkpoints in ``checkpoints`` (from networkmanager.checkpoints_of()). Pure.

    A guard that was killed while nmstatectl was running does not know its checkpoint. Then it is the first new one that
    was created while nmstatectl was running and that has a timeout. The timeout may differ from the requested one,
    because nmstate extends it during its verification.
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
    # a checkpoint of all devices, such as nmstate's, prevents others
    return [entry["path"] for entry in sorted(candidates, key=lambda entry: entry["created"])[:1]]


def existing(status: Mapping) -> list[str]:
    """A list with the path of the transaction's own checkpoint; [] if there is none. Raises NetworkManagerError,
    CommandError.
    """
    return own(status, networkmanager.checkpoints_of(networkmanager.objects()))
