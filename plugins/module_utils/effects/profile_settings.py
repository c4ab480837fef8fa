# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of a NetworkManager profile for which nmstate has no word, and which are to come along with the addresses.

nmstate keeps what it does not know of a profile that is there. So they are written before it acts, also into a profile
made for a bridge that is yet to come, and the activation has them at once; afterwards only what it has overwritten is
written again. Names are nmcli's ("connection.zone"), values those of NetworkManager's D-Bus: text, a number, or a list
of text.
"""

from __future__ import annotations

import json

from ..sources import networkmanager
from ..sources.command import CommandError, run

# How a change comes into effect on a device that is up: at once (nm_device_reapply_settings_immediately()), by a
# reapply, or by a reapply that ends the DHCP client of the family first, for otherwise it is kept (1.52:
# _cleanup_ip_pre()).
LIVE, REAPPLY, RESTART = "live", "reapply", "restart"

# What decides who the host is, whom it lets in, and how it finds others. Not here: what nmstate has a word for, what it
# decides by itself (timeouts, may-fail, dns-priority), how eagerly a profile is tried (autoconnect-*, wait-*,
# dad-timeout), what is not IP.
CARRIED = {
    "connection.zone": LIVE,  # firewalld: the default zone may shut the controller out, or let everybody in
    "connection.metered": LIVE,  # updaters ask it whether they may load
    "connection.mdns": REAPPLY,  # names on this link: whether the host answers for its own
    "connection.llmnr": REAPPLY,  # likewise
    "connection.dns-over-tls": REAPPLY,  # servers that answer nothing else
    "ipv4.dhcp-vendor-class-identifier": RESTART,  # by it a DHCP server chooses the pool
    "ipv4.dhcp-reject-servers": RESTART,  # strange servers on the link
    "ipv4.link-local": REAPPLY,  # a 169.254/16 address beside the other
    "ipv4.replace-local-rule": REAPPLY,  # policy rules that are to come before the kernel's own
    "ipv4.routed-dns": REAPPLY,  # by which link DNS servers are asked
    "ipv6.dhcp-iaid": RESTART,  # half of the identity that DHCPv6 servers know the host by
    "ipv6.ip6-privacy": REAPPLY,  # which of its addresses the host shows to others
    "ipv6.replace-local-rule": REAPPLY,
    "ipv6.routed-dns": REAPPLY,
}
# What VDSM says of every bond that it edits, and NetworkManager takes only by a new activation where the profile is
# silent (1.52: can_reapply_change()). It counts from the next activation on; the device has both already.
STATED = ("802-3-ethernet.cloned-mac-address", "802-3-ethernet.mtu")
IAID = "ipv6.dhcp-iaid"
# What nmstate reads of a route and a rule in a profile and writes again; the rest of them would be lost (its
# nm/settings/route*.rs).
_ROUTE = ("dest", "prefix", "next-hop", "metric", "table", "type", "src", "weight", "cwnd", "lock-cwnd")
_RULE = (
    "family",
    "priority",
    "from",
    "from-len",
    "to",
    "to-len",
    "table",
    "fwmark",
    "fwmask",
    "iifname",
    "action",
    "suppress-prefixlength",
)
# A method without the family's DHCP client, by which it is ended; with addresses in the profile only "manual" is valid.
_WITHOUT_DHCP = {"ipv4": "disabled", "ipv6": "link-local"}
_SECONDS = 10  # for one call of nmcli; an activation has its own
_ACTIVATION = 20
SECONDS = 80  # for what prepare() and put() do to a device, at most


class SettingsError(Exception):
    """The settings cannot be used, or NetworkManager does not take them; the text says which and why."""


def of_profile(profile):
    """``{property: value}`` of CARRIED that ``profile`` (as GetSettings gives it) has set; pure."""
    return {name: value for name in CARRIED for value in [_get(profile, name)] if value not in (None, "", [])}


def addresses_of(profile, family):
    """The static addresses of a family in ``profile``, each ``address/prefix``; pure."""
    return ["%s/%s" % (one["address"], one["prefix"]) for one in (profile.get(family) or {}).get("address-data") or []]


def beyond_nmstate(profile):
    """What routes and rules of ``profile`` have that nmstate has no word for, a sentence's part each; pure."""
    found = []
    for family in ("ipv4", "ipv6"):
        for kind, key, known in (("route", "route-data", _ROUTE), ("rule", "routing-rules", _RULE)):
            for one in (profile.get(family) or {}).get(key) or []:
                strange = sorted(set(one) - set(known))
                if strange:
                    name = (
                        "%s/%s" % (one.get("dest"), one.get("prefix"))
                        if kind == "route"
                        else "with priority %s" % one.get("priority")
                    )
                    found.append(
                        "the %s %s with %s"
                        % (kind, name, ", ".join("%s %s" % (word, json.dumps(one[word])) for word in strange))
                    )
    return found


def check(settings, devices):
    """Raise SettingsError unless ``settings`` is ``{device: {property: value}}`` with devices out of ``devices``; pure."""
    for device, wanted in settings.items():
        if device not in devices:
            raise SettingsError(
                "settings: %s is neither an interface of the state nor a device with an active profile; there are: %s"
                % (device, ", ".join(sorted(devices)) or "none")
            )
        if not isinstance(wanted, dict):
            raise SettingsError("settings: %s: a mapping of properties is needed" % device)
        for name, value in wanted.items():
            if name not in CARRIED and name not in STATED:
                raise SettingsError(
                    "settings: %s: %s is not a property that can be set here; these are: %s"
                    % (device, name, ", ".join([*CARRIED, *STATED]))
                )
            texts = value if isinstance(value, list) else [value]
            if not all(isinstance(one, (str, int)) and not isinstance(one, bool) for one in texts):
                raise SettingsError(
                    "settings: %s: %s: a text, a number or a list of texts is needed, not %r" % (device, name, value)
                )


def differing(wanted, profile):
    """What of ``wanted`` ({property: value}) ``profile`` does not have; pure."""
    return {name: value for name, value in wanted.items() if not _same(value, _get(profile, name))}


def read(devices, managed=None):
    """``{device: {uuid, path, profile, applied, iaid}}`` of those ``devices`` that have an active profile.

    ``profile``: what is saved, as GetSettings gives it. ``applied``: what is in effect. ``iaid``: that of the DHCPv6
    lease, or "".
    """
    managed = networkmanager.objects() if managed is None else managed
    found = {}
    for device in devices:
        active = networkmanager.active_on(managed, device)
        if active:
            found[device] = dict(
                active,
                profile=networkmanager.settings(active["profile_path"]),
                applied=networkmanager.applied(active["path"]),
                iaid=networkmanager.lease_of(managed, device).get("lease_iaid", ""),
            )
    return found


def lacking(settings, now):
    """What of ``settings`` does not hold on the host, ``now`` as read() gives it, in the same form; pure.

    An IAID holds also when the lease has it: a profile that leaves it to NetworkManager need not be touched for that.
    """
    left = {}
    for device, wanted in settings.items():
        have = now.get(device)
        short = differing(wanted, have["profile"]) if have else dict(wanted)
        if have and IAID in short and _same(short[IAID], have["iaid"]):
            del short[IAID]
        if short:
            left[device] = short
    return left


def instead(lacking, now):
    """What the profiles have in place of ``lacking`` (of lacking()): ``{device: {property: value or None}}``; pure."""
    return {
        device: {name: _get(now[device]["profile"], name) for name in wanted}
        for device, wanted in lacking.items()
        if device in now
    }


def prepare(settings, bridges, persistent):
    """Write ``settings`` where nmstate will find them: into active profiles, and into new ones for those that are in
    ``bridges``.

    A bridge's profile does not connect by itself; nmstate changes that (2.2.62). What cannot be written here, put()
    sees to.
    """
    for device, wanted in settings.items():
        have = read([device]).get(device)
        if have:
            left = differing(wanted, have["profile"])
            if left:
                run(
                    _modification(have, left, persistent), timeout=_SECONDS
                )  # the profile of a port refuses what is about addresses
        elif device in bridges:
            run(
                [
                    "nmcli",
                    "connection",
                    "add",
                    "save",
                    "yes" if persistent else "no",
                    "type",
                    "bridge",
                    "ifname",
                    device,
                    "con-name",
                    device,
                    "connection.autoconnect",
                    "no",
                    "bridge.stp",
                    "no",
                    "ipv4.method",
                    "disabled",
                    "ipv6.method",
                    "disabled",
                    *_words(wanted),
                ],
                timeout=_SECONDS,
            )


def put(settings, persistent):
    """Write ``settings`` into the active profiles of their devices and bring them into effect, with the least
    disturbance.

    ``persistent``: whether the profile files are written too. Raises SettingsError, CommandError, NetworkManagerError.
    """
    for device, wanted in settings.items():
        have = read([device]).get(device)
        if not have:
            raise SettingsError("%s has no active profile that could take %s" % (device, ", ".join(wanted)))
        left = differing(wanted, have["profile"])
        if left:
            _nmcli(device, _modification(have, left, persistent)[1:])
        bring_into_effect(device)


def bring_into_effect(device):
    """Make what the profile of ``device`` says of CARRIED count; returns False, with nothing called, where that is so
    already.
    """
    have = read([device]).get(device)
    late = pending(have) if have else {}
    if not late:
        return False
    for family in sorted({name.partition(".")[0] for name, how in late.items() if how == RESTART}):
        method = "manual" if addresses_of(have["applied"], family) else _WITHOUT_DHCP[family]
        run(["nmcli", "device", "modify", device, family + ".method", method], timeout=_SECONDS)
    if run(["nmcli", "device", "reapply", device], timeout=_SECONDS)[0]:  # refused by bonds, for example
        _nmcli(device, ["--wait", str(_ACTIVATION), "connection", "up", "uuid", have["uuid"]], _ACTIVATION + 5)
    return True


def undo(devices, say):
    """Bring back into effect what the restored profiles of ``devices`` say, and return whether that took anything;
    ``say`` is told what.
    """
    touched = False
    for device in devices:
        try:
            if bring_into_effect(device):
                say("device %s: its profile's settings applied again" % device)
                touched = True
        except (SettingsError, CommandError, networkmanager.NetworkManagerError) as exc:
            say("device %s: %s" % (device, exc))
            touched = True
    return touched


def pending(have):
    """``{property: how}`` of CARRIED that the profile says and the device does not do yet; ``have``: of read(). Pure."""
    late = {
        name: how
        for name, how in CARRIED.items()
        if how != LIVE and not _same(_get(have["profile"], name), _get(have["applied"], name))
    }
    # One that the profile leaves to NetworkManager is of an undone change; were the lease not of it, the address would
    # have told.
    if IAID in late and _get(have["profile"], IAID) in (None, "", have["iaid"]):
        del late[IAID]
    return late


def _get(profile, name):
    section, _dot, key = name.partition(".")
    # NetworkManager's D-Bus has the MAC as text under a name of its own.
    return (profile.get(section) or {}).get("assigned-mac-address" if key == "cloned-mac-address" else key)


def _same(one, other):
    if isinstance(one, list) or isinstance(other, list):
        return [str(value) for value in one or []] == [str(value) for value in other or []]
    return str("" if one is None else one) == str("" if other is None else other)


def _modification(have, left, persistent):
    return [
        "nmcli",
        "connection",
        "modify",
        *([] if persistent else ["--temporary"]),
        "uuid",
        have["uuid"],
        *_words(left),
    ]


def _words(wanted):
    return [
        word
        for name, value in wanted.items()
        for word in (name, ",".join(value) if isinstance(value, list) else str(value))
    ]


def _nmcli(device, words, timeout=_SECONDS):
    rc, out, err = run(["nmcli", *words], timeout=timeout)
    if rc:
        raise SettingsError(
            "the profile of %s does not take its settings: nmcli %s: %s"
            % (device, " ".join(words), (err or out).strip())
        )
