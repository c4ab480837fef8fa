# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays on lab hosts: the inventory, ansible-playbook on the engine's side, and measurement of the network during a
play.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

from . import hosts, image
from .machine import SSH, netns

SSH_ARGS = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
_NOT_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")  # to YAML


def variables(user="root"):
    """The variables with which Ansible reaches a lab host from the engine's side, without its address."""
    return {
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(image.key_file()),
        "ansible_ssh_common_args": SSH_ARGS,
        "ansible_python_interpreter": "/usr/bin/python3",
        **({} if user == "root" else {"ansible_become": True}),
    }


def inventory(wanted=None, user="root"):
    """An inventory (dict) with the group hypervisors. ``wanted``: ``{name: further variables}``; without it, all hosts
    that are up.
    """
    if wanted is None:
        wanted = {name: {} for name in filter(hosts.running, hosts.names())}
    return {
        "hypervisors": {"hosts": {name: {**_host(name), **wanted[name]} for name in wanted}, "vars": variables(user)}
    }


def _host(name):
    about = hosts.about(name)
    # Hosts of several labs have the same addresses, so each lab has its own folder for persistent ssh connections.
    return {
        "ansible_host": about["address"],
        "lab_layout": about["layout"],
        "ansible_control_path_dir": str(SSH / name),
    }


def as_yaml(value, indent=0):
    """The lines of a mapping as YAML; its leaves are JSON, which is valid YAML."""
    for key, entry in value.items():
        key = json.dumps(key) if key in _NOT_WORDS else key
        if isinstance(entry, dict) and entry:
            yield f"{' ' * indent}{key}:"
            yield from as_yaml(entry, indent + 2)
        else:
            yield f"{' ' * indent}{key}: {json.dumps(entry)}"


def write(folder, label, found, content=None):
    """The words for ansible-playbook with the inventory ``found``, and with the plays ``content`` if any are given;
    both are kept in ``folder`` as LABEL.inventory.yml and LABEL.yml.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{label}.inventory.yml"
    path.write_text("\n".join(as_yaml(found)) + "\n", encoding="utf-8")
    words = ["-i", str(path)]
    if content is not None:
        (folder / f"{label}.yml").write_text(json.dumps(content, indent=2), encoding="utf-8")
        words.append(str(folder / f"{label}.yml"))
    return words


def command(*words):
    """The command line of ansible-playbook, of the same virtual environment, on the engine's side."""
    return netns(pathlib.Path(sys.executable).parent / "ansible-playbook", *words)


def environment(**more):
    """The environment of a play."""
    return {**os.environ, "ANSIBLE_PIPELINING": "true", "ANSIBLE_HOST_KEY_CHECKING": "false", **more}


@contextlib.contextmanager
def watched(names, folder):
    """Send packets to the hosts (if any) while the block runs. Yields a dict that contains ``{host: losses}``
    afterwards.
    """
    stop, losses = folder / "stop", {}
    if not names:
        yield losses
        return
    stop.unlink(missing_ok=True)
    lab = pathlib.Path(__file__).resolve().parent
    watcher = subprocess.Popen(
        [sys.executable, str(lab), "watch", *names, "--until", str(stop)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    try:
        yield losses
    finally:
        stop.touch()
        losses.update(json.loads(watcher.communicate(timeout=60)[0]))
