# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are on the disk when a call returns, and files that a reader sees whole or not at all. All raise
OSError.
"""

from __future__ import annotations

import contextlib
import json
import os

from ..privacy import private_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


# Where our own files are: on disk, and in memory until the next boot.
STATE, RUN = "/var/lib/ovirt-mgmt-network", "/run/ovirt-mgmt-network"


def sync(path: str) -> None:
    """fsync a file or a folder; a symlink has nothing of its own to flush."""
    if os.path.islink(path):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(top: str) -> None:
    """fsync a whole folder, files before the folders that name them, and the folder above it."""
    for folder, _folders, files in os.walk(top, topdown=False):
        for name in files:
            sync(os.path.join(folder, name))
        sync(folder)
    sync(os.path.dirname(top))


def write_json(path: str, data: Any, durable: bool = False) -> None:
    """Publish ``data`` as JSON at ``path`` by a rename, readable for its owner only: readers see all of it or what was
    there before. With ``durable`` it is flushed before it gets its name. What fails leaves nothing behind.
    """
    try:
        with open(path + ".new", "w", encoding="utf-8", opener=private_files.opener) as stream:
            json.dump(data, stream)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.rename(path + ".new", path)
    except OSError:  # a part of it would take room that something else needs
        with contextlib.suppress(OSError):
            os.unlink(path + ".new")
        raise
    if durable:
        sync(os.path.dirname(path))


def write_all(folder: str, files: Mapping[str, bytes]) -> None:
    """Write ``files`` (``{relative path: content}``) below ``folder``, for their owner only; not flushed."""
    for name, content in files.items():
        path = os.path.join(folder, name)
        private_files.folder(os.path.dirname(path))
        with open(path, "wb", opener=private_files.opener) as stream:
            stream.write(content)


def reserve(path: str, size: int) -> None:
    """Make ``path`` a file that holds ``size`` bytes of room, to be deleted when there is no other."""
    with open(path, "wb", opener=private_files.opener) as stream:
        os.posix_fallocate(stream.fileno(), 0, size)
