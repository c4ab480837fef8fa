# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that must be committed despite difficulties: a silent gateway, a spanning tree, a jump host, clocks, full
disks, keys that the facts do not contain, and changes that are not on disk.
"""

from __future__ import annotations

import json

from tests.faults import expect, victims
from tests.faults.play import APPLY, BRIDGE, LIMIT, ROLE, Play, apply, apply_task, configure
from tests.lab import hosts, image
from tests.lab.network import FABRIC
from tests.lab.plays import SSH_ARGS

# VDSM has another network; NetworkManager may rewrite resolv.conf at any time
_RECORD = """mkdir -p /var/lib/vdsm/persistence/netconf/nets
echo '{"nic": "eth9", "bridged": false, "switch": "legacy"}' > /var/lib/vdsm/persistence/netconf/nets/storage; sync"""
_DISK = r"""find /etc /var/lib/vdsm /var/lib/ovirt-mgmt-network /var/lib/NetworkManager/NetworkManager-intern.conf \
    ! -type d ! -path /etc/resolv.conf ! -path /etc/adjtime ! -path /etc/mtab \
    -exec sha256sum {} + 2>/dev/null | sort -k 2; true"""
_EVERY_KEY = [
    {
        "interfaces": [
            {
                "name": "eth1",
                "type": "ethernet",
                "state": "up",
                "lldp": {"enabled": True},
                "description": "uplink",
                "ethtool": {"feature": {"gso": False}},
            },
            {
                "name": "ovirtmgmt",
                "type": "linux-bridge",
                "state": "up",
                "copy-mac-from": "eth1",
                "bridge": {
                    "options": {"multicast-router": 2, "hash-max": "8192"},
                    "port": [{"name": "eth1", "stp-priority": "16", "stp-path-cost": 70}],
                },
            },
            {
                "name": "vx9",
                "type": "vxlan",
                "state": "up",
                "vxlan": {"id": "9", "remote": "10.80.0.1", "destination-port": 4789, "base-iface": "ovirtmgmt"},
            },
            {"name": "red", "type": "vrf", "state": "up", "vrf": {"port": [], "route-table-id": "100"}},
            {
                "name": "dm1",
                "type": "dummy",
                "state": "up",
                "ipv4": {
                    "enabled": True,
                    "address": [{"ip": f"192.0.2.{last}", "prefix-length": "24"} for last in (2, 1)],
                },
                "ipv6": {
                    "enabled": True,
                    "address": [{"ip": f"2001:db8::{last}", "prefix-length": 64} for last in (2, 1)],
                },
            },
        ],
        "dns-resolver": {"config": {"server": ["10.80.0.1"], "search": ["example.com"]}},
    },
    {
        "interfaces": [{"name": name, "state": "absent"} for name in ("vx9", "red", "dm1")],
        "dns-resolver": {"config": {}},
    },
]


def silent_gateway(name, before):
    """The definition requires MTU 9000; the gateway does not answer echo requests of any size."""
    result = expect.committed(
        configure(name, {"name": "ovirtmgmt", "vlan_tag": 20, "mtu": 9000}, configure_mgmt_timeout=LIMIT)
    )
    told = [one for one in result.get("not_probed") or [] if one.startswith("path_mtu ")]
    said = len(told) == 2 and all("not answered before" in one for one in told)
    expect.expect(said, f"it does not say that the path was not probed: {result.get('not_probed')}")
    expect.state(name, before, "new", 9000)
    return f"committed; {told[0]}"


def static_stp(name, before):
    """A static address moves to a new bridge whose spanning tree blocks the port for 30 s."""
    result = expect.committed(configure(name, {"name": "ovirtmgmt", "stp": True}, configure_mgmt_timeout=LIMIT))
    times = {one["phase"]: one["at"] for one in result["timeline"]}
    expect.state(name, before, "new")
    return f"committed {times['committed'] - times['open']:.0f} s after it began"


def jump_host(name, before):
    """The controller reaches the host through a jump host."""
    key = image.key_file()
    play = Play(
        name,
        ROLE,
        mgmt_network=victims.LAYOUTS["bond-vlan"],
        ansible_ssh_common_args=f"{SSH_ARGS} -o ProxyCommand='ssh -i {key} {SSH_ARGS} -W %h:%p root@{FABRIC}'",
    )
    play.wait(180)
    _how, result, _at = play.ended()
    expect.expect(result.get("phase") == "committed", f"not committed: {play.failure()}")
    expect.state(name, before, "new", victims.mtu_of("bond-vlan"))
    return "committed, reported, new"


def clock_back(name, before):
    """The clock jumps back by an hour: the change is committed, and a second one is refused with a plausible age."""
    expect.pend(name, timeout=90)
    expect.clock(name, "-1")
    try:
        text = expect.refused(apply(name, BRIDGE), [r"another transaction is open", r" \d+ s ago"])
        how, result, _at = expect.end(name, "committed")
    finally:
        expect.clock(name, "+1")
    expect.expect(how == "ok" and result.get("phase") == "committed", f"not committed: {result}")
    now_on_bridge = hosts.ssh(name, "ip -br -4 addr show dev ovirtmgmt").stdout
    expect.expect(hosts.about(name)["address"] in now_on_bridge, f"the address is not on the bridge: {now_on_bridge}")
    return f"committed; meanwhile a second run: {text}"


def disk_fills(name, before):
    """The disk fills up while the change is pending: it is committed completely, or undone."""
    expect.pend(name, timeout=60)
    hosts.ssh(name, expect.FILL_DISK, timeout=60)
    try:
        how, result, _at = expect.end(name, "committed")
    finally:
        hosts.ssh(name, "rm -f /var/lib/full.*")
    if how == "ok":
        expect.state(name, before, "new", recorded=False)  # the pending change has no record
        return "committed"
    expect.says("[Nn]o space left", str(result.get("msg")))
    expect.state(name, before)
    return str(result.get("msg"))


def every_key(name, _before):
    """Keys that the facts do not contain. Each state is applied twice; the second time, nothing differs."""
    play = Play(
        name, {"tasks": [apply_task(state, timeout=120, probes=[]) for state in _EVERY_KEY for _time in range(2)]}
    )
    play.wait(600)
    for number in range(2 * len(_EVERY_KEY)):
        how, result, _at = play.ended(nth=number)
        expect.expect(how == "ok", f"application {number}: {play.failure()}")
        expect.expect(
            bool(result["changed"]) != bool(number % 2),
            f"application {number}: changed {result['changed']}: {result.get('change')}",
        )
    return "changed, unchanged, twice"


def _on_disk(name):
    return hosts.ssh(name, _DISK, timeout=60).stdout.splitlines()


def _untouched(name, before):
    now = _on_disk(name)
    expect.expect(now == before, f"on disk: {sorted(set(now) ^ set(before))}")


def _run(name, definition, label):
    play = Play(
        name,
        ROLE,
        label,
        mgmt_network=definition,
        configure_mgmt_persistent=False,
        configure_mgmt_sync="apply",
        configure_mgmt_timeout=120,
    )
    status = play.wait(480)
    expect.expect(status == 0, f"the {label} run failed: {play.failure()}")
    return play.ended(APPLY)


def _memory(name, before, definition):
    hosts.ssh(name, _RECORD)
    disk = _on_disk(name)
    try:
        how, result, _at = _run(name, definition, "first")
        expect.expect(
            how == "ok" and result.get("changed") and result.get("phase") == "committed",
            f"not committed: {how} {result}",
        )
        record = json.loads(hosts.ssh(name, "cat /run/ovirt-mgmt-network/record.json").stdout)
        expect.expect(definition["name"] in record["networks"], f"no record was written in memory: {record}")
        _untouched(name, disk)
        how, result, _at = _run(name, definition, "second")
        expect.expect(not how, f"the second run changed something: {result}")
        _untouched(name, disk)
        hosts.power_cut(name)
        hosts.boot(name)
        expect.state(name, before, seconds=90)
        _untouched(name, disk)
    finally:
        hosts.boot(name)
        hosts.ssh(name, "rm -rf /var/lib/vdsm", check=False)
    return "committed; nothing on disk; the second run changed nothing; old after a power cut"


def memory(name, before):
    """A bridge with a new MTU on a VLAN of a bond."""
    return _memory(name, before, {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000})


def memory_bridgeless(name, before):
    """A network that differs from a plain NIC only by its record."""
    return _memory(name, before, {"name": "ovirtmgmt", "vm_network": False, "mtu": 1400})


CASES = {
    "silent_gateway": ("vlan-silent", silent_gateway, "new, reported; says that the path was not probed"),
    "static_stp": ("nic-static", static_stp, "new, reported"),
    "jump_host": ("bond-vlan", jump_host, "new, reported"),
    "clock_back": ("nic-dhcp", clock_back, "new, reported; second run refused"),
    "disk_fills": ("nic-dhcp", disk_fills, "undone, names the full disk, or new"),
    "every_key": ("mgmt-there", every_key, "new, and unchanged the second time"),
    "memory": ("bond-vlan", memory, "committed, nothing on disk, unchanged, old after a boot"),
    "memory_bridgeless": ("nic-static", memory_bridgeless, "committed, nothing on disk, unchanged, old after a boot"),
}
