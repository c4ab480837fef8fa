# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What "exactly the old state" means: the live network as the kernel and NetworkManager have it, and bringing it back.

Only devices that NetworkManager manages are looked at: the taps and containers of running VMs come and go by themselves.
"""

from __future__ import annotations

import json
import re
import time

from .command import CommandError, run

_VOLATILE_ROUTE = ("flags", "expires", "cache", "metrics", "pref", "uid", "age")
_NOT_CONFIGURED = ("local", "broadcast", "multicast", "anycast")
# Bond options that a user configures; the rest of the kernel's list follows from the ports (if_link.h, IFLA_BOND_*).
_BOND_STATE = ("active_slave", "ad_info", "all_slaves_active", "num_peer_notif", "num_unsol_na")
_ACTIVATION = 20  # seconds for one "nmcli connection up": a lease is there after 2 s or not at all


def take():
    """The live state: ``{devices: {name: {...}}, routes: [..], rules: [..], dns: [..]}`` (plain, comparable data).

    A device is ``{connection: uuid, mac, mtu, up, controller, kind, addresses: [str], bond, vlan}``. Lifetimes, counters,
    link-local and temporary addresses are left out. Raises CommandError when a tool does not answer.
    """
    managed = _managed()
    devices = {}
    for link in _ip("-d", "addr", "show"):
        name = link["ifname"]
        if name in managed:
            devices[name] = _device(link, managed[name])
    routes = [_route(one, devices) for family in ("-4", "-6") for one in _ip(family, "route", "show", "table", "all")]
    rules = [one for family in ("-4", "-6") for one in _ip(family, "rule", "show")]
    return {"devices": devices, "routes": _sorted(filter(None, routes)), "rules": _sorted(rules), "dns": _dns()}


def compare(old, new, named=()):
    """What differs between two snapshots, as ``[{device, what, old, new}]`` (empty: exactly the old state).

    Devices unknown to ``old`` count only when they are in ``named`` (those the transaction was about).
    """
    found = []
    for name in sorted(set(old["devices"]) | set(named) & set(new["devices"])):
        was, now = old["devices"].get(name), new["devices"].get(name)
        if was is None or now is None:
            found.append({"device": name, "what": "device", "old": "present" if was else "absent", "new": "present" if now else "absent"})
            continue
        found += [{"device": name, "what": key, "old": was.get(key), "new": now.get(key)} for key in was if was.get(key) != now.get(key)]
    for key in ("routes", "rules", "dns"):
        if old[key] != new[key]:
            found.append({"device": "", "what": key, "old": [one for one in old[key] if one not in new[key]],
                          "new": [one for one in new[key] if one not in old[key]]})
    return found


def holders(snapshot, address):
    """Names of the devices of ``snapshot`` that hold ``address`` (no prefix)."""
    return [name for name, device in snapshot["devices"].items() if address in [one.split("/")[0] for one in device["addresses"]]]


def bring_back(old, named, seconds, say):
    """Re-activate, base before bond before VLAN, what is not as in ``old``; strays of ``named`` are deleted.

    ``seconds`` bounds the whole. ``say(text)`` is told every repair. Returns what still differs (see compare).
    """
    end = time.monotonic() + seconds
    for name in named:
        if name not in old["devices"] and name in take()["devices"]:
            say("device %s was not there before: deleted" % name)
            _try(["nmcli", "--wait", "5", "device", "delete", name])
    for name in sorted(old["devices"], key=lambda one: _depth(old, one)):
        _bring_back_device(name, old, end, say)
    left = settle(old, named, min(end, time.monotonic() + 8))
    astray = [name for name in _with_other_routes(left) if old["devices"].get(name, {}).get("connection")]
    for name in sorted(astray, key=lambda one: _depth(old, one)):
        # Neither a reload nor a restart of NetworkManager takes a route away that only the change had brought.
        say("routes of device %s differ: connection %s activated again" % (name, old["devices"][name]["connection"]))
        _activate(name, old["devices"][name]["connection"], True, say)
    return settle(old, named, min(end, time.monotonic() + 8)) if astray else left


def _with_other_routes(left):
    return {route.get("dev") for one in left if one["what"] == "routes" for route in one["old"] + one["new"]}


def _activate(name, connection, there, say):
    # A device that is gone is made by its profile; naming it as the interface to use would be refused.
    where = ["ifname", name] if there else []
    rc, _out, err = _try(["nmcli", "--wait", str(_ACTIVATION), "connection", "up", "uuid", connection, *where], _ACTIVATION + 5)
    if rc:
        say("device %s: %s" % (name, err.strip()))


def _bring_back_device(name, old, end, say):
    was = old["devices"][name]
    if time.monotonic() > end:
        return
    now = take()["devices"].get(name) or {}
    wrong = [key for key in was if was[key] != now.get(key)]
    active = [key for key in wrong if key != "mtu"]
    if active and was["connection"]:
        say("device %s differs in %s: connection %s activated again" % (name, ", ".join(active), was["connection"]))
        _activate(name, was["connection"], bool(now), say)
    elif active and now.get("connection"):
        say("device %s had no active connection: disconnected" % name)
        _try(["nmcli", "--wait", "5", "device", "disconnect", name])
    now = take()["devices"].get(name) or {}
    if now and now["mtu"] != was["mtu"]:
        say("device %s: MTU %s back to %s" % (name, now["mtu"], was["mtu"]))
        _try(["ip", "link", "set", "dev", name, "mtu", str(was["mtu"])])


def settle(old, named, end):
    """Wait until the network is as in ``old``, until ``end`` at the latest; returns what still differs (see compare)."""
    while True:
        left = compare(old, take(), named)
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.2)


def _depth(snapshot, name):
    """Order of activation: what others stand on comes first (controllers before their ports, bases before VLANs)."""
    device, depth = snapshot["devices"][name], 0
    while device and device.get("vlan") and depth < 8:
        depth += 2
        device = snapshot["devices"].get(device["vlan"]["base"])
    return (depth + (1 if device and device.get("controller") else 0), name)


def _device(link, connection):
    kind = (link.get("linkinfo") or {}).get("info_kind", "")
    data = (link.get("linkinfo") or {}).get("info_data") or {}
    addresses = [
        "%s/%s" % (one["local"], one["prefixlen"]) for one in link.get("addr_info") or []
        if one.get("scope") != "link" and not one.get("temporary") and not one.get("tentative") and "local" in one
    ]
    return {
        "connection": connection,
        "mac": link.get("address", ""),
        "mtu": link.get("mtu", 0),
        "up": "UP" in (link.get("flags") or []),
        "controller": link.get("master", ""),
        "kind": kind,
        "addresses": sorted(addresses),
        "bond": {key: value for key, value in data.items() if key not in _BOND_STATE} if kind == "bond" else {},
        "vlan": {"id": data.get("id"), "base": link.get("link", "")} if kind == "vlan" else {},
    }


def _route(one, devices):
    if one.get("type", "unicast") in _NOT_CONFIGURED or one.get("dev") not in devices:
        return None
    if str(one.get("dst", "")).startswith(("fe80:", "ff00:")):
        return None
    return {key: value for key, value in one.items() if key not in _VOLATILE_ROUTE}


def _sorted(entries):
    return sorted(entries, key=lambda one: json.dumps(one, sort_keys=True))


def _ip(*words):
    out = run(["ip", "-j", *words], timeout=10, check=True)[1]
    # Some releases of iproute2 print an empty object per suppressed entry.
    return [one for one in json.loads(out or "[]") if one]


def _managed():
    """``{device: uuid of its active connection or ""}`` of what NetworkManager manages."""
    out = run(["nmcli", "-t", "-f", "DEVICE,STATE,CON-UUID", "device"], timeout=10, check=True)[1]
    found = {}
    for line in out.splitlines():
        name, state, uuid = [part.replace("\\:", ":") for part in re.split(r"(?<!\\):", line)]
        if state != "unmanaged" and name != "lo":
            found[name] = uuid
    return found


def _dns():
    """Resolver settings per interface as NetworkManager merged them (its DnsManager's Configuration)."""
    rc, out, _err = run(["busctl", "--json=short", "get-property", "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager/DnsManager",
                         "org.freedesktop.NetworkManager.DnsManager", "Configuration"], timeout=10)
    if rc:
        return []
    return _sorted({key: value["data"] for key, value in one.items()} for one in json.loads(out)["data"])


def _try(argv, timeout=10):
    try:
        return run(argv, timeout)
    except CommandError as exc:
        return 1, "", str(exc)
