# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices that NetworkManager does not configure. A change of such a device could not be undone, so it is refused
before anything is changed.

An undo restores NetworkManager's profiles. An unmanaged software device would be missing after an undo, and an
unmanaged NIC would have no addresses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_GUESTS = ("tun", "macvtap", "veth")  # of running VMs and containers, as ports of a bridge


def explain(device: str, why: str) -> tuple[str, str]:
    """``(reason, remedy)`` for ``device``. ``why``: unmanaged or external, see networkmanager.unmanaged_of(). Pure."""
    if why == "external":
        reason = (
            "%s was configured by another program (ifupdown, systemd-networkd, ip), not by NetworkManager; that "
            "program would configure it again" % device
        )
    else:
        reason = "NetworkManager does not manage %s" % device
    return (
        reason + ", so a change could not be undone.",
        "Move the configuration of %s to a NetworkManager profile (nmcli connection add ...), and remove it from "
        "/etc/network/interfaces, systemd-networkd, and NetworkManager's unmanaged-devices. Run 'nmcli device set %s "
        "managed yes', activate the profile with 'nmcli connection up', and run again." % (device, device),
    )


def refused(
    change: Mapping,
    settings: Iterable[str],
    keep: Collection[str],
    links: Collection[Mapping],
    unmanaged: Collection[str],
) -> list[str]:
    """The devices of ``unmanaged`` ({device: why}) that a transaction would change or has to keep, in order. Pure.

    ``change``: an nmstate state; each device that it names. ``settings``: ``{device: ...}``. ``keep``: addresses; the
    devices that have them, and the devices below. ``links``: from kernel.links().
    """
    named: set[str | None] = set(settings or {})
    for iface in change.get("interfaces") or []:
        ports = [
            part.get("port", part.get("ports")) or []
            for part in (iface.get("bridge") or {}, iface.get("link-aggregation") or {})
        ]
        named |= {iface["name"], (iface.get("vlan") or {}).get("base-iface")}
        named |= {port["name"] if isinstance(port, dict) else port for some in ports for port in some}
    named |= {route.get("next-hop-interface") for route in (change.get("routes") or {}).get("config") or []}
    holders = [
        link["ifname"] for link in links if {entry.get("local") for entry in link.get("addr_info") or []} & set(keep)
    ]
    for holder in holders:
        named |= _stack(holder, links)
    return [name for name in sorted(filter(None, named)) if name in unmanaged]


def _stack(name: str, links: Collection[Mapping]) -> set[str]:
    """``name``, the devices below it, and the ports of bonds and bridges; without devices of guests."""
    kinds = {link["ifname"]: (link.get("linkinfo") or {}).get("info_kind", "") for link in links}
    stack, todo = set(), [name]
    while todo:
        device = todo.pop()
        stack.add(device)
        below = [
            link["link"] for link in links if link["ifname"] == device and link.get("link") and kinds[device] != "veth"
        ]
        ports = [
            link["ifname"]
            for link in links
            if link.get("master") == device and not (kinds.get(device) == "bridge" and kinds[link["ifname"]] in _GUESTS)
        ]
        todo += [other for other in below + ports if other not in stack]
    return stack
