#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mgmt_network_apply
short_description: Apply a plan for the management network and return the result of the host
version_added: 0.2.0
description:
  - Applies what M(ovirt.mgmt_network.mgmt_network_plan) has planned, as M(ovirt.mgmt_network.nmstate_apply) does, in a
    transaction that is verified over a new connection or undone. Then reads the host again and compares its network
    with the definition. The host is not contacted if there is nothing to apply.
  - Returns the result that the role P(ovirt.mgmt_network.configure_mgmt#role) documents as C(configure_mgmt_result).
  - The task does not fail if the host was refused or does not answer, or if the change was undone; see RV(status).
options:
  plan:
    description: Result of M(ovirt.mgmt_network.mgmt_network_plan), or of this module with O(conclude=false).
    type: dict
    required: true
  request:
    description:
      - The setupNetworks request of the plan, edited by a hook. The host is read again, and the request is validated by
        the engine's rules and key by key before the host is changed.
    type: dict
  conclude:
    description:
      - With V(false), the module only applies the plan. It returns the values of
        M(ovirt.mgmt_network.mgmt_network_plan) and RV(applied). Pass them as O(plan) to a later task, which reads the
        host again and returns the result.
    type: bool
    default: true
  failed_task:
    description:
      - A task that has failed, for a result without a change. A mapping of C(task) (its name), C(action), C(msg), and
        C(unreachable). Without C(unreachable), the module tries to reach the host.
    type: dict
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: linux
    support: full
  action:
    support: full
  async:
    support: none
    details: The controller must verify the change.
requirements:
  - netaddr and jmespath on the controller
  - nmstate 2.x and NetworkManager 1.40 or later on the host
  - root on the host, or I(become)
seealso:
  - module: ovirt.mgmt_network.mgmt_network_plan
  - module: ovirt.mgmt_network.nmstate_apply
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Plan the management network
  ovirt.mgmt_network.mgmt_network_plan:
    network: {name: ovirtmgmt}
  register: planned

- name: Apply the plan
  ovirt.mgmt_network.mgmt_network_apply:
    plan: "{{ planned }}"
  register: result

- name: Check that the host is up
  ansible.builtin.assert:
    that: result.status == 'up'
    fail_msg: "{{ result.reason }}"
"""

RETURN = r"""
status:
  description:
    - The status that the engine would give the host. Empty in check mode, see RV(expected).
    - With O(conclude=false), only RV(applied) of the following values is returned.
  returned: success
  type: str
  sample: up
host:
  description: Name of the host.
  returned: success
  type: str
category:
  description:
    - C(changed), C(in_sync), C(out_of_sync), C(refused), C(no_answer), C(not_prepared), C(undone), or C(failed).
  returned: success
  type: str
  sample: changed
synced:
  description: Whether the network matches the definition.
  returned: success
  type: bool
reason:
  description: Why the host is not up.
  returned: success
  type: str
  sample: ""
remedy:
  description: What to do next.
  returned: success
  type: str
  sample: ""
events:
  description: Events as the engine would log them, with their times.
  returned: success
  type: list
  elements: dict
expected:
  description: The status and the events that a run would give.
  returned: in check mode
  type: dict
transaction:
  description: ID of the transaction. Empty if there was none.
  returned: success
  type: str
  sample: 20261121T051643-5f0c1a
applied:
  description: The result of M(ovirt.mgmt_network.nmstate_apply), without C(change).
  returned: with O(conclude=false)
  type: dict
"""
