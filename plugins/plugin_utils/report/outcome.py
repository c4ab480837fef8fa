# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a host: its statuses, its events, and the reasons. Pure functions on plain data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.events import (
    NORMAL,
    OUT_OF_SYNC,
    PERSIST_FAILED,
    SETUP_FAILED,
    VLAN_MISMATCH,
    event,
)
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import shown
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import steps

INSTALLING, INITIALIZING, UP, MAINTENANCE = "installing", "initializing", "up", "maintenance"
NON_OPERATIONAL, NON_RESPONSIVE, INSTALL_FAILED = "non_operational", "non_responsive", "install_failed"


GOOD = (UP, MAINTENANCE)


def outcome(
    decision: dict[str, Any],
    host: str,
    applied: dict[str, Any] | None = None,
    failure: dict[str, Any] | None = None,
    activate: bool = True,
    now: float = 0.0,
    began: float | None = None,
    deployment: dict[str, float] | None = None,
    learn_vlan: bool = False,
    check: bool = False,
    down: Sequence[str] = (),
    after: dict[str, Any] | None = None,
    setup_failed: str = SETUP_FAILED,
) -> dict[str, Any]:
    """The result of a host: ``{host, status, statuses, changed, network, active_interface, decision, differences,
    events, ...}``.

    ``decision``: decision_dict() of a plan ({} if there is none). ``applied``: result of nmstate_apply ({} if nothing
    was applied). ``failure``: ``{step, reason, unreachable}``, the failed step (one of steps.STEPS) and why, or None;
    ``task``, if set, is the name of the step for people. ``now``, ``began``: seconds since the epoch, now and at the
    start. ``deployment``: ``{began, ended}`` of host_deploy in the same format; {} if it did not run. ``learn_vlan``:
    whether to report the VLAN in ``learned`` if the definition does not set one. ``check``: Ansible's check mode. The
    result then has no ``status``, ``statuses``, and ``events``; ``expected`` is ``{status, events}`` that a run would
    give, with its warnings and errors, and ``changed`` says whether a run would change the host. ``down``: the devices
    that the network needs and that are not up. ``after``: the decision after a change. ``setup_failed``: the name of
    the event of a failed change. ``category``: a key of CATEGORIES in plugin_utils/report/summary.py. Statuses as in
    the engine (reference: InstallVdsInternalCommand): installing, initializing, up, maintenance, install_failed,
    non_operational, non_responsive.
    """
    # a task that was skipped registers a result too
    applied, deployment = {} if (applied or {}).get("skipped") else applied or {}, deployment or {}
    interface = decision.get("active_interface", "")
    found = {
        "host": host,
        "network": decision.get("network", ""),
        "active_interface": interface,
        "decision": decision.get("decision", ""),
        "exists": bool(decision.get("exists")),
        "differences": decision.get("differences") or [],
        "request": decision.get("request") or {},
        "record": decision.get("record") or {},
        "learned": _learned(decision) if learn_vlan else {},
        "changed": bool(applied.get("changed")),
        "transaction": applied.get("transaction", ""),
        "phase": applied.get("phase", ""),
        "seconds": _seconds(applied.get("timeline")),
        "reason": "",
        "remedy": decision.get("remedy") or "",
    }
    ended = (
        _success(decision, host, interface, applied, activate, down, after)
        if failure is None
        else _failure(decision, host, interface, applied, failure, setup_failed)
    )
    found.update(ended, events=_installation(host, deployment, failure, ended) + ended["events"])
    found["statuses"] = _statuses(found["status"], deployment.get("began", now if began is None else began), now)
    for one in found["events"]:
        one["time"] = iso(one.pop("at", now))
    found["category"] = _category(found, applied, failure)
    if check:
        expected = {"status": found["status"], "events": [one for one in found["events"] if one["severity"] != NORMAL]}
        found.update(check=True, status="", statuses=[], events=[], expected=expected)
    if found["learned"]:
        found["remedy"] = "If this is correct, add it to the definition (%s) and run again." % ", ".join(
            "%s: %s" % one for one in sorted(found["learned"].items())
        )
    return found


def good(result: dict[str, Any]) -> bool:
    """Whether the status of a host is (in check mode, would be) one of GOOD. False for a host without a result."""
    return ((result.get("expected") or {}).get("status") or result.get("status")) in GOOD


def _category(found: dict[str, Any], applied: dict[str, Any], failure: dict[str, Any] | None) -> str:
    if found["status"] in GOOD:
        return "changed" if found["changed"] else "in_sync" if found["synced"] else "out_of_sync"
    if found["status"] == NON_RESPONSIVE:
        return "no_answer"
    if found["status"] == INSTALL_FAILED:
        return "not_prepared"
    if found["decision"] == "refuse" or (failure or {}).get("step") == steps.POLICIES:
        return "refused"
    return "undone" if applied.get("rolled_back") and applied.get("phase") == "undone" else "failed"


def iso(seconds: float) -> str:
    """Seconds since the epoch as 2026-11-21T08:30:00.250Z."""
    return datetime.fromtimestamp(float(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _success(
    decision: dict[str, Any],
    host: str,
    interface: str,
    applied: dict[str, Any],
    activate: bool,
    down: Sequence[str],
    after: dict[str, Any] | None,
) -> dict[str, Any]:
    status = UP if activate else MAINTENANCE
    events = list(decision.get("warnings") or []) + _committed(host, interface, applied)
    remaining = after or ({} if applied else decision)
    synced = not differs(remaining)
    if not synced:
        events.append(_out_of_sync(remaining, host, interface))
    trouble = _trouble(decision, remaining, host, applied, down)
    if trouble:
        return {
            "status": NON_OPERATIONAL,
            "synced": synced,
            "events": [*events, trouble],
            "reason": trouble["message"],
            "remedy": trouble["remedy"],
        }
    events.append(event("VDS_DETECTED", host=host, HostStatus=status))
    return {"status": status, "synced": synced, "events": events}


def _out_of_sync(decision: dict[str, Any], host: str, interface: str) -> dict[str, Any]:
    """Event 1110 with every difference, in its text and in its values."""
    listed = [one for one in decision.get("differences") or [] if one["attribute"] != "persistence"]
    words = [
        "%s is %s, expected %s" % (attribute_words(one), shown(one["actual"]), shown(one["desired"])) for one in listed
    ]
    return event(
        OUT_OF_SYNC,
        host=host,
        interface=interface,
        reason="Differences: %s." % "; ".join(words),
        remedy=decision.get("remedy") or None,
        Networks=decision["network"],
        differences=listed,
    )


def _trouble(
    decision: dict[str, Any], remaining: dict[str, Any], host: str, applied: dict[str, Any], down: Sequence[str]
) -> dict[str, Any] | None:
    """The event that keeps a host with a correct configuration from being up, or None.

    The engine looks for VM networks without a bridge in the capabilities (HostNetworkTopologyPersisterImpl), and for
    interfaces that are down in the statistics (HostMonitoring).
    """
    interface = decision.get("active_interface", "")
    if any(one["attribute"] == "bridged" and one["desired"] for one in remaining.get("differences") or []):
        return event(
            "VDS_SET_NON_OPERATIONAL_VM_NETWORK_IS_BRIDGELESS",
            host=host,
            interface=interface,
            Networks=decision["network"],
        )
    # in check mode, interfaces that would be created do not exist
    if down and not (applied.get("changed") and applied.get("phase") not in ("committed", None)):
        return event(
            "VDS_SET_NONOPERATIONAL_IFACE_DOWN",
            host=host,
            interface=down[0],
            NicsWithNetworks="%s (%s)" % (", ".join(down), decision["network"]),
        )
    return None


def _failure(
    decision: dict[str, Any],
    host: str,
    interface: str,
    applied: dict[str, Any],
    failure: dict[str, Any],
    setup_failed: str,
) -> dict[str, Any]:
    reason, silent = failure["reason"], failure.get("unreachable")
    step = failure.get("task") or steps.STEPS[failure["step"]]
    if applied.get("failed"):
        return _undone(host, interface, applied, setup_failed)
    if applied.get("phase") == "committed":
        # The change is committed; a later step failed.
        events = _committed(host, interface, applied)
        if silent:
            events.append(event("VDS_FAILURE", host=host))
        elif failure["step"] == steps.COMPARE:
            events.append(
                event(OUT_OF_SYNC, host=host, interface=interface, reason=reason, Networks=decision["network"])
            )
        return _not_up(
            events,
            "the network was committed, but a later step failed: %s: %s" % (step, reason),
            events[-1]["remedy"] or "Fix the reported problem and run again. The change will not be repeated.",
            NON_RESPONSIVE if silent else NON_OPERATIONAL,
        )
    if decision.get("decision") == "refuse":
        refusal = decision.get("event")
        return _not_up([refusal], refusal["message"], decision["remedy"]) if refusal else _not_up([], "", "")
    if silent:
        remedy = "Check that the host is powered on and accepts SSH logins, and run again."
        return _not_up([event("VDS_FAILURE", host=host)], reason, remedy, NON_RESPONSIVE)
    if failure["step"] == steps.DEPLOY:
        remedy = "Fix the reported problem and run again. The host's network was not changed."
        return _not_up([], reason, remedy, INSTALL_FAILED)
    told = event(setup_failed, host=host, interface=interface, reason=reason)
    remedy = told["remedy"]
    if failure["step"] == steps.APPLY:  # it ended without a result, for example at a timeout of the task
        remedy = "A change that has begun is undone by the host itself. Wait for that, and run again."
    return _not_up([told], "%s: %s" % (step, reason), remedy)


def _not_up(events: list[dict[str, Any]], reason: str, remedy: str, status: str = NON_OPERATIONAL) -> dict[str, Any]:
    return {"status": status, "synced": False, "events": events, "reason": reason, "remedy": remedy}


def _undone(host: str, interface: str, applied: dict[str, Any], setup_failed: str) -> dict[str, Any]:
    # The failed step determines the event. The engine logs a failed commit of the management network twice
    # (CommitNetworkChangesCommand, NetworkConfigurator).
    names = [setup_failed]
    if applied.get("step") == "commit":
        names = ["NETWORK_COMMINT_NETWORK_CHANGES_FAILED", *([PERSIST_FAILED] if setup_failed == SETUP_FAILED else [])]
    told = [event(name, host=host, interface=interface, reason=applied.get("msg", "")) for name in names]
    lost = (
        applied.get("phase") not in ("undone", None)
        and not applied.get("rolled_back")
        and applied.get("step") in ("prove", "commit")
    )
    return {
        "status": NON_RESPONSIVE if lost else NON_OPERATIONAL,
        "synced": False,
        "events": told,
        "remedy": told[-1]["remedy"],
        "reason": applied.get("msg", ""),
        "exact": applied.get("exact"),
        "repairs": applied.get("repairs") or [],
        "diagnosis": applied.get("diagnosis", ""),
        "diagnosis_summary": applied.get("diagnosis_summary") or {},
    }


def _committed(host: str, interface: str, applied: dict[str, Any]) -> list[dict[str, Any]]:
    if applied.get("phase") != "committed":
        return []
    at = {"at": applied["timeline"][-1]["at"]} if applied.get("timeline") else {}
    return [dict(event("NETWORK_COMMINT_NETWORK_CHANGES", host=host, interface=interface), **at)]


def _installation(
    host: str, deployment: dict[str, float], failure: dict[str, Any] | None, ended: dict[str, Any]
) -> list[dict[str, Any]]:
    """The events of host_deploy, if it ran: started, finished, and whether the host is installed."""
    events = (
        [dict(event("VDS_ANSIBLE_INSTALL_STARTED", host=host), at=deployment["began"])] if "began" in deployment else []
    )
    if failure is not None and ended["status"] == INSTALL_FAILED:
        return events + [event("VDS_INSTALL_FAILED", host=host, FailedInstallMessage=failure["reason"].rstrip("."))]
    if "ended" in deployment:
        events.append(dict(event("VDS_ANSIBLE_INSTALL_FINISHED", host=host), at=deployment["ended"]))
    return events + ([event("VDS_INSTALL", host=host)] if events and failure is None else [])


def _statuses(final: str, began: float, now: float) -> list[dict[str, str]]:
    """``[{status, at}]``: the statuses that the engine would show, with ISO times. A host is initializing once its
    network is committed.
    """
    path = [(INSTALLING, began)] + ([(INITIALIZING, now)] if final in (UP, MAINTENANCE) else []) + [(final, now)]
    return [{"status": status, "at": iso(at)} for status, at in path]


def _learned(decision: dict[str, Any]) -> dict[str, int]:
    """The VLAN of the host if the definition does not set one: ``{vlan_tag}``. It is used only once it is in the
    definition.
    """
    tags = [
        one["actual"]
        for one in decision.get("differences") or []
        if one["attribute"] == "vlan" and one["actual"] and not one["desired"]
    ]
    if tags and decision.get("exists"):
        return {"vlan_tag": tags[0]}
    refusal = decision.get("event") or {}
    values = refusal.get("values") or {}
    if refusal.get("name") == VLAN_MISMATCH and not values.get("MgmtVlanId") and values.get("VlanId"):
        return {"vlan_tag": values["VlanId"]}
    return {}


def attribute_words(difference: dict[str, Any]) -> str:
    """The attribute of a difference, with the network or bond that it is of if there may be several."""
    owner = difference.get("network") or difference.get("bond")
    return "%s: %s" % (owner, difference["attribute"]) if owner else str(difference["attribute"])


def differs(decision: dict[str, Any]) -> bool:
    """Whether the host's network differs from the definition. A missing record in VDSM's persistence does not count."""
    return any(one["attribute"] != "persistence" for one in decision.get("differences") or [])


def _seconds(timeline: list[dict[str, Any]] | None) -> float | None:
    """Seconds from the first to the last phase, None without a timeline."""
    return round(timeline[-1]["at"] - timeline[0]["at"], 1) if timeline else None
