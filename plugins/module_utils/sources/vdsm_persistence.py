# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""VDSM's unified persistence, the record from which VDSM on the host knows its networks and restores them at boot.

``persistence/netconf`` (what is safe) and ``staging/netconf`` (what runs) are symlinks to a folder of one JSON file per
network, bond and device (VDSM: lib/vdsm/network/netconfpersistence.py). Both must be equal after a commit. Writing has
two
steps: a transaction does everything that can fail before its commit point, and only renames after it.

The record of a network that must not be on disk is in a separate file in /run. VDSM's folders are not changed, and a
boot removes the record together with the network.

A file that is not a JSON object (such as an editor's backup) makes VDSM's loader fail. Here it is skipped when reading
and omitted when writing; the folder that has it is not deleted then, because it may be a damaged record.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import secrets
import shutil

from . import durable_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PERSISTENCE, STAGING = "/var/lib/vdsm/persistence/netconf", "/var/lib/vdsm/staging/netconf"
ROOTS = (PERSISTENCE, STAGING)
# {networks, bondings}; one that was removed until the next boot is {"remove": true}
MEMORY = durable_files.RUN + "/record.json"
_KINDS = ("networks", "bondings")
_FOLDERS = {"networks": "nets", "bondings": "bonds", "devices": "devices"}
_NEVER_KEPT = ("blockingdhcp", "remove")


def read(root: str = ROOTS[0]) -> dict[str, dict]:
    """``{networks, bondings, devices}`` of ``root`` (a symlink or a plain folder), each ``{name: dict}``, ``{}`` when
    absent.
    """
    return _load(root)[0]


def unreadable(root: str = ROOTS[0]) -> list[str]:
    """The paths below ``root`` that are not valid records and make VDSM's loader fail."""
    return _load(root)[1]


def running(roots: tuple[str, str] = ROOTS, memory: str = MEMORY) -> dict[str, dict]:
    """The running networks, in the format of read(): staging, or persistence if nothing has run yet, combined with
    records in memory.
    """
    safe, runs = roots
    return merged(read(runs if os.path.exists(runs) else safe), in_memory(memory))


def unsaved(roots: tuple[str, str] = ROOTS) -> dict[str, list[str]]:
    """``{networks: [name], bondings: [name]}`` that run (staging) but are not saved (persistence), or saved
    differently. Empty without staging.
    """
    safe, runs = roots
    if not os.path.exists(runs):
        return {kind: [] for kind in _KINDS}
    old, now = read(safe), read(runs)
    return {
        kind: sorted(name for name in {**old[kind], **now[kind]} if old[kind].get(name) != now[kind].get(name))
        for kind in _KINDS
    }


def dirty(roots: tuple[str, str] = ROOTS) -> bool:
    """Whether the running configuration differs from the saved one: VDSM's netConfigDirty."""
    return any(unsaved(roots).values())


def in_memory(memory: str = MEMORY) -> dict[str, dict]:
    """``{networks, bondings}`` recorded until the next boot; ``{"remove": True}`` for one in VDSM's folders that was
    removed from the host.
    """
    try:
        with open(memory, encoding="utf-8") as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return {kind: {} for kind in _KINDS}


def merged(records: Mapping, record: Mapping) -> dict[str, dict]:
    """``records`` (as of read()) with ``record`` ({networks, bondings}) put in; None and ``{"remove": True}`` take out
    (pure).
    """
    result = {kind: dict(entries) for kind, entries in records.items()}
    for kind in _KINDS:
        for name, content in (record.get(kind) or {}).items():
            if content is None or content.get("remove"):
                result[kind].pop(name, None)
            else:
                result[kind][name] = {
                    key: value for key, value in content.items() if value is not None and key not in _NEVER_KEPT
                }
    return result


def noted(known: Mapping, record: Mapping, persistent: bool) -> dict[str, dict]:
    """The record in memory ``known`` after ``record`` was committed: merged with it, or, if it is on disk now, without
    its names. Pure.
    """
    result = {
        kind: {
            name: content for name, content in (known.get(kind) or {}).items() if name not in (record.get(kind) or {})
        }
        for kind in _KINDS
    }
    for kind in () if persistent else _KINDS:
        for name, content in (record.get(kind) or {}).items():
            kept = merged({each: {} for each in _KINDS}, {kind: {name: content}})[kind]
            result[kind][name] = kept.get(name, {"remove": True})
    return result


def record_in_sync(
    record: Mapping, roots: tuple[str, str] = ROOTS, persistent: bool = True, memory: str = MEMORY
) -> bool:
    """Whether ``record`` is already recorded (an empty one always is).

    On disk, both roots must contain it, so that VDSM can load it. With ``persistent`` False, the running networks
    including those in memory must contain it.
    """
    if not any((record.get(kind) or {}) for kind in _KINDS):
        return True
    if not persistent:
        return merged(running(roots, memory), record) == running(roots, memory)
    return _on_disk(record, roots) and noted(in_memory(memory), record, True) == in_memory(memory)


def prepare_record(
    record: Mapping, roots: tuple[str, str] = ROOTS, persistent: bool = True, memory: str = MEMORY
) -> list[dict]:
    """Write the new record to temporary folders, flushed: ``[{root, tree}]`` for publish() or discard().

    ``roots``: persistence and staging. Both get the same content: the running networks (the saved ones if nothing has
    run yet) merged with ``record``, as VDSM does when it saves its running configuration. With ``persistent`` False,
    only the file ``memory`` is written. ``[]`` if nothing differs. Raises OSError, leaving nothing behind.
    """
    if record_in_sync(record, roots, persistent, memory):
        return []
    prepared = []
    try:
        if persistent and not _on_disk(record, roots):
            content = merged(read(roots[1] if os.path.exists(roots[1]) else roots[0]), record)
            for root in roots:
                tree = "%s.%s" % (root, secrets.token_hex(4))
                prepared.append({"root": root, "tree": tree})
                _write_tree(tree, content)
        note = noted(in_memory(memory), record, persistent)
        if note != in_memory(memory):
            tree = "%s.%s" % (memory, secrets.token_hex(4))
            prepared.append({"root": memory, "tree": tree})
            os.makedirs(os.path.dirname(memory), mode=0o700, exist_ok=True)
            with open(tree, "w", encoding="utf-8") as stream:
                json.dump(note, stream)
    except OSError:
        for written in prepared:
            discard(written)
        raise
    return prepared


def publish(prepared: Mapping[str, str]) -> None:
    """Activate the prepared tree by a rename. Idempotent.

    A symlink is replaced atomically. A plain folder, which VDSM also supports, cannot be replaced by rename(), so it is
    moved away first, and a power failure in between leaves no root. The caller's journal then publishes again.
    """
    root, tree = prepared["root"], prepared["tree"]
    if os.path.isfile(tree):
        os.rename(tree, root)
        return
    aside = tree + ".was"
    if not os.path.isdir(tree):
        return  # already published, and VDSM has written a newer one since
    if os.path.realpath(root) == os.path.realpath(tree):
        _forget(aside, root)
        return
    old = os.path.realpath(root) if os.path.lexists(root) else aside
    if os.path.isdir(root) and not os.path.islink(root):
        old = aside
        os.rename(root, old)
    link = tree + ".ln"
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(os.path.basename(tree), link)
    os.rename(link, root)
    durable_files.sync(os.path.dirname(root))
    _forget(old, root)


def discard(prepared: Mapping[str, str]) -> None:
    """Remove a prepared tree, unless it is already active."""
    if os.path.realpath(prepared["root"]) != os.path.realpath(prepared["tree"]):
        if os.path.isfile(prepared["tree"]):
            os.unlink(prepared["tree"])
        shutil.rmtree(prepared["tree"], ignore_errors=True)


def _on_disk(record: Mapping, roots: tuple[str, str]) -> bool:
    return all(not unreadable(root) and merged(read(root), record) == read(root) for root in roots)


def _load(root: str) -> tuple[dict[str, dict], list[str]]:
    """``(result of read(), result of unreadable())``."""
    records: dict[str, dict] = {}
    strays = []
    for kind, folder in _FOLDERS.items():
        records[kind] = {}
        directory = os.path.join(root, folder)
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
            path = os.path.join(directory, name)
            try:
                with open(path, encoding="utf-8") as stream:
                    content = json.load(stream)
            except (ValueError, OSError):
                content = None
            if isinstance(content, dict):
                records[kind][name] = content
            else:
                strays.append(path)
    return records, strays


def _forget(old: str, root: str) -> None:
    """Delete the formerly active folder ``old``, unless it is in another place or contains something unreadable."""
    if os.path.dirname(old) == os.path.dirname(os.path.abspath(root)) and not unreadable(old):
        shutil.rmtree(old, ignore_errors=True)


def _write_tree(tree: str, content: Mapping) -> None:
    made = _make_folders(os.path.dirname(tree))
    for kind, folder in _FOLDERS.items():
        made += _make_folders(os.path.join(tree, folder))
        for name, entry in content[kind].items():
            path = os.path.join(tree, folder, name)
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(entry, stream, indent=4)
            os.chmod(path, 0o644)
            made.append(path)
    owner = _owner()
    if owner:
        for path in made:
            os.chown(path, *owner)
    durable_files.sync_tree(tree)
    # the parent folders may be new as well, and a new name is durable only after its folder was flushed
    for folder in (path for path in made if os.path.isdir(path) and not path.startswith(tree)):
        durable_files.sync(os.path.dirname(folder))


def _make_folders(path: str) -> list[str]:
    """Create the folder ``path`` and its parents, independent of the umask; returns the new ones, the highest first."""
    if os.path.isdir(path):
        return []
    made = _make_folders(os.path.dirname(path))
    os.mkdir(path)
    os.chmod(path, 0o755)
    return made + [path]


def _owner() -> tuple[int, int] | None:
    """``(uid, gid)`` of vdsm:kvm, None on a host without VDSM (yet)."""
    try:
        return pwd.getpwnam("vdsm").pw_uid, grp.getgrnam("kvm").gr_gid
    except KeyError:
        return None
