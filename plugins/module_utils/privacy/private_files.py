# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that nobody else may read, from the moment of their creation."""

from __future__ import annotations

import os


def opener(path: str, flags: int) -> int:
    """For ``open(..., opener=...)``: the file is created for its owner only."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def folder(path: str) -> None:
    """Make the folder ``path``, and those above it that are missing, for their owner only. Raises OSError."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path) or "."
    for one in reversed(missing):
        try:
            os.mkdir(one, 0o700)
        except FileExistsError:
            if not os.path.isdir(one):
                raise
