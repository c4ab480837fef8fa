# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of a host's network as a transaction: journal, apply, prove, and commit or undo."""
