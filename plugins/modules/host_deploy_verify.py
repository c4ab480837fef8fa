#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_deploy_verify
short_description: Verify that host_deploy did not change the network and return its result
version_added: 0.2.0
description:
  - Reads the network of the host again, compares it with what M(ovirt.mgmt_network.host_deploy_plan) has recorded, and
    fails with a list of the differences. Changes nothing.
  - The role P(ovirt.mgmt_network.host_deploy#role) ends with it. It returns what the role documents as
    C(host_deploy_result).
options:
  plan:
    description: Last result of M(ovirt.mgmt_network.host_deploy_plan).
    type: dict
    required: true
  clock_synchronised:
    description: Whether the clock was synchronized after the plan was made.
    type: bool
    default: false
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes.reading_action
  - ovirt.mgmt_network.attributes
requirements:
  - root on the host, or I(become)
seealso:
  - module: ovirt.mgmt_network.host_deploy_plan
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Record the network
  ovirt.mgmt_network.host_deploy_plan:
  register: recorded

- name: Verify that it did not change
  ovirt.mgmt_network.host_deploy_verify:
    plan: "{{ recorded }}"
"""

RETURN = r"""
changed_network:
  description: Always V(false); the task fails otherwise.
  returned: success
  type: bool
id:
  description: The ID of the host.
  returned: success
  type: str
  sample: 4c4c4544-0042-3510-8051-b4c04f4e3332
packages:
  description: Packages that the role requires, all of them installed.
  returned: success
  type: list
  elements: str
ssh_port:
  description: SSH port that was allowed.
  returned: success
  type: int
firewalld:
  description: C(running), C(stopped), C(absent), or C(none) if it was ignored.
  returned: success
  type: str
clock_synchronised:
  description: Whether the clock is synchronized.
  returned: success
  type: bool
services_left_alone:
  description: Services that were skipped, each with the reason.
  returned: success
  type: dict
ended:
  description: When the task ended, in seconds since the epoch.
  returned: success
  type: float
"""
