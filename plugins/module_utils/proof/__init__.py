# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change is verified: addresses to keep, probes, and the controller's confirmation."""
