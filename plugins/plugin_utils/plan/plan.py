# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan for one host: what every producer (derive, remove, with_request) returns and every consumer reads.

A plan is plain data, so it can be stored, shown, approved and applied later; ``facts_digest`` tells whether the host
is still the one that it was made for.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data

IN_SYNC, CHANGE, REFUSE = "in_sync", "change", "refuse"

_HOW = ("state", "settings", "record", "facts_digest")


class PlanError(Exception):
    """Data that is not a plan."""


@dataclass(frozen=True)
class Options:
    """Options in addition to the definition.

    ``host``: its name in the text of events. ``attachment``: settings of the network for this host only, see
    compliance.compare(); usually None. ``permit_loss``: names of what may be lost if it cannot move with the addresses;
    by default the change is refused. ``keep_vlan_name``: whether a VLAN device keeps a name other than VDSM's.
    ``persistent``: whether the network must exist after a reboot. ``role``: the role whose variables a remedy names.
    """

    host: str = ""
    attachment: Data | None = None
    permit_loss: Sequence[str] | None = None
    keep_vlan_name: bool = False
    persistent: bool = True
    role: str = "configure_mgmt"


@dataclass(frozen=True)
class Plan:
    """What to do about a network of a host.

    ``decision``: in_sync, change or refuse. ``network``: its name on the host. ``exists``: whether the host has a
    network of that name. ``active_interface``: the interface of the control connection, "" if unknown. ``differences``:
    [{attribute, desired, actual}]. ``request``: setupNetworks {networks, bondings, options}, with empty parts if there
    is none. ``state``: the desired nmstate state, {} if there is nothing to apply or only VDSM's record is missing.
    ``settings``: {device: {property: value}} of NetworkManager profiles. ``record``: {networks, bondings} for VDSM's
    persistence. ``event``: the event of a refusal, or None. ``warnings``: [event]. ``remedy``: what to do next.
    ``facts_digest``: see digest_facts().
    """

    decision: str
    network: str
    exists: bool = False
    active_interface: str = ""
    differences: list[Data] = field(default_factory=list)
    request: Data = field(default_factory=lambda: {"networks": {}, "bondings": {}, "options": {}})
    state: Data = field(default_factory=dict)
    settings: dict[str, Data] = field(default_factory=dict)
    record: Data = field(default_factory=lambda: {"networks": {}, "bondings": {}})
    event: Data | None = None
    warnings: list[Data] = field(default_factory=list)
    remedy: str = ""
    facts_digest: str = ""

    def to_dict(self) -> Data:
        """The plan as plain JSON data, a deep copy."""
        return asdict(self)

    def decision_dict(self) -> Data:
        """The part of to_dict() that says what to do and why, but not how."""
        return {key: value for key, value in self.to_dict().items() if key not in _HOW}

    @classmethod
    def from_dict(cls, data: Data) -> Plan:
        """The plan from the result of to_dict(). Raises PlanError for unknown or missing keys, and for an unknown
        decision.
        """
        names = {entry.name for entry in fields(cls)}
        if not isinstance(data, dict) or set(data) != names:
            wrong = sorted(names.symmetric_difference(data)) if isinstance(data, dict) else []
            raise PlanError(f"not a plan; unknown or missing keys: {', '.join(wrong) or 'all'}")
        if data["decision"] not in (IN_SYNC, CHANGE, REFUSE):
            raise PlanError(f"decision: got {data['decision']!r}, expected in_sync, change or refuse")
        return cls(**copy.deepcopy(data))


# The keys of the facts on which a plan depends, and control.
READ = (
    "nics",
    "bondings",
    "vlans",
    "bridges",
    "teams",
    "networks",
    "nameservers",
    "max_mtu",
    "lastClientIface",
    "supportsIPv6",
    "running",
    "unsaved",
    "in_memory",
    "unmanaged",
    "nmstate",
    "profiles",
)
# Values that change without a change of the network, such as timers of bridges, taps of guests, and temporary
# addresses.
_VOLATILE = ("speed", "active_slave", "ad_aggregator_id", "ad_partner_mac")
_DEVICES = ("nics", "bondings", "vlans", "bridges", "networks")


def digest_facts(facts: Data) -> str:
    """The SHA-256 (hex) of the part of ``facts`` (host_network) on which a plan depends, as canonical JSON.

    The facts of an unchanged host always have the same digest, and a plan made from them remains valid.
    """
    relevant = {key: facts[key] for key in READ if facts.get(key) not in (None, "", [], {})}
    for key in _DEVICES:
        devices = facts.get(key) or {}
        relevant[key] = {name: _stable_device(entry) for name, entry in devices.items()}
    known = {name for key in (*_DEVICES, "teams", "unmanaged") for name in facts.get(key) or {}}
    for bridge in (*relevant["bridges"].values(), *relevant["networks"].values()):
        bridge["ports"] = [port for port in bridge.get("ports") or [] if port in known]
        bridge.pop("opts", None)
    relevant["control"] = (facts.get("control") or {}).get("local")
    state = facts.get("nmstate") or {}
    resolver = (state.get("dns-resolver") or {}).get("config")
    relevant["nmstate"] = {**state, "dns-resolver": resolver}
    relevant["nmstate"]["interfaces"] = [_stable_interface(entry) for entry in state.get("interfaces") or []]
    text = json.dumps(relevant, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _stable_device(entry: Data) -> Data:
    volatile = (*_VOLATILE, "ipv6addrs") if entry.get("ipv6autoconf") else _VOLATILE
    return {key: value for key, value in entry.items() if key not in volatile}


def _stable_interface(interface: Data) -> Data:
    stable = copy.deepcopy(interface)
    ipv6, bridge = stable.get("ipv6") or {}, stable.get("bridge") or {}
    if ipv6.get("autoconf"):
        ipv6.pop("address", None)
    # The kernel shortens the ageing time while a spanning tree settles.
    (bridge.get("options") or {}).pop("mac-ageing-time", None)
    return stable
