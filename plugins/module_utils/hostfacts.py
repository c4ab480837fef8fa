# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fact ``host_network``: all sources of a host read once, and put together."""

from __future__ import annotations

import json
import os

from . import capabilities, control, digest, journal, kernel, networkmanager, nmstatectl, profiles

VDSM = "/var/lib/vdsm"
DEFAULT_HIDDEN_NICS = ("w*", "usb*")  # VDSM's own default of hidden_nics


def gather(hidden_nics=DEFAULT_HIDDEN_NICS, control_address=""):
    """The whole fact (dict), about 10 KB as JSON on an ordinary host. Changes nothing.

    ``control_address``: the host's own address that the controller came in on; detected when empty.
    Raises CommandError, NetworkManagerError or NmstateError.
    """
    managed = networkmanager.objects()  # first, for it says best what is wrong when NetworkManager is down
    sources = {
        "managed": managed,
        "settings": networkmanager.profile_settings(managed),
        "state": nmstatectl.show(),
        "links": kernel.links(),
        "routes": kernel.default_routes(),
        "running": read_persistence(os.path.join(VDSM, "persistence", "netconf")),
        "control": control.connection(),
    }
    sources["traits"] = kernel.traits([link["ifname"] for link in sources["links"]])
    facts = compose(sources, hidden_nics, control_address)
    facts["versions"]["nmstate"] = nmstatectl.version()
    facts["versions"]["kernel"] = os.uname().release
    facts["supportsIPv6"] = kernel.supports_ipv6()
    facts["netConfigDirty"] = str(_is_dirty(facts["running"]))
    facts["profile_files"] = profiles.digests()
    return facts


def compose(sources, hidden_nics=(), control_address=""):
    """The fact from its raw ``sources`` (dict: managed, settings, state, links, traits, routes, running, control); pure."""
    managed, links, state = sources["managed"], sources["links"], sources["state"]
    devices = networkmanager.devices_of(managed)
    names = {name for name, one in devices.items() if one["managed"]}
    facts = capabilities.capabilities(links, sources["traits"], sources["routes"], state, names, sources["running"], hidden_nics)
    kinds = capabilities.classify(links, sources["traits"], names, hidden_nics)
    here = sources["control"]
    if control_address:
        here = {"local": control_address, "peer": "", "ssh_connection_source": "option"}
    facts["control"] = here
    facts["lastClientIface"] = control.device_of(here["local"], links)
    facts["versions"] = {"networkmanager": networkmanager.version_of(managed)}
    unseen = {name for name, kind in kinds.items() if kind is None and name not in names}
    facts["nmstate"] = digest.digest(state, unseen)
    facts["routes"] = [{key: route[key] for key in ("destination", "next-hop-address", "next-hop-interface", "metric", "table-id") if key in route}
                       for route in (state.get("routes") or {}).get("running") or [] if route.get("next-hop-interface") != "lo"]
    # NetworkManager keeps a made-up profile for each tap on a bridge, and may have them all in a checkpoint.
    seen = {iface["name"] for iface in facts["nmstate"]["interfaces"]}
    facts["profiles"] = {device: profile for device, profile in networkmanager.profiles_of(managed, sources["settings"]).items() if device in seen}
    facts["checkpoints"] = networkmanager.checkpoints_of(managed)
    for checkpoint in facts["checkpoints"]:
        checkpoint["devices"] = [device for device in checkpoint["devices"] if device in seen]
    facts["running"] = sources["running"]
    return facts


def read_persistence(path):
    """``{networks, bondings}`` of VDSM's unified persistence in the folder (or link) ``path``; both empty when there is none.

    A file that is not JSON is skipped: VDSM's own loader fails as a whole on an editor's leftover.
    """
    return {"networks": _records(os.path.join(path, "nets")), "bondings": _records(os.path.join(path, "bonds"))}


def _records(folder):
    records = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as stream:
                record = json.load(stream)
        except (OSError, ValueError):
            continue
        if isinstance(record, dict):
            records[name] = record
    return records


def _is_dirty(persistent):
    """Whether a network change is in being that is not yet safe: an open transaction, or VDSM's not yet saved networks."""
    if journal.find()[0] == "open":
        return True
    staging = os.path.join(VDSM, "staging", "netconf")
    return os.path.exists(staging) and read_persistence(staging) != persistent
