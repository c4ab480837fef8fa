# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's view of the network: iproute2's JSON output, and data that is only in sysfs."""

from __future__ import annotations

import json
import os

from .command import CommandError, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

SYSFS = "/sys/class/net"
# VDSM's dump of the driver's defaults, made before its networks are restored (vdsm:
# network/link/bond/sysfs_options_mapper.py).
BOND_DEFAULTS = "/run/vdsm/bonding-defaults.json"
# A bond of each mode in a separate network and mount namespace, invisible to udev, NetworkManager, and the host's /sys.
_PROBE = """mount -t sysfs sysfs /sys || exit 1
for mode in %s; do ip link add mode$mode type bond mode $mode || exit 1; done
exec grep -s . /sys/class/net/mode*/bonding/*"""


def links() -> list[dict]:
    """All devices with their addresses, the output of ``ip -details -json address show`` (list of dict)."""
    return show("-details", "address", "show")


def default_routes() -> list[dict]:
    """Default routes of all tables: ``[{family, gateway, dev, table, metric}]``, one entry for each hop of a multipath
    route.
    """
    hops = []
    for family in (4, 6):
        # Limited to default routes: a BGP router can have a hundred thousand others.
        for route in show("-%d" % family, "route", "show", "table", "all", "exact", "default"):
            if route.get("type", "unicast") == "unicast":
                hops += default_route_hops(route, family)
    return hops


def default_route_hops(route: Mapping, family: int) -> list[dict]:
    """An entry of ``ip -json route`` in the format of default_routes(): a list, one element for each hop with a
    gateway. Pure.
    """
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


def traits(names: Iterable[str]) -> dict[str, dict]:
    """Data of each device that is only in sysfs: ``{name: {speed, tap, virtual_function, bond}}``.

    ``speed``: Mb/s, 0 if unknown or without link. ``bond``: ``{option: words}`` of a bond ("active-backup 1"),
    otherwise {}. A bond also has ``bond_defaults``, the same for a new bond of its mode ({} if unknown).
    """
    result: dict[str, dict] = {
        name: {
            "speed": _speed(name),
            "tap": os.path.exists("%s/%s/tun_flags" % (SYSFS, name)),
            "virtual_function": os.path.exists("%s/%s/device/physfn" % (SYSFS, name)),
            "bond": _folder("%s/%s/bonding" % (SYSFS, name)),
        }
        for name in names
    }
    modes = {name: trait["bond"]["mode"].split()[-1] for name, trait in result.items() if trait["bond"].get("mode")}
    defaults = bond_defaults(set(modes.values()))
    for name, mode in modes.items():
        result[name]["bond_defaults"] = defaults.get(mode, {})
    return result


def bond_defaults(modes: Collection[str]) -> dict[str, dict[str, str]]:
    """``{mode: {option: words}}``: the bonding driver's defaults on this kernel for ``modes`` (set of numbers as text).

    Read from VDSM's dump if it exists, otherwise from temporary bonds, as VDSM does; {} if neither is possible.
    """
    if not modes:
        return {}
    try:
        with open(BOND_DEFAULTS, encoding="utf-8") as stream:
            dump = json.load(stream)
        return {mode: {option: " ".join(words) for option, words in dump[mode].items()} for mode in modes}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no VDSM, or an unusable dump
    try:
        _rc, out, _err = run(["unshare", "--net", "--mount", "sh", "-c", _PROBE % " ".join(sorted(modes))], timeout=10)
    except CommandError:
        return {}
    defaults: dict[str, dict[str, str]] = {}
    for line in out.splitlines():
        path, _colon, words = line.partition(":")
        device, _folder_name, option = path.split("/")[-3:]
        defaults.setdefault(device[len("mode") :], {})[option] = words
    return defaults


def supports_ipv6() -> bool:
    """Whether the kernel supports IPv6."""
    return os.path.exists("/proc/net/if_inet6")


def show(*words: str, strict: bool = False) -> list[dict]:
    """The output of ``ip -json WORDS``. "ip route" exits with 2 ("FIB table does not exist") if a family has no routes;
    with ``strict``, any failure raises CommandError.
    """
    out = run(["ip", "-json", *words], timeout=30, check=strict)[1]
    # Some releases of iproute2 print an empty object for each suppressed entry.
    return [entry for entry in json.loads(out or "[]") if entry]


def ip(*words: str) -> str:
    """Run ``ip WORDS`` for a change; returns "" or the error."""
    return _trouble(["ip", *words])


def set_mtu(device: str, mtu: int) -> str:
    """Set the MTU of ``device``; returns "" or the error."""
    return ip("link", "set", "dev", device, "mtu", str(mtu))


def attach(device: str, bridge: str) -> str:
    """Attach ``device`` to ``bridge``; returns "" or the error."""
    return ip("link", "set", "dev", device, "master", bridge)


def vlan_filters() -> dict[str, list[dict]]:
    """``{device: [entry of "bridge -json vlan"]}``; {} if the tool is missing."""
    try:
        rc, out, _err = run(["bridge", "-json", "vlan", "show"], timeout=10)
    except CommandError:
        return {}
    entries = json.loads(out or "[]") if rc == 0 else []
    if not isinstance(entries, list):
        return {}
    return {entry["ifname"]: entry.get("vlans") or [] for entry in entries if entry}


def set_vlan_filter(verb: str, device: str, vlans: str, flags: list[str]) -> None:
    """Add or delete (``verb``) entries of a VLAN filter; entries of the bridge itself use "self" (bridge(8))."""
    for where in ([], ["self"]):
        if not _trouble(["bridge", "vlan", verb, "dev", device, "vid", vlans, *flags, *where]):
            return


def virtual_functions(device: str) -> int:
    """The number of virtual functions of ``device``."""
    try:
        return int(_read("%s/%s/device/sriov_numvfs" % (SYSFS, device)))
    except (OSError, ValueError):
        return 0


def set_virtual_functions(device: str, number: int) -> None:
    """Set the number of virtual functions, as far as the driver permits."""
    for value in (0, number):  # the kernel only accepts a new number if there are none (PCI/iov, sriov_numvfs_store())
        try:
            with open("%s/%s/device/sriov_numvfs" % (SYSFS, device), "w", encoding="ascii") as stream:
                stream.write(str(value))
        except OSError:
            return


def _trouble(argv: list[str]) -> str:
    try:
        rc, out, err = run(argv, timeout=10)
    except CommandError as exc:
        return str(exc)
    return (err or out).strip() or "exit status %d" % rc if rc else ""


def _speed(name: str) -> int:
    # The kernel returns EINVAL for a device that is down, and 65535 or -1 for "unknown" (ethtool.h, SPEED_UNKNOWN).
    try:
        speed = int(_read("%s/%s/speed" % (SYSFS, name)))
    except (OSError, ValueError):
        return 0
    return speed if speed > 0 and speed not in (2**16 - 1, 2**32 - 1) else 0


def _folder(path: str) -> dict[str, str]:
    values = {}
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        try:
            values[name] = _read(os.path.join(path, name))
        except OSError:
            continue  # some options are write-only, or have no value in the bond's mode
    return values


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as stream:
        return stream.read().strip()
