# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to change: validates the desired state, computes the difference from the host, and what the change can affect.
Pure.
"""
