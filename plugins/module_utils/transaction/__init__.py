# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal, apply, prove, commit, or undo: one change of a host's network, never half of it."""
