# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the script that ansible-test would download: installs pip from a wheel that setup.py has put aside."""

import glob
import os
import sys

folder = os.environ["GET_PIP_WHEELS"]
sys.path.insert(0, glob.glob(os.path.join(folder, "pip-@VERSION@-*.whl"))[0])

from pip._internal.cli.main import main  # noqa: E402

words = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", "--find-links", folder, "pip==@VERSION@"] + words))
