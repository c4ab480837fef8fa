# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the diagnosis of a failed change to files on the controller."""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.module_utils.privacy import masking, private_files
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import to_plain

BASE = "~/.ansible/ovirt-mgmt-network"
SUMMARY_BYTES = 2048  # per failed host, as JSON: the artifact of a job contains it for each failed host
_SECRET = re.compile(
    r"""(?i)\b([\w.-]*(?:passw|psk|secret|private-key|cak|pin\b)[\w.-]*["']?\s*[:= ]\s*)(?:"[^"]*"|'[^']*'|\S+)"""
)
_NOTABLE = re.compile(r"(?i)<(?:warn|error)>|\berror\b|\bfailed\b|ovirt-mgmt-network")


def kept(
    arguments: dict[str, Any], result: dict[str, Any], found: dict[str, Any], host: str, no_log: bool = False
) -> dict[str, Any]:
    """The ``result`` of a task; after a failure with ``diagnosis``, the folder with the details, so that the screen
    output is short.

    ``arguments``: of the task; ``diagnosis`` in it is the parent folder ("": nothing is written). ``found``: see
    files(). ``no_log``: of the task; no files and no summary are written then. Secrets of profiles are masked, also in
    the result's texts.
    """
    if not result.get("failed") or no_log:
        return result
    secrets = masking.secrets_of(*(to_plain(arguments.get(key) or {}, key) for key in ("state", "settings")))
    result = dict(
        result,
        **{key: masking.masked(to_plain(result[key], key), secrets) for key in ("msg", "error") if result.get(key)},
    )
    found = masking.masked(to_plain(found, "found"), secrets)
    result = dict(result, diagnosis_summary=summary(result, found))
    base = arguments.get("diagnosis", BASE)
    if not base:
        return result
    folder = os.path.join(
        os.path.expanduser(base), folder_name(host, result.get("transaction") or time.strftime("%Y%m%dT%H%M%S"))
    )
    try:
        private_files.folder(folder)
        for name, text in files(arguments, result, found).items():
            with open(os.path.join(folder, name), "w", encoding="utf-8", opener=private_files.opener) as stream:
                stream.write(text)
    except OSError as exc:
        return dict(result, warnings=["cannot write the diagnosis to %s: %s" % (folder, exc.strerror or exc)])
    return dict(result, diagnosis=folder, msg="%s. See %s for details" % (str(result.get("msg")).rstrip("."), folder))


def folder_name(host: str, transaction: str) -> str:
    """The name of the folder: the host and the transaction, whose ID begins with its time. Special characters are
    replaced.
    """
    return "-".join(re.sub(r"[^\w.-]+", "_", one, flags=re.ASCII) for one in (host, transaction))


def files(arguments: dict[str, Any], result: dict[str, Any], found: dict[str, Any]) -> dict[str, str]:
    """``{file name: text}``. ``arguments``: of the task. ``result``: of nmstate_apply. ``found``: the diagnosis of the
    host (module_utils/transaction/diagnosis.py; {} if none was received); its parts ``change``, ``before``,
    ``failure``, ``after``, ``status``, and ``log`` get a file each.
    """
    status = found.get("status") or {}
    parts = {
        "desired.json": arguments.get("state"),
        "change.json": found.get("change") or result.get("change"),
        "before.json": found.get("before"),
        "failure.json": found.get("failure"),
        "after.json": found.get("after"),
        "error.json": status.get("error") or result.get("error"),
        "status.json": {
            key: value for key, value in status.items() if key not in ("nonce", "timeline", "error", "log_cursor")
        },
    }
    texts = {
        name: json.dumps(masking.masked(to_plain(data, name)), indent=2, sort_keys=True) + "\n"
        for name, data in parts.items()
        if data
    }
    texts["timeline.txt"] = "".join(timeline_lines(status.get("timeline") or result.get("timeline") or []))
    texts["host.log"] = found.get("log") or "no log was received from the host\n"
    texts["message.txt"] = "%s\n" % result.get("msg", "")
    return texts


def timeline_lines(timeline: list[dict[str, Any]]) -> list[str]:
    """A line for each phase: seconds since the first, and its name."""
    return ["%8.3f s  %s\n" % (one["at"] - timeline[0]["at"], one["phase"]) for one in timeline]


def summary(result: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The summary of a diagnosis for places that keep no files, such as the artifact of an AWX job: ``{step, phases,
    error, not_restored, log}``, without empty parts. At most SUMMARY_BYTES as JSON; secrets are masked. Arguments as
    for files().
    """
    status = found.get("status") or {}
    timeline = status.get("timeline") or result.get("timeline") or []
    error = status.get("error") or result.get("error") or {}
    notable = [line for line in (found.get("log") or "").splitlines() if _NOTABLE.search(line)]
    parts = {
        "step": str(result.get("step") or ""),
        "phases": _last(
            ["%s s %s" % ("%.3f" % (one["at"] - timeline[0]["at"]), one["phase"]) for one in timeline], 400
        ),
        "error": _short(": ".join(str(error[key]) for key in ("kind", "message") if error.get(key)), 500),
        "not_restored": _last(["%(device)s %(what)s" % one for one in status.get("left") or []], 300),
        "log": _last(notable, 600),
    }
    return {name: value for name, value in parts.items() if value}


def _last(lines: list[str], size: int) -> list[str]:
    """The last of ``lines`` that fit into ``size`` bytes of JSON, each shortened and masked, in their order."""
    kept_lines: list[str] = []
    for line in reversed(lines):
        short = _short(line, 200)
        size -= len(json.dumps(short)) + 2
        if size < 0:
            break
        kept_lines.insert(0, short)
    return kept_lines


def _short(text: str, size: int) -> str:
    """``text``, masked, in at most ``size`` bytes of JSON."""
    text = _SECRET.sub(r"\1***", to_plain(text, "text"))
    while len(json.dumps(text)) > size:
        text = text[: len(text) * size // len(json.dumps(text)) - 4] + "..."
    return text
