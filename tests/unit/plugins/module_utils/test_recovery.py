# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checkpoint an undo may end."""

from __future__ import annotations

import pytest

from ansible_collections.ovirt.mgmt_network.plugins.module_utils import recovery


def checkpoint(path, timeout=170):
    return {"path": path, "created": 1, "timeout": timeout, "devices": []}


KILLED = {"foreign": ["/C/1"], "checkpoint_timeout": 170}


@pytest.mark.parametrize("status, there, expected", [
    pytest.param({"checkpoint": "/C/2", **KILLED}, ["/C/1", "/C/2", "/C/3"], ["/C/2"], id="known"),
    pytest.param({"checkpoint": "/C/2", **KILLED}, ["/C/1", "/C/3"], [], id="known, and gone"),
    pytest.param(KILLED, ["/C/1", "/C/2"], ["/C/2"], id="killed while nmstatectl ran"),
    pytest.param({"checkpoint": "", **KILLED}, ["/C/1", "/C/2"], ["/C/2"], id="killed, none known"),
    pytest.param({**KILLED, "checkpoint_timeout": 60}, ["/C/1", "/C/2"], [], id="another's, with another timeout"),
    pytest.param({}, ["/C/1"], [], id="nothing was applied"),
])
def test_own_checkpoints(status, there, expected):
    assert recovery.own_checkpoints(status, [checkpoint(path) for path in there]) == expected
