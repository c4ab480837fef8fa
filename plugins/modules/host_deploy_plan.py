#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_deploy_plan
short_description: Check a host and plan the steps of host_deploy that it needs
version_added: 0.2.0
description:
  - Validates the variables of the role P(ovirt.mgmt_network.host_deploy#role), reads the host in a few round trips, and
    fails with all problems at once if it cannot become a hypervisor. Changes nothing.
  - The role starts with it, and runs it again after it has installed packages.
options:
  wait:
    description: Seconds to wait until the host answers. If not set, the module does not wait.
    type: int
  installed:
    description: Packages that were installed before. They are not requested again.
    type: list
    elements: str
    default: []
  before:
    description: RV(before) of an earlier run. If empty, the current network is recorded.
    type: str
    default: ""
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes.reading_action
  - ovirt.mgmt_network.attributes
requirements:
  - netaddr and jmespath on the controller
  - root on the host, or I(become)
seealso:
  - module: ovirt.mgmt_network.host_deploy_verify
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Check a host
  ovirt.mgmt_network.host_deploy_plan:
    wait: 10
  register: checked

- name: Show what host_deploy would do
  ansible.builtin.debug:
    var: checked.steps
"""

RETURN = r"""
steps:
  description: The task files of the role that have something to do, in their order.
  returned: success
  type: list
  elements: str
  sample: ["firewall.yml", "identity.yml"]
before:
  description: The properties of the network, compressed. Empty if the host has no nmstate and cannot be read.
  returned: success
  type: str
id:
  description: The ID of the host.
  returned: when no package has to be installed
  type: str
  sample: 4c4c4544-0042-3510-8051-b4c04f4e3332
ssh_port:
  description: SSH port, which is allowed first.
  returned: when no package has to be installed
  type: int
  sample: 22
firewall_commands:
  description: Commands that allow what the firewall does not allow yet.
  returned: when no package has to be installed
  type: list
  elements: list
  sample: [["firewall-cmd", "--add-service=vdsm"]]
install:
  description: Packages to install before the rest can be planned.
  returned: when a package has to be installed
  type: list
  elements: str
  sample: ["nmstate"]
began:
  description: When the task began, in seconds since the epoch.
  returned: always
  type: float
"""
