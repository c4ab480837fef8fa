# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves a change: addresses that have to stay, probes, the controller's confirmation."""
