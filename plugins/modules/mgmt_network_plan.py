#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mgmt_network_plan
short_description: Plan the management network of a host
version_added: 0.2.0
description:
  - Waits until the host answers, gathers its network capabilities once, and decides what is to be done about its
    management network. Changes nothing.
  - The role P(ovirt.mgmt_network.configure_mgmt#role) begins with it. An option that is not set has the value of the
    role's variable, for example C(configure_mgmt_sync), or its default. Variables are checked as by
    M(ovirt.mgmt_network.check_arguments), before the host is contacted.
  - A host that does not answer, cannot be read, or is refused does not fail the task. RV(failure) says why.
options:
  network:
    description:
      - The definition of the management network, as for P(ovirt.mgmt_network.mgmt_network_definition#filter).
      - The default is the variable C(configure_mgmt_network), and then C(mgmt_network).
    type: dict
  state:
    description: V(absent) plans the removal of the network.
    type: str
    choices: [present, absent]
  sync:
    description: V(apply) changes an existing network that differs from the definition, V(report) does not.
    type: str
    choices: [report, apply]
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
  persistent:
    description: Whether the network is to be there after a boot.
    type: bool
  learn_vlan:
    description: Whether the VLAN of a host is only reported if the definition has none.
    type: bool
  policies:
    description: Conditions for a change, as for P(ovirt.mgmt_network.mgmt_network_policy_violations#filter).
    type: list
    elements: dict
    suboptions:
      query:
        description: A JMESPath expression on the capabilities.
        type: str
        required: true
      message:
        description: What to report if it does not hold.
        type: str
        required: true
  return_facts:
    description:
      - Whether to return the capabilities as the fact C(host_network). Large facts make every later task of a host
        slower.
      - The default is V(true) if the role has a task file to run, such as C(configure_mgmt_before_tasks).
    type: bool
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
  platform:
    platforms: linux
    support: full
  action:
    support: full
  async:
    support: none
    details: It runs on the controller.
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
- name: Plan the management network
  ovirt.mgmt_network.mgmt_network_plan:
    network: {name: ovirtmgmt}
    wait: 10
  register: planned

- name: Show what would be changed
  ansible.builtin.debug:
    msg: "{{ planned.plan.differences }}"
  when: planned.change
"""

RETURN = r"""
plan:
  description:
    - The plan; empty if the host could not be read. It has the keys of
      P(ovirt.mgmt_network.derive_mgmt_network#filter), and C(state) (nmstate), C(settings) (profiles), C(record)
      (VDSM), and C(facts_digest).
  returned: success
  type: dict
  sample: {"decision": "change", "network": "ovirtmgmt", "active_interface": "eth1", "exists": false}
change:
  description: Whether M(ovirt.mgmt_network.mgmt_network_apply) has something to apply.
  returned: success
  type: bool
failure:
  description:
    - Empty, or why the host cannot get its network. C(step) (C(connect), C(gather), C(plan), or C(policies)),
      C(reason), and C(unreachable), whether the connection failed.
  returned: success
  type: dict
  sample: {}
down:
  description: Devices that the network needs and that are not up.
  returned: success
  type: list
  elements: str
  sample: []
arguments:
  description: The options of the role by their names without C(configure_mgmt_), without the facts.
  returned: success
  type: dict
  sample: {"sync": "report", "timeout": 60}
began:
  description: When the work on the host began, in seconds since the epoch.
  returned: success
  type: float
  sample: 1795250000.5
"""
