# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial networks of hosts, by name, as NetworkManager keyfiles.

``LAYOUTS[name]`` is ``{says, nics: (first, count), device, profiles: [..]}`` and ``lacp: True`` where the switch is to
answer LACP, ``small: True`` where untagged packets of more than 1450 bytes are answered with ICMP "too big". ``device``
holds the management address. In the texts ``{n}`` is the host's number, so that addresses are its own, and ``{x}`` the
same in hex, as in its MACs (see lab-nics). The profile of ``device`` is the one that names it, else the first. Where
something else than NetworkManager configures the host, ``files`` has its files below /etc, and ``start`` the shell
command that enables and starts it after the first boot.
"""

from __future__ import annotations

DHCP4 = {"ipv4": {"method": "auto"}, "ipv6": {"method": "disabled"}}
NO_IP = {"ipv4": {"method": "disabled"}, "ipv6": {"method": "disabled"}}


def _static(net, six=False, four=True):
    v4 = (
        {"method": "manual", "address1": f"10.{net}.0.1{{n}}/24,10.{net}.0.1", "dns": f"10.{net}.0.1;"}
        if four
        else {"method": "disabled"}
    )
    v6 = {"method": "manual", "address1": f"fd00:{net}::1{{n}}/64,fd00:{net}::1"} if six else {"method": "disabled"}
    if six and not four:
        v6["dns"] = f"fd00:{net}::1;"
    return {"ipv4": v4, "ipv6": v6}


def _nic(name, ip, **connection):
    return {"connection": {"id": name, "type": "ethernet", "interface-name": name, **connection}, **ip}


def _unnamed(name, ip, ethernet=None, **connection):
    """An Ethernet profile without a device name."""
    return {
        "connection": {"id": name, "type": "ethernet", **connection},
        **({"ethernet": ethernet} if ethernet else {}),
        **ip,
    }


def _port(name, controller, kind):
    return {
        "connection": {
            "id": f"{controller}-{name}",
            "type": "ethernet",
            "interface-name": name,
            "controller": controller,
            "port-type": kind,
        }
    }


def _bond(name, ip, mode="active-backup", **options):
    return {
        "connection": {"id": name, "type": "bond", "interface-name": name},
        "bond": {"mode": mode, "miimon": "100", **options},
        **ip,
    }


def _vlan(base, tag, ip, name=None, controller=None):
    port = {"controller": controller, "port-type": "bridge"} if controller else {}
    return {
        "connection": {
            "id": name or f"{base}.{tag}",
            "type": "vlan",
            "interface-name": name or f"{base}.{tag}",
            **port,
        },
        "vlan": {"id": str(tag), "parent": base},
        **({} if controller else ip),
    }


def _bridge(name, ip):
    return {"connection": {"id": name, "type": "bridge", "interface-name": name}, "bridge": {"stp": "false"}, **ip}


def _bond4(ip, legs=("eth2", "eth3"), **options):
    return [_bond("bond4", ip, **options)] + [_port(leg, "bond4", "bond") for leg in legs]


def _by_networkd(nic, tag, net):
    """VLAN ``tag`` on ``nic``, static, configured by systemd-networkd and unmanaged in NetworkManager."""
    vlan = f"{nic}.{tag}"
    return {
        f"systemd/network/10-{vlan}.netdev": f"[NetDev]\nName={vlan}\nKind=vlan\n[VLAN]\nId={tag}\n",
        f"systemd/network/20-{nic}.network": f"[Match]\nName={nic}\n[Network]\nVLAN={vlan}\nLinkLocalAddressing=no\n",
        f"systemd/network/20-{vlan}.network": f"[Match]\nName={vlan}\n[Network]\n"
        f"Address=10.{net}.0.1{{n}}/24\nGateway=10.{net}.0.1\nLinkLocalAddressing=no\n",
        "NetworkManager/conf.d/unmanaged.conf": f"[device-networkd]\nmatch-device=interface-name:{vlan}\nmanaged=0\n",
    }


_MTU = {"ethernet": {"mtu": "9000"}}

LAYOUTS = {
    "nic-dhcp": {
        "says": "an address on eth1 by DHCP",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_nic("eth1", DHCP4)],
    },
    "nic-static": {
        "says": "static IPv4 and IPv6 addresses on eth1",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_nic("eth1", _static(80, six=True))],
    },
    "nic-static6": {
        "says": "a static IPv6 address on eth1, no IPv4",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_nic("eth1", _static(80, six=True, four=False))],
    },
    "nic-dual-auto": {
        "says": "DHCP for IPv4 and for IPv6 on eth1",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_nic("eth1", {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}})],
    },
    "nic-auto6": {
        "says": "DHCP for IPv6 on eth1, no IPv4",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_nic("eth1", {"ipv4": {"method": "disabled"}, "ipv6": {"method": "auto"}})],
    },
    "vlan-dhcp": {
        "says": "VLAN 10 on eth1 by DHCP",
        "nics": (1, 2),
        "device": "eth1.10",
        "profiles": [_nic("eth1", NO_IP), _vlan("eth1", 10, DHCP4)],
    },
    "vlan-static": {
        "says": "VLAN 10 on eth1 with a static address",
        "nics": (1, 2),
        "device": "eth1.10",
        "profiles": [_nic("eth1", NO_IP), _vlan("eth1", 10, _static(81))],
    },
    "bond-ab": {
        "says": "active-backup bond4 of eth2 and eth3 by DHCP",
        "nics": (2, 2),
        "device": "bond4",
        "profiles": _bond4(DHCP4),
    },
    "bond-static": {
        "says": "active-backup bond4 of eth2 and eth3 with a static address",
        "nics": (2, 2),
        "device": "bond4",
        "profiles": _bond4(_static(80)),
    },
    "bond-lacp": {
        "says": "802.3ad bond4 of eth2 and eth3, with LACP on the switch, by DHCP",
        "nics": (2, 2),
        "device": "bond4",
        "lacp": True,
        "profiles": _bond4(DHCP4, mode="802.3ad", lacp_rate="fast"),
    },
    "bond-vlan": {
        "says": "the founding example: bond4 of eth2 and eth3, bond4.3000 by DHCP",
        "nics": (2, 2),
        "device": "bond4.3000",
        "profiles": _bond4(NO_IP) + [_vlan("bond4", 3000, DHCP4)],
    },
    "bond-vlan-static": {
        "says": "bond4 of eth2 and eth3, bond4.3000 with a static address",
        "nics": (2, 2),
        "device": "bond4.3000",
        "profiles": _bond4(NO_IP) + [_vlan("bond4", 3000, _static(88))],
    },
    "bond-vlan-name": {
        "says": "bond4 of eth2 and eth3, VLAN 3000 on it called mgmt3000 by DHCP",
        "nics": (2, 2),
        "device": "mgmt3000",
        "profiles": _bond4(NO_IP) + [_vlan("bond4", 3000, DHCP4, name="mgmt3000")],
    },
    "bond-vlan-name-static": {
        "says": "bond4 of eth2 and eth3, VLAN 3000 on it called mgmt3000 with a static address",
        "nics": (2, 2),
        "device": "mgmt3000",
        "profiles": _bond4(NO_IP) + [_vlan("bond4", 3000, _static(88), name="mgmt3000")],
    },
    "bridge": {
        "says": "another bridge br0 on eth1 has the address",
        "nics": (1, 2),
        "device": "br0",
        "profiles": [_bridge("br0", DHCP4), _port("eth1", "br0", "bridge")],
    },
    "mgmt-there": {
        "says": "an existing ovirtmgmt on eth1 by DHCP, MTU 1500",
        "nics": (1, 2),
        "device": "ovirtmgmt",
        "profiles": [_bridge("ovirtmgmt", DHCP4), _port("eth1", "ovirtmgmt", "bridge")],
    },
    "mgmt-there-vlan": {
        "says": "an existing ovirtmgmt on bond4.3000, MTU 9000",
        "nics": (2, 2),
        "device": "ovirtmgmt",
        "profiles": [
            {**_bridge("ovirtmgmt", DHCP4), **_MTU},
            {**_bond("bond4", NO_IP), **_MTU},
            *(_port(leg, "bond4", "bond") for leg in ("eth2", "eth3")),
            {**_vlan("bond4", 3000, {}, controller="ovirtmgmt"), **_MTU},
        ],
    },
    "bond-one-port": {
        "says": "bond4 of eth2 alone, bond4.3000 by DHCP",
        "nics": (2, 2),
        "device": "bond4.3000",
        "profiles": _bond4(NO_IP, legs=("eth2",)) + [_vlan("bond4", 3000, DHCP4)],
    },
    "vlan-mismatch": {
        "says": "VLAN 10 on eth1 by DHCP, for definitions with VLAN 3000",
        "nics": (1, 2),
        "device": "eth1.10",
        "profiles": [_nic("eth1", NO_IP), _vlan("eth1", 10, DHCP4)],
    },
    "macvlan": {
        "says": "a macvlan on eth1, which oVirt does not support, has the address",
        "nics": (1, 2),
        "device": "mv1",
        "profiles": [
            _nic("eth1", NO_IP),
            {
                "connection": {"id": "mv1", "type": "macvlan", "interface-name": "mv1"},
                "macvlan": {"mode": "2", "parent": "eth1"},
                **DHCP4,
            },
        ],
    },
    "nic-identity": {
        "says": "eth1 by DHCP and DHCPv6 (IAID derived from the device name), with static addresses and a zone",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [
            _nic(
                "eth1",
                {
                    "ipv4": {"method": "auto", "address1": "10.80.0.1{n}/24"},
                    "ipv6": {"method": "auto", "address1": "fd00:80::1{n}/64"},
                },
                zone="internal",
                mdns="1",
            )
        ],
    },
    "vlan-slaac": {
        "says": "VLAN 10 on eth1 by DHCP and router advertisements, with stable privacy and privacy extensions",
        "nics": (1, 2),
        "device": "eth1.10",
        "profiles": [
            _nic("eth1", NO_IP),
            _vlan(
                "eth1",
                10,
                {
                    "ipv4": {"method": "auto"},
                    "ipv6": {"method": "auto", "addr-gen-mode": "stable-privacy", "ip6-privacy": "2"},
                },
            ),
        ],
    },
    "nic-cloud-init": {
        "says": "eth1 by DHCP, with a profile bound to its MAC address, as written by cloud-init",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_unnamed("cloud-init eth1", DHCP4, {"mac-address": "52:54:00:{x}:01:01"})],
    },
    "nic-any": {
        "says": "eth1 and eth2 by DHCP, with one profile without a device name, as written by an installer's initrd",
        "nics": (1, 2),
        "device": "eth1",
        "profiles": [_unnamed("Wired Connection", DHCP4, **{"multi-connect": "3", "autoconnect-priority": "-100"})],
    },
    "multi": {
        "says": "eth1 by DHCP, a VLAN with an address on eth2, a bridge with an address on eth3",
        "nics": (1, 3),
        "device": "eth1",
        "profiles": [
            _nic("eth1", DHCP4),
            _nic("eth2", NO_IP),
            _vlan(
                "eth2",
                777,
                {"ipv4": {"method": "manual", "address1": "10.78.0.1{n}/24"}, "ipv6": {"method": "disabled"}},
            ),
            _bridge(
                "br3", {"ipv4": {"method": "manual", "address1": "192.0.2.1{n}/24"}, "ipv6": {"method": "disabled"}}
            ),
            _port("eth3", "br3", "bridge"),
        ],
    },
    "nic-spare": {
        "says": "eth1 by DHCP, eth2 and eth3 unused",
        "nics": (1, 3),
        "device": "eth1",
        "profiles": [_nic("eth1", DHCP4), _nic("eth2", NO_IP), _nic("eth3", NO_IP)],
    },
    "nic-small": {
        "says": "static addresses on eth1, on a path that carries 1450 bytes and answers larger packets with ICMP",
        "nics": (1, 2),
        "device": "eth1",
        "small": True,
        "profiles": [_nic("eth1", _static(80, six=True))],
    },
    "vlan-silent": {
        "says": "VLAN 20 on eth1 with static addresses, whose gateway answers no echo requests",
        "nics": (1, 2),
        "device": "eth1.20",
        "profiles": [_nic("eth1", NO_IP), _vlan("eth1", 20, _static(82, six=True))],
    },
    "vlan-networkd": {
        "says": "VLAN 10 on eth1 with a static address, configured by systemd-networkd and unmanaged by NetworkManager",
        "nics": (1, 2),
        "device": "eth1.10",
        "profiles": [_nic("eth1", NO_IP)],
        "files": _by_networkd("eth1", 10, 81),
        "start": "systemctl enable --now systemd-networkd",
    },
}


def keyfiles(layout, number):
    """The profile files of ``layout`` for the host ``number``: ``{file name: text}``."""
    files = {}
    for profile in LAYOUTS[layout]["profiles"]:
        lines = []
        for section, values in profile.items():
            lines.append(f"[{section}]")
            lines += [f"{key}={_own(value, number)}" for key, value in values.items()]
        files[profile["connection"]["id"] + ".nmconnection"] = "\n".join(lines) + "\n"
    return files


def other_files(layout, number):
    """Other files of the host below /etc: ``{path: text}``."""
    return {path: _own(text, number) for path, text in LAYOUTS[layout].get("files", {}).items()}


def _own(text, number):
    return text.replace("{n}", f"{number:02d}").replace("{x}", f"{number:02x}")


def family(layout):
    """4 if the device with the management address of ``layout`` has IPv4, otherwise 6."""
    if "files" in LAYOUTS[layout]:
        return 4
    device = LAYOUTS[layout]["device"]
    profiles = LAYOUTS[layout]["profiles"]
    profile = next((one for one in profiles if one["connection"].get("interface-name") == device), profiles[0])
    return 6 if profile["ipv4"]["method"] == "disabled" else 4
