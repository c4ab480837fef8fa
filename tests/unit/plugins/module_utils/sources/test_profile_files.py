# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated profile files of guests' taps are neither copied nor removed."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import profile_files

TAP = "[connection]\nid=vnet0\ntype=tun\n\n[.nmmeta]\nnm-generated=true\nvolatile=true\nexternal=true\n"
OWN = "[connection]\nid=eth1\ntype=ethernet\n\n[user]\nexternal=true\n"


def test_profiles_of_guests_are_ignored(tmp_path):
    live, copy = tmp_path / "live", tmp_path / "copy"
    live.mkdir()
    (live / "eth1").write_text(OWN)
    (live / "stopped").write_text(TAP)
    assert list(profile_files.copy([str(live)], str(copy))) == [str(live / "eth1")]
    (live / "stopped").unlink()
    (live / "started").write_text(TAP)
    (live / "stray").write_text(OWN)
    assert profile_files.restore([str(live)], str(copy)) == [str(live / "stray")]
    assert sorted(path.name for path in live.iterdir()) == ["eth1", "started"]
