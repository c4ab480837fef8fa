#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: setup_networks_plan
short_description: Plan any network and bond of a host
version_added: 0.2.0
description:
  - Waits until the host answers, gathers its network capabilities once, compares them with the networks and bonds that
    it shall have, and plans what differs. Changes nothing. What is not named is not touched.
  - The role P(ovirt.mgmt_network.setup_networks#role) begins with it. An option that is not set has the value of the
    role's variable, for example C(setup_networks_wait), or its default. Variables are checked as by
    M(ovirt.mgmt_network.check_arguments), before the host is contacted.
  - A host that does not answer, cannot be read, or is refused does not fail the task. RV(failure) says why.
options:
  host_networks:
    description:
      - The networks and bonds of the host, as for the role P(ovirt.mgmt_network.setup_networks#role). A network or bond
        that is null is removed.
      - The default is the variable C(setup_networks_host_networks), and then C(host_networks).
    type: dict
  facts:
    description:
      - Network capabilities that were gathered before, C(ansible_facts.host_network) of
        M(ovirt.mgmt_network.host_network_facts). The host is not contacted then.
    type: dict
  wait:
    description: Seconds to wait until the host answers.
    type: int
  permit_loss:
    description: What may be lost if it cannot move with the addresses.
    type: list
    elements: str
    choices: [slaac_address, route_or_rule]
  keep_vlan_name:
    description: Whether a VLAN device keeps a name that is not VDSM's.
    type: bool
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes.reading_action
  - ovirt.mgmt_network.attributes
requirements:
  - netaddr and jmespath on the controller
  - nmstate 2.x and NetworkManager 1.40 or later on the host
  - root on the host, or I(become)
seealso:
  - module: ovirt.mgmt_network.mgmt_network_apply
  - module: ovirt.mgmt_network.host_network_facts
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Plan a network for virtual machines
  ovirt.mgmt_network.setup_networks_plan:
    host_networks:
      networks:
        red: {"on": eth1, vlan_tag: 10, mtu: 9000}
    wait: 10
  register: planned

- name: Show what would be changed
  ansible.builtin.debug:
    msg: "{{ planned.plan.differences if planned.change else 'nothing' }}"
"""

RETURN = r"""
plan:
  description:
    - The plan; empty if the host could not be read. C(decision) (C(in_sync), C(change), or C(refuse)), C(network) (the
      names of what is wanted), C(differences), each with its C(network) or C(bond), C(request) (setupNetworks),
      C(state) (nmstate), C(settings) (profiles), C(record) (VDSM), C(event), C(warnings), C(remedy), and
      C(facts_digest).
  returned: success
  type: dict
  sample: {"decision": "change", "network": "red"}
change:
  description: Whether M(ovirt.mgmt_network.mgmt_network_apply) has something to apply.
  returned: success
  type: bool
failure:
  description:
    - Empty, or why the host cannot get its networks. C(step) (C(connect), C(gather), or C(plan)), C(reason), and
      C(unreachable), whether the connection failed.
  returned: success
  type: dict
  sample: {}
arguments:
  description: The options of the role by their names without C(setup_networks_), without the facts.
  returned: success
  type: dict
  sample: {"timeout": 60}
began:
  description: When the work on the host began, in seconds since the epoch.
  returned: success
  type: float
  sample: 1795250000.5
"""
