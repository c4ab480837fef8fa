#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the tools for the checks, on a machine that only has Python: a venv with the tools, and a copy of the
collection at its real path.

  setup.py           prints the path of the venv and that of the copy
  setup.py -- CMD    runs CMD in the copy, with the venv first on PATH and ANSIBLE_COLLECTIONS_PATH set

ansible-test and imports require .../ansible_collections/ovirt/mgmt_network, and ansible-test rejects symbolic links.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ovirt-mgmt-network"
COLLECTIONS = CACHE / "collections" / hashlib.sha256(str(HERE).encode()).hexdigest()[:8]  # one for each checkout
COPY = COLLECTIONS / "ansible_collections/ovirt/mgmt_network"
# The first available version runs the tools; requirements.txt has an ansible-core for each.
PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 10), (3, 14))


def main():
    COLLECTIONS.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / "setup.lock"):
        venv = tools()
        seed_ansible_test(venv)
    with locked(COLLECTIONS / "copy.lock"):
        copy()
    if sys.argv[1:2] == ["--"]:
        os.chdir(COPY)
        environment = dict(
            os.environ,
            PATH=f"{venv}/bin:{clean_path()}",
            ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
            VIRTUAL_ENV=str(venv),
            OVIRT_CHECKOUT=str(HERE.parent),
        )
        os.execvpe(sys.argv[2], sys.argv[2:], environment)
    print(venv)
    print(COPY)


@contextlib.contextmanager
def locked(path):
    """Hold the lock file ``path``: other checkouts share the cache."""
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clean_path():
    """PATH without pyenv's shims, which exist for any python3.x and fail if it is not installed."""
    return os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if "shims" not in one)


def interpreters(wanted=None):
    """``{(3, n): path}`` of the working Pythons. ``wanted``: a version; the search ends when it is found."""
    places = [f"{one}/python3" for one in os.environ["PATH"].split(os.pathsep)]
    places += [f"{one}/python3.{minor}" for one in clean_path().split(os.pathsep) for minor in range(9, 15)]
    places += [str(path) for path in pathlib.Path.home().glob(".pyenv/versions/*/bin/python3")]
    found = {}
    for place in [sys.executable, *places]:
        if os.path.exists(place):
            asked = subprocess.run(
                [place, "-c", "import sys; print(sys._base_executable, *sys.version_info[:2])"],
                capture_output=True,
                text=True,
                check=False,
            )
            words = asked.stdout.split()
            if asked.returncode == 0 and len(words) == 3:
                found.setdefault((int(words[1]), int(words[2])), words[0])
        if wanted in found:
            break
    return found


def tools(requirements=HERE / "requirements.txt", name="venv", wanted=PYTHONS):
    """The venv with ``requirements`` for the first available Python of ``wanted``, created if the requirements have
    changed.
    """
    known = interpreters(wanted[0])
    version = next((one for one in wanted if one in known), None)
    if version is None:
        sys.exit(
            f"setup: Python {' or '.join(map(dotted, wanted))} is required; found "
            f"{', '.join(map(dotted, sorted(known)))}. "
            "Install one (Debian: apt-get install python3) and try again"
        )
    recipe = hashlib.sha256(requirements.read_bytes() + repr((version, known[version])).encode()).hexdigest()[:12]
    venv = CACHE / f"{name}-{recipe}"
    if not (venv / "complete").exists():
        print(f"setup: {venv.name} with Python {dotted(version)} ...", file=sys.stderr, flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        make_venv(known[version], version, venv)
        run([f"{venv}/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements])
        (venv / "complete").touch()
    return venv


def make_venv(python, version, venv):
    if subprocess.run([python, "-m", "venv", venv], capture_output=True, check=False).returncode:
        # Debian's Python does not include ensurepip
        shutil.rmtree(venv, ignore_errors=True)
        run(["apt-get", "update", "-q"])
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", f"python{dotted(version)}-venv"])
        run([python, "-m", "venv", venv])


def dotted(version):
    """``(3, 11)`` as ``3.11``."""
    return ".".join(map(str, version))


def copy():
    """Make COPY equal to the checkout: tracked files and new files that are not ignored."""
    # Also read a clone of another owner.
    listed = run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "-C",
            HERE.parent,
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]
    )
    wanted = {name for name in listed.split("\0") if name and (HERE.parent / name).is_file()}
    for path in sorted(COPY.rglob("*"), reverse=True) if COPY.exists() else []:
        name = str(path.relative_to(COPY))
        if path.is_file() and name not in wanted and not name.startswith((".git/", "tests/output/")):
            path.unlink()
        elif path.is_dir() and not path.is_symlink() and not any(path.iterdir()) and not name.startswith(".git"):
            path.rmdir()
    for name in wanted:
        source, target = HERE.parent / name, COPY / name
        if (
            not target.exists()
            or source.stat().st_mtime != target.stat().st_mtime
            or source.stat().st_size != target.stat().st_size
        ):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    if not (COPY / ".git").exists():  # ansible-test and ansible-lint read the files of the collection from git
        run(["git", "-C", COPY, "init", "-q"])
    run(["git", "-C", COPY, "add", "-A"])


def seed_ansible_test(venv):
    """ansible-test downloads a script that installs pip; this replacement installs pip from the configured package
    index.
    """
    wheels, cache = CACHE / "wheels", pathlib.Path.home() / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    asks = next(venv.glob("lib/python3*/site-packages/ansible_test/_internal/python_requirements.py")).read_text(
        encoding="utf-8"
    )
    version = re.search(r"\bpip='([0-9.]+)'", asks).group(1)
    if not list(wheels.glob(f"pip-{version}-*.whl")):
        run(
            [
                f"{venv}/bin/python",
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--disable-pip-version-check",
                "-d",
                wheels,
                f"pip=={version}",
            ]
        )
    template, target = HERE / "gate/get_pip.py", cache / f"get_pip_{version.replace('.', '_')}.py"
    if not target.exists() or "ovirt.mgmt_network" in target.read_text(encoding="utf-8"):  # keep the original
        target.write_text(
            template.read_text(encoding="ascii").replace("@WHEELS@", str(wheels)).replace("@VERSION@", version),
            encoding="utf-8",
        )


def run(argv):
    """Run a tool and return its output; exits with its output if it fails."""
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"setup: {argv[0]} is missing on this machine; install it and try again")
    if done.returncode:
        sys.exit(f"setup: {' '.join(map(str, argv[:6]))}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
