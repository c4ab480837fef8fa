# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the path to the gateway and the control connection prove: too little, nothing, or only after a while."""

from __future__ import annotations

from tests.faults import expect
from tests.faults.play import COMMIT, ROLE, Play, apply_task
from tests.lab import hosts

# The interpreter as a child of systemd: SSH_CONNECTION is neither in its environment nor in that of its parents, as in a container's exec.
_DETACHED = "/usr/local/bin/python-detached"
_WRAPPER = '#!/bin/sh\nexec systemd-run --quiet --wait --pipe --collect /usr/bin/python3 "$@"\n'
_MTU = {"interfaces": [{"name": "eth1", "type": "ethernet", "state": "up", "mtu": 1400}]}
_LIMIT = 60  # s, the role's own timeout


def _role(name, **definition):
    return Play(name, ROLE, mgmt_network={"name": "ovirtmgmt", **definition}, configure_mgmt_timeout=_LIMIT)


def _committed(play):
    play.wait(300)
    _how, result, _at = play.ended()
    expect.expect(result.get("phase") == "committed", f"not committed: {play.failure()}")
    return result


def small_path(name, before):
    """The definition asks for MTU 9000; the untagged path carries 1450 bytes and says so."""
    seen = expect.undone(
        _role(name, mtu=9000), r"carries packets of 1450 bytes at most, not 9000", within=2, timeout=_LIMIT
    )
    expect.state(name, before)
    return seen


def silent_gateway(name, before):
    """The definition asks for MTU 9000; the gateway answers no echo requests, of any size."""
    result = _committed(_role(name, vlan_tag=20, mtu=9000))
    told = [one for one in result.get("not_probed") or [] if one.startswith("path_mtu ")]
    said = len(told) == 2 and all("not answered before" in one for one in told)
    expect.expect(said, f"it does not say that the path was not probed: {result.get('not_probed')}")
    expect.state(name, before, "new", 9000)
    return f"committed; {told[0]}"


def static_stp(name, before):
    """A static address moves to a new bridge whose spanning tree blocks the port for 30 s."""
    result = _committed(_role(name, stp=True))
    times = {one["phase"]: one["at"] for one in result["timeline"]}
    expect.state(name, before, "new")
    return f"committed {times['committed'] - times['open']:.0f} s after it began"


def _apply(name, options=None, **variables):
    return Play(name, {"tasks": [apply_task(_MTU, **(options or {}))]}, **variables)


def proves_nothing(name, before):
    """A connection without SSH: refused; committed with addresses and probes, or left pending, and the result says that nothing is proven."""
    hosts.ssh(name, f"cat >{_DETACHED}; chmod 755 {_DETACHED}", input=_WRAPPER)
    detached = {"ansible_python_interpreter": _DETACHED}
    text = expect.refused(
        _apply(name, **detached), ["proves nothing", "not SSH", "Nothing was changed", "keep", "commit: false"]
    )
    expect.refused(_apply(name, {"keep": ["192.0.2.200"]}, **detached), ["is not on this host", "Nothing was changed"])
    expect.state(name, before)
    play = Play(
        name,
        {"tasks": [apply_task(_MTU, commit=False), {COMMIT: {"state": "rolled_back", "diagnosis": ""}}]},
        "pending",
        **detached,
    )
    play.wait(180)
    expect.expect(
        play.ended()[1].get("phase") == "applied" and play.ended(COMMIT)[0] == "ok",
        f"commit: false did not leave it pending: {play.failure()}",
    )
    expect.state(name, before)
    result = _committed(_apply(name, {"keep": [hosts.about(name)["address"]]}, **detached))
    expect.expect(result.get("proven") is False, f"it does not say that nothing is proven: {result}")
    return f"committed with keep and probes only: {text}"


def out_of_band(name, before):
    """The controller comes in over a NIC that NetworkManager does not manage, which no change can take away."""
    address = f"10.77.1.{hosts.about(name)['number']}"
    text = expect.refused(
        _apply(name, ansible_host=address),
        ["proves nothing", "oob0, which NetworkManager does not manage", "Nothing was changed"],
    )
    expect.state(name, before)
    return text


CASES = {
    "small_path": ("nic-small", small_path, "old, names the size that the path carries"),
    "silent_gateway": ("vlan-silent", silent_gateway, "new, reported; says that the path was not probed"),
    "static_stp": ("nic-static", static_stp, "new, reported"),
    "proves_nothing": ("nic-dhcp", proves_nothing, "refused; with keep and probes committed, not proven"),
    "out_of_band": ("nic-static", out_of_band, "refused, names the NIC"),
}
