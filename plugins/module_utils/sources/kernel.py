# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel says of the network: iproute2's JSON and the few things that only sysfs has."""

from __future__ import annotations

import json
import os

from .command import CommandError, run

SYSFS = "/sys/class/net"
# VDSM's dump of the driver's defaults, made before its networks are restored (vdsm:
# network/link/bond/sysfs_options_mapper.py).
BOND_DEFAULTS = "/run/vdsm/bonding-defaults.json"
# A bond of each mode in a network and mount namespace of its own, so that neither udev nor NetworkManager nor the
# host's /sys see it.
_PROBE = """mount -t sysfs sysfs /sys || exit 1
for mode in %s; do ip link add mode$mode type bond mode $mode || exit 1; done
exec grep -s . /sys/class/net/mode*/bonding/*"""


def links():
    """All devices with their addresses, as ``ip -details -json address show`` gives them (list of dict)."""
    return _ip("-details", "address", "show")


def default_routes():
    """Default routes of all tables: ``[{family, gateway, dev, table, metric}]``, each hop of a multipath route by
    itself.
    """
    found = []
    for family in (4, 6):
        # Asked for by prefix: a host that speaks BGP may have a hundred thousand others.
        for route in _ip("-%d" % family, "route", "show", "table", "all", "exact", "default"):
            if route.get("type", "unicast") == "unicast":
                found += default_route_hops(route, family)
    return found


def default_route_hops(route, family):
    """One entry of ``ip -json route`` as default_routes() gives it: a list, one element per hop with a gateway (pure)."""
    hops = []
    for hop in route.get("nexthops") or [route]:
        gateway = hop.get("gateway") or (hop.get("via") or {}).get("host", "")
        if gateway:
            hops.append(
                {
                    "family": family,
                    "gateway": gateway,
                    "dev": hop.get("dev", route.get("dev", "")),
                    "table": str(route.get("table", "main")),
                    "metric": route.get("metric", 0),
                }
            )
    return hops


def traits(names):
    """What only sysfs knows of each device: ``{name: {speed, tap, virtual_function, bond}}``.

    ``speed``: Mb/s, 0 when unknown or without link. ``bond``: ``{option: words}`` of a bond ("active-backup 1"), else
    {}; a bond has ``bond_defaults`` as well, the same of an untouched bond of its mode ({} when unknown).
    """
    found = {
        name: {
            "speed": _speed(name),
            "tap": os.path.exists("%s/%s/tun_flags" % (SYSFS, name)),
            "virtual_function": os.path.exists("%s/%s/device/physfn" % (SYSFS, name)),
            "bond": _folder("%s/%s/bonding" % (SYSFS, name)),
        }
        for name in names
    }
    modes = {name: one["bond"]["mode"].split()[-1] for name, one in found.items() if one["bond"].get("mode")}
    defaults = bond_defaults(set(modes.values()))
    for name, mode in modes.items():
        found[name]["bond_defaults"] = defaults.get(mode, {})
    return found


def bond_defaults(modes):
    """``{mode: {option: words}}``: the bonding driver's defaults for ``modes`` (set of numbers as text), on this
    kernel.

    Read from VDSM's dump where VDSM has made one, else from bonds that are made for it, as VDSM makes them; {} where
    neither can be had.
    """
    if not modes:
        return {}
    try:
        with open(BOND_DEFAULTS, encoding="utf-8") as stream:
            dump = json.load(stream)
        return {mode: {option: " ".join(words) for option, words in dump[mode].items()} for mode in modes}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no VDSM, or a dump that is of no use
    try:
        _rc, out, _err = run(["unshare", "--net", "--mount", "sh", "-c", _PROBE % " ".join(sorted(modes))], timeout=10)
    except CommandError:
        return {}
    found = {}
    for line in out.splitlines():
        path, _colon, words = line.partition(":")
        device, _folder_name, option = path.split("/")[-3:]
        found.setdefault(device[len("mode") :], {})[option] = words
    return found


def supports_ipv6():
    """Whether the kernel can speak IPv6 at all."""
    return os.path.exists("/proc/net/if_inet6")


def _ip(*words):
    rc, out, _err = run(["ip", "-json", *words], timeout=30, check=False)
    # "ip route" ends with 2 ("FIB table does not exist") where a family has no routes at all.
    return json.loads(out) if out.strip() else []


def _speed(name):
    # The kernel answers EINVAL for a device that is down, and 65535 or -1 for "unknown" (ethtool.h, SPEED_UNKNOWN).
    try:
        speed = int(_read("%s/%s/speed" % (SYSFS, name)))
    except (OSError, ValueError):
        return 0
    return speed if speed > 0 and speed not in (2**16 - 1, 2**32 - 1) else 0


def _folder(path):
    values = {}
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        try:
            values[name] = _read(os.path.join(path, name))
        except OSError:
            continue  # some options can only be written, or have no value in the bond's mode
    return values


def _read(path):
    with open(path, encoding="ascii", errors="replace") as stream:
        return stream.read().strip()
