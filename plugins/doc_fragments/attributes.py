# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Descriptions of the attributes in the documentation of this collection's modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragments by name. Ansible reads them as class attributes."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report what would change, without changing the host.
  diff_mode:
    description: In diff mode, shows what changed or, in check mode, what would change.
  platform:
    description: Operating systems that the module supports.
    platforms: linux
    support: full
  action:
    description: Part of the module runs on the controller, in an action plugin of the same name.
    support: none
  async:
    description: Can be used with the C(async) keyword.
    support: full
"""

    # In addition to the standard fragment, for modules that return facts and change nothing.
    FACTS_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: The module changes nothing.
  diff_mode:
    support: N/A
    details: The module changes nothing.
  facts:
    description: Returns an RV(ignore:ansible_facts) dictionary that is added to the host's facts.
    support: full
"""

    # Before the standard fragment (the first value counts), for actions that read the host and change nothing.
    READING_ACTION = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The module changes nothing.
  action:
    support: full
  async:
    support: none
    details: The module runs on the controller.
"""
