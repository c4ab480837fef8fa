# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of nmstate states."""

from __future__ import annotations

MAC = "52:54:00:0C:01:01"
OFF = {"enabled": False}
DHCP4 = {
    "enabled": True,
    "dhcp": True,
    "auto-dns": True,
    "auto-gateway": True,
    "address": [{"ip": "192.0.2.10", "prefix-length": 24}],
}


def eth(name="eth1", ipv4=None, ipv6=None, **properties):
    return {
        "name": name,
        "type": "ethernet",
        "state": "up",
        "mtu": 1500,
        "mac-address": MAC,
        "ipv4": ipv4 or OFF,
        "ipv6": ipv6 or OFF,
        **properties,
    }


def bridge(name="ovirtmgmt", port="eth1", **properties):
    return {**eth(name, **properties), "type": "linux-bridge", "bridge": {"port": [{"name": port}]}}


def addresses(*texts):
    return [{"ip": ip, "prefix-length": int(prefix)} for ip, _slash, prefix in (text.partition("/") for text in texts)]


def static4(*texts):
    return {"enabled": True, "dhcp": False, "address": addresses(*texts)}


def static6(*texts):
    return {"enabled": True, "dhcp": False, "autoconf": False, "address": addresses(*texts)}


def route(destination, gateway, device="eth1", number=254, **more):
    return {
        "destination": destination,
        "next-hop-address": gateway,
        "next-hop-interface": device,
        "table-id": number,
        **more,
    }
