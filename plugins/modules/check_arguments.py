#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: check_arguments
short_description: Validate the variables of this collection's roles and playbooks before any host is contacted
version_added: 0.2.0
description:
  - Validates variables against the argument specification of a role. Fails with one sentence for each mistake, which
    names the variable, the value, and what is allowed. Reports unknown variables that begin like those of the role, and
    suggests similar names.
  - Returns the converted values. Decimal text is accepted for integers, C(yes) and C(no) for booleans, and JSON text
    for mappings and lists. Null and empty text mean that a variable is not set.
  - Searches for task files beside the playbook, beside the inventory, and in the working directory.
  - Runs on the controller and contacts no host. The roles of this collection start with it.
options:
  roles:
    description: Roles of this collection whose variables to validate.
    type: list
    elements: str
    default: []
  hosts:
    description:
      - Hosts whose variables to validate instead of those of the task. The defaults of roles are not known then, so
        only variables that are set are validated.
      - A mistake that only some hosts have is reported with their names.
    type: list
    elements: str
  pattern:
    description:
      - The pattern that gave O(hosts). When they are none, the task fails and names it, with what the inventory has.
      - Ansible skips a play whose pattern matches no host and calls the run successful.
    type: raw
  playbook:
    description: Prefix of the names of O(options), without the underscore.
    type: str
    default: ""
  options:
    description: Variables of a playbook, as in the C(options) of an argument specification. Validated with O(hosts).
    type: dict
    default: {}
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The module changes nothing.
  platform:
    platforms: all
    support: full
  action:
    support: full
  async:
    support: none
    details: The module runs on the controller.
requirements:
  - netaddr and jmespath on the controller
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Validate the variables of all hosts before the first host is contacted
  ovirt.mgmt_network.check_arguments:
    roles: [host_deploy, configure_mgmt]
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
arguments:
  description:
    - The validated variables, without the role's prefix, and with the defaults of its argument specification.
    - Empty with O(hosts).
  type: dict
  returned: success
  sample: {"sync": "report", "timeout": 60}
"""
