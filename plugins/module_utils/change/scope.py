# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a host's network that a change can affect. An undo checks and repairs only this part. Pure."""

from __future__ import annotations

from ..facts import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_MAIN_TABLES = (None, 0, 254)
_BASES = ("vlan", "vxlan", "mac-vlan", "mac-vtap", "macsec", "ipvlan", "infiniband")


def touched(
    change: Mapping, before: Mapping, current: Mapping, keep: Iterable[str] = (), others: Collection[str] = ()
) -> dict:
    """``{named, devices, rules, new_rules}``: what the nmstate state ``change`` can affect.

    ``before``: the snapshot. ``current``: the nmstate state before the change. ``keep``: addresses whose holders count.
    ``others``: devices of other effects of the transaction.
    ``named``: devices that the change names; an undo deletes those that are new. ``devices``: these, the devices below
    and above them, and the devices of changed routes, rules, and DNS servers; sorted. ``rules``: the priorities of
    rules of the change or of a profile. ``new_rules``: whether nmstate may assign priorities for the change.
    """
    named = {iface["name"] for iface in change.get("interfaces") or []}
    devices = (
        named
        | set(others)
        | _mentioned(change)
        | {name for address in keep for name in snapshot.holders(before, address)}
    )
    devices |= _of_routes(change, before, current) | _of_rules(change, before) | _of_servers(change, before)
    rules = _config(change, "route-rules")
    known = [one["priority"] for one in rules + _config(current, "route-rules") if isinstance(one.get("priority"), int)]
    return {
        "named": sorted(named),
        "devices": sorted(_connected(devices, before["devices"])),
        "rules": sorted(set(known)),
        "new_rules": any(one.get("priority") is None and one.get("state") != "absent" for one in rules),
    }


def _config(state: Mapping, section: str) -> list[dict]:
    return (state.get(section) or {}).get("config") or []


def _mentioned(change: Mapping) -> set[str]:
    """The ports, bases, and controllers that the interfaces of ``change`` name."""
    found = set()
    for iface in change.get("interfaces") or []:
        for section in ("bridge", "link-aggregation", "vrf"):
            ports = (iface.get(section) or {}).get("port", (iface.get(section) or {}).get("ports")) or []
            found |= {port["name"] if isinstance(port, dict) else port for port in ports}
        found |= {iface[kind].get("base-iface") for kind in _BASES if isinstance(iface.get(kind), dict)}
        found |= {iface.get("controller"), iface.get("copy-mac-from"), (iface.get("veth") or {}).get("peer")}
    return {name for name in found if name}


def _of_routes(change: Mapping, before: Mapping, current: Mapping) -> set[str]:
    found = set()
    for entry in _config(change, "routes"):
        if entry.get("next-hop-interface"):
            found.add(entry["next-hop-interface"])
        else:  # absent on any device, or without a device: stored in the profile of any interface with routes
            found |= {one.get("next-hop-interface") for one in _config(current, "routes")} | _default_devices(before)
    return {name for name in found if name}


def _of_rules(change: Mapping, before: Mapping) -> set[str]:
    found = set()
    for entry in _config(change, "route-rules"):
        # nmstate stores a rule in the profile of its iif, of the routes of its table, or of any interface with
        # addresses
        table = entry.get("route-table")
        if table not in _MAIN_TABLES:
            found |= {
                name
                for one in before["routes"]
                if str(one.get("table")) == str(table)
                for name in snapshot.devices_of(one)
            }
        found |= _default_devices(before) | ({entry["iif"]} if entry.get("iif") else set())
    return found


def _of_servers(change: Mapping, before: Mapping) -> set[str]:
    if "dns-resolver" not in change:
        return set()
    return {one["interface"] for one in before["dns"] if one.get("interface")} | _default_devices(before)


def _default_devices(before: Mapping) -> set[str]:
    return {name for one in before["routes"] if one.get("dst") == "default" for name in snapshot.devices_of(one)}


def _connected(names: Iterable[str], devices: Mapping) -> set[str]:
    """``names``, and all devices below and above them: ports and their controllers, bases and the VLANs on them."""
    below = {
        name: [other for other in (one.get("controller"), one.get("base")) if other] for name, one in devices.items()
    }
    found, new = set(), set(names)
    while new:
        found |= new
        new = {other for name in new for other in below.get(name, ())} | {
            name for name, others in below.items() if new & set(others)
        }
        new -= found
    return found
