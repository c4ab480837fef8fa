# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NetworkManager's objects: unwrapped JSON of busctl, active connections, checkpoints, profiles."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import networkmanager as nm

NM = nm.BUS
MANAGED = {
    nm.PATH: {NM: {"Version": "1.52.1"}},
    nm.PATH + "/Devices/1": {NM + ".Device": {"Interface": "lo", "Managed": True}},
    nm.PATH + "/Devices/2": {
        NM + ".Device": {
            "Interface": "eth1",
            "Managed": True,
            "Real": True,
            "Dhcp4Config": nm.PATH + "/DHCP4Config/1",
            "Dhcp6Config": nm.PATH + "/DHCP6Config/1",
        }
    },
    nm.PATH + "/Devices/3": {NM + ".Device": {"Interface": "veth9", "Managed": False}},
    nm.PATH + "/Devices/4": {NM + ".Device": {"Interface": "bond9", "Managed": True, "Real": False}},
    nm.PATH + "/DHCP4Config/1": {NM + ".DHCP4Config": {"Options": {"dhcp_client_identifier": "01:52:54"}}},
    nm.PATH + "/DHCP6Config/1": {
        NM + ".DHCP6Config": {"Options": {"dhcp6_client_id": "00:03:00:01", "iaid": "00:0c:01:01"}}
    },
    nm.PATH + "/ActiveConnection/1": {
        NM + ".Connection.Active": {
            "Uuid": "u-lo",
            "Devices": [nm.PATH + "/Devices/1"],
            "State": 2,
            "Connection": nm.PATH + "/Settings/5",
        }
    },
    nm.PATH + "/ActiveConnection/7": {
        NM + ".Connection.Active": {
            "Uuid": "u-eth1",
            "Devices": [nm.PATH + "/Devices/2"],
            "State": 1,
            "Connection": nm.PATH + "/Settings/2",
        }
    },
    nm.PATH + "/Settings/2": {
        NM + ".Settings.Connection": {
            "Filename": "/etc/NetworkManager/system-connections/e.nmconnection",
            "Unsaved": False,
            "Flags": 0,
        }
    },
    nm.PATH + "/Checkpoint/3": {
        NM + ".Checkpoint": {
            "Created": 61560,
            "RollbackTimeout": 300,
            "Devices": [nm.PATH + "/Devices/3", nm.PATH + "/Devices/2", nm.PATH + "/Devices/99"],
        }
    },
}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"type": "ao", "data": []}, []),
        (
            {
                "type": "a{sv}",
                "data": [
                    {
                        "id": {"type": "s", "data": "bond4"},
                        "deep": {"type": "aa{sv}", "data": [{"n": {"type": "u", "data": 1}}]},
                    }
                ],
            },
            [{"id": "bond4", "deep": [{"n": 1}]}],
        ),
        (
            {"type": {"type": "s", "data": "vlan"}, "data": {"type": "s", "data": "x"}},
            {"type": "vlan", "data": "x"},
        ),  # a setting with such keys
        ({"type": "vlan", "more": 1}, {"type": "vlan", "more": 1}),
        ("text", "text"),
    ],
)
def test_plain(raw, value):
    assert nm.plain(raw) == value


def test_data_from_the_objects():
    assert nm.version_of(MANAGED) == "1.52.1"
    assert nm.version_of({}) == ""
    assert nm.devices_of(MANAGED) == {"lo": {"managed": True}, "eth1": {"managed": True}, "veth9": {"managed": False}}
    assert nm.active_connections_of(MANAGED)["eth1"] == {
        "uuid": "u-eth1",
        "path": nm.PATH + "/ActiveConnection/7",
        "state": "activating",
    }
    assert nm.checkpoints_of(MANAGED) == [
        {"path": nm.PATH + "/Checkpoint/3", "created": 61560, "timeout": 300, "devices": ["eth1", "veth9"]}
    ]


@pytest.mark.parametrize(("flags", "expected"), [(0, {}), (2, {}), (0xB, {"eth1": "external"})])
def test_unmanaged(flags, expected):
    managed = json.loads(json.dumps(MANAGED))
    managed[nm.PATH + "/Settings/2"][NM + ".Settings.Connection"]["Flags"] = flags
    assert nm.unmanaged_of(managed) == {"veth9": "unmanaged", **expected}


def profile(properties=None, **settings):
    managed = json.loads(json.dumps(MANAGED))
    managed[nm.PATH + "/Settings/2"][NM + ".Settings.Connection"].update(properties or {})
    base = {"connection": {"uuid": "u-eth1", "id": "System eth1", "type": "802-3-ethernet"}}
    for name, values in settings.items():
        base.setdefault(name.replace("_", "-"), {}).update(values)
    found = nm.profiles_of(managed, {nm.PATH + "/Settings/2": base})
    assert list(found) == ["eth1"]
    return found["eth1"]


def test_a_profile_only_contains_set_properties():
    assert profile() == {
        "uuid": "u-eth1",
        "id": "System eth1",
        "type": "802-3-ethernet",
        "file": "/etc/NetworkManager/system-connections/e.nmconnection",
        "in_memory": False,
        "lease_client_id": "01:52:54",
        "lease_duid": "00:03:00:01",
        "lease_iaid": "00:0c:01:01",
    }


@pytest.mark.parametrize(
    ("settings", "fact", "value"),
    [
        ({"connection": {"interface-name": "eth1"}}, "interface_name", "eth1"),
        ({"connection": {"autoconnect": False}}, "autoconnect", False),
        ({"connection": {"master": "bond4"}}, "controller", "bond4"),
        ({"connection": {"controller": "u-bond", "master": "bond4"}}, "controller", "u-bond"),
        ({"802_3_ethernet": {"mac-address": [82, 84, 0, 12, 1, 2]}}, "mac_address", "52:54:00:0c:01:02"),
        ({"802_3_ethernet": {"mtu": 9000}}, "mtu", 9000),
        ({"ipv4": {"dhcp-client-id": "01:aa"}}, "dhcp_client_id", "01:aa"),
        ({"ipv4": {"dhcp-send-hostname": False}}, "ipv4_dhcp_send_hostname", False),
        ({"ipv4": {"route-metric": 0}}, "ipv4_route_metric", 0),
        ({"ipv6": {"dhcp-duid": "ll"}}, "dhcp_duid", "ll"),
        ({"ipv6": {"token": "::5"}}, "token", "::5"),
        ({"ipv6": {"addr-gen-mode": 0}}, "addr_gen_mode", "eui64"),
        ({"ipv6": {"addr-gen-mode": 1}}, "addr_gen_mode", "stable-privacy"),
        ({"ipv6": {"addr-gen-mode": 9}}, "addr_gen_mode", "9"),
    ],
)
def test_profile_settings(settings, fact, value):
    found = profile(**settings)
    assert found[fact] == value
    assert type(found[fact]) is type(value)


@pytest.mark.parametrize(
    ("properties", "in_memory", "flags"),
    [
        ({}, False, []),
        ({"Filename": ""}, True, []),
        ({"Filename": "/run/NetworkManager/system-connections/e.nmconnection"}, True, []),
        ({"Unsaved": True}, True, []),
        ({"Filename": "/usr/lib/NetworkManager/system-connections/e.nmconnection"}, False, []),
        ({"Flags": 0xF, "Unsaved": True}, True, ["generated", "external"]),
    ],
)
def test_profile_on_disk_or_not(properties, in_memory, flags):
    found = profile(properties)
    assert found["in_memory"] is in_memory
    assert [name for name in ("generated", "external") if found.get(name)] == flags


@pytest.mark.parametrize(
    "path", ["", "/", nm.PATH + "/Checkpoint/", nm.PATH + "/Devices/1", nm.PATH + "/Checkpoint/1; reboot"]
)
def test_only_one_exact_checkpoint_is_ever_destroyed(path, monkeypatch):
    monkeypatch.setattr(nm, "run", lambda *_args, **_kwargs: pytest.fail("NetworkManager was called"))
    with pytest.raises(ValueError, match="expected the path of a checkpoint"):
        nm.destroy_checkpoint(path)


def test_destroy_names_the_checkpoint(monkeypatch):
    called = []
    monkeypatch.setattr(nm, "run", lambda argv, **_kwargs: called.append(argv) or (0, "", ""))
    nm.destroy_checkpoint(nm.PATH + "/Checkpoint/12")
    assert called[0][-3:] == ["CheckpointDestroy", "o", nm.PATH + "/Checkpoint/12"]


@pytest.mark.parametrize(
    ("err", "says"),
    [
        (
            "Failed to get property Checkpoints on interface org.freedesktop.NetworkManager: The name "
            "org.freedesktop.NetworkManager was not provided by"
            " any .service files",
            "systemctl enable --now NetworkManager",
        ),
        ('Call failed: Name "org.freedesktop.NetworkManager" does not exist', "systemctl enable --now NetworkManager"),
        ("Failed to connect to bus: No such file or directory", "status dbus"),
        (
            "Call failed: checkpoint /org/freedesktop/NetworkManager/Checkpoint/99 does not exist",
            "rejected Checkpoints: Call failed: checkpoint /org",
        ),
    ],
)
def test_errors_contain_a_remedy(err, says, monkeypatch):
    monkeypatch.setattr(nm, "run", lambda *_args, **_kwargs: (1, "", err + "\n"))
    with pytest.raises(nm.NetworkManagerError, match=says):
        nm.checkpoint_paths()


CHECKPOINT = "/org/freedesktop/NetworkManager/Checkpoint"
LOG = f"""<info>  [1.0] audit: op="checkpoint-create" arg="{CHECKPOINT}/1" pid=7 uid=1000 result="success"
<info>  [2.0] manager: NetworkManager restarted
<info>  [3.0] audit: op="checkpoint-create" arg="{CHECKPOINT}/1" pid=999999999 uid=0 result="success"
<info>  [4.0] audit: op="checkpoint-destroy" arg="{CHECKPOINT}/2" pid=8 uid=0 result="success"
"""


@pytest.mark.parametrize(
    ("number", "rc", "owner"),
    [
        (1, 0, "created by process 999999999 (ended) of uid 0"),
        (2, 0, "its creator is not in NetworkManager's log"),
        (1, 1, "its creator is not in NetworkManager's log"),
    ],
)
def test_checkpoint_owner(number, rc, owner, monkeypatch):
    monkeypatch.setattr(nm, "run", lambda *_args, **_kwargs: (rc, LOG, ""))
    assert nm.checkpoint_owner("%s/Checkpoint/%d" % (nm.PATH, number)) == owner


def connected(state=100, flags=0, active=True, **properties):
    """NetworkManager's objects with eth1 in ``state``, whose active connection has ``flags``."""
    bus, path = nm.BUS, nm.PATH
    device = {"Interface": "eth1", "State": state, "ActiveConnection": path + "/A/1" if active else "/", **properties}
    return {
        path + "/Devices/1": {bus + ".Device": device},
        path + "/A/1": {bus + ".Connection.Active": {"Uuid": "u1", "StateFlags": flags}},
    }


@pytest.mark.parametrize(
    "objects, expected",
    [
        (connected(), {"eth1": {"connection": "u1", "external": False}}),
        (connected(flags=0x80 | 0x4), {"eth1": {"connection": "u1", "external": True}}),
        (connected(state=50, flags=0x80), {"eth1": {"connection": "u1", "external": False}}),
        (connected(state=30, active=False), {"eth1": {"connection": "", "external": False}}),
        (connected(state=10, active=False), {}),  # NM_DEVICE_STATE_UNMANAGED
        (connected(Real=False), {}),
        (connected(Interface="lo"), {}),
        ({}, {}),
    ],
)
def test_connected_devices(objects, expected):
    assert nm.connected_of(objects) == expected


@pytest.mark.parametrize("configuration, expected", [([{"nameservers": ["192.0.2.1"]}], 1), ([], 0), (None, 0)])
def test_dns(configuration, expected):
    path, interface = nm.PATH + "/DnsManager", nm.BUS + ".DnsManager"
    objects = {path: {interface: {"Configuration": configuration}}} if configuration is not None else {}
    assert len(nm.dns_of(objects)) == expected
