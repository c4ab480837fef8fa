# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all filters have in common: converting arguments to plain data, and errors of one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import NETADDR_IMPORT_ERROR
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import PlainDataError, to_plain


def call(
    name: str, errors: tuple[type[Exception], ...], function: Callable[..., Any], arguments: dict[str, Any]
) -> Any:
    """Return ``function(**arguments)``, with all arguments converted to plain data.

    ``name``: the filter. Raises AnsibleFilterError, whose message begins with it, for ``errors``, for values that are
    not plain data, and for a missing netaddr.
    """
    if NETADDR_IMPORT_ERROR is not None:
        raise AnsibleFilterError(f"{name}: {missing_required_lib('netaddr')}") from NETADDR_IMPORT_ERROR
    caught: tuple[type[Exception], ...] = (PlainDataError, *errors)
    try:
        return function(**{key: to_plain(value, key) for key, value in arguments.items()})
    except caught as error:
        raise AnsibleFilterError(
            f"{name}: {error}"
        ) from None  # Ansible would print the same sentence again as the cause
