# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network of a host before host_deploy, compressed for the time between tasks.

Pure. Facts slow down every later task of a host; compression reduces these lines to a quarter.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import facts_diff


def lines(facts: dict[str, Any]) -> str:
    """The lines of report/facts_diff.py for ``facts``, compressed."""
    text = "\n".join(facts_diff.lines(facts))
    return base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")


def difference(packed: str, facts: dict[str, Any]) -> list[str]:
    """The differences between compressed lines and ``facts``, see facts_diff.difference()."""
    old = zlib.decompress(base64.b64decode(packed)).decode("utf-8").split("\n")
    return facts_diff.difference_of_lines(old, facts_diff.lines(facts))
