# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager's command line tool: what writes profiles and activates them.

Calls that change something return "" or why they failed (str), and raise nothing: the caller knows whether that
matters. A call waits for NetworkManager no longer than it says.
"""

from __future__ import annotations

from .command import CommandError, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SECONDS = 10  # for a call that activates nothing
_REAPPLY = 15
ACTIVATION = 20  # seconds for one activation: a lease is there after 2 s or not at all


def modify(uuid: str, properties: Mapping[str, Any], persistent: bool) -> str:
    """Write ``properties`` ({name: text, number or list of text}) into a profile, on disk only when ``persistent``."""
    keep = [] if persistent else ["--temporary"]
    return _trouble(["connection", "modify", *keep, "uuid", uuid, *_words(properties)])


def add(kind: str, device: str, properties: Mapping[str, Any], persistent: bool) -> str:
    """Add a profile of the type ``kind`` for ``device``, named as the device, on disk only when ``persistent``."""
    head = ["connection", "add", "save", "yes" if persistent else "no", "type", kind, "ifname", device]
    return _trouble([*head, "con-name", device, *_words(properties)])


def activate(uuid: str, device: str = "") -> str:
    """Activate a profile, on ``device`` when it is named."""
    where = ["ifname", device] if device else []
    return _trouble(["--wait", str(ACTIVATION), "connection", "up", "uuid", uuid, *where], ACTIVATION + 5)


def activate_on(device: str) -> str:
    """Activate the profile that NetworkManager finds for ``device``."""
    return _trouble(["--wait", str(ACTIVATION), "connection", "up", "ifname", device], ACTIVATION + 5)


def reapply(device: str, wait: int = 0) -> str:
    """Have what the active profile of ``device`` says come into effect without an activation."""
    return _trouble(
        [*(["--wait", str(wait)] if wait else []), "device", "reapply", device], wait + 5 if wait else _REAPPLY
    )


def modify_device(device: str, properties: Mapping[str, Any]) -> str:
    """Change what is in effect on ``device``, and not its profile."""
    return _trouble(["device", "modify", device, *_words(properties)])


def delete_device(device: str) -> str:
    return _trouble(["--wait", "5", "device", "delete", device])


def disconnect(device: str) -> str:
    return _trouble(["--wait", "5", "device", "disconnect", device])


def reload_profiles() -> str:
    """Have the profile files read again."""
    return _trouble(["connection", "reload"], 15)


def reload_configuration() -> str:
    """Have NetworkManager's configuration read again, its internal one too."""
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
