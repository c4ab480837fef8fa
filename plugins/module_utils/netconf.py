# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VDSM's unified persistence: the record by which VDSM on the host knows, and restores at boot, its networks.

``persistence/netconf`` (what is safe) and ``staging/netconf`` (what runs) are symlinks to a folder of one JSON file per
network, bond and device (VDSM: lib/vdsm/network/netconfpersistence.py). Both must say the same after a commit. Writing has
two steps, so that a transaction can do all that may fail before its commit point, and only rename after it.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import secrets
import shutil

from . import profiles

ROOTS = ("/var/lib/vdsm/persistence/netconf", "/var/lib/vdsm/staging/netconf")
_FOLDERS = {"networks": "nets", "bondings": "bonds", "devices": "devices"}
_NEVER_KEPT = ("blockingdhcp", "remove")


def read(root=ROOTS[0]):
    """``{networks, bondings, devices}`` of ``root`` (a symlink or a plain folder), each ``{name: dict}``, ``{}`` when absent.

    A file that is no JSON object (an editor's left-over) is passed over: one stray file must not hide the rest.
    """
    found = {}
    for kind, folder in _FOLDERS.items():
        found[kind] = {}
        path = os.path.join(root, folder)
        for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
            try:
                with open(os.path.join(path, name), encoding="utf-8") as stream:
                    content = json.load(stream)
            except (ValueError, OSError):
                continue
            if isinstance(content, dict):
                found[kind][name] = content
    return found


def merged(found, record):
    """``found`` (as of read()) with ``record`` ({networks, bondings}) put in; None and ``{"remove": True}`` take out (pure)."""
    result = {kind: dict(entries) for kind, entries in found.items()}
    for kind in ("networks", "bondings"):
        for name, content in (record.get(kind) or {}).items():
            if content is None or content.get("remove"):
                result[kind].pop(name, None)
            else:
                result[kind][name] = {key: value for key, value in content.items() if value is not None and key not in _NEVER_KEPT}
    return result


def record_in_sync(record, roots=ROOTS):
    """Whether both roots hold ``record`` already (an empty record always holds)."""
    if not any((record.get(kind) or {}) for kind in ("networks", "bondings")):
        return True
    return all(merged(read(root), record) == read(root) for root in roots)


def prepare_record(record, roots=ROOTS):
    """Write what the roots are to hold next to them, flushed: ``[{root, tree}]`` for publish() or discard().

    ``[]`` when they hold it already. Raises OSError when a root cannot be written; nothing is left behind then.
    """
    if record_in_sync(record, roots):
        return []
    prepared = []
    try:
        for root in roots:
            tree = "%s.%s" % (root, secrets.token_hex(4))
            prepared.append({"root": root, "tree": tree})
            _write_tree(tree, merged(read(root), record))
    except OSError:
        for one in prepared:
            discard(one)
        raise
    return prepared


def publish(prepared):
    """Make the prepared tree the one that counts, by rename. Called again after it was done, it does nothing."""
    root, tree = prepared["root"], prepared["tree"]
    if not os.path.isdir(tree) or os.path.realpath(root) == os.path.realpath(tree):
        return
    old = os.path.realpath(root) if os.path.lexists(root) else ""
    if os.path.isdir(root) and not os.path.islink(root):
        # VDSM reads a plain folder too; rename() cannot put a link over one, so it steps aside first
        old = root + ".old"
        os.rename(root, old)
    link = tree + ".ln"
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(os.path.basename(tree), link)
    os.rename(link, root)
    profiles.flush([os.path.dirname(root)])
    if old and os.path.dirname(old) == os.path.dirname(os.path.abspath(root)):
        shutil.rmtree(old, ignore_errors=True)


def discard(prepared):
    """Take a prepared tree away again, unless it counts already."""
    if os.path.realpath(prepared["root"]) != os.path.realpath(prepared["tree"]):
        shutil.rmtree(prepared["tree"], ignore_errors=True)


def _write_tree(tree, content):
    made = os.path.dirname(tree)
    os.makedirs(made, mode=0o755, exist_ok=True)
    owner = _owner()
    for kind, folder in _FOLDERS.items():
        path = os.path.join(tree, folder)
        os.makedirs(path, mode=0o755)
        for name, entry in content[kind].items():
            with open(os.path.join(path, name), "w", encoding="utf-8") as stream:
                json.dump(entry, stream, indent=4)
            os.chmod(os.path.join(path, name), 0o644)
    for folder, _folders, files in os.walk(tree) if owner else ():
        for path in [folder] + [os.path.join(folder, name) for name in files]:
            os.chown(path, *owner)
    profiles.flush_tree(tree)


def _owner():
    """``(uid, gid)`` of vdsm:kvm, () on a host without VDSM (yet)."""
    try:
        return pwd.getpwnam("vdsm").pw_uid, grp.getgrnam("kvm").gr_gid
    except KeyError:
        return ()
