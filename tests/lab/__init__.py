# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: real hosts (kernel, systemd, NetworkManager, sshd) on one machine. ``python3 -m tests.lab --help``"""
