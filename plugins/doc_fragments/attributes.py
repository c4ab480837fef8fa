# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the attributes on the documentation pages of this collection's modules mean; each module states its support."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragments by name; Ansible reads them as class attributes."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and tell what would change without changing anything on the host.
  diff_mode:
    description: Shows what has changed, or would change in check mode, when run in diff mode.
  platform:
    description: Operating systems that the module can be run against.
    platforms: linux
    support: full
  action:
    description: A part of the module runs on the controller, in an action plugin of the same name.
    support: none
  async:
    description: Can be used with the C(async) keyword.
    support: full
"""

    # Beside the standard fragment, for modules that return facts and change nothing.
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
