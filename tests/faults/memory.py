# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that are not to be on disk (stateless hosts): a second run finds them, and a boot brings the old state."""

from __future__ import annotations

from tests.faults import expect
from tests.faults.play import APPLY, ROLE, Play
from tests.lab import hosts

# VDSM has another network; resolv.conf is NetworkManager's own at any time
_RECORD = """mkdir -p /var/lib/vdsm/persistence/netconf/nets
echo '{"nic": "eth9", "bridged": false, "switch": "legacy"}' > /var/lib/vdsm/persistence/netconf/nets/storage; sync"""
_DISK = r"""find /etc /var/lib/vdsm /var/lib/ovirt-mgmt-network /var/lib/NetworkManager/NetworkManager-intern.conf \
    ! -type d ! -path /etc/resolv.conf ! -path /etc/adjtime ! -path /etc/mtab -exec sha256sum {} + 2>/dev/null | sort -k 2; true"""


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
        expect.expect(result.get("recorded"), "no record was written in memory")
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
    """A bridge with a new MTU over a VLAN on a bond."""
    return _memory(name, before, {"name": "ovirtmgmt", "vlan_tag": 3000, "mtu": 9000})


def memory_bridgeless(name, before):
    """A network that only its record tells from a plain NIC."""
    return _memory(name, before, {"name": "ovirtmgmt", "vm_network": False, "mtu": 1400})


CASES = {
    "memory": ("bond-vlan", memory, "committed, nothing on disk, unchanged, old after a boot"),
    "memory_bridgeless": ("nic-static", memory_bridgeless, "committed, nothing on disk, unchanged, old after a boot"),
}
