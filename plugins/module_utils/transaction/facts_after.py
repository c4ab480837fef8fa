# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact ``host_network`` after the commit, gathered by the guard if the controller requests it.

The request is the message ``facts``, sent before ``confirm``. The answer is ``facts.json`` in the mailbox, written
before the status is ``committed``. Without it, the controller runs host_network_facts.
"""

from __future__ import annotations

import os

from ..facts import gather
from ..sources import durable_files, networkmanager, nmstatectl
from ..sources.command import CommandError
from . import mailbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def leave(entry: Mapping) -> None:
    """Answer the message ``facts`` of the transaction ``entry``, if present. Raises nothing."""
    try:
        if mailbox.received(entry["id"], "facts") is not None:
            facts = gather.gather(gather.DEFAULT_HIDDEN_NICS, entry["control"])
            durable_files.write_json(os.path.join(mailbox.folder(entry["id"]), mailbox.FACTS), facts)
    except (OSError, ValueError, CommandError, networkmanager.NetworkManagerError, nmstatectl.NmstateError) as exc:
        mailbox.log("cannot write the facts after the commit: %s" % exc)
