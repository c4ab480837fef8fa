# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The transaction's own checkpoint of NetworkManager, which rolls back when the guard cannot; others' are never touched."""

from __future__ import annotations

from ..sources import networkmanager
from . import mailbox, prove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def own(status: Mapping, checkpoints: Iterable[Mapping]) -> list[str]:
    """The paths among ``checkpoints`` (of networkmanager.checkpoints_of()) that are the transaction's (pure).

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


def existing(identity: str) -> list[str]:
    """The paths of the transaction's own checkpoint, [] when there is none. Raises NetworkManagerError, CommandError."""
    return own(mailbox.status_of(identity) or {}, networkmanager.checkpoints_of(networkmanager.objects()))


def ensure(identity: str) -> None:
    """After the change: find the checkpoint that nmstate did not name. Raises Abort when it should be there and is not."""
    status = mailbox.status_of(identity) or {}
    if "foreign" not in status or status.get("checkpoint"):
        return
    paths = existing(identity)
    if not paths:
        raise prove.Abort(
            "apply",
            "nmstatectl reported success, but its checkpoint is gone: NetworkManager was restarted or somebody else "
            "ended it",
        )
    mailbox.tell(identity, checkpoint=paths[0])
