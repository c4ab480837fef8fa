# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between the desired nmstate state and the host: the smallest change.

nmstate applies, and NetworkManager re-activates, every interface that a state names, even if nothing differs. So the
result names only what differs, and a run with nothing to change makes no call.
"""

from __future__ import annotations

from . import equality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

_TOLD_BY_KERNEL = (
    "name",
    "type",
    "state",
    "mtu",
    "mac-address",
    "controller",
    "copy-mac-from",
    "bridge",
    "link-aggregation",
    "vlan",
    "profile-name",
)


_PHYSICAL = ("ethernet", "infiniband")


def difference(desired: Mapping, current: Mapping, profiled: Collection[str] = ()) -> dict:
    """The part of ``desired`` that differs from ``current`` (both nmstate states), as a state to apply.

    ``profiled``: the devices that have a profile; it tells whether the profile of a NIC has to be removed. Returns
    ``{}`` if nothing differs. Interfaces have their name, type, state, and only the keys that differ; routes, rules,
    and DNS are present only if they differ. The result contains nothing that ``desired`` does not name.
    """
    change: dict[str, Any] = {}
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    interfaces = [
        rest
        for rest in (
            _interface(want, have.get(want["name"]), have, profiled) for want in desired.get("interfaces") or []
        )
        if rest
    ]
    if interfaces:
        change["interfaces"] = interfaces
    moved = any("ipv4" in iface or "ipv6" in iface for iface in interfaces)
    # Rules, like DNS servers below, are stored in the profile of an interface with addresses: without naming them
    # again, they would be lost with the old profile.
    for section, same, told in (("routes", equality.same_route, False), ("route-rules", equality.same_rule, moved)):
        entries = _entries(desired.get(section), current.get(section), same, told)
        if entries:
            change[section] = {"config": entries}
    resolver = _resolver(desired.get("dns-resolver"), current.get("dns-resolver"), moved)
    if resolver:
        change["dns-resolver"] = resolver
    for key in desired:
        if key not in ("interfaces", "routes", "route-rules", "dns-resolver") and not equality.subset(
            desired[key], current.get(key)
        ):
            change[key] = desired[key]
    return change


def before(change: Mapping, current: Mapping) -> dict:
    """The values in ``current`` for the keys of ``change`` (both nmstate states), None if not present. New interfaces
    are left out.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    present = {key: _in_place_of(value, current.get(key)) for key, value in change.items() if key != "interfaces"}
    there = [iface for iface in change.get("interfaces") or [] if iface["name"] in have]
    return dict(
        present,
        **(
            {"interfaces": [_in_place_of(iface, have[iface["name"]]) for iface in there]}
            if "interfaces" in change
            else {}
        ),
    )


def held(change: Mapping, current: Mapping) -> dict:
    """The part of before() that an undo has to read from nmstate, because the kernel's view of the network
    (snapshot.py) does not contain it. {} if there is none.
    """
    ifaces = []
    for iface in before(change, current).get("interfaces") or []:
        told = {key: value for key, value in iface.items() if key not in _TOLD_BY_KERNEL}
        for family in ("ipv4", "ipv6"):
            if isinstance(told.get(family), dict):
                told[family] = {key: value for key, value in told[family].items() if key != "address"}
        if told:
            ifaces.append(dict(told, name=iface["name"]))
    return {"interfaces": ifaces} if ifaces else {}


def _in_place_of(want: Any, is_now: Any) -> Any:
    if isinstance(want, dict) and isinstance(is_now, dict):
        return {key: _in_place_of(value, is_now.get(key)) for key, value in want.items()}
    if isinstance(want, list) and isinstance(is_now, list) and all(isinstance(entry, dict) for entry in want + is_now):
        wanted = {key for entry in want for key in entry}
        return [{key: value for key, value in entry.items() if key in wanted} for entry in is_now]
    return is_now


def mtu_raises(change: Mapping, current: Mapping) -> list[dict]:
    """The interfaces of ``change`` that differ only by a larger MTU: ``[{name, mtu, was}]``, bases first.

    They need no re-activation: profile and kernel accept a larger MTU without interrupting traffic.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    raises = []
    for iface in change.get("interfaces") or []:
        now = have.get(iface["name"])
        if (
            now
            and set(iface) <= {"name", "type", "state", "mtu"}
            and now.get("state") == "up"
            and iface.get("state", "up") == "up"
            and iface.get("mtu", 0) > now.get("mtu", 0)
        ):
            raises.append({"name": iface["name"], "mtu": iface["mtu"], "was": now.get("mtu", 0)})
    # A VLAN's MTU is bounded by its base's (8021q), so bases come first.
    return sorted(raises, key=lambda raised: ("vlan" in have[raised["name"]], raised["name"]))


def mtu_cuts(change: Mapping, current: Mapping) -> list[dict]:
    """The interfaces of ``change`` that differ only by a smaller MTU: ``[{name, mtu, was}]``, bases last.

    Named in the state, a bond would be activated again below its VLANs, and their DHCP would start with another MAC.
    """
    have = {iface["name"]: iface for iface in current.get("interfaces") or []}
    cuts = []
    for iface in change.get("interfaces") or []:
        now = have.get(iface["name"])
        mac = (iface.get("mac-address") or "").lower()
        if (
            now
            and set(iface) <= {"name", "type", "state", "mtu", "mac-address"}
            and mac in ("", (now.get("mac-address") or "").lower())
            and now.get("state") == "up"
            and iface.get("state", "up") == "up"
            and 0 < iface.get("mtu", 0) < now.get("mtu", 0)
        ):
            cuts.append({"name": iface["name"], "mtu": iface["mtu"], "was": now["mtu"]})
    return sorted(cuts, key=lambda cut: ("vlan" not in have[cut["name"]], cut["name"]))


def without(change: Mapping, names: Collection[str]) -> dict:
    """``change`` without the interfaces ``names``; ``{}`` if it is empty then."""
    rest = dict(change)
    rest["interfaces"] = [iface for iface in change.get("interfaces") or [] if iface["name"] not in names]
    if not rest["interfaces"]:
        del rest["interfaces"]
    return rest


def _interface(want: Mapping, now: Mapping | None, have: Mapping, profiled: Collection[str]) -> dict | None:
    if want.get("state") == "ignore":
        return None
    absent = want.get("state") in ("absent", "down")
    if now is None or now.get("state") in ("absent", "ignore"):
        return None if absent else dict(want)
    if absent:
        gone = now.get("state") == "down" and now.get("type") in _PHYSICAL and now["name"] not in profiled
        return None if gone or want["state"] == now.get("state") else dict(want)
    if not equality.same_type(want.get("type"), now.get("type")):
        return dict(want)
    rest = {
        key: value
        for key, value in want.items()
        if key not in ("name", "type", "state") and not equality.holds(key, value, now, have)
    }
    if not rest and now.get("state") == "up":
        return None
    if "bridge" in rest:
        rest["bridge"] = equality.bridge_left(rest["bridge"], now.get("bridge") or {})
    if "mac-address" in want and ("ipv4" in rest or "ipv6" in rest):
        # It will be activated again, which may change the MAC address of a bond or bridge (systemd's MACAddressPolicy):
        # set the current one.
        rest["mac-address"] = want["mac-address"]
    if want.get("type") == "bond" and not (set(rest) == {"mtu"} and rest["mtu"] > now.get("mtu", 0)):
        # The profile is written anyway. If it contains both, VDSM's first edit does not activate the bond again.
        rest.update({key: want[key] for key in ("mac-address", "mtu") if key in want})
    return {**{key: want[key] for key in ("name", "type", "state") if key in want}, **rest}


def _entries(
    want: Mapping | None, now: Mapping | None, same: Callable[[Mapping, Mapping], bool], told: bool
) -> list[dict]:
    have = (now or {}).get("config") or []
    rest = []
    for entry in (want or {}).get("config") or []:
        absent = entry.get("state") == "absent"
        exists = any(same(entry, present) for present in have)
        if exists == absent or (told and not absent):
            # For absent routes, nmstate takes the default table for any table, so routes in other tables would be
            # removed as well.
            rest.append(dict(entry, **{"table-id": 254}) if absent and entry.get("table-id") == 0 else entry)
    return rest


def _resolver(want: Mapping | None, now: Mapping | None, moved: bool) -> dict | None:
    config = (want or {}).get("config")
    if config is None:
        return None
    have = (now or {}).get("config") or {}
    if not config:  # nothing is to be configured
        return {"config": config} if any(have.values()) else None
    # DNS servers are stored in the profile of an interface: when addresses move, name them again, or they are lost with
    # the old profile.
    told = moved and any(config.values())
    if not told and all((config.get(key) or []) == (have.get(key) or []) for key in config):
        return None
    return {"config": config}
