# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings in addition to the nmstate state: those of a profile, missing ones, and the calls to write them."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import profile_settings as ps
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects.base import Context, EffectError, RequestError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import nmcli
from ansible_collections.ovirt.mgmt_network.tests.unit.builders.profiles import profile

IAID = {"ipv6.dhcp-iaid": "2a:83:5d:db"}


@pytest.mark.parametrize(
    "settings, says",
    [
        (
            {"eth9": {"connection.zone": "internal"}},
            "got eth9, expected an interface in state or a device with an active profile: eth1",
        ),
        ({"eth1": {"ipv4.method": "auto"}}, "eth1: got property ipv4.method, expected one of: connection.zone"),
        ({"eth1": "internal"}, "eth1: expected a mapping"),
        ({"eth1": {"connection.zone": {"a": 1}}}, "connection.zone: expected a string, a number, or a list of strings"),
        ({"eth1": {"ipv6.ip6-privacy": True}}, "got True"),
        ({"eth1": {"connection.zone": None}}, "got None"),
    ],
)
def test_invalid_settings_are_named(settings, says):
    with pytest.raises(RequestError) as error:
        ps.check(settings, {"eth1"})
    assert says in str(error.value)


@pytest.mark.parametrize(
    "wanted, have, expected",
    [
        ({"connection.zone": "internal"}, None, {"connection.zone": "internal"}),
        ({"connection.zone": "internal"}, {}, {"connection.zone": "internal"}),
        ({"connection.zone": "internal"}, {"connection__zone": "internal"}, {}),
        ({"connection.zone": ""}, {}, {}),
        ({"connection.zone": ""}, {"connection__zone": "internal"}, {"connection.zone": ""}),
        ({"connection.mdns": "1"}, {"connection__mdns": 1}, {}),
        ({"ipv4.dhcp-reject-servers": ["192.0.2.1"]}, {"ipv4__dhcp_reject_servers": ["192.0.2.1"]}, {}),
        ({"ipv4.dhcp-reject-servers": ["192.0.2.1"]}, {}, {"ipv4.dhcp-reject-servers": ["192.0.2.1"]}),
        (IAID, {"ipv6__dhcp_iaid": "mac"}, IAID),
        # the lease has it, even if the profile does not set it
        (IAID, {"lease": "2A:83:5D:DB".lower()}, {}),
        (IAID, {"lease": "00:0c:01:01"}, IAID),
    ],
)
def test_missing_settings(wanted, have, expected):
    now = {}
    if have is not None:
        lease = have.pop("lease", "") if have else ""
        now = {"eth1": {"profile": profile(**have), "iaid": lease}}
    assert ps.missing({"eth1": wanted}, now) == ({"eth1": expected} if expected else {})


def host(monkeypatch, saved, applied, lease="", fails=()):
    """A host with ovirtmgmt up. Returns the list of calls; ``nmcli connection modify`` is simulated."""
    called, state = ([], {"profile": saved, "iaid": lease, "uuid": "u", "path": "/d", "profile_path": "/p"})

    def run(argv, timeout=10):
        called.append(argv[1:])
        if argv[1:3] == ["connection", "modify"]:
            words = argv[argv.index("u") + 1 :]
            for name, value in zip(words[::2], words[1::2]):
                section, _dot, key = name.partition(".")
                state["profile"][section][key] = value
        return (4, "", "refused") if any(word in argv for word in fails) else (0, "", "")

    monkeypatch.setattr(nmcli, "run", run)
    monkeypatch.setattr(ps.networkmanager, "objects", dict)
    monkeypatch.setattr(ps.networkmanager, "applied", lambda _path: applied)
    monkeypatch.setattr(
        ps, "active_profiles", lambda devices, _objects: {device: state for device in devices if device == "ovirtmgmt"}
    )
    return called


def context(persistent=True, bridges=(), said=None):
    entry = {
        "persistent": persistent,
        "change": {"interfaces": [{"name": name, "type": "linux-bridge"} for name in bridges]},
        "snapshot": {"devices": {"ovirtmgmt": {}, "eth9": {}}},
    }
    return Context(entry, lambda **values: values, [].append if said is None else said.append)


EFFECT = ps.ProfileSettings()


MODIFY = ["connection", "modify", "uuid", "u"]
REAPPLY = ["device", "reapply", "ovirtmgmt"]


@pytest.mark.parametrize(
    "wanted, saved, applied, lease, expected",
    [
        # it holds: nothing is called
        ({"connection.zone": "internal"}, {"connection__zone": "internal"}, {"connection__zone": "internal"}, "", []),
        # only in the profile, without an interruption
        ({"connection.zone": "internal"}, {}, {}, "", [[*MODIFY, "connection.zone", "internal"]]),
        ({"ipv6.ip6-privacy": 2}, {}, {}, "", [[*MODIFY, "ipv6.ip6-privacy", "2"], REAPPLY]),
        (
            {"ipv4.dhcp-reject-servers": ["192.0.2.1", "192.0.2.2"]},
            {"ipv4__dhcp_reject_servers": ["192.0.2.1", "192.0.2.2"]},
            {"ipv4__dhcp_reject_servers": ["192.0.2.1", "192.0.2.2"]},
            "",
            [],
        ),
        # the client has already used the IAID of the MAC address: it must stop before the next request
        (
            IAID,
            {"ipv6__dhcp_iaid": "mac"},
            {"ipv6__dhcp_iaid": "mac"},
            "00:0c:01:01",
            [
                [*MODIFY, "ipv6.dhcp-iaid", "2a:83:5d:db"],
                ["device", "modify", "ovirtmgmt", "ipv6.method", "link-local"],
                REAPPLY,
            ],
        ),
        (
            IAID,
            {"ipv6__dhcp_iaid": "mac"},
            {"ipv6__dhcp_iaid": "mac", "ipv6__address_data": [{"address": "2001:db8::5", "prefix": 64}]},
            "",
            [
                [*MODIFY, "ipv6.dhcp-iaid", "2a:83:5d:db"],
                ["device", "modify", "ovirtmgmt", "ipv6.method", "manual"],
                REAPPLY,
            ],
        ),
        # the client was kept, and so was its identity
        (
            IAID,
            {"ipv6__dhcp_iaid": "mac"},
            {"ipv6__dhcp_iaid": "mac"},
            "2a:83:5d:db",
            [[*MODIFY, "ipv6.dhcp-iaid", "2a:83:5d:db"]],
        ),
    ],
)
def test_the_least_interruption(wanted, saved, applied, lease, expected, monkeypatch):
    called = host(monkeypatch, profile(**saved), profile(**applied), lease)
    EFFECT.put({"ovirtmgmt": wanted}, context())
    assert called == expected


@pytest.mark.parametrize(
    "device, bridges, expected",
    [
        ("ovirtmgmt", [], [[*MODIFY, "connection.zone", "internal"]]),
        (
            "br1",
            ["br1"],
            [
                [
                    "connection",
                    "add",
                    "save",
                    "yes",
                    "type",
                    "bridge",
                    "ifname",
                    "br1",
                    "con-name",
                    "br1",
                    "connection.autoconnect",
                    "no",
                    "bridge.stp",
                    "no",
                    "ipv4.method",
                    "disabled",
                    "ipv6.method",
                    "disabled",
                    "connection.zone",
                    "internal",
                ]
            ],
        ),
        ("eth9", ["br1"], []),
    ],
)
def test_nmstate_finds_them(device, bridges, expected, monkeypatch):
    called = host(monkeypatch, profile(), profile())
    EFFECT.prepare({device: {"connection.zone": "internal"}}, context(bridges=bridges))
    assert called == expected


def test_stateless_hosts_write_nothing_to_disk(monkeypatch):
    called = host(monkeypatch, profile(), profile())
    EFFECT.put({"ovirtmgmt": {"connection.zone": "internal"}}, context(persistent=False))
    assert called == [["connection", "modify", "--temporary", "uuid", "u", "connection.zone", "internal"]]


def test_a_device_that_takes_no_reapply_is_activated(monkeypatch):
    called = host(monkeypatch, profile(), profile(), fails=("reapply",))
    EFFECT.put({"ovirtmgmt": {"connection.mdns": 1}}, context())
    assert called[-1] == ["--wait", "20", "connection", "up", "uuid", "u"]


@pytest.mark.parametrize(
    "device, fails, says",
    [("ovirtmgmt", ("modify",), "modify uuid u connection.zone internal: refused"), ("eth9", (), "no active profile")],
)
def test_failures_are_reported(device, fails, says, monkeypatch):
    host(monkeypatch, profile(), profile(), fails=fails)
    with pytest.raises(EffectError, match=says):
        EFFECT.put({device: {"connection.zone": "internal"}}, context())


@pytest.mark.parametrize(
    "applied, fails, says",
    [({"connection__mdns": 1}, (), ""), ({}, (), "applied again"), ({}, ("reapply", "up"), "refused")],
)
def test_undoing_never_fails(applied, fails, says, monkeypatch):
    said = []
    host(monkeypatch, profile(connection__mdns=1), profile(**applied), fails=fails)
    assert EFFECT.undo({"ovirtmgmt": {}, "eth9": {}, "gone": {}}, context(said=said)) == []
    assert len(said) == bool(says) and says in "".join(said)


@pytest.mark.parametrize(
    "change, lacking, expected",
    [
        ({}, {}, []),
        ({}, {"eth1": {"connection.zone": "a"}}, ["eth1"]),
        # nmstate writes the profile again, including the settings that it determines
        ({"interfaces": [{"name": "ovirtmgmt"}]}, {}, ["ovirtmgmt"]),
        ({"interfaces": [{"name": "eth9"}]}, {}, []),
    ],
)
def test_settings_to_write(change, lacking, expected):
    settings = {"eth1": {"connection.zone": "a"}, "ovirtmgmt": {"ipv6.dhcp-iaid": "00:00:00:05"}}
    assert sorted(ps.to_write(settings, change, lacking)) == expected
    assert ps.to_write({}, change, {}) == {}
