# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The events of adding a host, with the names, IDs, severities, and texts of the engine's audit log.

Two things differ from the engine. An event can have a reason, which is appended to the engine's text; the text itself
is unchanged and can be searched for. And some events have no ID (None), because the engine does not have them:
INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION, which current engines only write to their log file, a permitted
loss of configuration, and the name of a VLAN device. Events have no time; it is added when they are published.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import Data

NORMAL, WARNING, ERROR = "NORMAL", "WARNING", "ERROR"

INVALID_INTERFACE = "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
INVALID_BOND = "INVALID_BOND_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
VLAN_MISMATCH = "VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
SETUP_FAILED = "SETUP_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
SETUP_NETWORKS_FAILED = "SETUP_NETWORK_FAILED"
PERSIST_FAILED = "PERSIST_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK"
FOREIGN_VLAN_NAME = "MANAGEMENT_NETWORK_ON_A_VLAN_DEVICE_THAT_VDSM_CANNOT_EDIT"
LOSS = "MANAGEMENT_NETWORK_WITHOUT_A_PART_OF_THE_CONFIGURATION"
OUT_OF_SYNC = "VDS_NETWORKS_OUT_OF_SYNC"
UNSAVED = "HOST_NETWORKS_NOT_SAVED"
GATEWAY_OUT_OF_RANGE = "NETWORK_IPV4_GATEWAY_OUT_OF_RANGE"

_FAILED = "Failed to configure management network on host ${VdsName}"
_CLUSTER = "Host ${VdsName} does not comply with the cluster ${ClusterName} networks, the following "
_NETWORK_REMEDY = "The host keeps its old network configuration. Fix the reported problem and run again."

# name: (id, severity, text, remedy)
CATALOGUE: dict[str, tuple[int | None, str, str, str]] = {
    INVALID_INTERFACE: (
        None,
        ERROR,
        _FAILED
        + ". Host ${VdsName} has an invalid interface (${InterfaceName}) for the management network configuration.",
        "Move the host's address to a NIC, a bond, or a VLAN on either, and run again.",
    ),
    INVALID_BOND: (
        1118,
        ERROR,
        _FAILED
        + ". Host ${VdsName} has an invalid bond interface (${InterfaceName} contains less than 2 active slaves)"
        " for the management network configuration.",
        "Add ports to the bond until it has at least two, or move the address to a plain NIC, and run again.",
    ),
    VLAN_MISMATCH: (
        1119,
        ERROR,
        _FAILED
        + ". Host ${VdsName} has an interface ${InterfaceName} for the management network configuration with VLAN-ID"
        " (${VlanId}), which is different from data-center definition (${MgmtVlanId}).",
        "Set vlan_tag of the definition to the host's VLAN, or move the host's address to the VLAN of the "
        "definition, and run again.",
    ),
    SETUP_FAILED: (1120, ERROR, _FAILED + " due to setup networks failure.", _NETWORK_REMEDY),
    SETUP_NETWORKS_FAILED: (
        None,
        ERROR,
        "Failed to configure networks on host ${VdsName} due to setup networks failure.",
        _NETWORK_REMEDY,
    ),
    PERSIST_FAILED: (
        1121,
        WARNING,
        _FAILED + " due to failure in persisting the management network configuration.",
        "Check free space and permissions below /var/lib/vdsm and /etc/NetworkManager on the host, and run again.",
    ),
    LOSS: (
        None,
        WARNING,
        "The management network of host ${VdsName} does not keep the whole configuration of ${InterfaceName}, "
        "as permitted.",
        "Check that DNS records, firewalls, and other hosts do not depend on the lost configuration.",
    ),
    FOREIGN_VLAN_NAME: (
        None,
        WARNING,
        "The management network of host ${VdsName} is on the VLAN device ${InterfaceName}, which VDSM would call "
        "${VlanName}.",
        "Set configure_mgmt_keep_vlan_name to false and run again to create the device again under VDSM's name.",
    ),
    UNSAVED: (
        None,
        WARNING,
        "VDSM on host ${VdsName} has not saved its current configuration of: ${Networks}.",
        "Save the network configuration of the host in the engine; otherwise a reboot reverts these changes. A change "
        "of the management network saves them, too.",
    ),
    "NETWORK_COMMINT_NETWORK_CHANGES": (1104, NORMAL, "Network changes were saved on host ${VdsName}", ""),
    "NETWORK_COMMINT_NETWORK_CHANGES_FAILED": (
        1105,
        ERROR,
        "Failed to commit network changes on ${VdsName}",
        "Check free space and permissions below /var/lib/vdsm and /etc/NetworkManager on the host, and run again.",
    ),
    OUT_OF_SYNC: (
        1110,
        WARNING,
        "Host ${VdsName}'s following network(s) are not synchronized with their Logical Network configuration: "
        "${Networks}.",
        "Sync the network to apply the definition to the host, or correct the definition.",
    ),
    "VDS_INSTALL": (504, NORMAL, "Host ${VdsName} installed", ""),
    "VDS_INSTALL_FAILED": (
        505,
        ERROR,
        "Host ${VdsName} installation failed. ${FailedInstallMessage}.",
        "Fix the reported problem and run again; completed steps are not repeated.",
    ),
    "VDS_ANSIBLE_INSTALL_STARTED": (
        560,
        NORMAL,
        "Ansible host-deploy playbook execution has started on host ${VdsName}.",
        "",
    ),
    "VDS_ANSIBLE_INSTALL_FINISHED": (
        561,
        NORMAL,
        "Ansible host-deploy playbook execution has successfully finished on host ${VdsName}.",
        "",
    ),
    "VDS_SET_NONOPERATIONAL_NETWORK": (
        519,
        WARNING,
        _CLUSTER + "networks are missing on host: '${Networks}'",
        "Attach the missing networks to the host, or make them optional in the cluster.",
    ),
    "VDS_SET_NONOPERATIONAL_IFACE_DOWN": (
        603,
        WARNING,
        "Host ${VdsName} moved to Non-Operational state because interfaces which are down are needed by required "
        "networks"
        " in the current cluster: '${NicsWithNetworks}'.",
        "Check the cables, the switch ports, and the profiles of these interfaces, and run again.",
    ),
    "VDS_SET_NON_OPERATIONAL_VM_NETWORK_IS_BRIDGELESS": (
        9601,
        WARNING,
        _CLUSTER + "VM networks are non-VM networks: '${Networks}'. The host will become NonOperational.",
        "Run again with configure_mgmt_sync=apply, which creates the bridges; or define them as non-VM networks.",
    ),
    GATEWAY_OUT_OF_RANGE: (
        10929,
        WARNING,
        "IPv4 gateway ${Gateway} is out of the subnet range defined by the IP address and netmask specified on "
        "${Interface}"
        " in host ${VdsName} of cluster ${ClusterName}",
        "Correct the gateway, the address, or the netmask on the host.",
    ),
    "VDS_FAILURE": (
        12,
        ERROR,
        "Host ${VdsName} is non responsive.",
        "Check that the host is powered on and accepts SSH logins from the controller, and run again.",
    ),
    "VDS_DETECTED": (13, NORMAL, "Status of host ${VdsName} was set to ${HostStatus}.", ""),
}

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}", re.ASCII)
_NAMELESS_HOST = (("host ${VdsName}", "the host"), ("Host ${VdsName}", "The host"), ("${VdsName}", "the host"))


class EventError(Exception):
    """Unknown event name."""


def event(
    name: str, host: str = "", interface: str = "", reason: str = "", remedy: str | None = None, **values: Any
) -> Data:
    """Create the event ``name`` of CATALOGUE.

    ``host`` and ``interface`` replace ${VdsName} and ${InterfaceName} (and ${Interface}). ``values``: the other
    placeholders by their names in the engine (``VlanId=3000``), and any other data, such as EngineMessage. As in the
    engine, None is printed as ``none`` and a missing value as ``<UNKNOWN>``. ``reason``: a sentence to append to the
    text. ``remedy`` replaces the one of the catalogue.
    Returns {name, id (int or None), severity (NORMAL|WARNING|ERROR), message, host, interface, values, remedy}.
    Raises EventError for an unknown name.
    """
    if name not in CATALOGUE:
        raise EventError(f"unknown event '{name}'; expected one of: {', '.join(sorted(CATALOGUE))}")
    identity, severity, text, catalogue_remedy = CATALOGUE[name]
    if not host:
        for with_name, nameless in _NAMELESS_HOST:
            text = text.replace(with_name, nameless)
    known = {"VdsName": host, "InterfaceName": interface or "none", "Interface": interface or "none", **values}

    def substitute(match: re.Match[str]) -> str:
        value = known.get(match.group(1), "<UNKNOWN>")
        return "none" if value is None else str(value)

    message = _PLACEHOLDER.sub(substitute, text)
    if reason:
        message = f"{message.rstrip('.')}. {reason}"
    return {
        "name": name,
        "id": identity,
        "severity": severity,
        "message": message,
        "host": host,
        "interface": interface,
        "values": values,
        "remedy": catalogue_remedy if remedy is None else remedy,
    }
