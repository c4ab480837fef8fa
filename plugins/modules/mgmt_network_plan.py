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
  - Waits until the host answers, gathers its network capabilities, and decides what to do about its management network.
    Changes nothing.
  - The role P(ovirt.mgmt_network.configure_mgmt#role) starts with it. An option that is not set defaults to the
    role's variable, for example C(configure_mgmt_sync). Variables are validated as by
    M(ovirt.mgmt_network.check_arguments), before the host is contacted.
  - The task does not fail if the host does not answer, cannot be read, or is refused; see RV(failure).
options:
  network:
    description:
      - The definition of the management network, as for P(ovirt.mgmt_network.mgmt_network_definition#filter).
      - Defaults to the variable C(configure_mgmt_network), then to C(mgmt_network).
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
        M(ovirt.mgmt_network.host_network_facts). If set, the host is not contacted.
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
    description: Whether a VLAN device keeps a name other than VDSM's.
    type: bool
  persistent:
    description: Whether the network must exist after a reboot.
    type: bool
  learn_vlan:
    description: Whether to only report the VLAN of a host if the definition does not set one.
    type: bool
  policies:
    description: Conditions for a change, as for P(ovirt.mgmt_network.mgmt_network_policy_violations#filter).
    type: list
    elements: dict
    suboptions:
      query:
        description: JMESPath expression on the capabilities.
        type: str
        required: true
      message:
        description: Message to show if the condition is not met.
        type: str
        required: true
  return_facts:
    description:
      - Whether to return the capabilities as the fact C(host_network). Large facts slow down every later task of a
        host.
      - Defaults to V(true) if the role has a task file to run, such as C(configure_mgmt_before_tasks).
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
- name: Plan the management network
  ovirt.mgmt_network.mgmt_network_plan:
    network: {name: ovirtmgmt}
    wait: 10
  register: planned

- name: Show what would change
  ansible.builtin.debug:
    msg: "{{ planned.plan.differences if planned.change else 'nothing' }}"
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
    - Why the host cannot get its network, a mapping of C(step) (C(connect), C(gather), C(plan), or C(policies)),
      C(reason), and C(unreachable) (whether the connection failed). Empty if there is no failure.
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
