# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of modules, which the action plugins validate before the host is contacted; secrets and private files
on the host.
"""

from __future__ import annotations

import importlib
import os

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.privacy import masking
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import durable_files, profile_files
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import mailbox


@pytest.mark.parametrize(
    "word, value",
    [
        ("n", False),
        ("no", False),
        ("off", False),
        ("0", False),
        (0, False),
        ("f", False),
        ("y", True),
        ("yes", True),
        (True, True),
    ],
)
def test_the_action_accepts_every_boolean_text(word, value):
    validated = ArgumentSpecValidator(arguments.nmstate_apply()).validate({"state": {}, "commit": word})
    assert validated.error_messages == [] and validated.validated_parameters["commit"] is value


@pytest.mark.parametrize(
    "given, words",
    [
        ({"timeout": 5}, "timeout: got 5, expected 10 to 600 seconds. Nothing was changed"),
        ({"probes": [{"type": "tcp"}]}, "probe tcp: expected target"),
        ({"transaction": "../../etc"}, "transaction: got '../../etc', expected a transaction ID"),
        ({"transaction": "t1\n"}, "transaction: got"),
        ({"transaction": "a" * 65}, "transaction: got"),
        ({"transaction": "20261121T051643-5f0c1a; reboot"}, "transaction: got"),
    ],
)
def test_checks_beyond_the_specification(given, words):
    with pytest.raises(arguments.ArgumentError) as caught:
        arguments.check(given)
    assert str(caught.value).startswith(words)


def test_valid_arguments_pass():
    arguments.check(
        {"timeout": 10, "probes": [{"type": "tcp", "target": "h", "port": 22}], "transaction": "20261121T051643-5f0c1a"}
    )
    arguments.check({"transaction": ""})


@pytest.mark.parametrize("name", ["nmstate_apply", "network_commit"])
def test_the_specification_matches_the_documentation(name):
    module = importlib.import_module("ansible_collections.ovirt.mgmt_network.plugins.modules." + name)
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    spec = getattr(arguments, name)()
    assert {key: (one["type"], one.get("choices"), one.get("default")) for key, one in documented.items()} == {
        key: (one["type"], one.get("choices"), one.get("default")) for key, one in spec.items()
    }


@pytest.mark.parametrize(
    "data, expected",
    [
        (
            {"password": "x", "password-flags": 1, "psk": None, "identity": "me"},
            {"password": "***", "password-flags": 1, "psk": None, "identity": "me"},
        ),
        ({"802-1x.private-key": ["a", "b"]}, {"802-1x.private-key": "***"}),
        (
            {"peers": [{"preshared-key": "x", "public-key": "p"}]},
            {"peers": [{"preshared-key": "***", "public-key": "p"}]},
        ),
        ({"mka-cak": "1234", "mka-ckn": "5"}, {"mka-cak": "***", "mka-ckn": "5"}),
        ("wireguard.private-key=abc, mtu: 1500", "wireguard.private-key=***, mtu: 1500"),
        ('{"psk": "a b", "mtu": 1}', '{"psk": ***, "mtu": 1}'),
        ("spinning: yes, mapping: 3, key: value", "spinning: yes, mapping: 3, key: value"),
    ],
)
def test_only_secrets_are_masked(data, expected):
    assert masking.masked(data) == expected


def modes(folder):
    return {
        os.path.relpath(os.path.join(top, name), folder): oct(os.stat(os.path.join(top, name)).st_mode & 0o777)
        for top, folders, names in os.walk(folder)
        for name in folders + names
    }


def test_files_of_the_host_are_private_from_their_creation(tmp_path, monkeypatch):
    seen = []
    real = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda path, flags, mode=0o777, **more: (
            seen.append((str(path), flags, mode)),
            real(path, flags, mode, **more),
        )[1],
    )
    monkeypatch.setattr(mailbox, "RUN", str(tmp_path / "run" / "m"))
    monkeypatch.setattr(mailbox, "LAST", str(tmp_path / "run" / "m" / "last.json"))
    profile = tmp_path / "etc" / "wifi.nmconnection"
    profile.parent.mkdir()
    profile.write_text("psk=x")
    profile.chmod(0o644)
    before = os.umask(0)
    try:
        mailbox.publish({"id": "t1", "phase": "undone"})
        mailbox.send("t1", "confirm", "nonce")
        durable_files.write_all(str(tmp_path / "code"), {"a/b.py": b""})
        profile_files.copy([str(profile)], str(tmp_path / "files"))
    finally:
        os.umask(before)
    assert (
        set(modes(tmp_path / "run").values()) == {"0o700", "0o600"}
        and (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    )
    assert set(modes(tmp_path / "code").values()) == {"0o700", "0o600"}
    assert all(mode == 0o600 for _path, flags, mode in seen if flags & os.O_CREAT) and seen
    copied = next((tmp_path / "files").rglob("wifi.nmconnection"))
    assert copied.stat().st_mode & 0o777 == 0o644, "the copy has the mode of the profile in the end, to bring it back"
