# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a transaction changes on a host: one file for each kind of effect, with the same methods."""
