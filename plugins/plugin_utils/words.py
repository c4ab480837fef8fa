# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision, a result and the results of a run as lines for the screen. Pure functions on plain data."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.outcome import differs
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plain import shown


def decision_lines(decision, sync="apply"):
    """Lines for the screen: what was found on the host and what follows."""
    interface = decision.get("active_interface") or "none"
    lines = ["found: the control connection is on %s" % interface]
    if decision["decision"] == "in_sync" and not decision.get("exists"):
        return lines + ["there is no management network %s; nothing to do" % decision["network"]]
    if decision["decision"] == "in_sync":
        return lines + ["the management network is as defined; nothing to do"]
    if decision.get("exists") and decision["decision"] == "change" and not differs(decision):
        return lines + ["the management network is as defined; it is recorded for VDSM, and not touched"]
    if decision["decision"] == "refuse":
        return lines + ["refused: " + (decision.get("event") or {}).get("message", "")]
    for name, network in decision["request"]["networks"].items():
        lines.append("%s: %s" % (name, network_words(network)))
    if sync == "report" and decision.get("exists"):
        lines.append("it differs from the definition; only reported (configure_mgmt_sync=report)")
    lines += ["because %s is %s, to be %s" % (one["attribute"], shown(one["actual"]), shown(one["desired"])) for one in decision["differences"]]
    return lines


def network_words(network):
    """A network of a request in words: ``bridged, vlan 3000, bonding bond4, mtu 9000, dhcp``."""
    words = ["bridged" if network.get("bridged") else "bridgeless"]
    for key in ("vlan", "bonding", "nic", "mtu"):
        if network.get(key) not in (None, ""):
            words.append("%s %s" % (key, network[key]))
    if network.get("bootproto") == "dhcp":
        words.append("dhcp")
    if network.get("ipaddr"):
        words.append("address %s" % network["ipaddr"])
    if network.get("dhcpv6") or network.get("ipv6autoconf"):
        words.append("ipv6 %s" % " and ".join(word for word, key in (("dhcp", "dhcpv6"), ("autoconf", "ipv6autoconf")) if network.get(key)))
    if network.get("ipv6addr"):
        words.append("address %s" % network["ipv6addr"])
    return ", ".join(words)


def result_lines(result):
    """Lines for the screen: the final status of a host, what changed, its events and what to do next."""
    what = "changed" if result["changed"] else "nothing changed"
    if result.get("seconds"):
        what += " in %s s" % result["seconds"]
    lines = ["%s: %s (%s)" % (result["host"], result["status"], what)]
    networks = {} if result.get("record") else (result.get("request") or {}).get("networks") or {}
    if result["status"] in ("up", "maintenance"):
        if result["decision"] == "in_sync" and result["exists"]:
            lines.append("%s: as defined, on %s" % (result["network"], result["active_interface"]))
        lines += ["%s: %s%s" % (name, network_words(network), "" if result.get("synced") else " -- not synced") for name, network in networks.items()]
    for name in (result.get("record") or {}).get("networks") or {}:
        lines.append("%s: taken away, the address is on the plain interface" % name)
    if result.get("learned"):
        lines.append("learnt, to be confirmed in the definition: %s" % ", ".join("%s: %s" % one for one in sorted(result["learned"].items())))
    for one in result["events"]:
        number = "" if one.get("id") is None else " (%s)" % one["id"]
        lines.append("event %s%s %s: %s" % (one["name"], number, one["severity"], one["message"]))
    if result["reason"] and result["reason"] not in "".join(one["message"] for one in result["events"]):
        lines.append("reason: " + result["reason"])
    if result["remedy"] and result["status"] not in ("up", "maintenance"):
        lines.append("what to do: " + result["remedy"])
    if result.get("diagnosis"):
        lines.append("details: " + result["diagnosis"])
    return lines


def summary_lines(results):
    """One block of lines for all hosts of a run, those that need attention last."""
    ended = sorted(results, key=lambda one: (one["status"] not in ("up", "maintenance"), one["host"]))
    lines = []
    for one in ended:
        head, *rest = result_lines(one)
        lines += [head] + ["    " + line for line in rest]
    well = sum(one["status"] in ("up", "maintenance") for one in ended)
    return lines + ["%d of %d hosts well, %d changed" % (well, len(ended), sum(one["changed"] for one in ended))]
