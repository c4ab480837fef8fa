# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Guests' devices, which NetworkManager has not configured: an activation of their bridge takes them off it."""

from __future__ import annotations

from ..sources import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def reattach(guests: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Put guests' taps (``{tap: bridge}``) that have lost their bridge back onto it; those that are gone, or on
    another, are left alone.
    """
    links = {link["ifname"]: link for link in kernel.links()} if guests else {}
    for tap, bridge in guests.items():
        if tap in links and not links[tap].get("master") and bridge in links:
            say("guest device %s was detached from its bridge: attached to %s again" % (tap, bridge))
            kernel.attach(tap, bridge)
