# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps secrets out of files and messages, and files readable by their owner only. Used on the host and on the
controller.
"""
