# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes with the addresses and nmstate has no word for: settings of the profile, and what cannot go with them at
all.

Settings stand beside the desired state and are written on the host after it (module_utils/effects/profile_settings.py,
which has the table of them). What neither can carry is a loss; the decision refuses it unless it is permitted by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import events
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import (
    Current,
    check_mapping,
    check_state,
    is_dynamic,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.request import (
    Bond,
    Network,
    parse_request,
    recorded_networks,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.new_request import RequestError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.combine import source_of
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.carry_over.identity import eui64, interface_ids
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.state.generate import generate

IAID = "ipv6.dhcp-iaid"
MAC, MTU = "802-3-ethernet.cloned-mac-address", "802-3-ethernet.mtu"
# Words for an IAID that NetworkManager resolves with the device's name or profile; "mac" is what nmstate writes.
_SYMBOLIC_IAIDS = ("", "mac", "perm-mac", "ifname", "stable")

# What may be lost knowingly, by name: what it is called in a reason.
LOSSES = {
    "slaac_address": "an IPv6 address that is not derived from the MAC address",
    "route_or_rule": "an attribute of a route or policy rule that nmstate does not support",
}


def profile_settings(
    request: dict,
    current: dict | None = None,
    running: dict | None = None,
    profiles: dict | None = None,
    keep_vlan_name: bool = False,
) -> dict:
    """``{device: {property: value}}``: what profiles are to have beside the desired state: of the devices that will
    hold the addresses, what goes with these; of bonds, what VDSM says of them.

    Arguments as of desired_state.desired_state(). Properties and values as nmstate_apply takes them. Raises
    RequestFormatError, StateFormatError.
    """
    check_state(current)
    check_mapping("running", running)
    check_mapping("profiles", profiles)
    host = Current(current)
    networks, bonds = parse_request(request, host, keep_vlan_name)
    records = recorded_networks(running, host)
    found = {}
    for name, network in networks.items():
        source = None if network.remove else source_of(network, records.get(name), host)
        wanted = _settings(network, host.get(source), (profiles or {}).get(source) or {}) if source else {}
        if wanted:
            found[network.holder] = wanted
    there = {name: bond for name, bond in bonds.items() if not bond.remove and host.is_up(name) and host.is_bond(name)}
    if there:
        state = generate(networks, bonds, records, (running or {}).get("bondings") or {}, host)
        mtus = {one["name"]: one.get("mtu") or host.mtu(one["name"]) for one in state["interfaces"]}
        found.update(
            {name: {**found.get(name, {}), **_stated(bond, mtus[name])} for name, bond in there.items() if bond.hwaddr}
        )
    return found


def _stated(bond: Bond, mtu: int | None) -> dict:
    """MAC and MTU of a bond that is there.

    VDSM states both in every edit of a bond (vdsm: network/nmstate/bond.py, linux_bridge.py). A profile without them
    cannot be reapplied then, so NetworkManager activates the bond again, and the host is away for a second.
    """
    return {MAC: (bond.hwaddr or "").upper(), **({MTU: mtu} if mtu else {})}


def _settings(network: Network, source: dict, profile: dict) -> dict:
    dynamic6 = network.dhcpv6 or network.ipv6autoconf
    families = {"connection": True, "ipv4": network.dhcpv4 or network.ipv4, "ipv6": dynamic6 or network.ipv6}
    wanted = {
        name: value
        for name, value in (profile.get("settings") or {}).items()
        if families[name.partition(".")[0]] and name != IAID
    }
    iaid = _iaid(profile, source.get("mac-address") or "") if dynamic6 and is_dynamic(source.get("ipv6") or {}) else ""
    return {**wanted, IAID: iaid} if iaid else wanted


def _iaid(profile: dict, mac: str) -> str:
    """The IAID in use, else the one that is configured; empty when it is the one nmstate writes, the MAC's last four
    octets.
    """
    configured = str((profile.get("settings") or {}).get(IAID) or "")
    iaid = profile.get("lease_iaid") or (configured if configured not in _SYMBOLIC_IAIDS else "")
    return "" if iaid.lower() == mac.lower()[-11:] else iaid


def check_permitted(names: Sequence[str] | None) -> list[str]:
    """``names`` of losses that are permitted, as a list. Raises DefinitionError for one that there is not."""
    if names is None:
        return []
    if not isinstance(names, (list, tuple)) or any(name not in list(LOSSES) for name in names):
        raise DefinitionError("permit_loss", f"got {describe(names)}, expected a list of: {', '.join(LOSSES)}")
    return list(names)


def loss_warnings(facts: dict, device: str, moves: bool, host: str, permitted: list[str]) -> list[dict]:
    """An event for each loss that is permitted, when the addresses of ``device`` go to another device (``moves``).

    ``facts``: as of topology.check_facts(). ``permitted``: of check_permitted(). Raises RequestError for the first
    other loss.
    """
    mac = next(
        (
            one.get("mac-address")
            for one in (facts.get("nmstate") or {}).get("interfaces") or []
            if one["name"] == device
        ),
        "",
    )
    found = []
    for name, values in losses((facts.get("profiles") or {}).get(device) or {}, mac or "", moves):
        if name not in permitted:
            raise RequestError(
                "",
                device,
                f"{device} has {LOSSES[name]}, which cannot move with its addresses to another device: {values}.",
                f"Remove it from {device} (or make the IPv6 address static), or permit the loss with "
                f"configure_mgmt_permit_loss: [{name}], and run again.",
            )
        found.append(events.event(events.LOSS, host, device, f"Lost: {LOSSES[name]}: {values}.", Loss=name))
    return found


def losses(profile: dict, mac: str, moves: bool) -> list[tuple[str, str]]:
    """What of a holder of addresses can go nowhere: ``[(name out of LOSSES, the values in words)]``.

    ``profile``: facts of its profile. ``mac``: its MAC. ``moves``: whether another device is to hold the addresses.
    """
    found = []
    lost = _lost_addresses(profile, mac) if moves else []
    if lost:
        found.append(("slaac_address", ", ".join(lost)))
    if moves and profile.get("beyond_nmstate"):
        found.append(("route_or_rule", "; ".join(profile["beyond_nmstate"])))
    return found


def _lost_addresses(profile: dict, mac: str) -> list[str]:
    """All but the first of the hashed addresses: a token is one identifier for all prefixes, the MAC's is another."""
    announced = profile.get("slaac_addresses") or []
    if profile.get("token") not in (None, "", "::"):
        return []
    kept = interface_ids(announced)[:1] if eui64(mac) not in interface_ids(announced) else [eui64(mac)]
    return [one for one in announced if interface_ids([one]) != kept]
