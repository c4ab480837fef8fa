# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a host: its final status, its events, and the words for the screen. Pure functions on plain data."""

from __future__ import annotations

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.events import event

# The step of a transaction that failed, by the event that the engine logs for it (NetworkConfigurator).
_SETUP_FAILED = "SETUP_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK_CONFIGURATION"
_PERSIST_FAILED = "PERSIST_NETWORK_FAILED_FOR_MANAGEMENT_NETWORK"


def outcome(decision, host, applied=None, failure=None, activate=True):
    """The result of one host: ``{host, status, changed, network, active_interface, decision, differences, events, ...}``.

    ``decision``: what derive_mgmt_network gave ({} when it never came to it). ``applied``: result of nmstate_apply ({} when
    nothing was applied). ``failure``: ``{task, action, msg}`` of the task that failed, or None. Statuses as in the engine
    (reference: InstallVdsInternalCommand): up, maintenance, non_operational, non_responsive.
    """
    applied = applied or {}
    interface = decision.get("active_interface", "")
    found = {
        "host": host,
        "network": decision.get("network", ""),
        "active_interface": interface,
        "decision": decision.get("decision", ""),
        "differences": decision.get("differences") or [],
        "request": decision.get("request") or {},
        "changed": bool(applied.get("changed")),
        "transaction": applied.get("transaction", ""),
        "phase": applied.get("phase", ""),
        "seconds": _seconds(applied.get("timeline")),
        "reason": "",
        "remedy": decision.get("remedy") or "",
    }
    if failure is None:
        return dict(found, **_success(decision, host, interface, applied, activate))
    return dict(found, **_failure(decision, host, interface, applied, failure))


def _success(decision, host, interface, applied, activate):
    status = "up" if activate else "maintenance"
    events = list(decision.get("warnings") or [])
    if applied.get("phase") == "committed":
        events.append(event("NETWORK_COMMINT_NETWORK_CHANGES", host=host, interface=interface))
    synced = bool(applied) or not differs(decision)
    if not synced:
        events.append(event("VDS_NETWORKS_OUT_OF_SYNC", host=host, interface=interface, Networks=decision["network"]))
    events.append(event("VDS_DETECTED", host=host, HostStatus=status))
    return {"status": status, "synced": synced, "events": events}


def _failure(decision, host, interface, applied, failure):
    if applied.get("failed"):
        name = _PERSIST_FAILED if applied.get("step") == "commit" else _SETUP_FAILED
        lost = applied.get("phase") not in ("undone", None) and not applied.get("rolled_back") and applied.get("step") == "prove"
        events = [event(name, host=host, interface=interface)]
        return {"status": "non_responsive" if lost else "non_operational", "synced": False, "events": events, "reason": applied.get("msg", ""),
                "exact": applied.get("exact"), "repairs": applied.get("repairs") or [], "diagnosis": applied.get("diagnosis", "")}
    if decision.get("decision") == "refuse":
        events = [decision["event"]] if decision.get("event") else []
        return {"status": "non_operational", "synced": False, "events": events, "reason": (decision.get("event") or {}).get("message", "")}
    if failure["action"] == "host_deploy":
        events = [event("VDS_INSTALL_FAILED", host=host, FailedInstallMessage=failure["msg"])]
        return {"status": "install_failed", "synced": False, "reason": failure["msg"], "events": events,
                "remedy": "Mend what the message names, then run again; the host's network was left alone."}
    if failure["action"].endswith("wait_for_connection"):
        events = [event("VDS_FAILURE", host=host)]
        return {"status": "non_responsive", "synced": False, "events": events, "reason": failure["msg"],
                "remedy": "See that the host is powered on and answers over SSH at its address, then run again."}
    return {"status": "non_operational", "synced": False, "events": [event(_SETUP_FAILED, host=host, interface=interface)],
            "reason": "%s: %s" % (failure["task"], failure["msg"])}


def differs(decision):
    """Whether the host's network is not as defined. That VDSM has no record of it (yet) is no difference of the network."""
    return any(one["attribute"] != "persistence" for one in decision.get("differences") or [])


def _seconds(timeline):
    """Seconds from the first to the last phase, None when there is none."""
    return round(timeline[-1]["at"] - timeline[0]["at"], 1) if timeline else None


def decision_lines(decision, sync="apply"):
    """Lines for the screen: what was found on the host and what follows."""
    interface = decision.get("active_interface") or "none"
    lines = ["found: the control connection is on %s" % interface]
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
    networks = (result.get("request") or {}).get("networks") or {}
    if result["status"] in ("up", "maintenance"):
        if result["decision"] == "in_sync":
            lines.append("%s: as defined, on %s" % (result["network"], result["active_interface"]))
        lines += ["%s: %s%s" % (name, network_words(network), "" if result.get("synced") else " -- not synced") for name, network in networks.items()]
    for one in result["events"]:
        number = "" if one.get("id") is None else " (%s)" % one["id"]
        lines.append("event %s%s %s: %s" % (one["name"], number, one["severity"], one["message"]))
    if result["reason"] and result["reason"] not in "".join(one["message"] for one in result["events"]):
        lines.append("reason: " + result["reason"])
    if result["remedy"] and result["status"] not in ("up", "maintenance"):
        lines.append("what to do: " + result["remedy"])
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


def shown(value):
    """A value for the screen."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)
