# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: hosts with their own kernel, systemd, NetworkManager, and sshd on one machine. ``python3 -m tests.lab
--help``
"""
