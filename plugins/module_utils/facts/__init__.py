# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host's network: the fact ``host_network``, gathered from all sources."""
