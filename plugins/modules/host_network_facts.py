#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_network_facts
short_description: Gather a host's network capabilities, as oVirt Engine knows them
version_added: 0.1.0
description:
  - Returns the fact C(host_network), the network part of the capabilities (getVdsCaps) that VDSM reports to the engine,
    from any host with NetworkManager and nmstate. VDSM does not need to be installed.
  - Adds data for decisions about the management network, such as the NetworkManager profile of each device, routes,
    versions, open checkpoints, and the relevant part of the nmstate state.
  - The fact is small, about 10 KB on an ordinary host. Devices of running VMs and containers (taps, macvtaps, and veths
    that NetworkManager does not manage) are left out.
options:
  hidden_nics:
    description:
      - Shell patterns of NICs to leave out of RV(ansible_facts.host_network.nics).
    type: list
    elements: str
    default: ["w*", "usb*"]
  control_address:
    description:
      - The host's address that the controller is connected to. The device with this address becomes
        RV(ansible_facts.host_network.lastClientIface).
      - Defaults to the local end of the SSH connection of this task, which is found even if I(become) has removed it
        from the environment. Set it if the controller does not use SSH, or if an address translation on the host hides
        the address.
    type: str
    default: ""
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
  - ovirt.mgmt_network.attributes.facts_module
attributes:
  async:
    support: partial
    details: An asynchronous task that uses sudo cannot find its SSH connection; set O(control_address) then.
requirements:
  - nmstate 2.x (the command nmstatectl), a running NetworkManager, and iproute2 on the host
  - root on the host, or I(become), to read the profile files and to find the SSH connection of the task
seealso:
  - plugin: ovirt.mgmt_network.derive_mgmt_network
    plugin_type: filter
    description: Decides from this fact what a host needs to get its management network.
  - module: ovirt.mgmt_network.nmstate_apply
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Read the network of the host
  ovirt.mgmt_network.host_network_facts:
  become: true

- name: Show the interface that the controller is connected to
  ansible.builtin.debug:
    msg: "{{ ansible_facts['host_network'].lastClientIface }}"

- name: Set the address that the controller is connected to, if it does not use SSH
  ovirt.mgmt_network.host_network_facts:
    control_address: "{{ ansible_host }}"
  become: true
"""

RETURN = r"""
ansible_facts:
  description: Facts that are added to the host.
  returned: success
  type: dict
  contains:
    host_network:
      description: The network of the host.
      returned: success
      type: dict
      contains:
        nics:
          description:
            - NICs by name.
            - Here and in the next four mappings, each device has C(addr), C(netmask), C(ipv4addrs), C(ipv6addrs),
              C(gateway), C(ipv6gateway), C(ipv4defaultroute), C(dhcpv4), C(dhcpv6), C(ipv6autoconf), and C(mtu) (a
              string, as in VDSM).
            - If a device has several gateways, C(gateway) is the preferred one, and C(ipv4gateways) or C(ipv6gateways)
              lists all of them.
          returned: success
          type: dict
          sample: {"eth1": {"hwaddr": "52:54:00:0c:01:01", "permhwaddr": "52:54:00:0c:01:01", "speed": 10000, "addr":
            "", "netmask": "", "ipv4addrs": [], "ipv6addrs": [], "gateway": "", "ipv6gateway": "::",
            "ipv4defaultroute": false, "dhcpv4": false, "dhcpv6": false, "ipv6autoconf": false, "mtu": "1500"}}
        bondings:
          description: Bonds by name. C(opts) contains the mode, always as a number, and the options that differ from
            their defaults.
          returned: success
          type: dict
          sample: {"bond4": {"hwaddr": "52:54:00:0c:01:01", "slaves": ["eth1", "eth2"], "active_slave": "eth1",
            "opts": {"mode": "1", "miimon": "100"}, "speed": 10000, "switch": "legacy", "mtu": "1500"}}
        vlans:
          description: VLAN devices by name, with the base device in C(iface).
          returned: success
          type: dict
          sample: {"bond4.3000": {"iface": "bond4", "vlanid": 3000, "addr": "10.88.0.94", "netmask": "255.255.255.0",
            "ipv4addrs": ["10.88.0.94/24"], "gateway": "10.88.0.1", "ipv4defaultroute": true, "dhcpv4": true, "mtu":
            "1500"}}
        bridges:
          description: Linux bridges by name. Their ports do not include taps of VMs.
          returned: success
          type: dict
          sample: {"ovirtmgmt": {"ports": ["eth1"], "stp": "off", "opts": {"multicast_snooping": "1"}, "mtu": "1500"}}
        teams:
          description: Teams by name, with their ports. VDSM does not support teams; they are listed so that messages
            can name them.
          returned: success
          type: dict
          sample: {}
        networks:
          description: The networks in RV(ansible_facts.host_network.running) that exist on the host, as VDSM reports
            them.
          returned: success
          type: dict
          sample: {"ovirtmgmt": {"iface": "ovirtmgmt", "bridged": true, "ports": ["eth1"], "stp": "off", "southbound":
            "eth1", "switch": "legacy", "mtu": "1500"}}
        nameservers:
          description: DNS servers in use.
          returned: success
          type: list
          elements: str
          sample: ["10.77.0.1"]
        lastClientIface:
          description: The device with the local end of the control connection. Empty if there is none.
          returned: success
          type: str
          sample: bond4.3000
        control:
          description: The two ends of the control connection, and their source (the environment, a parent process, or
            the option O(control_address)).
          returned: success
          type: dict
          sample: {"local": "10.88.0.94", "peer": "10.99.0.1", "ssh_connection_source": "process"}
        supportsIPv6:
          description: Whether the kernel supports IPv6.
          returned: success
          type: bool
          sample: true
        netConfigDirty:
          description: Whether a network change is not committed yet. A string as in VDSM, C(True) or C(False).
          returned: success
          type: str
          sample: "False"
        versions:
          description: Versions of NetworkManager, nmstate, and the kernel.
          returned: success
          type: dict
          sample: {"networkmanager": "1.52.1", "nmstate": "2.2.62", "kernel": "6.12.0-55.el10.x86_64"}
        max_mtu:
          description: The maximum MTU of each NIC's driver.
          returned: success
          type: dict
          sample: {"eth1": 9216}
        routes:
          description: Routes in use, in nmstate's format, without those that the kernel creates for addresses.
          returned: success
          type: list
          elements: dict
          sample: [{"destination": "0.0.0.0/0", "next-hop-address": "10.88.0.1", "next-hop-interface": "bond4.3000",
            "metric": 400, "table-id": 254}]
        profiles:
          description:
            - The active NetworkManager profile of each device, without unset settings.
            - C(in_memory) means that the profile is lost at a reboot. C(lease_client_id), C(lease_duid), and
              C(lease_iaid) are the identifiers that the DHCP servers know. C(slaac_addresses) are the addresses from
              router advertisements, without temporary addresses.
            - C(ipv4_addresses) and C(ipv6_addresses) are the static addresses. C(settings) are settings that nmstate
              cannot express but that can move with the addresses, in the format of
              O(ovirt.mgmt_network.nmstate_apply#module:settings). C(beyond_nmstate) lists parts of static routes and
              rules that cannot move.
          returned: success
          type: dict
          sample: {"bond4.3000": {"uuid": "5768eebc-3115-36f1-a8c4-036a5cd428b4", "id": "bond4.3000", "type": "vlan",
            "file": "/etc/NetworkManager/system-connections/bond4.3000.nmconnection", "in_memory": false,
            "interface_name": "bond4.3000", "ipv4_method": "auto", "ipv6_method": "disabled", "lease_client_id":
            "01:52:54:00:0c:01:01"}}
        profile_files:
          description: SHA-256 of each profile file on disk.
          returned: success
          type: dict
          sample: {"/etc/NetworkManager/system-connections/bond4.nmconnection":
            "47fcdc99ce5ca1d4ef7bbf04d8ee5bb3a0ffa7ca2e30b1ab3f7fb6d7b24d2a10"}
        unmanaged:
          description:
            - Devices in the mappings above, and RV(ansible_facts.host_network.lastClientIface), that NetworkManager
              does not configure. The management network cannot be configured on them.
            - C(unmanaged) means that NetworkManager ignores the device, C(external) that another program has configured
              it.
          returned: success
          type: dict
          sample: {"eth1": "unmanaged"}
        checkpoints:
          description: NetworkManager's open checkpoints, with their creation time in milliseconds since boot and their
            timeout in seconds.
          returned: success
          type: list
          elements: dict
          sample: []
        nmstate:
          description: The part of the nmstate state that matters for a change, for O(ignore:current) of
            P(ovirt.mgmt_network.nmstate_desired_state#filter).
          returned: success
          type: dict
          sample: {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "controller": "bond4",
            "mac-address": "52:54:00:0C:01:01", "mtu": 1500, "ipv4": {"enabled": false}, "ipv6": {"enabled": false}}],
            "routes": {"config": []}, "route-rules": {"config": []}, "dns-resolver": {"config": {}, "running":
            {"server": ["10.77.0.1"]}}}
        running:
          description:
            - The networks and bonds that VDSM uses, from its running configuration (C(staging)) or, if it has never
              run, from its persistence.
            - Includes those that were configured until the next boot only
              (O(ovirt.mgmt_network.nmstate_apply#module:persistent)).
          returned: success
          type: dict
          sample: {"networks": {}, "bondings": {}}
        unsaved:
          description: Names of the networks and bonds that VDSM uses but that are missing from its persistence, or
            different there. A reboot restores what the persistence contains.
          returned: success
          type: dict
          sample: {"networks": [], "bondings": []}
        in_memory:
          description: Names of the networks and bonds that are configured until the next boot only.
          returned: success
          type: dict
          sample: {"networks": [], "bondings": []}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import gather
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import ssh_connection
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.networkmanager import NetworkManagerError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.nmstatectl import NmstateError

# Tool, and its package on EL and on Debian.
TOOLS = (("nmstatectl", "nmstate"), ("busctl", "systemd"), ("ip", "iproute or iproute2"))


def main() -> None:
    """Validate the options and return the fact, or report what is missing."""
    module = AnsibleModule(
        argument_spec={
            "hidden_nics": {"type": "list", "elements": "str", "default": list(gather.DEFAULT_HIDDEN_NICS)},
            "control_address": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    address = module.params["control_address"]
    if address and ssh_connection.address(address) is None:
        module.fail_json(msg="control_address: %r is not an IP address" % address)
    if os.geteuid() != 0:
        module.fail_json(
            msg="this module requires root, to read NetworkManager's profiles and to find the connection of this "
            "task. Nothing was changed. Log in as root or add become: true to the task"
        )
    for tool, package in TOOLS:
        if not module.get_bin_path(tool, opt_dirs=["/usr/local/bin"]):
            module.fail_json(
                msg="%s: command not found on this host. Nothing was changed. Install the package %s and run again"
                % (tool, package)
            )
    control = ssh_connection.connection()
    if address:
        control = {"local": address, "peer": "", "ssh_connection_source": "option"}
    try:
        facts = gather.gather(module.params["hidden_nics"], control)
    except (CommandError, NetworkManagerError, NmstateError) as exc:
        module.fail_json(msg=str(exc))
    except OSError as exc:  # a profile file that was deleted between listing and reading, a disk that does not answer
        module.fail_json(
            msg="cannot read the network configuration files of this host: %s. Nothing was changed. Run again when no "
            "other program is changing them" % exc
        )
    module.exit_json(ansible_facts={"host_network": facts})


if __name__ == "__main__":
    main()
