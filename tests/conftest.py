# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes ``import ansible_collections.ovirt.mgmt_network`` work in any checkout, independent of its folder name."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

if CHECKOUT.parts[-3:] == ("ansible_collections", "ovirt", "mgmt_network"):
    ROOT = CHECKOUT.parents[2]
else:
    ROOT = Path(tempfile.mkdtemp(prefix="mgmt_network-"))
    atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
    (ROOT / "ansible_collections" / "ovirt").mkdir(parents=True)
    (ROOT / "ansible_collections" / "ovirt" / "mgmt_network").symlink_to(CHECKOUT)

sys.path.insert(0, str(ROOT))
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT)  # for the playbooks that tests run
