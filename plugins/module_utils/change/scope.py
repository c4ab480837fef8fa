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
    known = [
        rule["priority"] for rule in rules + _config(current, "route-rules") if isinstance(rule.get("priority"), int)
    ]
    return {
        "named": sorted(named),
        "devices": sorted(_connected(devices, before["devices"])),
        "rules": sorted(set(known)),
        "new_rules": any(rule.get("priority") is None and rule.get("state") != "absent" for rule in rules),
    }


def _config(state: Mapping, section: str) -> list[dict]:
    return (state.get(section) or {}).get("config") or []


def _mentioned(change: Mapping) -> set[str]:
    """The ports, bases, and controllers that the interfaces of ``change`` name."""
    names = set()
    for iface in change.get("interfaces") or []:
        for section in ("bridge", "link-aggregation", "vrf"):
            ports = (iface.get(section) or {}).get("port", (iface.get(section) or {}).get("ports")) or []
            names |= {port["name"] if isinstance(port, dict) else port for port in ports}
        names |= {iface[kind].get("base-iface") for kind in _BASES if isinstance(iface.get(kind), dict)}
        names |= {iface.get("controller"), iface.get("copy-mac-from"), (iface.get("veth") or {}).get("peer")}
    return {name for name in names if name}


def _of_routes(change: Mapping, before: Mapping, current: Mapping) -> set[str]:
    names = set()
    for entry in _config(change, "routes"):
        if entry.get("next-hop-interface"):
            names.add(entry["next-hop-interface"])
        else:  # absent on any device, or without a device: stored in the profile of any interface with routes
            names |= {route.get("next-hop-interface") for route in _config(current, "routes")} | _default_devices(
                before
            )
    return {name for name in names if name}


def _of_rules(change: Mapping, before: Mapping) -> set[str]:
    names = set()
    for entry in _config(change, "route-rules"):
        # nmstate stores a rule in the profile of its iif, of the routes of its table, or of any interface with
        # addresses
        table = entry.get("route-table")
        if table not in _MAIN_TABLES:
            names |= {
                name
                for route in before["routes"]
                if str(route.get("table")) == str(table)
                for name in snapshot.devices_of(route)
            }
        names |= _default_devices(before) | ({entry["iif"]} if entry.get("iif") else set())
    return names


def _of_servers(change: Mapping, before: Mapping) -> set[str]:
    if "dns-resolver" not in change:
        return set()
    return {server["interface"] for server in before["dns"] if server.get("interface")} | _default_devices(before)


def _default_devices(before: Mapping) -> set[str]:
    return {name for route in before["routes"] if route.get("dst") == "default" for name in snapshot.devices_of(route)}


def _connected(names: Iterable[str], devices: Mapping) -> set[str]:
    """``names``, and all devices below and above them: ports and their controllers, bases and the VLANs on them."""
    below = {
        name: [other for other in (device.get("controller"), device.get("base")) if other]
        for name, device in devices.items()
    }
    reached, new = set(), set(names)
    while new:
        reached |= new
        new = {other for name in new for other in below.get(name, ())} | {
            name for name, others in below.items() if new & set(others)
        }
        new -= reached
    return reached
