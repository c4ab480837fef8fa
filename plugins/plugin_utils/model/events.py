# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The events of adding a host: the engine's audit log names, ids, severities and texts.

Two things differ from the engine on purpose. The engine's texts of failures do not say the cause; here an event may
carry a reason, put behind the engine's text, which stays whole and can be searched for. And
INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION of the founding document, which today's engine only logs, is an
event here (its id is None), and so are a permitted loss of configuration and the name of a VLAN device, which the
engine does not notice. There is no clock in here: whoever publishes an event adds the time.
"""

from __future__ import annotations

import re

NORMAL, WARNING, ERROR = "NORMAL", "WARNING", "ERROR"

INVALID_INTERFACE = "INVALID_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
INVALID_BOND = "INVALID_BOND_INTERFACE_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
VLAN_MISMATCH = "VLAN_ID_MISMATCH_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
SETUP_FAILED = "SETUP_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
PERSIST_FAILED = "PERSIST_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK"
FOREIGN_VLAN_NAME = "MANAGEMENT_NETWORK_ON_A_VLAN_DEVICE_THAT_VDSM_CANNOT_EDIT"
LOSS = "MANAGEMENT_NETWORK_WITHOUT_A_PART_OF_THE_CONFIGURATION"
OUT_OF_SYNC = "VDS_NETWORKS_OUT_OF_SYNC"
UNSAVED = "HOST_NETWORKS_NOT_SAVED"
GATEWAY_OUT_OF_RANGE = "NETWORK_IPV4_GATEWAY_OUT_OF_RANGE"

_FAILED = "Failed to configure management network on host ${VdsName}"
_CLUSTER = "Host ${VdsName} does not comply with the cluster ${ClusterName} networks, the following "
_NETWORK_REMEDY = "The host keeps its old network configuration. Remove the cause named in the reason and run again."

# name: (id, severity, text, remedy)
CATALOGUE: dict[str, tuple[int | None, str, str, str]] = {
    INVALID_INTERFACE: (
        None,
        ERROR,
        _FAILED
        + ". Host ${VdsName} has an invalid interface (${InterfaceName}) for the management network configuration.",
        "Move the host's address to a NIC, a bond or a VLAN on one of them, and run again.",
    ),
    INVALID_BOND: (
        1118,
        ERROR,
        _FAILED
        + ". Host ${VdsName} has an invalid bond interface (${InterfaceName} contains less than 2 active slaves)"
        " for the management network configuration.",
        "Give the bond at least two NICs, or move the address to a plain NIC, and run again.",
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
    PERSIST_FAILED: (
        1121,
        WARNING,
        _FAILED + " due to failure in persisting the management network configuration.",
        "Look at free space and permissions below /var/lib/vdsm and /etc/NetworkManager on the host, and run again.",
    ),
    LOSS: (
        None,
        WARNING,
        "The management network of host ${VdsName} does not take over all of the configuration of ${InterfaceName}, "
        "as permitted.",
        "Look whether others still find and let in the host.",
    ),
    FOREIGN_VLAN_NAME: (
        None,
        WARNING,
        "The management network of host ${VdsName} is on the VLAN device ${InterfaceName}, which VDSM would call "
        "${VlanName}.",
        "Set configure_mgmt_keep_vlan_name to false and run again, so that the device is created again under VDSM's "
        "name.",
    ),
    UNSAVED: (
        None,
        WARNING,
        "VDSM on host ${VdsName} has not saved what it runs with: ${Networks}.",
        "Save the network configuration of the host in the engine, or a boot takes these changes back. A change of "
        "the management network saves them, too.",
    ),
    "NETWORK_COMMINT_NETWORK_CHANGES": (1104, NORMAL, "Network changes were saved on host ${VdsName}", ""),
    "NETWORK_COMMINT_NETWORK_CHANGES_FAILED": (
        1105,
        ERROR,
        "Failed to commit network changes on ${VdsName}",
        "Look at free space and permissions below /var/lib/vdsm and /etc/NetworkManager on the host, and run again.",
    ),
    OUT_OF_SYNC: (
        1110,
        WARNING,
        "Host ${VdsName}'s following network(s) are not synchronized with their Logical Network configuration: "
        "${Networks}.",
        "Compare the listed differences; sync the network to bring the host in line, or correct the definition.",
    ),
    "VDS_INSTALL": (504, NORMAL, "Host ${VdsName} installed", ""),
    "VDS_INSTALL_FAILED": (
        505,
        ERROR,
        "Host ${VdsName} installation failed. ${FailedInstallMessage}.",
        "Correct what the message names and run again; what is already done is not done twice.",
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
        "Attach the missing networks to the host, or make them not required in the cluster.",
    ),
    "VDS_SET_NONOPERATIONAL_IFACE_DOWN": (
        603,
        WARNING,
        "Host ${VdsName} moved to Non-Operational state because interfaces which are down are needed by required "
        "networks"
        " in the current cluster: '${NicsWithNetworks}'.",
        "Look at the cables, the switch ports and the profiles of these interfaces, and run again.",
    ),
    "VDS_SET_NON_OPERATIONAL_VM_NETWORK_IS_BRIDGELESS": (
        9601,
        WARNING,
        _CLUSTER + "VM networks are non-VM networks: '${Networks}'. The host will become NonOperational.",
        "Sync the networks so that they get their bridge, or define them as non-VM networks.",
    ),
    GATEWAY_OUT_OF_RANGE: (
        10929,
        WARNING,
        "IPv4 gateway ${Gateway} is out of the subnet range defined by the IP address and netmask specified on "
        "${Interface}"
        " in host ${VdsName} of cluster ${ClusterName}",
        "Correct the gateway, the address or the netmask on the host.",
    ),
    "VDS_FAILURE": (
        12,
        ERROR,
        "Host ${VdsName} is non responsive.",
        "Check that the host is up and reachable over SSH from here, and run again.",
    ),
    "VDS_DETECTED": (13, NORMAL, "Status of host ${VdsName} was set to ${HostStatus}.", ""),
}

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}", re.ASCII)
_NAMELESS_HOST = (("host ${VdsName}", "the host"), ("Host ${VdsName}", "The host"), ("${VdsName}", "the host"))


class EventError(Exception):
    """There is no event of that name."""


def event(
    name: str, host: str = "", interface: str = "", reason: str = "", remedy: str | None = None, **values
) -> dict:
    """Make the event ``name`` of CATALOGUE.

    ``host`` and ``interface`` stand for ${VdsName} and ${InterfaceName} (and ${Interface}); ``values`` are the other
    placeholders by their engine names (``VlanId=3000``; None is printed as ``none``, as the engine does; one that is
    not given as ``<UNKNOWN>``, likewise) and whatever else the reader may want, such as EngineMessage. ``reason``: one
    sentence put behind the text. ``remedy`` replaces the catalogue's sentence.
    Returns {name, id (int or None), severity (NORMAL|WARNING|ERROR), message, host, interface, values, remedy}.
    Raises EventError for an unknown name.
    """
    if name not in CATALOGUE:
        raise EventError(f"there is no event '{name}'; known are: {', '.join(sorted(CATALOGUE))}")
    identity, severity, text, catalogue_remedy = CATALOGUE[name]
    if not host:
        for with_name, nameless in _NAMELESS_HOST:
            text = text.replace(with_name, nameless)
    known = {"VdsName": host, "InterfaceName": interface or "none", "Interface": interface or "none", **values}

    def substitute(match: re.Match) -> str:
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
