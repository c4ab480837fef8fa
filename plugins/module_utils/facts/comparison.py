# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare two snapshots of a host's network, inside or outside of a scope. Pure."""

from __future__ import annotations

from .snapshot import WITHOUT_DEVICE, devices_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Routes of routing daemons change at any time (rtnetlink.h, RTPROT_*; /etc/iproute2/rt_protos).
_LEARNED = (
    "gated",
    "mrt",
    "zebra",
    "bird",
    "dnrouted",
    "xorp",
    "ntk",
    "mrouted",
    "babel",
    "openr",
    "bgp",
    "isis",
    "ospf",
    "rip",
    "eigrp",
)


def compare(old: Mapping, new: Mapping, scope: Mapping) -> list[dict]:
    """The differences between two snapshots inside ``scope`` (see scope.touched), as ``[{device, what, old, new}]``; []
    means exactly the old state.
    """
    return _differences(_part(old, scope, True), _part(new, scope, True))


def meanwhile(old: Mapping, new: Mapping, scope: Mapping) -> list[dict]:
    """The differences outside of ``scope``, in the same form: other changes during the transaction."""
    return _differences(_part(old, scope, False), _part(new, scope, False))


def differing(was: Mapping, now: Mapping) -> list[str]:
    """The keys of a device in which ``now`` (a device of a snapshot, {} if it does not exist) differs from ``was``."""
    return [key for key in was if not _same(was[key], now.get(key))]


def differing_options(was: Mapping | None, now: Mapping | None) -> dict:
    """``{option: old value}`` of the options that differ, but for those with an unknown value (None) on either side."""
    present = now or {}
    return {
        key: value
        for key, value in (was or {}).items()
        if value is not None and present.get(key) is not None and present[key] != value
    }


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, dict) and isinstance(now, dict):
        # keys that only one side has come from an update of iproute2
        return not differing_options(was, now) and bool(was) == bool(now)
    return was == now


def _part(snapshot: Mapping, scope: Mapping, inside: bool) -> dict:
    """``snapshot`` without what is outside (or ``inside``) of ``scope``."""
    devices = set(scope["devices"])
    rules = set(scope["rules"])

    def ours(kind: str, entry: Mapping) -> bool:
        if kind == "dns":
            return entry.get("interface") in devices | {None, ""}
        if kind == "rules":
            priority = entry.get("priority", 0)
            return priority in rules or (scope["new_rules"] and 30000 <= priority < 32766)
        if entry.get("type") in WITHOUT_DEVICE:
            return entry.get("protocol") == "static"  # rules of NetworkManager; rules created manually have "boot"
        return bool(devices_of(entry) & devices) and entry.get("protocol") not in _LEARNED

    return {
        "devices": {name: device for name, device in snapshot["devices"].items() if (name in devices) == inside},
        **{
            kind: [entry for entry in snapshot[kind] if ours(kind, entry) == inside]
            for kind in ("routes", "rules", "dns")
        },
    }


def _differences(old: Mapping, new: Mapping) -> list[dict]:
    differences = []
    for name in sorted(set(old["devices"]) | set(new["devices"])):
        was, now = old["devices"].get(name), new["devices"].get(name)
        if was is None or now is None:
            states = ["absent" if device is None else "present" for device in (was, now)]
            differences.append({"device": name, "what": "device", "old": states[0], "new": states[1]})
            continue
        differences += [_difference(name, key, was[key], now.get(key)) for key in differing(was, now)]
    for key in ("routes", "rules", "dns"):
        if old[key] != new[key]:
            gone = [entry for entry in old[key] if entry not in new[key]]
            fresh = [entry for entry in new[key] if entry not in old[key]]
            differences.append({"device": "", "what": key, "old": gone, "new": fresh})
    return differences


def _difference(name: str, key: str, was: Any, now: Any) -> dict:
    if isinstance(was, dict) and isinstance(now, dict) and was and now:
        was = differing_options(was, now)
        now = {option: now[option] for option in was}
    return {"device": name, "what": key, "old": was, "new": now}
