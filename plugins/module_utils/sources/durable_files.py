# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durable and atomic writes of files. All functions raise OSError."""

from __future__ import annotations

import contextlib
import json
import os

from ..privacy import private_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


# The folders of the collection's files: on disk, and in memory until the next boot.
STATE, RUN = "/var/lib/ovirt-mgmt-network", "/run/ovirt-mgmt-network"


def sync(path: str) -> None:
    """fsync a file or a folder; a symlink is skipped."""
    if os.path.islink(path):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(top: str) -> None:
    """fsync a folder recursively, files before their folders, and the parent folder."""
    for folder, _folders, files in os.walk(top, topdown=False):
        for name in files:
            sync(os.path.join(folder, name))
        sync(folder)
    sync(os.path.dirname(top))


def write_json(path: str, data: Any, durable: bool = False) -> None:
    """Write ``data`` as JSON to ``path`` atomically (by rename), readable by its owner only. With ``durable``, it is
    flushed before the rename. Leaves nothing behind after a failure.
    """
    try:
        with open(path + ".new", "w", encoding="utf-8", opener=private_files.opener) as stream:
            json.dump(data, stream)
        if durable:
            sync(path + ".new")
        os.rename(path + ".new", path)
    except OSError:  # a partial file would use space that is needed elsewhere
        with contextlib.suppress(OSError):
            os.unlink(path + ".new")
        raise
    if durable:
        sync(os.path.dirname(path))


def write_all(folder: str, files: Mapping[str, bytes]) -> None:
    """Write ``files`` (``{relative path: content}``) below ``folder``, readable by their owner only; not flushed."""
    for name, content in files.items():
        path = os.path.join(folder, name)
        private_files.folder(os.path.dirname(path))
        with open(path, "wb", opener=private_files.opener) as stream:
            stream.write(content)


def reserve(path: str, size: int) -> None:
    """Create the file ``path``, which reserves ``size`` bytes of space, to be deleted when the disk is full."""
    with open(path, "wb", opener=private_files.opener) as stream:
        os.posix_fallocate(stream.fileno(), 0, size)
