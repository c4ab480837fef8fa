# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager's command line tool nmcli, which writes and activates profiles.

Calls that change something return "" or the error (str) and raise nothing; the caller decides whether it matters. Every
call has a timeout.
"""

from __future__ import annotations

from .command import CommandError, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SECONDS = 10  # timeout of calls without an activation
_REAPPLY = 15
ACTIVATION = 20  # timeout of an activation: a lease takes 2 s, or is not available at all


def modify(uuid: str, properties: Mapping[str, Any], persistent: bool) -> str:
    """Write ``properties`` ({name: text, number, or list of text}) into a profile; on disk only if ``persistent``."""
    keep = [] if persistent else ["--temporary"]
    return _trouble(["connection", "modify", *keep, "uuid", uuid, *_words(properties)])


def add(kind: str, device: str, properties: Mapping[str, Any], persistent: bool) -> str:
    """Add a profile of the type ``kind`` for ``device``, named after the device; on disk only if ``persistent``."""
    head = ["connection", "add", "save", "yes" if persistent else "no", "type", kind, "ifname", device]
    return _trouble([*head, "con-name", device, *_words(properties)])


def activate(uuid: str, device: str = "") -> str:
    """Activate a profile, on ``device`` if set."""
    where = ["ifname", device] if device else []
    return _trouble(["--wait", str(ACTIVATION), "connection", "up", "uuid", uuid, *where], ACTIVATION + 5)


def activate_on(device: str) -> str:
    """Activate the profile that NetworkManager selects for ``device``."""
    return _trouble(["--wait", str(ACTIVATION), "connection", "up", "ifname", device], ACTIVATION + 5)


def reapply(device: str, wait: int = 0) -> str:
    """Apply the active profile of ``device`` without a new activation."""
    return _trouble(
        [*(["--wait", str(wait)] if wait else []), "device", "reapply", device], wait + 5 if wait else _REAPPLY
    )


def modify_device(device: str, properties: Mapping[str, Any]) -> str:
    """Change the settings in effect on ``device``, but not its profile."""
    return _trouble(["device", "modify", device, *_words(properties)])


def delete_device(device: str) -> str:
    return _trouble(["--wait", "5", "device", "delete", device])


def disconnect(device: str) -> str:
    return _trouble(["--wait", "5", "device", "disconnect", device])


def reload_profiles() -> str:
    """Make NetworkManager read the profile files again."""
    return _trouble(["connection", "reload"], 15)


def reload_configuration() -> str:
    """Make NetworkManager read its configuration again, including the internal one."""
    return _trouble(["general", "reload", "conf"], 15)


def _words(properties: Mapping[str, Any]) -> list[str]:
    return [
        word
        for name, value in properties.items()
        for word in (name, ",".join(value) if isinstance(value, list) else str(value))
    ]


def _trouble(words: list[str], timeout: int = _SECONDS) -> str:
    try:
        rc, out, err = run(["nmcli", *words], timeout=timeout)
    except CommandError as exc:
        return str(exc)
    return "nmcli %s: %s" % (" ".join(words), (err or out).strip() or "exit status %d" % rc) if rc else ""
