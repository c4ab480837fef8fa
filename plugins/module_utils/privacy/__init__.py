# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets stay out of what is written down, and files out of others' sight. Both sides use it."""
