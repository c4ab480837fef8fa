# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/model/events.py: an event by its name."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.filter_edge import call
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.events import EventError, event
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import describe


def mgmt_network_event(name, host="", interface="", values=None, reason="", remedy=None):
    """See mgmt_network_event.yml."""

    return call(
        "mgmt_network_event",
        (EventError,),
        _make,
        {
            "name": name,
            "values": values or {},
            "host": host,
            "interface": interface,
            "reason": reason,
            "remedy": remedy,
        },
    )


def _make(name, values, **options):
    if not isinstance(name, str):
        raise EventError(f"got {describe(name)}, expected the name of an event")
    if not isinstance(values, dict):
        raise EventError(f"values: got {describe(values)}, expected a mapping of placeholders to values")
    clashing = sorted(set(values) & {"name", *options})
    if clashing:
        raise EventError(f"values: {clashing[0]} is a separate option, not a placeholder")
    return event(name, **options, **values)


class FilterModule:
    """Filter plugin of ovirt.mgmt_network."""

    def filters(self):
        return {"mgmt_network_event": mgmt_network_event}
