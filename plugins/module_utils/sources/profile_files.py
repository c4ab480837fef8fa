# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager's profile files: copy, digest, and restore byte for byte.

NetworkManager writes profiles without fsync: in tests, a new profile was empty after a power failure up to 26 s after
the change had been reported as done. So files and folders that must survive are flushed here.
"""

from __future__ import annotations

import hashlib
import os
import shutil

from ..privacy import private_files
from . import durable_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Profiles on disk are read at boot. Profiles in /run are lost at boot; only an undo in the running system needs them.
ON_DISK = (
    "/etc/NetworkManager/system-connections",
    "/etc/sysconfig/network-scripts",
    "/var/lib/NetworkManager/NetworkManager-intern.conf",  # stores global DNS settings that were set over D-Bus
)
IN_MEMORY = ("/run/NetworkManager/system-connections",)


class IncompleteError(Exception):
    """A copy of the profile files is damaged, so it must not be restored. The text names what is missing or differs."""


def digests(places: Iterable[str] | None = None) -> dict[str, str]:
    """``{path: digest}`` of every profile file in ``places`` (folders or files): SHA-256 in hex; for a symlink, of the
    name of its target.
    """
    return {path: _digest(path) for path in _files(ON_DISK if places is None else places)}


def copy(places: Iterable[str], target: str) -> dict[str, str]:
    """Copy ``places`` with owner, mode, times, and xattrs (SELinux) to the folder ``target``, flushed to disk. Returns
    ``{copied
    path: digest}`` for check(). Raises OSError if ``target`` cannot be written.
    """
    copied = {}
    for path in _files(places):
        _copy_file(path, target + path)
        copied[path] = _digest(target + path)
    durable_files.sync_tree(target)
    return copied


def check(source: str, copied: Mapping[str, str]) -> None:
    """Raise IncompleteError unless ``source`` contains all files of ``copied`` (the result of copy()) unchanged."""
    wrong = []
    for path, digest in sorted(copied.items()):
        try:
            if _digest(source + path) != digest:
                wrong.append("%s differs" % path)
        except OSError as exc:
            wrong.append("%s: %s" % (path, exc.strerror))
    if wrong or not os.path.isdir(source):
        raise IncompleteError(
            "the copy of the profile files in %s is damaged (%s)" % (source, "; ".join(wrong)[:300] or "it is gone")
        )


def restore(places: Sequence[str], source: str) -> list[str]:
    """Make ``places`` equal to their copy in ``source``: rewrite changed files, remove additional files, and flush.
    ``source`` must have passed check(). Returns the list of changed paths. Each file is replaced by rename, so that a
    power failure leaves either the old or the new content.
    """
    touched = []
    for path in _files(places):
        if not os.path.lexists(source + path):
            os.unlink(path)
            touched.append(path)
    for place in places:
        for path in _files([source + place]):
            target = path[len(source) :]
            if not _same(path, target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                aside = os.path.join(os.path.dirname(target), "." + os.path.basename(target) + ".ovirt-restore")
                _copy_file(path, aside)
                durable_files.sync(aside)
                os.rename(aside, target)
                touched.append(target)
    _flush(places)
    return touched


def flush() -> None:
    """fsync every profile file on disk and their folders."""
    _flush(ON_DISK)


def _flush(places: Sequence[str]) -> None:
    for path in _files(places):
        durable_files.sync(path)
    for place in places:
        folder = place if os.path.isdir(place) else os.path.dirname(place)
        if os.path.isdir(folder):
            durable_files.sync(folder)


def _files(places: Iterable[str]) -> Iterator[str]:
    for place in places:
        if os.path.isfile(place):
            yield place
        elif os.path.isdir(place):
            for name in sorted(os.listdir(place)):
                path = os.path.join(place, name)
                if (os.path.isfile(path) or os.path.islink(path)) and not _seen_only(path):
                    yield path


def _seen_only(path: str) -> bool:
    """Whether NetworkManager generated the profile for a device of another program, such as a guest's tap
    (nm-settings-keyfile, .nmmeta). Removing such a file would detach a running guest from its bridge.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return False
    meta = lines[lines.index("[.nmmeta]") :] if "[.nmmeta]" in lines else []
    return "external=true" in meta or "volatile=true" in meta


def _copy_file(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    info = os.lstat(source)
    if not os.path.islink(source):
        # a profile can contain secrets: create it readable by its owner only, then set its mode
        with open(source, "rb") as stream, open(target, "wb", opener=private_files.opener) as copied:
            shutil.copyfileobj(stream, copied)
        shutil.copystat(source, target)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
    os.chown(target, info.st_uid, info.st_gid, follow_symlinks=False)


def _digest(path: str) -> str:
    if os.path.islink(path):
        return "link to " + os.readlink(path)
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def _same(path: str, other: str) -> bool:
    try:
        a, b = os.lstat(path), os.lstat(other)
        if (a.st_mode, a.st_uid, a.st_gid, a.st_size) != (b.st_mode, b.st_uid, b.st_gid, b.st_size):
            return False
        if os.path.islink(path):
            return os.readlink(path) == os.readlink(other)
        with open(path, "rb") as stream, open(other, "rb") as other_stream:
            return stream.read() == other_stream.read()
    except FileNotFoundError:
        return False
