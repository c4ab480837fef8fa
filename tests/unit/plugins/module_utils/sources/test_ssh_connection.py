# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control connection: SSH_CONNECTION's forms, the walk up the parents, the socket of the sshd, the device that
holds it.
"""

from __future__ import annotations

import os
import sys

import pytest
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import ssh_connection

LINKS = [
    {"ifname": "lo", "ifindex": 1, "addr_info": [{"local": "127.0.0.1"}, {"local": "::1"}]},
    {
        "ifname": "eth1",
        "ifindex": 4,
        "addr_info": [{"local": "10.80.0.5"}, {"local": "fe80::1"}, {"local": "2001:db8::10"}],
    },
    {"ifname": "bond4.3000", "ifindex": 7, "addr_info": [{"local": "10.88.0.50"}, {"local": "fe80::1"}]},
    {"ifname": "ppp0", "ifindex": 8, "addr_info": [{"family": "inet"}]},
    {"ifname": "eth9", "ifindex": 9},
]


@pytest.mark.parametrize(
    ("local", "device"),
    [
        ("10.88.0.50", "bond4.3000"),
        ("::ffff:10.88.0.50", "bond4.3000"),
        ("::FFFF:10.88.0.50", "bond4.3000"),
        ("2001:0DB8:0:0::0010", "eth1"),
        ("fe80::1%bond4.3000", "bond4.3000"),
        ("fe80::1%4", "eth1"),
        ("fe80::1", "eth1"),
        ("fe80::1%eth9", ""),
        ("192.0.2.99", ""),
        ("", ""),
        ("host.example", ""),
    ],
)
def test_device_of(local, device):
    assert ssh_connection.device_of(local, LINKS) == device


@pytest.mark.parametrize(
    ("value", "ends"),
    [
        ("10.99.0.1 50380 10.88.0.50 22", {"local": "10.88.0.50", "peer": "10.99.0.1"}),
        ("fe80::2%eth1 40000 fe80::1%eth1 22", {"local": "fe80::1%eth1", "peer": "fe80::2%eth1"}),
        ("UNKNOWN 65535 UNKNOWN 65535", None),  # the value that sshd sets if its input is not a socket
        ("", None),
        ("10.99.0.1 50380 10.88.0.50", None),
    ],
)
def test_parse(value, ends):
    assert ssh_connection.parse(value) == ends


class Proc:
    """A simulated /proc: processes are added from the oldest to this one."""

    def __init__(self, folder):
        self.folder = folder
        self.last = "1"

    def add(self, pid, comm, environ="", sockets=(), tcp="", tcp6=""):
        home = self.folder / pid
        (home / "fd").mkdir(parents=True)
        (home / "net").mkdir()
        (home / "stat").write_text("%s (%s) S %s 1 1" % (pid, comm, self.last))
        (home / "comm").write_text(comm + "\n")
        (home / "environ").write_text("\0".join(environ.split("|")) + "\0")
        for number, inode in sockets:
            os.symlink("socket:[%s]" % inode, home / "fd" / str(number))
        os.symlink("/dev/null", home / "fd" / "0")
        head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        (home / "net" / "tcp").write_text(head + tcp)
        (home / "net" / "tcp6").write_text(head + tcp6)
        self.last = pid

    def ask(self, environment=None):
        os.symlink(self.folder / self.last, self.folder / "self")
        return ssh_connection.connection(str(self.folder), environment or {})


@pytest.fixture
def proc(tmp_path):
    return Proc(tmp_path)


def socket_line(local, peer, state, inode):
    return "   0: %s %s %s 00000000:00000000 00:00000000 00000000     0        0 %s 1 0 20 4 30 10 -1\n" % (
        local,
        peer,
        state,
        inode,
    )


def test_own_environment_first(proc):
    proc.add("100", "sh", "SSH_CONNECTION=10.99.0.9 1 10.88.0.99 22")
    proc.add("101", "python3")
    found = proc.ask({"SSH_CONNECTION": "10.99.0.1 50380 10.88.0.50 22"})
    assert found == {"local": "10.88.0.50", "peer": "10.99.0.1", "ssh_connection_source": "environment"}


def test_the_environment_of_parents_after_sudo(proc):
    proc.add("90", "sshd-session")
    proc.add("100", "sh", "HOME=/home/joe|SSH_CONNECTION=10.99.0.1 50380 10.88.0.50 22|A=b=c")
    proc.add("101", "sudo", "HOME=/home/joe")
    proc.add("102", "odd) S 1 (name", "HOME=/root")
    proc.add("103", "python3", "HOME=/root")
    assert proc.ask() == {"local": "10.88.0.50", "peer": "10.99.0.1", "ssh_connection_source": "process"}


def test_nearest_connection_counts(proc):
    proc.add("90", "sh", "SSH_CONNECTION=10.99.0.9 1 10.88.0.99 22")
    proc.add("100", "sh", "SSH_CONNECTION=10.99.0.1 2 10.88.0.50 22")
    proc.add("101", "python3")
    assert proc.ask()["local"] == "10.88.0.50"


LITTLE = pytest.mark.skipif(sys.byteorder != "little", reason="the recorded tables are of a little-endian machine")


@LITTLE
@pytest.mark.parametrize(
    ("tables", "local", "peer"),
    [
        ({"tcp": socket_line("3200580A:0016", "0100630A:C4CC", "01", "777")}, "10.88.0.50", "10.99.0.1"),
        (
            {
                "tcp6": socket_line(
                    "0000000000000000FFFF00003200580A:0016", "0000000000000000FFFF00000100630A:C4CC", "01", "777"
                )
            },
            "10.88.0.50",
            "10.99.0.1",
        ),
        (
            {
                "tcp6": socket_line(
                    "880000FD000000000000000040010000:0016", "880000FD000000000000000001000000:C4CC", "01", "777"
                )
            },
            "fd00:88::140",
            "fd00:88::1",
        ),
    ],
)
def test_socket_of_the_sshd(proc, tables, local, peer):
    proc.add("90", "sshd", tcp=socket_line("00000000:0016", "00000000:0000", "0A", "700"), sockets=[(3, "700")])
    proc.add("95", "sshd-session", sockets=[(4, "777"), (9, "888")], **tables)
    proc.add("100", "python3")
    assert proc.ask() == {"local": local, "peer": peer, "ssh_connection_source": "process"}


@LITTLE
def test_session_socket_before_forwarded_ones(proc):
    lines = socket_line("0100007F:1F90", "0100007F:C000", "01", "888") + socket_line(
        "3200580A:0016", "0100630A:C4CC", "01", "777"
    )
    proc.add("95", "sshd", sockets=[(10, "888"), (4, "777")], tcp=lines)
    proc.add("100", "python3")
    assert proc.ask()["local"] == "10.88.0.50"


def test_no_ssh_session(proc):
    proc.add("50", "bash", "HOME=/root")
    proc.add("100", "python3")
    assert proc.ask() == {"local": "", "peer": "", "ssh_connection_source": ""}
