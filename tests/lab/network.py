# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of the lab: the engine's network namespace on this machine, and the switch, router, and servers in the
fabric.

The engine uses 10.99.0.1 (fd00:99::1), which hosts reach over their default route, never over the out-of-band NIC.
"""

from __future__ import annotations

import ipaddress

from .machine import HERE, NAME, LabError, has_netns, netns, run, tidying

FABRIC = "10.77.0.2"
ENGINE = "10.99.0.1"


def raise_netns():
    """Create the namespace, the bridge for all taps, and the engine's link to the fabric (MTU 9000 over MTU 1500, see
    engine-wire.sh).
    """
    made = not has_netns()
    if made:
        run(["ip", "netns", "add", NAME])
    script = f"""
ip link set lo up
ip link show oob >/dev/null 2>&1 || {{
  ip link add oob address 52:54:00:01:00:00 type bridge && ip addr add 10.77.0.1/16 dev oob && ip link set oob up; }}
ip link show engine0 >/dev/null 2>&1 || {{
  engine_wire 52:54:00:01:01:00 10.77.0.1 {FABRIC}
  ip addr add {ENGINE}/24 dev engine0; ip -6 addr add fd00:99::1/64 dev engine0 nodad
  for net in 80 81 82 88 78; do
    ip route add 10.$net.0.0/24 via 10.99.0.2; ip -6 route add fd00:$net::/64 via fd00:99::2
  done; }}
"""
    try:
        run(netns("sh", "-ec", (HERE / "engine-wire.sh").read_text(encoding="ascii") + script))
    except BaseException:
        if made:
            with tidying():
                drop_netns()
        raise


def drop_netns():
    """Remove the namespace with all taps, bridges, and tunnels."""
    if has_netns():
        run(["ip", "netns", "del", NAME])


def tap_name(host):
    return f"t{host['number']}"


def tap(host):
    name = tap_name(host)
    run(
        netns(
            "sh",
            "-ec",
            f"ip link show {name} >/dev/null 2>&1 || ip tuntap add {name} mode tap; ip link set {name} master oob up",
        )
    )


def drop_tap(host):
    run(netns("ip", "link", "del", tap_name(host)), check=False)


def start_fabric():
    """Configure the running fabric host (see fabric.sh)."""
    _fabric("".join((HERE / name).read_text(encoding="ascii") for name in ("engine-wire.sh", "fabric.sh")))


def plug(host, layout):
    """Create a switch port for every NIC of the host: VLAN 1 untagged to the host, all others tagged. LACP ports are in
    a bond of the switch.
    """
    first, count = layout["nics"]
    number, small = host["number"], "untagged" if layout.get("small") else ""
    _fabric(
        "\n".join(f"port {number} {index} {small}" for index in range(first, first + count))
        if not layout.get("lacp")
        else f"lacp {number} {first} {first + 1}",
        functions=True,
    )


def unplug(host, check=True):
    """Remove the host's ports from the switch."""
    _fabric(f"unplug {host['number']}", functions=True, check=check)


FAULTS = {  # kind: (arguments, description)
    "vlan-drop": ("HOST VLAN", "the switch forgets a VLAN on the host's ports"),
    "vlan-allow": ("HOST VLAN", "and knows it again"),
    "path-mtu": ("VLAN MTU", "larger packets of a VLAN vanish behind the host's port; 9000 mends it"),
    "dhcp": ("on|off", "the DHCP server, with RA and DNS"),
    "twin": ("ADDRESS VLAN", "somebody else in the VLAN has the address"),
    "untwin": ("", "and is gone"),
}


def fault(kind, *words):
    """Create one of FAULTS (with dashes or underscores). ``HOST``: the number of a host. Raises LabError for invalid
    arguments.
    """
    kind = kind.replace("_", "-")
    if kind not in FAULTS:
        raise LabError(f"got fault {kind}, expected one of: {', '.join(FAULTS)}")
    shape = FAULTS[kind][0].split()
    for place, word in zip(shape, words):
        if not _FITS[place](word):
            raise LabError(f"fault {kind}: got {word!r}, expected {place}")
    if len(words) != len(shape):
        raise LabError(f"fault {kind} takes: {FAULTS[kind][0] or 'nothing more'}")
    return _fabric(" ".join([kind.replace("-", "_"), *words]), functions=True)


def _number(low, high):
    return lambda word: word.isascii() and word.isdecimal() and low <= int(word) <= high


def _is_ipv4(word):
    try:
        ipaddress.IPv4Address(word)
    except ValueError:
        return False
    return True


_FITS = {
    "HOST": _number(11, 98),
    "VLAN": _number(1, 4094),
    "MTU": _number(68, 9000),
    "ADDRESS": _is_ipv4,
    "on|off": ("on", "off").__contains__,
}


def _fabric(script, functions=False, check=True):
    from .hosts import ssh_command

    text = (HERE / "fabric-functions.sh").read_text(encoding="ascii") + script if functions else script
    return run([*ssh_command("fabric"), "sh", "-es"], input=text, timeout=60, check=check).stdout
