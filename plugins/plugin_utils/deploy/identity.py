# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ID of a host, by which the engine identifies it. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

# Placeholder UUIDs in firmware; the engine would treat two hosts with the same one as one host.
_BOGUS = (
    "00020003-0004-0005-0006-000700080009",
    "03000200-0400-0500-0006-000700080009",
    "12345678-1234-5678-90ab-cddeefaabbcc",
    "4c4c4544-0000-2010-8020-80c04f202020",
    "4c4c4544-0000-2020-8020-80c04f202020",
)
_FORM = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMESPACE = uuid.UUID("361E6D51-FAEC-444A-9079-341386DA8E2E")  # that of ansible.builtin.to_uuid


def host_id(given: str, probe: Mapping[str, str], nics: Mapping[str, Mapping[str, Any]]) -> str:
    """The ``given`` ID; otherwise the one in vdsm.id; otherwise the hardware's; otherwise one derived from machine-id
    and MAC addresses.

    The last is stable even if the file is lost, and differs between cloned images, which share the machine-id but not
    the MAC addresses.
    """
    if given or probe["vdsm_id"]:
        return given or probe["vdsm_id"]
    if _is_sane(probe["hardware_id"]):
        return probe["hardware_id"]
    addresses = sorted(nic["hwaddr"] for nic in nics.values() if "hwaddr" in nic)
    return str(uuid.uuid5(_NAMESPACE, " ".join([probe["machine_id"], *addresses])))


def _is_sane(hardware: str) -> bool:
    return bool(_FORM.fullmatch(hardware)) and hardware not in _BOGUS and len(set(hardware.replace("-", ""))) > 2


def rivals(identity: str, known: Mapping[str, str], own_names: Iterable[str]) -> list[str]:
    """The other hosts with the ID in ``known`` (``{id: host}``). ``own_names``: names of the host itself."""
    names = [str(name) for key, name in known.items() if str(key).lower() == identity.lower()]
    return [name for name in names if name not in set(own_names)]


def conflict(identity: str, host: str, names: Iterable[str]) -> str:
    """The message for an ID that other hosts also have."""
    return (
        "The ID %s of %s is also the ID of %s, so the engine would treat them as one host. On the copied host, remove "
        "/etc/vdsm/vdsm.id; if the file does not exist, set another ID in host_deploy_vdsm_id. Then run again."
        % (identity, host, ", ".join(names))
    )
