# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces the script that ansible-test would download: installs pip from a wheel that setup.py has stored.

ansible-test runs it in a separate environment, so its settings are written into the script.
"""

import glob
import sys

FOLDER, PIP = "@WHEELS@", "@VERSION@"

wheels = glob.glob("%s/pip-%s-*.whl" % (FOLDER, PIP))
if not wheels:
    sys.exit(
        "%s was put here by the checks of ovirt.mgmt_network, which have been cleaned since: remove it, or run them "
        "again" % __file__
    )
sys.path.insert(0, wheels[0])

from pip._internal.cli.main import main  # noqa: E402

words = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", "--find-links", FOLDER, "pip==" + PIP] + words))
