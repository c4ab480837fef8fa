# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Devices of guests, which NetworkManager does not configure: activating their bridge detaches them."""

from __future__ import annotations

from ..sources import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def reattach(guests: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Attach the taps of guests (``{tap: bridge}``) to their bridge again if they lost it. Taps that no longer exist,
    or that are on another bridge, are skipped.
    """
    links = {link["ifname"]: link for link in kernel.links()} if guests else {}
    for tap, bridge in guests.items():
        if tap in links and not links[tap].get("master") and bridge in links:
            say("guest device %s was detached from its bridge: attached to %s again" % (tap, bridge))
            kernel.attach(tap, bridge)
