# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undos that must be exact and must not affect anything else: options only, running guests, other changes on a host,
names of VLAN devices, and a clock that jumps.
"""

from __future__ import annotations

import time

from tests.faults import expect, victims
from tests.faults.play import ROLE, TIMEOUT, Play, apply_task
from tests.lab import hosts

_LIMIT = 120  # s, the timeout of these changes
_PORT = 7777
# A service on the host for a probe: it passes before the change, and is stopped during the change.
_SERVICE = (
    f"systemd-run --quiet --collect --unit=asked python3 -m http.server {_PORT};"
    f" until ss -ltn | grep -q :{_PORT}; do sleep 0.1; done"
)
_UNANSWERED = "systemctl stop asked"
# A guest: a process holds its tap, so the tap has a carrier; it goes with the process.
_GUEST = r"""
cat >/run/guest.py <<'END'
import fcntl, struct, sys, time
tap = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1002))  # TUNSETIFF: IFF_TAP | IFF_NO_PI
time.sleep(600)
END
start() {
    systemd-run --quiet --collect --unit="guest-$1" python3 /run/guest.py "$1"
    until [ -e "/sys/class/net/$1" ]; do sleep 0.1; done
    ip link set "$1" address "fe:54:00:00:00:0${1#vnet}"  # as libvirt does, so that the bridge keeps the MAC of its NIC
    ip link set "$1" master "$2" up
}
"""
_OPTIONS = {
    "interfaces": [
        {
            "name": "ovirtmgmt",
            "type": "linux-bridge",
            "state": "up",
            "lldp": {"enabled": True},
            "bridge": {
                "options": {
                    "stp": {"enabled": True, "forward-delay": 4, "hello-time": 1, "priority": 4096},
                    "group-forward-mask": 8,
                    "multicast-snooping": False,
                },
                "port": [
                    {
                        "name": "eth1",
                        "stp-priority": 8,
                        "stp-path-cost": 50,
                        "vlan": {"mode": "trunk", "trunk-tags": [{"id": 101}], "enable-native": True, "tag": 100},
                    }
                ],
            },
        }
    ]
}
_VLAN_DEVICE = "mgmt3000"


def _probe(name):
    return [{"type": "tcp", "target": hosts.about(name)["address"], "port": _PORT}]


def _undone(name, state, meanwhile=""):
    """Run a change whose probe fails because the service stops during the change. Returns ``(what was seen, its
    result)``.
    """
    hosts.ssh(name, _SERVICE, timeout=120)
    try:
        play = Play(name, {"tasks": [apply_task(state, timeout=_LIMIT, probes=_probe(name))]})
        expect.expect(expect.reach(name, "applying", 300), f"the change has not begun: {play.failure()}")
        hosts.ssh(name, f"{_UNANSWERED}; {meanwhile}", timeout=120, check=False)
        return expect.undone(play, rf"no connection to \S+ port {_PORT}", within=1.5, timeout=_LIMIT), play.ended()[1]
    finally:
        hosts.ssh(name, _UNANSWERED, timeout=120, check=False)


def options_undone(name, before):
    """Options of a bridge and its port only: STP, group forward mask, snooping, VLAN filtering, path cost."""
    seen, result = _undone(name, _OPTIONS)
    expect.state(name, before)
    return f"{seen}; {len(result['repairs'])} repairs"


def ethtool_undone(name, before):
    """An offload feature that the change disables."""
    look = "ethtool -k eth1 | grep generic-segmentation"
    was = hosts.ssh(name, look).stdout
    feature = {"tx-generic-segmentation": False}
    seen, _result = _undone(
        name, {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "ethtool": {"feature": feature}}]}
    )
    expect.state(name, before)
    now = hosts.ssh(name, look).stdout
    expect.expect(was == now, f"{look}: {was} -> {now}")
    return seen


def routes_undone(name, before):
    """A blackhole route, a route over two hops, and a policy rule without its own route."""
    gateway = "10.80.0.1"
    routes = [{"destination": "198.51.100.0/24", "route-type": "blackhole"}] + [
        {
            "destination": "203.0.113.0/24",
            "next-hop-address": f"10.80.0.{last}",
            "next-hop-interface": "eth1",
            "weight": last,
            "metric": 50,
        }
        for last in (1, 2)
    ]
    rules = [{"ip-to": "198.51.100.7/32", "priority": 1234, "route-table": 254}]
    expect.expect(gateway in str(before["routes"]), "no gateway")
    seen, _result = _undone(name, {"routes": {"config": routes}, "route-rules": {"config": rules}})
    expect.state(name, before)
    return seen


def running_guest(name, before):
    """A guest's tap on ovirtmgmt stays attached; one guest starts and one stops while the change is undone."""
    hosts.ssh(
        name,
        _GUEST + "start vnet0 ovirtmgmt; start vnet1 ovirtmgmt; sleep 2\n"
        "systemd-run --quiet --collect --unit=watch sh -c 'ip -o monitor link dev vnet0 >/run/vnet0.log'",
    )
    state = {
        "interfaces": [
            {
                "name": "ovirtmgmt",
                "type": "linux-bridge",
                "state": "up",
                "ipv4": {"enabled": True, "dhcp": True, "auto-route-metric": 77},
                "bridge": {"options": {"group-forward-mask": 8}},
            }
        ]
    }
    try:
        seen, result = _undone(name, state, _GUEST + "start vnet2 ovirtmgmt; systemctl stop guest-vnet1")
        look = hosts.ssh(
            name, "for one in vnet0 vnet2; do ip -o link show $one; done; cat /run/vnet0.log; ls /sys/class/net"
        ).stdout
        attached = [
            one
            for one in ("vnet0", "vnet2")
            if any(f" {one}:" in line and "master ovirtmgmt" in line for line in look.splitlines())
        ]
        expect.expect(attached == ["vnet0", "vnet2"], f"on the bridge are only {attached}: {look}")
        lost = [line for line in look.splitlines() if "vnet0:" in line and "master ovirtmgmt" not in line]
        expect.expect(not lost, f"vnet0 was off the bridge meanwhile: {lost}")
        expect.expect(
            "vnet" not in str(result["repairs"]) + str(result.get("meanwhile")), f"guests were noticed: {result}"
        )
        expect.state(name, before)
        return seen
    finally:
        hosts.ssh(name, "systemctl stop watch 'guest-*'; ip link del vnet0; true", check=False)


def strangers(name, before):
    """While a change of eth1 is undone, eth2 loses its link, br3 gets another address, and another program creates a
    bridge and a route.
    """
    mischief = (
        "ip link set eth2 down; ip addr add 203.0.113.7/32 dev br3; ip link add virbr0 type bridge; ip link set "
        "virbr0 up;"
        " ip route add 198.51.100.0/24 dev br3; ip rule add priority 999 from 198.51.100.7 table 99"
    )
    running = hosts.ssh(name, "systemctl show --property=MainPID NetworkManager").stdout
    try:
        state = {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "mtu": 1400}]}
        seen, result = _undone(name, state, mischief)
        strange = [
            one
            for one in result["repairs"]
            if any(device in one for device in ("eth2", "eth3", "br3", "virbr0", "restarted"))
        ]
        expect.expect(not strange, f"repairs of what is not ours: {strange}")
        apart = {(one["device"], one["what"]) for one in result["meanwhile"]}
        expect.expect(
            {("eth2", "up"), ("br3", "addresses"), ("", "rules")} <= apart, f"meanwhile: {result['meanwhile']}"
        )
        expect.expect(
            running == hosts.ssh(name, "systemctl show --property=MainPID NetworkManager").stdout,
            "NetworkManager was restarted",
        )
        there = hosts.ssh(name, "ip addr show br3; ip link show eth2; ip rule").stdout
        expect.expect("203.0.113.7" in there and "198.51.100.7" in there, f"strangers were put back: {there}")
    finally:
        hosts.ssh(
            name,
            "ip link del virbr0; ip addr del 203.0.113.7/32 dev br3; ip route del 198.51.100.0/24; ip rule del "
            "priority 999;"
            " ip link set eth2 up; nmcli connection up eth2; nmcli connection up eth2.777",
            check=False,
        )
    expect.state(name, before)
    return f"{seen}; apart: {sorted(apart)}"


def _name_undone(name, before, layout):
    play = Play(
        name,
        ROLE,
        mgmt_network=victims.LAYOUTS[layout],
        configure_mgmt_timeout=60,
        configure_mgmt_probes=[{"type": "path_mtu", "size": 9000}],
    )
    # the definition leaves the MTU at 1500, so packets of 9000 bytes never get through
    seen = expect.undone(play, "MTU|9000")
    expect.state(name, before)
    names = hosts.ssh(name, "ls /sys/class/net", check=False).stdout.split()
    expect.expect(_VLAN_DEVICE in names and "bond4.3000" not in names, f"the devices are {names}")
    return seen


def vlan_name_undone(name, before):
    """The address comes from DHCP, and a probe fails."""
    return _name_undone(name, before, "bond-vlan-name")


def vlan_name_undone_static(name, before):
    """The address is static, and a probe fails."""
    return _name_undone(name, before, "bond-vlan-name-static")


def clock_forward(name, before):
    """The clock jumps ahead by an hour: the pending change keeps its whole time, and is undone after it."""
    expect.pend(name)
    began = time.monotonic()
    expect.clock(name, "+1")
    try:
        expect.expect(
            not expect.reach(name, "undoing", TIMEOUT // 3), "the change was undone as soon as the clock had jumped"
        )
        expect.expect(expect.reach(name, "undone", 2 * TIMEOUT), "the change is still pending after its timeout")
        seconds = time.monotonic() - began
    finally:
        expect.clock(name, "-1")
    expect.state(name, before)
    return f"undone after {seconds / TIMEOUT:.2f} of its timeout"


CASES = {
    "options_undone": ("mgmt-there", options_undone, "old, STP, masks, costs and VLAN filters included"),
    "ethtool_undone": ("nic-dhcp", ethtool_undone, "old, the feature on again"),
    "routes_undone": ("nic-dhcp", routes_undone, "old, without the blackhole, the two hops and the rule"),
    "running_guest": ("mgmt-there", running_guest, "old, the taps on their bridge all the time"),
    "strangers": ("multi", strangers, "old, other changes are reported separately"),
    "vlan_name_undone": ("bond-vlan-name", vlan_name_undone, "old, with the old name of the VLAN device"),
    "vlan_name_undone_static": (
        "bond-vlan-name-static",
        vlan_name_undone_static,
        "old, with the old name of the VLAN device",
    ),
    "clock_forward": ("nic-dhcp", clock_forward, "undone after its timeout"),
}
