# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are readable by their owner only, from their creation on."""

from __future__ import annotations

import os


def opener(path: str, flags: int) -> int:
    """For ``open(..., opener=...)``: creates the file readable by its owner only."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def folder(path: str) -> None:
    """Create the folder ``path`` and missing parents, accessible by their owner only. Raises OSError."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path) or "."
    for parent in reversed(missing):
        try:
            os.mkdir(parent, 0o700)
        except FileExistsError:
            if not os.path.isdir(parent):
                raise
