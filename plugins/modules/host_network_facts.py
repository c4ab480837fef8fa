#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_network_facts
short_description: Network capabilities of a host, as oVirt's engine knows them
version_added: 0.1.0
description:
  - Returns the fact C(host_network), the network part of the capabilities document (getVdsCaps) that VDSM gives to the
    engine,
    from any host with NetworkManager and nmstate. VDSM itself need not be installed.
  - It adds what a decision about the management network needs beside that, such as the NetworkManager profile of each
    device, routes, versions,
    open checkpoints, and a digest of the nmstate state.
  - The fact is kept small, about 10 KB on an ordinary host. Devices of running VMs and containers (taps, macvtaps, and
    veths that
    NetworkManager does not manage) are left out.
options:
  hidden_nics:
    description:
      - Patterns, as of a shell, of NICs that are no part of the network's configuration and are left out of
        RV(ansible_facts.host_network.nics).
    type: list
    elements: str
    default: ["w*", "usb*"]
  control_address:
    description:
      - The host's own address that the controller came in on. The device that holds it becomes
        RV(ansible_facts.host_network.lastClientIface).
      - By default it is the local end of the SSH connection of this very task, found also when I(become) has dropped
        it from the environment.
        Set it when the controller does not come in by SSH, or comes in through an address translation on the host.
    type: str
    default: ""
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
  - ovirt.mgmt_network.attributes.facts_module
attributes:
  async:
    support: partial
    details: A detached task that has become root by sudo has lost its connection; set O(control_address) then.
requirements:
  - nmstate 2.x (the command nmstatectl), NetworkManager, running, and iproute2 on the host
  - root on the host, or I(become), for the profile files and to find the connection of the task
seealso:
  - plugin: ovirt.mgmt_network.derive_mgmt_network
    plugin_type: filter
    description: Decides from this fact what is to be done for a management network.
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

- name: Name the address that the controller connects to, where it does not use SSH
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
            - In this and the next four maps each device has C(addr), C(netmask), C(ipv4addrs), C(ipv6addrs),
              C(gateway), C(ipv6gateway),
              C(ipv4defaultroute), C(dhcpv4), C(dhcpv6), C(ipv6autoconf) and C(mtu) (a string, as in VDSM).
            - A device with several different gateways has the best as C(gateway) and all of them in C(ipv4gateways) or
              C(ipv6gateways).
          returned: success
          type: dict
          sample: {"eth1": {"hwaddr": "52:54:00:0c:01:01", "permhwaddr": "52:54:00:0c:01:01", "speed": 10000, "addr":
            "", "netmask": "",
            "ipv4addrs": [], "ipv6addrs": [], "gateway": "", "ipv6gateway": "::", "ipv4defaultroute": false, "dhcpv4":
            false,
            "dhcpv6": false, "ipv6autoconf": false, "mtu": "1500"}}
        bondings:
          description: Bonds by name. C(opts) holds the mode, always as a number, and the options that are not at their
            default.
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
          description: Linux bridges by name. Taps of VMs are left out of the ports.
          returned: success
          type: dict
          sample: {"ovirtmgmt": {"ports": ["eth1"], "stp": "off", "opts": {"multicast_snooping": "1"}, "mtu": "1500"}}
        teams:
          description: Teams by name with their ports. VDSM does not know teams; they are shown so that a decision can
            name them.
          returned: success
          type: dict
          sample: {}
        networks:
          description: The networks that RV(ansible_facts.host_network.running) has and that exist on the host, as VDSM
            reports them.
          returned: success
          type: dict
          sample: {"ovirtmgmt": {"iface": "ovirtmgmt", "bridged": true, "ports": ["eth1"], "stp": "off", "southbound":
            "eth1",
            "switch": "legacy", "mtu": "1500"}}
        nameservers:
          description: Name servers in use.
          returned: success
          type: list
          elements: str
          sample: ["10.77.0.1"]
        lastClientIface:
          description: The device that holds the local end of the control connection; empty when there is none.
          returned: success
          type: str
          sample: bond4.3000
        control:
          description: The two ends of the control connection, and whether they were found in the environment, in a
            parent process or given as an option.
          returned: success
          type: dict
          sample: {"local": "10.88.0.94", "peer": "10.99.0.1", "ssh_connection_source": "process"}
        supportsIPv6:
          description: Whether the kernel speaks IPv6.
          returned: success
          type: bool
          sample: true
        netConfigDirty:
          description: Either C(True) or C(False), a string as in VDSM. Whether a network change is not yet committed.
          returned: success
          type: str
          sample: "False"
        versions:
          description: Versions of NetworkManager, nmstate and the kernel.
          returned: success
          type: dict
          sample: {"networkmanager": "1.52.1", "nmstate": "2.2.62", "kernel": "6.12.0-55.el10.x86_64"}
        max_mtu:
          description: The highest MTU that each NIC's driver takes.
          returned: success
          type: dict
          sample: {"eth1": 9216}
        routes:
          description: Routes in use, in nmstate's form, without those that the kernel makes for addresses.
          returned: success
          type: list
          elements: dict
          sample: [{"destination": "0.0.0.0/0", "next-hop-address": "10.88.0.1", "next-hop-interface": "bond4.3000",
            "metric": 400,
            "table-id": 254}]
        profiles:
          description:
            - The active NetworkManager profile of each device, with those of its settings that are set.
            - C(in_memory) tells that it would be gone after a reboot. C(lease_client_id), C(lease_duid) and
              C(lease_iaid) are what the DHCP
              servers know the host by now. C(slaac_addresses) are those that follow from routers' announcements,
              without temporary ones.
            - C(ipv4_addresses) and C(ipv6_addresses) are the static ones. C(settings) has what nmstate cannot express
              and can move with the
              addresses, as O(ovirt.mgmt_network.nmstate_apply#module:settings) takes it. C(beyond_nmstate) names parts
              of static routes and rules
              that cannot.
          returned: success
          type: dict
          sample: {"bond4.3000": {"uuid": "5768eebc-3115-36f1-a8c4-036a5cd428b4", "id": "bond4.3000", "type": "vlan",
            "file": "/etc/NetworkManager/system-connections/bond4.3000.nmconnection", "in_memory": false,
            "interface_name": "bond4.3000",
            "ipv4_method": "auto", "ipv6_method": "disabled", "lease_client_id": "01:52:54:00:0c:01:01"}}
        profile_files:
          description: SHA-256 of each profile file on disk.
          returned: success
          type: dict
          sample: {"/etc/NetworkManager/system-connections/bond4.nmconnection":
            "47fcdc99ce5ca1d4ef7bbf04d8ee5bb3a0ffa7ca2e30b1ab3f7fb6d7b24d2a10"}
        unmanaged:
          description:
            - Devices that NetworkManager does not configure, of those in the maps above and
              RV(ansible_facts.host_network.lastClientIface).
              The management network cannot be configured on them.
            - Either C(unmanaged), NetworkManager leaves the device alone, or C(external), it shows what something else
              has configured.
          returned: success
          type: dict
          sample: {"eth1": "unmanaged"}
        checkpoints:
          description: NetworkManager's open checkpoints, with the time of creation in milliseconds since the boot and
            the timeout in seconds.
          returned: success
          type: list
          elements: dict
          sample: []
        nmstate:
          description: The nmstate state, reduced to what decides about a change; O(ignore:current) of
            P(ovirt.mgmt_network.nmstate_desired_state#filter).
          returned: success
          type: dict
          sample: {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "controller": "bond4",
            "mac-address": "52:54:00:0C:01:01", "mtu": 1500, "ipv4": {"enabled": false}, "ipv6": {"enabled": false}}],
            "routes": {"config": []}, "route-rules": {"config": []}, "dns-resolver": {"config": {}, "running":
            {"server": ["10.77.0.1"]}}}
        running:
          description:
            - The networks and bonds that VDSM runs with, by its running configuration (C(staging)) or, where it has
              never run, by its persistence.
            - Those that were configured until the next boot only
              (O(ovirt.mgmt_network.nmstate_apply#module:persistent)) are included.
          returned: success
          type: dict
          sample: {"networks": {}, "bondings": {}}
        unsaved:
          description: Names of the networks and bonds that VDSM runs with and that its persistence does not have, or
            has otherwise. A boot brings the latter.
          returned: success
          type: dict
          sample: {"networks": [], "bondings": []}
        in_memory:
          description: Names of the networks and bonds that are recorded until the next boot only.
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

# Tool, and the package that brings it on EL and on Debian.
TOOLS = (("nmstatectl", "nmstate"), ("busctl", "systemd"), ("ip", "iproute or iproute2"))


def main():
    """Read the options, gather, return the fact or say what is missing."""
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
            msg="root is needed to read NetworkManager's profiles and to find the connection of this task. Nothing "
            "was changed. "
            "Log in as root or add 'become: true' to the task"
        )
    for tool, package in TOOLS:
        if not module.get_bin_path(tool, opt_dirs=["/usr/local/bin"]):
            module.fail_json(
                msg="%s: not found on this host. Nothing was changed. Install the package %s and run again"
                % (tool, package)
            )
    try:
        facts = gather.gather(module.params["hidden_nics"], address)
    except (CommandError, NetworkManagerError, NmstateError) as exc:
        module.fail_json(msg=str(exc))
    except OSError as exc:  # a profile file that went away between listing and reading, a disk that does not answer
        module.fail_json(
            msg="the network's files on this host cannot be read: %s. Nothing was changed. Run again when nobody "
            "else changes them" % exc
        )
    module.exit_json(ansible_facts={"host_network": facts})


if __name__ == "__main__":
    main()
