# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact ``host_network`` after the commit, gathered by the guard if the controller requests it.

The request is the message ``facts``: ``{hidden_nics: [pattern], control: {local, peer, ssh_connection_source}}`` as
JSON. The answer is ``facts.json`` in the mailbox, written before the status is ``committed``. Without it, the
controller runs host_network_facts.
"""

from __future__ import annotations

import json
import os

from ..facts import gather
from ..sources import durable_files, networkmanager, nmstatectl
from ..sources.command import CommandError
from . import mailbox


def leave(identity: str) -> None:
    """Answer the message ``facts`` of the transaction, if present. Raises nothing."""
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
