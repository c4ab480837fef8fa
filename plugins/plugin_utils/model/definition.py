# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The definition of a network in the data center: validated and completed.

The keys name, description, comment, vm_network, vlan_tag, and mtu mean the same as in the module
ovirt.ovirt.ovirt_network. The limits are those of the engine (its bean validation of a network) and of VDSM (names of
bridges).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model import values
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data, describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.values import DEFAULT_MTU, FormatError, Values

MAX_LOGICAL_NAME = 256
_DEVICE_NAME = re.compile(r"[0-9a-zA-Z_-]{1,15}", re.ASCII)
_NAME_RULE = "1 to 15 of the characters 0-9, a-z, A-Z, '_', and '-', not beginning with 'bond' or '-'"


class DefinitionError(FormatError):
    """The definition is invalid."""


@dataclass(frozen=True)
class Definition:
    """A network of the data center. ``vdsm_name``: its name on hosts. ``vlan_tag``: None or 0 if untagged (0 is kept).
    ``mtu`` in bytes. ``dns_servers``: addresses in canonical form.
    """

    name: str
    vdsm_name: str
    description: str = ""
    comment: str = ""
    vm_network: bool = True
    vlan_tag: int | None = None
    mtu: int = DEFAULT_MTU
    stp: bool = False
    dns_servers: tuple[str, ...] = ()
    default_route: bool = True
    switch: str = "legacy"

    def to_dict(self) -> Data:
        """The definition as plain data, which is also valid input for parse_definition()."""
        return {**asdict(self), "dns_servers": list(self.dns_servers)}


KEYS = tuple(entry.name for entry in fields(Definition))


def parse_definition(definition: object) -> Definition:
    """The Definition of a mapping with keys of KEYS, or of JSON text of one. Accepts values as templates and surveys
    provide them (see values). Raises DefinitionError, which names the key, the value, and what is expected.
    """
    try:
        given = values.mapping(definition)
    except ValueError:
        raise DefinitionError(
            "",
            f"definition of the network: got {describe(definition)}, expected a mapping with at least the key 'name'",
        ) from None
    checked = Values(given, "", KEYS, DefinitionError, text=True)
    name, vdsm_name = _names(given, checked)
    parsed = Definition(
        name=name,
        vdsm_name=vdsm_name,
        description=checked.text("description"),
        comment=checked.text("comment"),
        vm_network=checked.boolean("vm_network", True),
        vlan_tag=checked.vlan("vlan_tag"),
        mtu=checked.mtu(),
        stp=checked.boolean("stp", False),
        dns_servers=checked.name_servers("dns_servers") or (),
        default_route=checked.boolean("default_route", True),
        switch=checked.switch(),
    )
    if parsed.stp and not parsed.vm_network:
        raise DefinitionError(
            "stp",
            "got true with vm_network false, expected false; only a VM network has a bridge that can run STP",
            "NON_VM_NETWORK_CANNOT_SUPPORT_STP",
        )
    return parsed


def _names(given: Data, checked: Values) -> tuple[str, str]:
    """The logical name and the name on the host. The latter has a stricter rule, because VDSM creates a device with
    this name.
    """
    if "name" not in given:
        raise DefinitionError(
            "name", "this key is required; set it to the name of the logical network, for example 'ovirtmgmt'"
        )
    name, vdsm_name = given["name"], checked.get("vdsm_name")
    if (
        not isinstance(name, str)
        or not name.isprintable()
        or not 0 < len(name) <= MAX_LOGICAL_NAME
        or name != name.strip()
    ):
        raise checked.wrong(
            "name", f"a string of 1 to {MAX_LOGICAL_NAME} printable characters, without leading or trailing spaces"
        )
    if vdsm_name is not None:
        if not isinstance(vdsm_name, str) or not _is_name_on_host(vdsm_name):
            raise checked.wrong("vdsm_name", _NAME_RULE, _rule_broken(vdsm_name))
        if name.startswith("bond"):
            raise checked.wrong("name", "a name not beginning with 'bond'", _rule_broken(name))
    elif not _is_name_on_host(name):
        raise checked.wrong(
            "name",
            f"{_NAME_RULE}; for any other name, set the key vdsm_name, the name on the host, which follows this rule",
            _rule_broken(name),
        )
    return str(name), str(name if vdsm_name is None else vdsm_name)


def _is_name_on_host(name: str) -> bool:
    return bool(_DEVICE_NAME.fullmatch(name)) and not name.startswith(("bond", "-"))


def _rule_broken(name: object) -> str:
    return "NETWORK_CANNOT_CONTAIN_BOND_NAME" if isinstance(name, str) and name.startswith("bond") else ""
