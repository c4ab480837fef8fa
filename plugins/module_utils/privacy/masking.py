# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask secrets of profiles (802.1X, WireGuard, MACsec, Wi-Fi, IPsec) in everything written for people. Pure. Only the
journal contains them, because it must restore the profiles.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MASK = "***"
# names of nmstate and of NetworkManager: private-key-password, 802-1x.password-raw, mka-cak, wireguard's private-key
# and preshared-key, wep-key0
_NAMES = (
    r"passw(?:or)?d|passphrase|psk|secret|private[-_]?key|preshared[-_]?key|mka[-_]?cak|\bcak\b|wep[-_]?key"
    r"|\bpin\b|\bpuk\b"
)
_KEY = re.compile(r"(?i)(?:%s)" % _NAMES)
_IN_TEXT = re.compile(r"""(?i)([\w.-]*(?:%s)[\w.-]*["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;}\]]+)""" % _NAMES)
_SHORTEST = 4  # minimum length of a secret to search for in texts; shorter ones match everywhere


def is_secret(key: object) -> bool:
    """Whether the value of ``key`` is a secret. Flags of a secret only say where it is stored."""
    return bool(_KEY.search(str(key))) and not str(key).endswith("flags")


def masked(data: Any, secrets: Iterable[str] = ()) -> Any:
    """A copy of ``data`` (plain) with secrets masked: values by their keys, ``secrets`` anywhere in texts, and values
    after the name of a secret in texts.
    """
    if isinstance(data, dict):
        return {
            key: MASK if is_secret(key) and _has_text(value) else masked(value, secrets) for key, value in data.items()
        }
    if isinstance(data, (list, tuple)):
        return [masked(item, secrets) for item in data]
    return text(data, secrets) if isinstance(data, str) else data


def text(line: str, secrets: Iterable[str] = ()) -> str:
    """``line`` with ``secrets``, and values after the name of a secret, masked."""
    for secret in secrets:
        line = line.replace(secret, MASK)
    return _IN_TEXT.sub(r"\1" + MASK, line)


def secrets_of(*datas: Any) -> list[str]:
    """The secrets in ``datas`` (plain), longest first."""
    secrets = set()
    for data in datas:
        if isinstance(data, dict):
            for key, value in data.items():
                secrets.update([value] if is_secret(key) and isinstance(value, str) else secrets_of(value))
                if is_secret(key) and isinstance(value, (list, dict)):
                    secrets.update(_texts(value))
        elif isinstance(data, (list, tuple)):
            secrets.update(secrets_of(*data))
    return sorted((secret for secret in secrets if len(secret) >= _SHORTEST), key=len, reverse=True)


def _has_text(value: Any) -> bool:
    return bool(_texts(value)) if isinstance(value, (dict, list, tuple)) else value not in (None, "", True, False)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    return [str(value)] if value not in (None, "", True, False) else []
