#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: check_arguments
short_description: Check the variables of this collection's roles and playbooks before a host is contacted
version_added: 0.2.0
description:
  - Compares variables with the argument specification of a role and fails with one sentence for each that is wrong,
    which names the variable,
    the value and what is allowed. A variable that begins like those of the role but is not known is named with those
    that it is like.
  - Returns the values converted. Decimal text is accepted for integers, C(yes), C(no) and the like for booleans, JSON
    text for mappings and lists.
    Null and an empty text mean that a variable is not set.
  - Task files are looked for beside the playbook, beside the inventory and in the working directory.
  - Runs on the controller and contacts no host. The roles of this collection begin with it.
options:
  roles:
    description: The roles of this collection whose variables are checked.
    type: list
    elements: str
    default: []
  hosts:
    description:
      - Check the variables of these hosts instead of those of the task. Defaults of roles are unknown then, and only
        what is set is checked.
      - What is wrong on some of them only is told with their names.
    type: list
    elements: str
  playbook:
    description: The beginning of the names of O(options), without the underscore.
    type: str
    default: ""
  options:
    description: Variables of a playbook, as in the C(options) of an argument specification. Checked with O(hosts).
    type: dict
    default: {}
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
  platform:
    platforms: all
    support: full
  action:
    support: full
  async:
    support: none
    details: It runs on the controller.
requirements:
  - netaddr and jmespath on the controller
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Check the variables of all hosts before the first is contacted
  ovirt.mgmt_network.check_arguments:
    roles: [host_deploy, configure_mgmt]
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
arguments:
  description:
    - The checked variables by their names without the role's, with the defaults of its argument specification.
    - With O(hosts), none.
  type: dict
  returned: success
  sample: {"sync": "report", "timeout": 60}
"""
