# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that cannot work. Each is undone exactly, for the right reason, long before its timeout.

Probes are relative (those that fail before are skipped after), so all of them pass before and cannot pass after.
"""

from __future__ import annotations

import time

from tests.faults import expect, victims
from tests.faults.play import LIMIT, apply, configure
from tests.lab import hosts


def _applied(name, state):
    return apply(name, state, timeout=LIMIT)


def _moved_to_vlan(tag, ipv4, gateway=None):
    """The address of eth1 moves to a VLAN on it."""
    vlan = {
        "name": f"eth1.{tag}",
        "type": "vlan",
        "state": "up",
        "vlan": {"base-iface": "eth1", "id": tag},
        "ipv4": ipv4,
        "ipv6": {"enabled": False},
    }
    state = {
        "interfaces": [
            {"name": "eth1", "type": "ethernet", "state": "up", "ipv4": {"enabled": False}, "ipv6": {"enabled": False}},
            vlan,
        ]
    }
    if gateway:
        state["routes"] = {"config": [_default(gateway, f"eth1.{tag}")]}
    return state


def _default(gateway, interface):
    return {"destination": "0.0.0.0/0", "next-hop-address": gateway, "next-hop-interface": interface}


def wrong_vlan(name, before):
    """The address moves to a VLAN that the switch does not forward."""
    expect.fault("vlan-drop", name, 777)
    try:
        static = {
            "enabled": True,
            "dhcp": False,
            "address": [{"ip": hosts.about(name)["address"], "prefix-length": 24}],
        }
        seen = expect.undone(
            _applied(name, _moved_to_vlan(777, static, "10.80.0.1")), r"gateway 10\.80\.0\.1 does not answer"
        )
    finally:
        expect.fault("vlan-allow", name, 777)
    expect.state(name, before)
    return seen


def vlan_dropped(name, before):
    """The switch drops the VLAN during the change. The controller gets the result when the VLAN is back."""
    play = configure(name, victims.LAYOUTS["bond-vlan-static"], configure_mgmt_timeout=LIMIT)
    try:
        expect.expect(expect.reach(name, "preparing"), "the change has not begun")
        expect.fault("vlan-drop", name, 3000)
        expect.expect(expect.reach(name, "undone"), "the change was not undone while the VLAN was away")
    finally:
        expect.fault("vlan-allow", name, 3000)
    seen = expect.undone(play, r"gateway 10\.88\.0\.1 does not answer")
    expect.state(name, before)
    return seen


def path_mtu(name, before):
    """The definition requires MTU 9000, but the path carries 1500."""
    expect.fault("path-mtu", 3000, 1500)
    try:
        seen = expect.undone(configure(name, victims.LAYOUTS["bond-vlan"], configure_mgmt_timeout=LIMIT), "smaller MTU")
        expect.state(name, before)
    finally:
        expect.fault("path-mtu", 3000, 9000)
    return seen


def wrong_gateway(name, before):
    """A default gateway that does not exist."""
    gone = {"destination": "0.0.0.0/0", "next-hop-interface": "eth1", "state": "absent"}
    seen = expect.undone(
        _applied(name, {"routes": {"config": [gone, _default("10.80.0.254", "eth1")]}}), r"gateway 10\.80\.0\.254"
    )
    expect.state(name, before)
    return seen


def duplicate_address(name, before):
    """Another host uses the host's address during the change, until the host has detected it."""
    play = configure(name, victims.LAYOUTS["bond-static"], configure_mgmt_timeout=LIMIT)
    try:
        expect.expect(expect.reach(name, "preparing"), "the change has not begun")
        expect.fault("twin", hosts.about(name)["address"], 1)
        expect.reach(name, "undoing")
    finally:
        expect.fault("untwin")
    # NetworkManager also detects duplicates, and nmstate then waits for the address for a long time
    seen = expect.undone(play, "also used by another host|did not come back", within=1)
    expect.state(name, before)
    return seen


def taken_address(name, before):
    """The change adds a second address, which another host uses."""
    address = hosts.about(name)["address"]
    added = [{"ip": address, "prefix-length": 24}, {"ip": "10.80.0.200", "prefix-length": 24}]
    expect.fault("twin", "10.80.0.200", 1)
    try:
        seen = expect.undone(
            _applied(
                name,
                {
                    "interfaces": [
                        {"name": "bond4", "type": "bond", "ipv4": {"enabled": True, "dhcp": False, "address": added}}
                    ]
                },
            ),
            r"10\.80\.0\.200",
            within=1,
        )
        expect.state(name, before)
    finally:
        expect.fault("untwin")
    return seen


def no_lease(name, before):
    """The address is requested by DHCP in a VLAN without a DHCP server."""
    seen = expect.undone(_applied(name, _moved_to_vlan(777, {"enabled": True, "dhcp": True})), "did not come back")
    expect.state(name, before)
    return seen


def dhcp_gone(name, before):
    """The DHCP server stops before the change; when it is back, the host gets its address."""
    expect.fault("dhcp", "off")
    try:
        play = configure(name, victims.LAYOUTS["nic-dhcp"], configure_mgmt_timeout=LIMIT)
        expect.expect(expect.reach(name, "undoing", 90), "the change is not being undone")
        time.sleep(1)
        began = time.monotonic()
        there = expect.reach(name, "undone", 240)
        lasted = time.monotonic() - began
    finally:
        expect.fault("dhcp", "on")
    expect.expect(there, "the change was not undone")
    play.wait(420)
    text = str(play.ended()[1].get("msg") or play.failure())
    expect.says("did not come back", text)
    expect.state(name, before, seconds=90)
    return f"undone within {lasted:.0f} s while there was no server, exactly old when there was one: {text}"


def small_path(name, before):
    """The definition requires MTU 9000; the untagged path carries 1450 bytes and reports it."""
    seen = expect.undone(
        configure(name, {"name": "ovirtmgmt", "mtu": 9000}, configure_mgmt_timeout=LIMIT),
        r"carries packets of at most 1450 bytes, not 9000",
        within=2,
        timeout=LIMIT,
    )
    expect.state(name, before)
    return seen


CASES = {
    "wrong_vlan": ("nic-dhcp", wrong_vlan, "old, names the gateway that is silent"),
    "vlan_dropped": ("bond-vlan-static", vlan_dropped, "old, names the gateway that is silent"),
    "path_mtu": ("bond-vlan", path_mtu, "old, names the smaller MTU on the path", "alone"),
    "wrong_gateway": ("nic-static", wrong_gateway, "old, names the new gateway"),
    # on a bond: a host with a second NIC on the same segment cannot probe, because it would answer itself
    "duplicate_address": ("bond-static", duplicate_address, "old, names the duplicate", "alone"),
    "taken_address": ("bond-static", taken_address, "old, names the address that is taken", "alone"),
    "no_lease": ("nic-dhcp", no_lease, "old, the address did not come back"),
    "dhcp_gone": ("nic-dhcp", dhcp_gone, "old, the address did not come back", "alone"),
    "small_path": ("nic-small", small_path, "old, names the size that the path carries"),
}
