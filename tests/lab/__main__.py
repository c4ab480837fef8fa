# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lab hosts on this machine: User Mode Linux with Debian, NetworkManager, and nmstate, behind a VLAN-aware switch.

All commands are idempotent. Results go to stdout, progress to stderr. The environment variable OVIRT_LAB_NAME
(ovirt-lab) is the name of the lab and its network namespace, so that several labs can exist side by side.

  tests/lab up h1:bond-vlan h2:nic-static    two hosts, with all that they need; see "layouts"
  tests/lab inventory >inventory.yml         (JSON, which is YAML; --yaml is for reading)
  tests/lab exec -- ansible-playbook -i inventory.yml ...
  tests/lab watch h1 --until done & ...; touch done
  tests/lab down
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import runpy
import signal
import sys
import time

if not __package__:  # called as "python3 tests/lab": run again as a package
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
    runpy.run_module("tests.lab", run_name="__main__", alter_sys=True)
    sys.exit()

from . import hosts, image, network, plays  # noqa: E402
from . import watch as watching  # noqa: E402
from .layouts import LAYOUTS  # noqa: E402
from .machine import NAME, LabError, check_machine, in_parallel, netns  # noqa: E402


def build(_args):
    """build the image, unless it exists"""
    print(image.build()[1])


def fabric(_args):
    """start the switch, router, and DHCP server"""
    hosts.fabric()


def up(args):
    """create and boot hosts, each NAME:LAYOUT, two at a time; NAME alone uses --layout, or the layout with this name"""
    wanted = dict(one.split(":", 1) if ":" in one else (one, args.layout or one) for one in args.hosts)
    for one in hosts.up(wanted, args.variant, args.memory):
        print(f"{one['name']}\t{one['address']}")


def layouts(_args):
    """list the layouts"""
    for name, layout in LAYOUTS.items():
        print(f"{name:16} {layout['says']}")


def list_hosts(_args):
    """list the hosts of this lab: name, layout, variant, management address, state, process"""
    for name in [*(["fabric"] if hosts.running("fabric") else []), *hosts.names()]:
        one, process = hosts.about(name), hosts.process(name)
        print(
            f"{name:16} {one['layout'] or '-':16} {one['variant']:7} {one['address'] or '-':16} "
            f"{'on' if process else 'off':4} {process or '-'}"
        )


def ssh(args):
    """open a shell on a host, or run a command; over the out-of-band NIC, or with --mgmt over its management address"""
    os.execvp("ip", [*hosts.ssh_command(args.host, args.mgmt, args.user), *_rest(args.command)])


def execute(args):
    """run a command on the engine's side, in the network namespace of the lab"""
    os.execvp("ip", netns(*_rest(args.command)))


def kill(args):
    """cut the power of hosts"""
    for name in args.hosts:
        hosts.power_cut(name)


def boot(args):
    """boot hosts, two at a time"""
    in_parallel(2, hosts.boot, args.hosts)


def off(args):
    """shut hosts down cleanly"""
    for name in args.hosts:
        hosts.power_off(name)


def down(args):
    """remove hosts, or without a name the whole lab; logs are kept"""
    for name in args.hosts or [None]:
        hosts.down(name)


def inventory(args):
    """print an Ansible inventory of the hosts that are up: group hypervisors, reached from the engine's side"""
    found = plays.inventory(user=args.user)
    print("\n".join(plays.as_yaml(found)) if args.yaml else json.dumps(found, indent=2))


def logs(args):
    """print the console log of a host, even if it was removed"""
    sys.stdout.write(hosts.log(args.host).read_text(encoding="utf-8", errors="replace"))


def ping(args):
    """send echo requests from the engine's side; exit status 1 if some are not answered"""
    _inside(args)
    answered = watching.ping(_address(args.target), args.size, args.df, args.count)
    print(f"{answered} of {args.count} packets with {args.size} bytes of data answered")
    sys.exit(answered != args.count)


def watch(args):
    """send an echo request every 10 ms to each target until SIGTERM, Ctrl-C, --seconds or --until FILE; prints the
    losses as JSON
    """
    _inside(args)
    ended = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: ended.append(1))
    end = time.monotonic() + args.seconds if args.seconds else None
    addresses = {_address(one): one for one in args.targets}
    found = watching.watch(
        list(addresses),
        lambda: bool(ended) or bool(args.until and os.path.exists(args.until)) or bool(end and time.monotonic() > end),
    )
    print(json.dumps({addresses[address]: figures for address, figures in found.items()}))


def fault(args):
    """create or fix a fault in the fabric"""
    numbers = {name: str(hosts.about(name)["number"]) for name in hosts.names()}
    network.fault(args.kind, *(numbers.get(word, word) for word in args.words))


def _inside(args):
    """Continue in the network namespace of the lab, where the hosts are."""
    if os.environ.get("OVIRT_LAB_INSIDE") != NAME:
        os.environ["OVIRT_LAB_INSIDE"] = NAME
        os.execvp("ip", netns(sys.executable, str(pathlib.Path(__file__).resolve().parent), *args.argv))


def _address(target):
    return hosts.about(target)["address"] if target in hosts.names() else target


def _rest(words):
    return words[1:] if words[:1] == ["--"] else words


def parser():
    """The command line."""
    top = argparse.ArgumentParser(
        prog="tests/lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command_name", required=True, metavar="COMMAND")

    def add(function, name=None, several=False, host=False, rest=False):
        one = commands.add_parser(name or function.__name__, help=function.__doc__, description=function.__doc__)
        one.set_defaults(function=function)
        if several:
            one.add_argument("hosts", nargs="*" if several == "any" else "+", metavar="HOST")
        if host:
            one.add_argument("host", metavar="HOST")
        if rest:
            one.add_argument("command", nargs=argparse.REMAINDER, metavar="[--] COMMAND")
        return one

    for plain in (build, fabric, layouts):
        add(plain)
    add(list_hosts, "list")
    one = add(up, several=True)
    one.add_argument(
        "--layout", choices=tuple(LAYOUTS), metavar="LAYOUT", help="of the hosts that name none; see 'layouts'"
    )
    one.add_argument(
        "--variant",
        choices=("el", "debian"),
        default="el",
        help="whose policy for the MACs of bonds and bridges (%(default)s)",
    )
    one.add_argument("--memory", default="384M")
    for function in (kill, boot, off):
        add(function, several=True)
    add(down, several="any")
    one = add(ssh, host=True)
    one.add_argument("--mgmt", action="store_true", help="over the management address")
    one.add_argument("--user", default="root")
    one.add_argument("command", nargs=argparse.REMAINDER, metavar="[--] COMMAND")
    add(execute, "exec", rest=True)
    one = add(inventory)
    one.add_argument(
        "--user", default="root", choices=("root", "admin"), help="admin is one who becomes root by sudo (%(default)s)"
    )
    one.add_argument("--yaml", action="store_true", help="as YAML in place of JSON, to be read")
    add(logs, host=True)
    one = add(ping)
    one.add_argument("target", metavar="HOST|ADDRESS")
    one.add_argument("--size", type=int, default=56, help="bytes of data; 8972 fill an MTU of 9000 over IPv4")
    one.add_argument("--df", action="store_true", help="do not fragment")
    one.add_argument("--count", type=int, default=3)
    one = add(watch)
    one.add_argument("targets", nargs="+", metavar="HOST|ADDRESS")
    one.add_argument("--seconds", type=float)
    one.add_argument("--until", metavar="FILE", help="stop when the file is there")
    one = add(fault)
    one.formatter_class = argparse.RawDescriptionHelpFormatter
    one.description = "\n".join(
        [fault.__doc__ + ":", *(f"  {kind:10} {words:12} {says}" for kind, (words, says) in network.FAULTS.items())]
    )
    one.add_argument("kind", metavar="KIND")
    one.add_argument("words", nargs="*", metavar="ARGUMENT")
    return top


def main():
    args = parser().parse_args()
    args.argv = sys.argv[1:]
    os.umask(0o022)  # files in the image are read by other users than root
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        check_machine()
        args.function(args)
    except LabError as error:
        sys.exit(f"lab: {error}")
    except KeyboardInterrupt:
        sys.exit("lab: interrupted; incomplete items were removed")
    except BrokenPipeError:
        sys.stdout = None  # the reader has closed the pipe


if __name__ == "__main__":
    main()
