# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact ``host_network`` as it is after the commit, gathered by the guard for a controller that asks for it.

The message ``facts`` asks: ``{hidden_nics: [pattern], control: {local, peer, ssh_connection_source}}`` as JSON. The
answer is ``facts.json`` in the mailbox, there before the status says ``committed``; without it, the controller runs
host_network_facts.
"""

from __future__ import annotations

import json
import os

from ..facts import gather
from ..sources import durable_files, networkmanager, nmstatectl
from ..sources.command import CommandError
from . import mailbox


def leave(identity: str) -> None:
    """Answer the message ``facts`` of the transaction, if there is one. Raises nothing."""
    try:
        wanted = json.loads(mailbox.received(identity, "facts") or "null")
        if wanted:
            facts = gather.gather(wanted["hidden_nics"], wanted["control"])
            durable_files.write_json(os.path.join(mailbox.folder(identity), mailbox.FACTS), facts)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        CommandError,
        networkmanager.NetworkManagerError,
        nmstatectl.NmstateError,
    ) as exc:
        mailbox.log("cannot write the facts after the commit: %s" % exc)
