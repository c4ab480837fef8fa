# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts for faults: one for each layout, restored to its initial state for each run."""

from __future__ import annotations

import time

from tests.faults import judge
from tests.lab import hosts
from tests.lab.machine import LabError

# the definition of the data center for each layout
LAYOUTS = {
    "nic-dhcp": {"name": "ovirtmgmt"},
    "nic-static": {"name": "ovirtmgmt"},
    "bond-ab": {"name": "ovirtmgmt"},
    "bond-static": {"name": "ovirtmgmt"},
    "bond-vlan": {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000},
    "bond-vlan-static": {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000},
    "bond-vlan-name": {"name": "ovirtmgmt", "vlan_tag": 3000},
    "bond-vlan-name-static": {"name": "ovirtmgmt", "vlan_tag": 3000},
}
# A guard may wait for a controller that was killed; a NetworkManager that was stopped during a transaction stays
# stopped.
_TIDY = "systemctl stop 'ovirt-mgmt-network-2*'; rm -rf /run/ovirt-mgmt-network; systemctl start NetworkManager"
# As after an installation: NetworkManager has the initial files, and every device is created from them.
_RESET = r"""
systemctl stop 'ovirt-mgmt-network-2*' NetworkManager
rm -rf /run/ovirt-mgmt-network /var/lib/ovirt-mgmt-network /etc/systemd/system/ovirt-mgmt-network-recover.service \
    /etc/systemd/system/NetworkManager.service.wants /var/lib/vdsm \
    /var/lib/NetworkManager/NetworkManager-intern.conf \
    /run/NetworkManager/devices /run/NetworkManager/system-connections
rm -f /etc/NetworkManager/system-connections/*
tar -xf /dev/ubdb -C / --overwrite etc/NetworkManager
for path in /sys/class/net/*; do
    name=${path##*/}
    case $name in
    lo | oob0 | bonding_masters) ;;
    eth*) ip link set "$name" nomaster down mtu 1500; ip addr flush dev "$name" ;;
    *) ! [ -d "$path" ] || ip link del "$name" ;;
    esac
done
for version in -4 -6; do
    for priority in $(ip $version rule show | sed -n 's/^\([0-9]*\):.*/\1/p'); do
        case $priority in 0 | 32766 | 32767) ;; *) ip $version rule del priority "$priority" ;; esac
    done
done
systemctl daemon-reload
systemctl start NetworkManager
sync
"""
_first = {}  # host: its initial state


def name_of(layout):
    """The host of that layout."""
    return f"f-{layout}"


def mtu_of(layout):
    """The MTU that a new ovirtmgmt has there."""
    return LAYOUTS.get(layout, {}).get("mtu", 1500)


def ready(layout):
    """``(name, state)`` of the host of ``layout`` in its initial state: unchanged, restored, or created again."""
    name = name_of(layout)
    if name in _first and name in hosts.names():
        try:
            hosts.boot(name)
            if judge.verdict(name, _first[name], seconds=1)[0] == "old":
                hosts.ssh(name, _TIDY, check=False)
                return name, _first[name]
            hosts.ssh(name, _RESET, timeout=60, check=False)
            if judge.verdict(name, _first[name], seconds=15)[0] == "old":
                return name, _first[name]
        except LabError:
            pass  # remove a broken host
    return _fresh(name, layout)


def _fresh(name, layout):
    if name in hosts.names():
        hosts.down(name)
    hosts.up({name: layout})
    seen, end = None, time.monotonic() + 20
    while time.monotonic() < end:  # until nothing changes any more: duplicate detection, router advertisements
        now = judge.look(name)
        if judge.same(seen, now):
            _first[name] = now
            return name, now
        seen = now
        time.sleep(1)
    raise LabError(f"the network of {name} does not come to rest")
