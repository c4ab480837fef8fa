# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ID of a host, by table."""

from __future__ import annotations

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import identity

HARDWARE = "4c4c4544-0042-3510-8051-b4c04f4e3332"
PROBE = {"vdsm_id": "", "hardware_id": HARDWARE, "machine_id": "0123456789abcdef0123456789abcdef"}
NICS = {"eth1": {"hwaddr": "52:54:00:00:00:02"}, "eth0": {"hwaddr": "52:54:00:00:00:01"}, "dummy": {}}
# {{ '0123456789abcdef0123456789abcdef 52:54:00:00:00:01 52:54:00:00:00:02' | to_uuid }}
GENERATED = "cc6330ee-f6c2-5e92-bf11-11aa7bff160f"


@pytest.mark.parametrize(
    "given, probe, expected",
    [
        ("given", {"vdsm_id": "kept"}, "given"),
        ("", {"vdsm_id": "kept"}, "kept"),
        ("", {}, HARDWARE),
        ("", {"hardware_id": ""}, None),
        ("", {"hardware_id": "03000200-0400-0500-0006-000700080009"}, None),
        ("", {"hardware_id": "00000000-0000-0000-0000-000000000000"}, None),
        ("", {"hardware_id": "ffffffff-ffff-ffff-ffff-fffffffffffe"}, None),
        ("", {"hardware_id": "Not Settable"}, None),
    ],
)
def test_the_source_of_the_id(given, probe, expected):
    found = identity.host_id(given, {**PROBE, **probe}, NICS)
    assert found == (expected or GENERATED)


def test_a_generated_id_follows_the_addresses():
    unset = {**PROBE, "hardware_id": ""}
    other = {"eth1": {"hwaddr": "52:54:00:00:00:03"}}
    assert identity.host_id("", unset, NICS) != identity.host_id("", unset, other)
    assert identity.host_id("", unset, NICS) == identity.host_id("", unset, dict(reversed(NICS.items())))


@pytest.mark.parametrize(
    "known, expected",
    [
        ({}, []),
        ({HARDWARE.upper(): "h9"}, ["h9"]),
        ({HARDWARE: "h1"}, []),
        ({HARDWARE: "192.0.2.1"}, []),
        ({"other": "h9"}, []),
    ],
)
def test_known_hosts_with_the_same_id(known, expected):
    assert identity.rivals(HARDWARE, known, ("h1", "192.0.2.1")) == expected
