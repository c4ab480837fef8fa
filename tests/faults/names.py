# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VLAN device that a change makes again under another name has its old one when the change is undone."""

from __future__ import annotations

from tests.faults import expect, victims
from tests.faults.play import ROLE, Play
from tests.lab import hosts

_DEVICE = "mgmt3000"


def _undone(name, before, layout):
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
    expect.expect(_DEVICE in names and "bond4.3000" not in names, f"the devices are {names}")
    return seen


def vlan_name_undone(name, before):
    """The address by DHCP, and a probe that fails."""
    return _undone(name, before, "bond-vlan-name")


def vlan_name_undone_static(name, before):
    """The address is static, and a probe fails."""
    return _undone(name, before, "bond-vlan-name-static")


CASES = {
    "vlan_name_undone": ("bond-vlan-name", vlan_name_undone, "old, with the old name of the VLAN device"),
    "vlan_name_undone_static": (
        "bond-vlan-name-static",
        vlan_name_undone_static,
        "old, with the old name of the VLAN device",
    ),
}
