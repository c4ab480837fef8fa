# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that a change must keep, and whether the control connection can verify it. Pure.

A change is committed after the controller has reached the host over a new connection. This only verifies the change if
the connection uses an address of a device that NetworkManager
manages: not lo, a link-local or temporary address, an out-of-band NIC, or a connection without SSH.
"""

from __future__ import annotations

from ..sources import ssh_connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class KeepError(Exception):
    """The change cannot be verified with these addresses; the text says why and what to do."""


def wanted(
    keep: Iterable[str] | None,
    local: str,
    probes: Collection,
    commit: bool,
    links: Collection[Mapping],
    unmanaged: Collection[str],
) -> tuple[list[str], bool]:
    """``(addresses, proven)``: the addresses that the host must have after the change (list of str), and whether the
    control connection verifies it.

    ``keep``: the user's list, None for the local end of the control connection. ``local``: that end ("" without an SSH
    connection). ``probes``: the user's list. ``commit``: whether the change is committed automatically. ``links``: from
    kernel.links(). ``unmanaged``: names of devices that NetworkManager does not manage. Raises KeepError.
    """
    for address in keep or []:
        trouble = _trouble(address, links, ())
        if trouble:
            raise KeepError(
                "keep: %s. Nothing was changed. Set an address of the host, without prefix length, on an interface "
                "with a NetworkManager profile" % trouble
            )
    addresses = [ssh_connection.normal(address) for address in keep or []]
    trouble = (
        _trouble(local, links, unmanaged)
        if local
        else "it is not an SSH connection (but local, a container's exec, or a console), so it does not use the network"
    )
    if not trouble:
        return (addresses if keep is not None else [ssh_connection.normal(local)]), True
    if commit and not (addresses and probes):
        raise KeepError(
            "the control connection cannot verify the change: %s. Nothing was changed. Set keep to the addresses that "
            "the host must keep, and at least one probe; or connect over SSH to an address that the host must keep; "
            "or set commit: false, check the host, and run network_commit" % trouble
        )
    return addresses, False


def _trouble(text: str, links: Collection[Mapping], unmanaged: Collection[str]) -> str:
    """Why ``text`` cannot be an address to keep, "" if it can."""
    parsed = ssh_connection.address(text)
    if parsed is None:
        return "%r is not an IP address" % text
    ip = parsed[0]
    if ip.is_link_local:
        return "%s is a link-local address, which is not part of the host's configuration" % ip
    device = ssh_connection.device_of(text, links)
    if not device:
        have = [
            "%s on %s" % (entry["local"], link["ifname"])
            for link in links
            for entry in link.get("addr_info") or []
            if link["ifname"] != "lo" and entry.get("scope") == "global" and "local" in entry
        ]
        return "%s is not an address of this host (is it behind NAT?), which has %s" % (
            ip,
            ", ".join(have) or "no address",
        )
    if device == "lo" or ip.is_loopback:
        return "%s is on lo, which does not depend on the network" % ip
    if any(
        entry.get("temporary")
        for link in links
        for entry in link.get("addr_info") or []
        if ssh_connection.address(entry.get("local", "")) == (ip, "")
    ):
        return "%s on %s is a temporary IPv6 address (RFC 8981), which changes regularly" % (ip, device)
    if device in unmanaged:
        return "%s is on %s, which NetworkManager does not manage, so a change does not affect it" % (ip, device)
    return ""
