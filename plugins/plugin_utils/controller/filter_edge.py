# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every filter does at its edge: plain data in, one-sentence errors out."""

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
    """Return ``function(**arguments)`` with every argument (by its name) made plain first.

    ``name``: the filter, which begins the message of the AnsibleFilterError that stands for one of ``errors``, for
    values that are not plain data, and for a missing netaddr.
    """
    if NETADDR_IMPORT_ERROR is not None:
        raise AnsibleFilterError(f"{name}: {missing_required_lib('netaddr')}") from NETADDR_IMPORT_ERROR
    caught: tuple[type[Exception], ...] = (PlainDataError, *errors)
    try:
        return function(**{key: to_plain(value, key) for key, value in arguments.items()})
    except caught as error:
        raise AnsibleFilterError(
            f"{name}: {error}"
        ) from None  # Ansible would print the cause, which is the same sentence, once more
