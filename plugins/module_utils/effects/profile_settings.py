# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect ``settings``: profile properties that nmstate does not support (see facts/profile_properties.py).

nmstate keeps unknown properties of an existing profile. So they are written before nmstate applies its state, also into
a new profile for a bridge that does not exist yet, and the activation uses them. Afterwards, only properties that
nmstate has overwritten are written again.
"""

from __future__ import annotations

from ..facts import profile_properties as properties
from ..sources import networkmanager, nmcli
from ..sources.command import CommandError
from .base import Context, Effect, EffectError, Plan, RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

# A method without the family's DHCP client, to stop the client; with addresses in the profile, only "manual" is valid.
_WITHOUT_DHCP = {"ipv4": "disabled", "ipv6": "link-local"}
SECONDS = 80  # maximum for prepare() and put() per device
# A profile that does not connect automatically; nmstate changes this (2.2.62).
_NEW_BRIDGE = {"connection.autoconnect": "no", "bridge.stp": "no", "ipv4.method": "disabled", "ipv6.method": "disabled"}


class ProfileSettings(Effect):
    """Request, missing and part are ``{device: {property: value}}``."""

    name = "settings"

    def missing(self, plan: Plan) -> dict[str, dict]:
        settings = plan.request.get("settings")
        if not settings:
            return {}
        ifaces = plan.request["state"].get("interfaces") or []
        up = {iface["name"] for iface in ifaces if iface.get("state", "up") == "up"}
        check(settings, up | set(networkmanager.active_connections_of(plan.host.objects)))
        return missing(settings, active_profiles(settings, plan.host.objects))

    def read(self, plan: Plan) -> dict[str, dict]:
        missing_settings = plan.missing[self.name]
        profiles = active_profiles(missing_settings, plan.host.objects) if missing_settings else {}
        return {
            device: {name: properties.get(profiles[device]["profile"], name) for name in wanted}
            for device, wanted in missing_settings.items()
            if device in profiles
        }

    def snapshot(self, plan: Plan) -> dict[str, dict]:
        return to_write(plan.request.get("settings") or {}, plan.missing["state"], plan.missing[self.name])

    def devices(self, part: dict[str, dict]) -> Collection[str]:
        return part

    def seconds(self, part: dict[str, dict]) -> int:
        return SECONDS * len(part)

    def prepare(self, part: dict[str, dict], context: Context) -> None:
        """Write the settings where nmstate will find them: into active profiles, and into new profiles for bridges of
        the change. put() writes what cannot be written here.
        """
        ifaces = context.entry["change"].get("interfaces") or []
        bridges = [iface["name"] for iface in ifaces if iface.get("type") == "linux-bridge"]
        profiles = active_profiles(part, networkmanager.objects())
        for device, wanted in part.items():
            if device in profiles:
                rest = properties.differing(wanted, profiles[device]["profile"])
                if rest:  # the profile of a port rejects address settings
                    nmcli.modify(profiles[device]["uuid"], rest, context.persistent)
            elif device in bridges:
                nmcli.add("bridge", device, {**_NEW_BRIDGE, **wanted}, context.persistent)

    def put(self, part: dict[str, dict], context: Context) -> None:
        """Write the settings into the active profiles and activate them with the least interruption."""
        profiles = active_profiles(part, networkmanager.objects())
        for device, wanted in part.items():
            have = profiles.get(device)
            if not have:
                raise EffectError("%s has no active profile for %s" % (device, ", ".join(wanted)))
            rest = properties.differing(wanted, have["profile"])
            if rest:
                _checked(device, nmcli.modify(have["uuid"], rest, context.persistent))
                have = active_profiles([device], networkmanager.objects()).get(device) or have
            bring_into_effect(device, have)

    def undo(self, part: dict[str, dict], context: Context) -> list[dict]:
        devices = [device for device in part if device in context.entry["snapshot"]["devices"]]
        profiles = active_profiles(devices, networkmanager.objects())
        for device in devices:
            try:
                if device in profiles and bring_into_effect(device, profiles[device]):
                    context.say("device %s: settings of its profile applied again" % device)
            except (EffectError, CommandError, networkmanager.NetworkManagerError) as exc:
                context.say("device %s: %s" % (device, exc))
        return []


def check(settings: Mapping[str, Any], devices: Collection[str]) -> None:
    """Raise RequestError unless ``settings`` is ``{device: {property: value}}`` with devices in ``devices``. Pure."""
    for device, wanted in settings.items():
        if device not in devices:
            raise RequestError(
                "settings: got %s, expected an interface in state or a device with an active profile: %s"
                % (device, ", ".join(sorted(devices)) or "none")
            )
        if not isinstance(wanted, dict):
            raise RequestError("settings: %s: expected a mapping of properties" % device)
        for name, value in wanted.items():
            if name not in properties.CARRIED and name not in properties.STATED:
                raise RequestError(
                    "settings: %s: got property %s, expected one of: %s"
                    % (device, name, ", ".join([*properties.CARRIED, *properties.STATED]))
                )
            texts = value if isinstance(value, list) else [value]
            if not all(isinstance(text, (str, int)) and not isinstance(text, bool) for text in texts):
                raise RequestError(
                    "settings: %s: %s: expected a string, a number, or a list of strings, got %r"
                    % (device, name, value)
                )


def missing(settings: Mapping[str, Mapping], profiles: Mapping[str, Mapping]) -> dict[str, dict]:
    """The part of ``settings`` that differs from the host, in the same form. ``profiles``: from active_profiles().
    Pure.

    An IAID does not differ if the lease has it: the profile does not need to set it then.
    """
    result = {}
    for device, wanted in settings.items():
        have = profiles.get(device)
        rest = properties.differing(wanted, have["profile"]) if have else dict(wanted)
        if have and properties.IAID in rest and properties.same(rest[properties.IAID], have["iaid"]):
            del rest[properties.IAID]
        if rest:
            result[device] = rest
    return result


def to_write(settings: Mapping[str, dict], change: Mapping, missing: Mapping[str, dict]) -> dict[str, dict]:
    """The part of ``settings`` to write: what is missing, and all settings of a device whose profile nmstate writes
    again. Pure.
    """
    written = {iface["name"] for iface in change.get("interfaces") or []}
    return {device: wanted for device, wanted in settings.items() if device in missing or device in written}


def active_profiles(devices: Iterable[str], objects: Mapping) -> dict[str, dict]:
    """``{device: {uuid, path, profile_path, profile, iaid}}`` for each of ``devices`` with an active profile.

    ``objects``: NetworkManager's. ``path``: the device's. ``profile``: the saved settings (GetSettings).
    ``iaid``: the IAID of the DHCPv6 lease, or "".
    """
    profiles = {}
    for device in devices:
        active = networkmanager.active_on(objects, device)
        if active:
            profiles[device] = dict(
                active,
                profile=networkmanager.settings(active["profile_path"]),
                iaid=networkmanager.lease_of(objects, device).get("lease_iaid", ""),
            )
    return profiles


def bring_into_effect(device: str, have: Mapping[str, Any]) -> bool:
    """Activate the properties of CARRIED in the profile of ``device`` (``have``: from active_profiles). Returns False
    without a call if they are in effect already. Raises EffectError.
    """
    applied = networkmanager.applied(have["path"])
    late = pending(have, applied)
    if not late:
        return False
    for family in sorted({name.partition(".")[0] for name, how in late.items() if how == properties.RESTART}):
        static = properties.static_addresses(applied, family)
        nmcli.modify_device(device, {family + ".method": "manual" if static else _WITHOUT_DHCP[family]})
    if nmcli.reapply(device):  # rejected by bonds, for example
        _checked(device, nmcli.activate(have["uuid"]))
    return True


def pending(have: Mapping[str, Any], applied: Mapping[str, Any]) -> dict[str, str]:
    """``{property: how}``: the properties of CARRIED in the profile that are not in effect yet. ``have``: from
    active_profiles(), ``applied``: the settings in effect. Pure.
    """
    profile = have["profile"]
    late = {
        name: how
        for name, how in properties.CARRIED.items()
        if how != properties.LIVE and not properties.same(properties.get(profile, name), properties.get(applied, name))
    }
    # If the profile does not set the IAID, it is from a change that was undone; a wrong lease would show in the
    # address.
    if properties.IAID in late and properties.get(profile, properties.IAID) in (None, "", have["iaid"]):
        del late[properties.IAID]
    return late


def _checked(device: str, trouble: str) -> None:
    if trouble:
        raise EffectError("cannot write settings to the profile of %s: %s" % (device, trouble))
