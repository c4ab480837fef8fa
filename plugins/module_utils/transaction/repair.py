# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bringing the live network back to a snapshot, within a scope: by the least that does it, and nothing else is touched.

Options of bridges and ports, MTUs, VLAN filters and numbers of virtual functions are written to the kernel, which
interrupts nothing. All else comes back when its profile, which is the old one again by then, is activated.
"""

from __future__ import annotations

import time

from ..change import difference
from ..sources import networkmanager
from ..sources.command import CommandError, run
from . import snapshot

_ACTIVATION = 20  # seconds for one "nmcli connection up": a lease is there after 2 s or not at all
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


def bring_back(old, scope, seconds, say):
    """Bring what differs from the snapshot ``old`` within ``scope`` back, bases before bonds before VLANs; delete what
    is new of the named.

    ``seconds`` bounds the whole. ``say(text)`` is told every repair. Returns what still differs (see snapshot.compare).
    """
    end = time.monotonic() + seconds
    now = snapshot.devices()
    for name in scope["named"]:
        if name not in old["devices"] and name in now:
            say("device %s was not there before: deleted" % name)
            _try(["nmcli", "--wait", "5", "device", "delete", name])
            now = snapshot.devices()
    there = [name for name in scope["devices"] if name in old["devices"]]
    for name in sorted(there, key=lambda one: _depth(old, one)):
        if time.monotonic() < end and _bring_back_device(name, old["devices"][name], now.get(name) or {}, say):
            now = snapshot.devices()
    left = settle(old, scope, min(end, time.monotonic() + 8))
    if any(one["what"] in ("routes", "rules", "dns") for one in left):
        _apply_profiles_again(there, say)
        left = settle(old, scope, min(end, time.monotonic() + 4))
    astray = [name for name in _with_other_routes(left) if name in there and old["devices"][name]["connection"]]
    for name in sorted(astray, key=lambda one: _depth(old, one)):
        # Neither a reload nor a restart of NetworkManager takes a route away that only the change had brought.
        say("routes of device %s differ: connection %s activated again" % (name, old["devices"][name]["connection"]))
        _activate(name, old["devices"][name]["connection"], True, say)
    left = settle(old, scope, min(end, time.monotonic() + 8)) if astray else left
    if _routes_and_rules(left, say):
        left = settle(old, scope, min(end, time.monotonic() + 2))
    return left


def settle(old, scope, end):
    """Wait until the network is as in ``old`` within ``scope``, until ``end`` at the latest; returns what still differs
    (see snapshot.compare).
    """
    while True:
        left = snapshot.compare(old, snapshot.take(), scope)
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.2)


def bring_back_settings(held, say, show):
    """Bring back what nmstate alone can tell of: ``held`` is a state as difference.opposite() gives it, ``show()`` the
    current state.

    Tries a reapply of the restored profile, then its activation. Returns what still differs, in the form of
    snapshot.compare().
    """
    left = difference.difference(held, show()) if held else {}
    for words in (["device", "reapply"], ["connection", "up", "ifname"]):
        names = [iface["name"] for iface in left.get("interfaces") or []]
        for name in names:
            say("device %s differs in %s: nmcli %s %s" % (name, ", ".join(_parts(left, name)), " ".join(words), name))
            _try(["nmcli", "--wait", str(_ACTIVATION), *words, name], _ACTIVATION + 5)
        if names:
            left = difference.difference(held, show())
    return [
        {"device": iface["name"], "what": key, "old": iface[key], "new": None}
        for iface in left.get("interfaces") or []
        for key in iface
        if key not in ("name", "type", "state")
    ]


def reattach(guests, say):
    """Put guests' taps (``{tap: bridge}``) that have lost their bridge back onto it; those that are gone, or on
    another, are left alone.
    """
    links = {link["ifname"]: link for link in snapshot.links()} if guests else {}
    for tap, bridge in guests.items():
        if tap in links and not links[tap].get("master") and bridge in links:
            say("guest's device %s had lost its bridge: attached to %s again" % (tap, bridge))
            _try(["ip", "link", "set", "dev", tap, "master", bridge])


def _bring_back_device(name, was, now, say):
    """Bring one device back from ``now`` ({}: it is gone) to ``was``; returns whether that took anything."""
    wrong = snapshot.differing(was, now)
    active = [key for key in wrong if key not in _IN_PLACE]
    if active == ["addresses"] and name in snapshot.guests().values() and _reapplied(name, was, say):
        now, active = snapshot.devices().get(name) or {}, []
    if active and was["connection"]:
        if now and _make(now) != _make(
            was
        ):  # NetworkManager activates a profile on such a device, and leaves it as it is
            say("device %s differs in what it is made with: deleted, to be made again" % name)
            _try(["nmcli", "--wait", "5", "device", "delete", name])
            now = {}
        say("device %s differs in %s: connection %s activated again" % (name, ", ".join(active), was["connection"]))
        _activate(name, was["connection"], bool(now), say)
        now = snapshot.devices().get(name)
    elif active and now.get("connection"):
        say("device %s had no active connection: disconnected" % name)
        _try(["nmcli", "--wait", "5", "device", "disconnect", name])
        now = snapshot.devices().get(name)
    if wrong and now:
        _in_place(name, was, now, say)
    return bool(wrong)


def _reapplied(name, was, say):
    """Whether a reapply alone brings the addresses of a bridge back, which leaves the guests on it."""
    say("device %s differs in addresses: its profile applied again" % name)
    if _try(["nmcli", "device", "reapply", name], 15)[0]:
        return False
    end = time.monotonic() + 5  # a lease is there after 2 s
    while time.monotonic() < end:
        if (snapshot.devices().get(name) or {}).get("addresses") == was["addresses"]:
            return True
        time.sleep(0.2)
    return False


def _make(device):
    return device["kind"], device["made_with"], {key: value for key, value in device["vlan"].items() if key != "flags"}


def _in_place(name, was, now, say):
    """Write to the kernel what of the device differs and can be written there while traffic flows."""
    if now["mtu"] != was["mtu"]:
        say("device %s: MTU %s back to %s" % (name, now["mtu"], was["mtu"]))
        _try(["ip", "link", "set", "dev", name, "mtu", str(was["mtu"])])
    for part, kind, words in (
        ("bridge", "bridge", snapshot.BRIDGE_OPTIONS),
        ("port", _port_kind(was), snapshot.PORT_OPTIONS.get(_port_kind(was))),
    ):
        options = snapshot.differing_options(was[part], now[part])
        if options and words:
            say(
                "device %s: %s back to %s"
                % (name, part, ", ".join("%s %s" % (key, _word(value)) for key, value in sorted(options.items())))
            )
            _try(
                [
                    "ip",
                    "link",
                    "set",
                    "dev",
                    name,
                    "type",
                    kind if part == "bridge" else kind + "_slave",
                    *[word for key, value in options.items() for word in (words[key], _word(value))],
                ]
            )
    if now["vlans"] != was["vlans"]:
        say("device %s: VLAN filter entries back" % name)
        _filter(name, was["vlans"], now["vlans"])
    if now["vfs"] != was["vfs"]:
        say("device %s: %s virtual functions back to %s" % (name, now["vfs"], was["vfs"]))
        _write_functions(name, was["vfs"])


def _port_kind(was):
    return "bond" if "queue_id" in was["port"] else "bridge"


def _word(value):
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _filter(name, was, now):
    # the entries of a bridge itself are written with "self" (bridge(8))
    for verb, entries in (
        ("del", [one for one in now if one not in was]),
        ("add", [one for one in was if one not in now]),
    ):
        for one in entries:
            span = str(one["vlan"]) + ("-%s" % one["vlanEnd"] if "vlanEnd" in one else "")
            flags = {"PVID": "pvid", "Egress Untagged": "untagged"}
            words = [flags[flag] for flag in one.get("flags") or [] if flag in flags] if verb == "add" else []
            for where in ([], ["self"]):
                if _try(["bridge", "vlan", verb, "dev", name, "vid", span, *words, *where])[0] == 0:
                    break


def _write_functions(name, number):
    for value in (0, number):  # the kernel takes no other number while there are some (PCI/iov, sriov_numvfs_store())
        try:
            with open("/sys/class/net/%s/device/sriov_numvfs" % name, "w", encoding="ascii") as stream:
                stream.write(str(value))
        except OSError:
            return


def _with_other_routes(left):
    return {
        name
        for one in left
        if one["what"] == "routes"
        for entry in one["old"] + one["new"]
        for name in snapshot.devices_of(entry)
    }


def _apply_profiles_again(names, say):
    """Reapply the profiles of those ``names`` on which something else is in effect than what is saved; routes, rules
    and servers follow them.

    An activation would do as well, but that of a bridge takes the guests off it for some seconds.
    """
    managed = networkmanager.objects()
    for name in names:
        active = networkmanager.active_on(managed, name)
        if active and _other_than_saved(active):
            say("device %s: its profile applied again" % name)
            _try(["nmcli", "device", "reapply", name], 15)


def _other_than_saved(active):
    try:
        saved, applied = networkmanager.settings(active["profile_path"]), networkmanager.applied(active["path"])
    except networkmanager.NetworkManagerError:
        return False
    return any((saved.get(family) or {}) != (applied.get(family) or {}) for family in ("ipv4", "ipv6"))


def _routes_and_rules(left, say):
    """What no profile brings back: routes and rules of somebody who made them by hand. Returns whether there was any."""
    touched = False
    for one in left:
        for verb, entries in (("del", one["new"]), ("add", one["old"])) if one["what"] in ("routes", "rules") else ():
            for entry in entries:
                words = _rule_words(entry) if one["what"] == "rules" else _route_words(entry)
                if words:
                    say(
                        "%s %s: %s" % (one["what"][:-1], "taken away" if verb == "del" else "put back", " ".join(words))
                    )
                    _try(["ip", "-%d" % entry["family"], one["what"][:-1], verb, *words])
                    touched = True
    return touched


def _route_words(entry):
    if entry.get("protocol") in ("kernel", "ra", "dhcp") or "nexthops" in entry or "via" in entry:
        return []
    return [
        *([entry["type"]] if "type" in entry else []),
        entry["dst"],
        *[word for key, name in _ROUTE_WORDS if entry.get(key) not in (None, "") for word in (name, str(entry[key]))],
    ]


def _rule_words(entry):
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


def _parts(left, name):
    return sorted(
        {key for iface in left["interfaces"] if iface["name"] == name for key in iface} - {"name", "type", "state"}
    )


def _activate(name, connection, there, say):
    # A device that is gone is made by its profile; naming it as the interface to use would be refused.
    where = ["ifname", name] if there else []
    guests = {tap: bridge for tap, bridge in snapshot.guests().items() if bridge == name}
    rc, _out, err = _try(
        ["nmcli", "--wait", str(_ACTIVATION), "connection", "up", "uuid", connection, *where], _ACTIVATION + 5
    )
    if rc:
        say("device %s: %s" % (name, err.strip()))
    reattach(guests, say)  # the activation of a bridge detaches what NetworkManager has not configured


def _depth(old, name):
    """Order of activation: what others stand on comes first (controllers before their ports, bases before VLANs)."""
    found, depth = old["devices"][name], 0
    while found and found.get("vlan") and depth < 8:
        depth += 2
        found = old["devices"].get(found["vlan"]["base"])
    return (depth + (1 if found and found.get("controller") else 0), name)


def _try(argv, timeout=10):
    try:
        return run(argv, timeout)
    except CommandError as exc:
        return 1, "", str(exc)
