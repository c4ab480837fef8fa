# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host after a fault: old, new, lost, or neither. Read from the engine's side and over the out-of-band
NIC, with plain tools.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from tests.lab import hosts, watch
from tests.lab.machine import LabError, netns

PATIENCE = 150  # seconds: the transaction's own timer, repairs, a boot
_MARK = "---next---"
_LOOK = f"\necho {_MARK}\n".join(
    (
        "ip -j -d addr show",
        "ip -j -4 route show table all",
        "ip -j -6 route show table all",
        "ip -j -4 rule show",
        "ip -j -6 rule show",
        "cd /etc/NetworkManager/system-connections && sha256sum -- * 2>/dev/null",
        "cat /etc/resolv.conf",
        "ls -d /var/lib/ovirt-mgmt-network /etc/systemd/system/ovirt-mgmt-network-recover.service 2>/dev/null",
        "cat /var/lib/vdsm/persistence/netconf/nets/ovirtmgmt 2>/dev/null",
        "true",
    )
)
_COMPARED = ("links", "routes", "rules", "files", "resolver")
# Configurable options of devices and ports; the rest are timers, counters, and dependent values.
_DATA = (
    "id",
    "mode",
    "miimon",
    "stp_state",
    "forward_delay",
    "hello_time",
    "max_age",
    "ageing_time",
    "priority",
    "vlan_filtering",
    "vlan_protocol",
    "vlan_default_pvid",
    "group_fwd_mask",
    "group_addr",
    "mcast_snooping",
    "mcast_router",
    "mcast_querier",
    "mcast_query_use_ifaddr",
    "mcast_hash_max",
    "mcast_last_member_cnt",
    "mcast_startup_query_cnt",
    "mcast_query_intvl",
    "mcast_membership_intvl",
)
_PORT = ("priority", "cost", "hairpin", "learning", "flood", "group_fwd_mask", "isolated", "queue_id", "prio")
_EMPTY = "e3b0c44298fc1c14"  # the digest of an empty file


def look(name):
    """The host's network by its kernel and files (plain data), None if the out-of-band NIC does not answer."""
    try:
        done = hosts.ssh(name, _LOOK, timeout=20, check=False)
    except LabError:
        return None
    parts = done.stdout.split(_MARK + "\n")
    if done.returncode or len(parts) != 10:
        return None
    links, routes, routes6, rules, rules6, files, resolver, leftovers, record, _end = parts
    # rules of the same priority are in the order of their creation, which changes after a boot
    return {
        "links": _links(_parsed(links)),
        "routes": sorted(map(_route, _wanted(_parsed(routes) + _parsed(routes6)))),
        "rules": sorted(json.dumps(one, sort_keys=True) for one in _parsed(rules) + _parsed(rules6)),
        "files": files.split(),
        "resolver": sorted(line for line in resolver.splitlines() if line.startswith(("nameserver", "search"))),
        "leftovers": leftovers.split(),
        "record": record.strip(),
    }


def same(one, other):
    """Whether two states are exactly the same network."""
    return bool(one and other) and all(one[key] == other[key] for key in _COMPARED)


def differs(before, now):
    """The differences between two states, as text."""
    return "; ".join(f"{key}: {before[key]} -> {now[key]}" for key in _COMPARED if before[key] != now[key])[:1500]


def verdict(name, before, mtu=1500, after=None, seconds=PATIENCE, recorded=True):
    """``(old|new|lost|neither, seconds until then, differences)`` of the host whose old state is ``before``.

    ``after``: its new state, for comparison. ``recorded``: the new state has VDSM's record. The echo requests are sent
    by a process on the engine's side.
    """
    code = (
        "import sys, json; from tests.faults import judge; "
        "print(json.dumps(judge.verdict_inside(*json.load(sys.stdin))))"
    )
    words = json.dumps([name, hosts.about(name)["address"], before, mtu, after, seconds, recorded])
    checkout = pathlib.Path(__file__).resolve().parents[2]
    done = subprocess.run(
        netns(sys.executable, "-c", code),
        input=words,
        capture_output=True,
        text=True,
        check=False,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    if done.returncode:
        raise LabError(f"the judge failed: {done.stderr[-1500:]}")
    return json.loads(done.stdout)


def verdict_inside(name, address, before, mtu, after, seconds, recorded):
    """See verdict()."""
    began, found, differing = time.monotonic(), "lost", ""
    while time.monotonic() < began + seconds:
        now = look(name)
        if now and not now["leftovers"] and watch.ping(address, count=1):
            if same(before, now):
                return "old", time.monotonic() - began, ""
            if _is_new(now, address, mtu) and (now["record"] or not recorded):
                if after is None or same(_without_digests(after), _without_digests(now)):
                    return "new", time.monotonic() - began, ""
                found, differing = (
                    "neither",
                    "from the new state: " + differs(_without_digests(after), _without_digests(now)),
                )
            else:
                found, differing = "neither", differs(before, now)
        time.sleep(0.3)
    return found, time.monotonic() - began, differing


def _parsed(text):
    """Parse JSON of iproute2, which prints nothing for an empty list."""
    return [one for one in json.loads(text.strip() or "[]") if one]


def _links(links):
    found = {}
    for link in links:
        if (
            link["ifname"] not in ("lo", "oob0") and (link.get("linkinfo") or {}).get("info_kind") != "tun"
        ):  # taps belong to guests
            addresses = sorted(
                f"{one['local']}/{one['prefixlen']}"
                for one in link.get("addr_info", [])
                if one.get("scope") == "global" and "local" in one
            )
            info = link.get("linkinfo") or {}
            data = info.get("info_data") or {}
            found[link["ifname"]] = [
                link.get("address"),
                link.get("mtu"),
                link.get("master"),
                "UP" in link.get("flags", []),
                addresses,
                info.get("info_kind"),
                link.get("link"),
                {key: data.get(key) for key in _DATA},
                {key: (info.get("info_slave_data") or {}).get(key) for key in _PORT},
            ]
    return found


def _wanted(routes):
    return [
        one
        for one in routes
        if one.get("dev") not in ("lo", "oob0")
        and one.get("type", "unicast") in ("unicast", "blackhole", "prohibit")
        and not str(one.get("dst")).startswith(("fe80", "ff00"))
    ]


def _route(one):
    return json.dumps(
        {key: one.get(key) for key in ("type", "dst", "gateway", "dev", "metric", "prefsrc", "table")}, sort_keys=True
    )


def _is_new(now, address, mtu):
    bridge = now["links"].get("ovirtmgmt")
    held = bridge and address in [one.split("/")[0] for one in bridge[4]]
    whole = "ovirtmgmt.nmconnection" in now["files"] and not any(one.startswith(_EMPTY) for one in now["files"])
    return bool(held and whole and bridge[1] == mtu)


def _without_digests(seen):
    """A new profile has a new ID each time, so only file names are compared; empty files were already rejected."""
    return {**seen, "files": [one for one in seen["files"] if not re.fullmatch(r"[0-9a-f]{64}", one)]}
