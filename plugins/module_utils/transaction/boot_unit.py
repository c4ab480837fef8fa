# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The early-boot unit. It ends a transaction that a power failure or a restart left open, before NetworkManager reads
the profiles.

It is installed before the journal gets its name and removed after the name is gone, so every journal has a unit. A unit
without a journal removes itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from ..sources import durable_files
from . import journal, mailbox, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "ovirt-mgmt-network-recover.service"
UNITS = "/etc/systemd/system"
WANTS = os.path.join(UNITS, "NetworkManager.service.wants")
_SECONDS = 90  # timeout for restoring some files; without it, the host could hang before network and login
_LOCK_SECONDS = 20

# A restart of NetworkManager in the same boot starts the unit as well: then the guard is still running.
_SCRIPT = (
    'read -r now </proc/sys/kernel/random/boot_id; [ "$now" = %(boot)s ] && exit 0;'
    " for d in committed transaction; do"
    " [ -e %(base)s/$d/journal.json ] && PYTHONPATH=%(base)s/$d/code exec %(python)s -m %(entry)s boot %(base)s; done;"
    " rm -rf %(base)s/new-* %(base)s/ended-*; rmdir %(base)s; rm -f %(wants)s/%(name)s %(units)s/%(name)s; rmdir "
    "%(wants)s; exit 0"
)


def text(entry: dict, boot: str) -> str:
    """The text of the unit for the transaction ``entry``, created in the boot with the ID ``boot``. Pure."""
    script = _SCRIPT % {
        "boot": boot,
        "base": entry["base"],
        "python": entry["python"],
        "entry": units.ENTRY,
        "wants": WANTS,
        "units": UNITS,
        "name": NAME,
    }
    return "\n".join(
        (
            "# Created by ovirt.mgmt_network for the open transaction %s and removed with it" % entry["id"],
            "[Unit]",
            "Description=Undo an unverified change of the oVirt management network",
            "DefaultDependencies=no",
            "After=local-fs.target",
            "Before=NetworkManager.service network-pre.target",
            "RequiresMountsFor=/etc /var/lib %s %s" % (entry["base"], os.path.dirname(entry["python"])),
            "[Service]",
            "Type=oneshot",
            "TimeoutStartSec=%d" % _SECONDS,
            "Environment=PYTHONDONTWRITEBYTECODE=1",
            "ExecStart=/bin/sh -c '%s'" % script,
            "",
        )
    )


def arm(entry: dict) -> None:
    """Install the unit for ``entry`` (its id, base, and python). Raises OSError."""
    os.makedirs(WANTS, exist_ok=True)
    path = os.path.join(UNITS, NAME)
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.write(text(entry, journal.boot_id()))
    durable_files.sync(path + ".new")
    os.rename(path + ".new", path)
    link = os.path.join(WANTS, NAME)
    if not os.path.islink(link):
        os.symlink(path, link)
    durable_files.sync(UNITS)
    durable_files.sync(WANTS)


def disarm() -> None:
    """Remove the unit completely. Raises OSError."""
    for path in (os.path.join(WANTS, NAME), os.path.join(UNITS, NAME), os.path.join(UNITS, NAME + ".new")):
        if os.path.lexists(path):
            os.unlink(path)
            durable_files.sync(os.path.dirname(path))
    with contextlib.suppress(OSError):
        os.rmdir(WANTS)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Lock the host's unit: from arming it until the journal has its name, and from closing a journal until the unit is
    removed. Raises OSError.
    """
    os.makedirs(mailbox.RUN, mode=0o700, exist_ok=True)
    handle, end = os.open(mailbox.RUN, os.O_RDONLY), time.monotonic() + _LOCK_SECONDS
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        yield
    finally:
        os.close(handle)
