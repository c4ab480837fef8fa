# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the fact ``host_network`` from all sources of a host, each read once."""

from __future__ import annotations

import ipaddress
import os

from ..sources import durable_files, kernel, networkmanager, nmstatectl, profile_files, ssh_connection, vdsm_persistence
from . import capabilities, digest, profile_properties

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

DEFAULT_HIDDEN_NICS = ("w*", "usb*")  # VDSM's default of hidden_nics


def pending() -> bool:
    """Whether a transaction is open on this host, by the folder of its journal (transaction/journal.py)."""
    return any(os.path.isdir(base + "/transaction") for base in (durable_files.STATE, durable_files.RUN + "/journal"))


def gather(hidden_nics: Collection[str], control: Mapping[str, str]) -> dict:
    """The whole fact, about 10 KB as JSON on an ordinary host. Changes nothing.

    ``control``: the ends of the controller's connection, see ssh_connection.connection(). Raises CommandError,
    NetworkManagerError or NmstateError.
    """
    managed = networkmanager.objects()  # first, because it has the clearest error if NetworkManager is down
    sources = {
        "managed": managed,
        "settings": networkmanager.active_profiles(managed),
        "state": nmstatectl.show(),
        "links": kernel.links(),
        "routes": kernel.default_routes(),
        "running": _of_records(vdsm_persistence.running()),
        "control": control,
    }
    sources["traits"] = kernel.traits([link["ifname"] for link in sources["links"]])
    facts = compose(sources, hidden_nics)
    facts["versions"]["nmstate"] = nmstatectl.version()
    facts["versions"]["kernel"] = os.uname().release
    facts["supportsIPv6"] = kernel.supports_ipv6()
    # whether there is an uncommitted network change: an open transaction, or networks that VDSM has not saved
    facts["unsaved"] = vdsm_persistence.unsaved()
    facts["in_memory"] = {kind: sorted(entries) for kind, entries in _of_records(vdsm_persistence.in_memory()).items()}
    facts["netConfigDirty"] = str(pending() or any(facts["unsaved"].values()))
    facts["profile_files"] = profile_files.digests()
    return facts


def compose(sources: Mapping, hidden_nics: Collection[str] = ()) -> dict:
    """The fact from its raw ``sources`` (dict: managed, settings, state, links, traits, routes, running, control);
    pure.
    """
    managed, links, state = sources["managed"], sources["links"], sources["state"]
    devices = networkmanager.devices_of(managed)
    names = {name for name, device in devices.items() if device["managed"]}
    facts = capabilities.capabilities(
        links, sources["traits"], sources["routes"], state, names, sources["running"], hidden_nics
    )
    kinds = capabilities.classify(links, sources["traits"], names, hidden_nics)
    here = sources["control"]
    facts["control"] = here
    facts["lastClientIface"] = ssh_connection.device_of(here["local"], links)
    facts["versions"] = {"networkmanager": networkmanager.version_of(managed)}
    unseen = {name for name, kind in kinds.items() if kind is None and name not in names}
    facts["nmstate"] = digest.digest(state, unseen)
    facts["routes"] = [
        {
            key: route[key]
            for key in ("destination", "next-hop-address", "next-hop-interface", "metric", "table-id")
            if key in route
        }
        for route in (state.get("routes") or {}).get("running") or []
        if route.get("next-hop-interface") != "lo"
    ]
    # NetworkManager generates a profile for each tap on a bridge, and a checkpoint can contain all of them.
    seen = {iface["name"] for iface in facts["nmstate"]["interfaces"]}
    facts["profiles"] = {
        device: dict(profile, **_identity(device, sources, here["local"]))
        for device, profile in networkmanager.profiles_of(managed, sources["settings"]).items()
        if device in seen
    }
    # out-of-band NICs are not part of the fact, unless the controller is connected to one
    reported = {name for name, kind in kinds.items() if kind} | {facts["lastClientIface"]}
    facts["unmanaged"] = {
        name: why for name, why in sorted(networkmanager.unmanaged_of(managed).items()) if name in reported
    }
    facts["checkpoints"] = networkmanager.checkpoints_of(managed)
    for checkpoint in facts["checkpoints"]:
        checkpoint["devices"] = [device for device in checkpoint["devices"] if device in seen]
    facts["running"] = sources["running"]
    return facts


def _identity(device: str, sources: Mapping, local: str) -> dict:
    """Other identifiers of the host on ``device``, each only if present. ``local``: the address of the control
    connection.
    """
    active = networkmanager.active_on(sources["managed"], device)
    profile = sources["settings"][active["profile_path"]] if active else {}
    static = {family: profile_properties.static_addresses(profile, family) for family in ("ipv4", "ipv6")}
    identity = {
        "settings": profile_properties.carried(profile),
        "beyond_nmstate": profile_properties.beyond_nmstate(profile),
        "ipv4_addresses": static["ipv4"],
        "ipv6_addresses": static["ipv6"],
    }
    if (profile.get("ipv6") or {}).get("method") == "auto":
        identity["slaac_addresses"] = sorted(
            _announced(device, sources["links"], static["ipv6"]), key=lambda address: address.split("/")[0] != local
        )
    return {key: value for key, value in identity.items() if value}


def _announced(device: str, links: Iterable[Mapping], static: Iterable[str]) -> list[str]:
    """The addresses from router advertisements, without temporary and deprecated ones: RFC 4862, prefix and identifier
    of 64 bits each.
    """
    known = [ipaddress.ip_interface(address) for address in static]
    announced = [
        "%s/%s" % (entry["local"], entry["prefixlen"])
        for link in links
        if link["ifname"] == device
        for entry in link.get("addr_info") or []
        if entry.get("family") == "inet6"
        and entry.get("scope") == "global"
        and entry.get("prefixlen") == 64
        and not entry.get("temporary")
        and not entry.get("deprecated")
        and "local" in entry
    ]
    return [address for address in announced if ipaddress.ip_interface(address) not in known]


def _of_records(record: Mapping) -> dict:
    return {kind: record[kind] for kind in ("networks", "bondings")}
