# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at random times on lab hosts, verified by the lab and not by the code under test. ``python -m tests.faults
--help``
"""
