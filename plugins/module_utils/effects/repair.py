# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore the live network to a snapshot within a scope, with the least interruption.

Options of bridges and ports, MTUs, VLAN filters, and numbers of virtual functions are written to the kernel without an
interruption. Everything else is restored by activating the profile, which is the old one at this point.
"""

from __future__ import annotations

import time

from ..facts import comparison, snapshot
from ..sources import kernel, networkmanager, nmcli

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_IN_PLACE = ("mtu", "bridge", "port", "vlans", "vfs")
_ROUTE_WORDS = (
    ("gateway", "via"),
    ("dev", "dev"),
    ("protocol", "protocol"),
    ("scope", "scope"),
    ("prefsrc", "src"),
    ("metric", "metric"),
    ("table", "table"),
)


def bring_back(old: Mapping, scope: Mapping, seconds: float, say: Callable[[str], None]) -> list[dict]:
    """Restore what differs from the snapshot ``old`` within ``scope``, in the order bases, bonds, VLANs; delete named
    devices that are new.

    ``seconds``: maximum duration. ``say(text)`` is called for every repair. Returns what still differs (see
    comparison.compare).
    """
    end = time.monotonic() + seconds
    now = snapshot.devices()
    for name in scope["named"]:
        if name not in old["devices"] and name in now:
            say("device %s did not exist before: deleted" % name)
            nmcli.delete_device(name)
            now = snapshot.devices()
    there = [name for name in scope["devices"] if name in old["devices"]]
    for name in sorted(there, key=lambda device: _depth(old, device)):
        if time.monotonic() < end and _bring_back_device(name, old["devices"][name], now.get(name) or {}, say):
            now = snapshot.devices()
    rest = settle(old, scope, min(end, time.monotonic() + 8))
    if any(difference["what"] in ("routes", "rules", "dns") for difference in rest):
        _apply_profiles_again(there, say)
        rest = settle(old, scope, min(end, time.monotonic() + 4))
    astray = [name for name in _with_other_routes(rest) if name in there and old["devices"][name]["connection"]]
    for name in sorted(astray, key=lambda device: _depth(old, device)):
        # Neither a reload nor a restart of NetworkManager removes a route that the change added.
        say("device %s: routes differed: connection %s activated again" % (name, old["devices"][name]["connection"]))
        _activate(name, old["devices"][name]["connection"], True, say)
    if astray:
        rest = settle(old, scope, min(end, time.monotonic() + 8))
    if _routes_and_rules(rest, say):
        rest = settle(old, scope, min(end, time.monotonic() + 2))
    return rest


def settle(old: Mapping, scope: Mapping, end: float) -> list[dict]:
    """Wait until the network equals ``old`` within ``scope``, at most until ``end``. Returns what still differs (see
    comparison.compare).
    """
    while True:
        rest = comparison.compare(old, snapshot.take(), scope)
        if not rest or time.monotonic() > end:
            return rest
        time.sleep(0.2)


def reattach(guests: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Put guests' taps (``{tap: bridge}``) that have lost their bridge back onto it; those that are gone, or on
    another, are left alone.
    """
    links = {link["ifname"]: link for link in kernel.links()} if guests else {}
    for tap, bridge in guests.items():
        if tap in links and not links[tap].get("master") and bridge in links:
            say("guest device %s was detached from its bridge: attached to %s again" % (tap, bridge))
            kernel.attach(tap, bridge)


def _bring_back_device(name: str, was: Mapping, now: Mapping, say: Callable[[str], None]) -> bool:
    """Restore one device from ``now`` ({}: it does not exist) to ``was``. Returns whether anything was changed."""
    wrong = comparison.differing(was, now)
    active = [key for key in wrong if key not in _IN_PLACE]
    if active == ["addresses"] and name in snapshot.guests().values() and _reapplied(name, was, say):
        now, active = snapshot.devices().get(name) or {}, []
    if active and was["connection"]:
        if now and _make(now) != _make(
            was
        ):  # NetworkManager activates a profile on such a device without changing these options
            say("device %s: creation options differed: deleted, will be created again" % name)
            nmcli.delete_device(name)
            now = {}
        say("device %s: %s differed: connection %s activated again" % (name, ", ".join(active), was["connection"]))
        _activate(name, was["connection"], bool(now), say)
        now = snapshot.devices().get(name) or {}
    elif active and now.get("connection"):
        say("device %s had no active connection: disconnected" % name)
        nmcli.disconnect(name)
        now = snapshot.devices().get(name) or {}
    if wrong and now:
        _in_place(name, was, now, say)
    return bool(wrong)


def _reapplied(name: str, was: Mapping, say: Callable[[str], None]) -> bool:
    """Whether a reapply, which keeps guests attached, restores the addresses of a bridge."""
    say("device %s: addresses differed: profile applied again" % name)
    if nmcli.reapply(name):
        return False
    end = time.monotonic() + 5  # a lease is there after 2 s
    while time.monotonic() < end:
        if (snapshot.devices().get(name) or {}).get("addresses") == was["addresses"]:
            return True
        time.sleep(0.2)
    return False


def _make(device: Mapping) -> tuple:
    return device["kind"], device["made_with"], {key: value for key, value in device["vlan"].items() if key != "flags"}


def _in_place(name: str, was: Mapping, now: Mapping, say: Callable[[str], None]) -> None:
    """Write differences that do not interrupt traffic to the kernel."""
    if now["mtu"] != was["mtu"]:
        say("device %s: MTU restored from %s to %s" % (name, now["mtu"], was["mtu"]))
        kernel.set_mtu(name, was["mtu"])
    for part, kind, words in (
        ("bridge", "bridge", snapshot.BRIDGE_OPTIONS),
        ("port", _port_kind(was), snapshot.PORT_OPTIONS.get(_port_kind(was))),
    ):
        options = comparison.differing_options(was[part], now[part])
        if options and words:
            say(
                "device %s: %s restored to %s"
                % (name, part, ", ".join("%s %s" % (key, _word(value)) for key, value in sorted(options.items())))
            )
            pairs = [word for key, value in options.items() for word in (words[key], _word(value))]
            kernel.ip("link", "set", "dev", name, "type", kind if part == "bridge" else kind + "_slave", *pairs)
    if now["vlans"] != was["vlans"]:
        say("device %s: VLAN filter entries restored" % name)
        _filter(name, was["vlans"], now["vlans"])
    if now["vfs"] != was["vfs"]:
        say("device %s: virtual functions restored from %s to %s" % (name, now["vfs"], was["vfs"]))
        kernel.set_virtual_functions(name, was["vfs"])


def _port_kind(was: Mapping) -> str:
    return "bond" if "queue_id" in was["port"] else "bridge"


def _word(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _filter(name: str, was: list[dict], now: list[dict]) -> None:
    words = {"PVID": "pvid", "Egress Untagged": "untagged"}
    for entry in now:
        if entry not in was:
            kernel.set_vlan_filter("del", name, _span(entry), [])
    for entry in was:
        if entry not in now:
            flags = [words[flag] for flag in entry.get("flags") or [] if flag in words]
            kernel.set_vlan_filter("add", name, _span(entry), flags)


def _span(entry: Mapping) -> str:
    return str(entry["vlan"]) + ("-%s" % entry["vlanEnd"] if "vlanEnd" in entry else "")


def _with_other_routes(differences: list[dict]) -> set[str]:
    return {
        name
        for difference in differences
        if difference["what"] == "routes"
        for entry in difference["old"] + difference["new"]
        for name in snapshot.devices_of(entry)
    }


def _apply_profiles_again(names: list[str], say: Callable[[str], None]) -> None:
    """Reapply the profiles of those ``names`` whose settings in effect differ from the saved ones; this also restores
    routes, rules, and DNS servers.

    Activating would work as well, but detaches guests from a bridge for some seconds.
    """
    managed = networkmanager.objects()
    for name in names:
        active = networkmanager.active_on(managed, name)
        if active and _other_than_saved(active):
            say("device %s: profile applied again" % name)
            nmcli.reapply(name)


def _other_than_saved(active: Mapping) -> bool:
    try:
        saved, applied = networkmanager.settings(active["profile_path"]), networkmanager.applied(active["path"])
    except networkmanager.NetworkManagerError:
        return False
    return any((saved.get(family) or {}) != (applied.get(family) or {}) for family in ("ipv4", "ipv6"))


def _routes_and_rules(differences: list[dict], say: Callable[[str], None]) -> bool:
    """Restore routes and rules that are not in any profile. Returns whether there were any."""
    touched = False
    for difference in differences:
        kind = difference["what"][:-1]
        if kind not in ("route", "rule"):
            continue
        for verb, said, entries in (("del", "removed", difference["new"]), ("add", "restored", difference["old"])):
            for entry in entries:
                words = _rule_words(entry) if kind == "rule" else _route_words(entry)
                if words:
                    say("%s %s: %s" % (kind, said, " ".join(words)))
                    kernel.ip("-%d" % entry["family"], kind, verb, *words)
                    touched = True
    return touched


def _route_words(entry: Mapping) -> list[str]:
    if entry.get("protocol") in ("kernel", "ra", "dhcp") or "nexthops" in entry or "via" in entry:
        return []
    return [
        *([entry["type"]] if "type" in entry else []),
        entry["dst"],
        *[word for key, name in _ROUTE_WORDS if entry.get(key) not in (None, "") for word in (name, str(entry[key]))],
    ]


def _rule_words(entry: Mapping) -> list[str]:
    known = {
        "family",
        "priority",
        "src",
        "srclen",
        "dst",
        "dstlen",
        "iif",
        "oif",
        "fwmark",
        "fwmask",
        "table",
        "protocol",
        "suppress_prefixlen",
    }
    if set(entry) - known or entry.get("protocol") == "kernel":
        return []
    words = ["priority", str(entry["priority"])]
    for key, name in (("src", "from"), ("dst", "to")):
        if entry.get(key) not in (None, "all"):
            words += [name, "%s/%s" % (entry[key], entry[key + "len"]) if key + "len" in entry else entry[key]]
    if "fwmark" in entry:
        words += ["fwmark", entry["fwmark"] + ("/" + entry["fwmask"] if "fwmask" in entry else "")]
    for key, name in (
        ("iif", "iif"),
        ("oif", "oif"),
        ("suppress_prefixlen", "suppress_prefixlength"),
        ("protocol", "protocol"),
        ("table", "table"),
    ):
        if key in entry:
            words += [name, str(entry[key])]
    return words


def _activate(name: str, connection: str, there: bool, say: Callable[[str], None]) -> None:
    # The profile creates a missing device; naming the device in the call would be rejected.
    on_bridge = {tap: bridge for tap, bridge in snapshot.guests().items() if bridge == name}
    trouble = nmcli.activate(connection, name if there else "")
    if trouble:
        say("device %s: %s" % (name, trouble))
    reattach(on_bridge, say)  # activating a bridge detaches ports that NetworkManager does not configure


def _depth(old: Mapping, name: str) -> tuple[int, str]:
    """Order of activation: lower devices first (controllers before their ports, bases before VLANs)."""
    device, depth = old["devices"][name], 0
    while device and device.get("vlan") and depth < 8:
        depth += 2
        device = old["devices"].get(device["vlan"]["base"])
    return (depth + (1 if device and device.get("controller") else 0), name)
