# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is after a fault: old, new, lost or neither. Seen from the engine's side and over the back door, by plain tools."""

from __future__ import annotations

import json
import time

from tests.lab import hosts, watch
from tests.lab.machine import LabError

PATIENCE = 150  # s: the transaction's own timer (60 s), repairs, a boot
_LOOK = r"""
ip -j addr show; echo; ip -j route show table all; echo; ip -j -6 route show table all; echo
cd /etc/NetworkManager/system-connections && sha256sum -- * 2>/dev/null; echo ---; cat /etc/resolv.conf; echo ---
ls /var/lib/ovirt-mgmt-network /etc/systemd/system/ovirt-mgmt-network-recover.service 2>/dev/null; echo ---
cat /var/lib/vdsm/persistence/netconf/nets/ovirtmgmt 2>/dev/null
"""


def look(name):
    """The host's network as its own kernel and files have it (plain data), None when the back door does not answer."""
    try:
        done = hosts.ssh(name, _LOOK, timeout=20, check=False)
    except LabError:
        return None
    if done.returncode not in (0, 1, 2) or "---" not in done.stdout:
        return None
    links, routes, routes6, rest = done.stdout.split("\n", 3)[0:1] + _lines(done.stdout)
    files, resolver, leftovers, record = rest.split("---")
    return {"links": _links(json.loads(links)), "routes": sorted(map(_route, _wanted(json.loads(routes or "[]") + json.loads(routes6 or "[]")))),
            "files": files.split(), "resolver": sorted(line for line in resolver.splitlines() if line.startswith(("nameserver", "search"))),
            "leftovers": leftovers.split(), "record": record.strip()}


def verdict(name, address, before, mtu, seconds=PATIENCE):
    """``(old|new|lost|neither, seconds until it was so, what differs)`` of the host that had ``address`` and looked like ``before``."""
    began, found, differs = time.monotonic(), "lost", ""
    while time.monotonic() < began + seconds:
        now = look(name)
        if now and not now["leftovers"] and watch.ping(address, count=1):
            if {key: now[key] for key in ("links", "routes", "files", "resolver")} == {key: before[key] for key in ("links", "routes", "files", "resolver")}:
                return "old", time.monotonic() - began, ""
            if _is_new(now, address, mtu):
                return "new", time.monotonic() - began, ""
            found, differs = "neither", _differs(before, now)
        time.sleep(0.5)
    return found, time.monotonic() - began, differs


def _lines(text):
    """The two route lines and all that follows them; iproute2 prints nothing at all for an empty list."""
    lines = text.split("\n")
    parts, rest = [], lines[1:]
    while rest and len(parts) < 2:
        line = rest.pop(0)
        if line.startswith("[") or (parts and not line and len(parts) < 2 and not rest[0].startswith("[")):
            parts.append(line)
    return [*parts, *[""] * (2 - len(parts)), "\n".join(rest)]


def _links(links):
    found = {}
    for link in links:
        if link and link["ifname"] not in ("lo", "oob0"):
            addresses = sorted(f"{one['local']}/{one['prefixlen']}" for one in link.get("addr_info", []) if one.get("scope") == "global" and "local" in one)
            found[link["ifname"]] = [link.get("address"), link.get("mtu"), link.get("master"), "UP" in link.get("flags", []), addresses]
    return found


def _wanted(routes):
    return [one for one in routes if one and one.get("dev") not in ("lo", "oob0") and one.get("type", "unicast") == "unicast"
            and not str(one.get("dst")).startswith(("fe80", "ff00"))]


def _route(one):
    return json.dumps({key: one.get(key) for key in ("dst", "gateway", "dev", "metric", "prefsrc", "table")}, sort_keys=True)


def _is_new(now, address, mtu):
    bridge = now["links"].get("ovirtmgmt")
    held = bridge and address in [one.split("/")[0] for one in bridge[4]]
    whole = "ovirtmgmt.nmconnection" in now["files"] and not any(one.startswith("e3b0c44298fc1c14") for one in now["files"])  # the digest of nothing
    return bool(held and whole and bridge[1] == mtu and now["record"])


def _differs(before, now):
    return "; ".join(f"{key}: {before[key]} -> {now[key]}" for key in ("links", "routes", "files", "resolver") if before[key] != now[key])[:1500]
