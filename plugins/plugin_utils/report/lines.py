# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format a decision or a result of one host for the screen; summary.py formats those of a run. Pure functions on plain
data.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import shown
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report.outcome import attribute_words, differs, good

# The host name in SSH errors: root@h1: Permission denied; connect to host h1 port 22: timed out; Could not resolve
# hostname h1: ...
_SSH_NAMES = re.compile(r"\b[\w.-]+@\S+: |(?<=connect to) host \S+|(?<=resolve hostname) \S+(?=:)| by \S+(?= port)")


def decision_lines(decision: dict[str, Any], sync: str = "apply") -> list[str]:
    """Lines for the screen: the interface of the control connection, and the decision."""
    interface = decision.get("active_interface") or "not found"
    lines = ["control connection: %s" % interface]
    if decision["decision"] == "in_sync" and not decision.get("exists"):
        return lines + ["management network %s does not exist; nothing to do" % decision["network"]]
    if decision["decision"] == "in_sync":
        return lines + ["management network matches the definition; nothing to do"]
    if decision.get("exists") and decision["decision"] == "change" and not differs(decision):
        return lines + ["management network matches the definition; only recorded for VDSM"]
    if decision["decision"] == "refuse":
        return lines + ["refused: " + (decision.get("event") or {}).get("message", "")]
    for name, network in decision["request"]["networks"].items():
        lines.append("%s: %s" % (name, network_words(network)))
    if sync == "report" and decision.get("exists"):
        lines.append("differs from the definition; reported only (configure_mgmt_sync=report)")
    lines += [
        "%s: %s → %s" % (attribute_words(one), shown(one["actual"]), shown(one["desired"]))
        for one in decision["differences"]
    ]
    return lines


def network_words(network: dict[str, Any], addresses: bool = True) -> str:
    """Describe a network of a request: ``bridged, vlan 3000, bond bond4, mtu 9000, dhcp``. ``addresses``: whether to
    name static addresses.
    """
    if network.get("remove"):
        return "removed"
    words = ["bridged" if network.get("bridged") else "bridgeless"]
    for key in ("vlan", "bonding", "nic", "mtu"):
        if network.get(key) not in (None, ""):
            words.append("%s %s" % ("bond" if key == "bonding" else key, network[key]))
    if network.get("bootproto") == "dhcp":
        words.append("dhcp")
    if network.get("ipaddr"):
        words.append("address %s" % network["ipaddr"] if addresses else "static address")
    if network.get("dhcpv6") or network.get("ipv6autoconf"):
        words.append(
            "ipv6 %s"
            % " and ".join(word for word, key in (("dhcp", "dhcpv6"), ("autoconf", "ipv6autoconf")) if network.get(key))
        )
    if network.get("ipv6addr"):
        words.append("address %s" % network["ipv6addr"] if addresses else "static ipv6 address")
    return ", ".join(words)


def bond_words(bond: dict[str, Any]) -> str:
    """Describe a bond of a request: ``bond of eth2, eth3, mode=1 miimon=100``."""
    return "removed" if bond.get("remove") else "bond of %s, %s" % (", ".join(bond["nics"]), bond["options"])


def result_lines(result: dict[str, Any]) -> list[str]:
    """Lines for the screen: all details of a host, its events, and the remedy."""
    expected = result.get("expected") or {}
    lines = ["%s: %s" % (result["host"], head_words([result]))]
    networks = {} if result.get("record") else (result.get("request") or {}).get("networks") or {}
    if good(result):
        lines += [
            "%s: %s%s" % (name, network_words(network), "" if result.get("synced") else " (out of sync)")
            for name, network in networks.items()
        ]
    if result.get("learned"):
        lines.append(
            "learned, not in the definition yet: %s"
            % ", ".join("%s: %s" % one for one in sorted(result["learned"].items()))
        )
    events = result["events"] + (expected.get("events") or [])
    lines += ["event %s" % _event_words(one) for one in events]
    if result["reason"] and result["reason"] not in "".join(one["message"] for one in events):
        lines.append("reason: " + result["reason"])
    if result["remedy"] and not good(result):
        lines.append("what to do: " + result["remedy"])
    if result.get("diagnosis"):
        lines.append("details: " + result["diagnosis"])
    return lines


def short_lines(result: dict[str, Any]) -> list[str]:
    """Lines for the screen: one line, and details for a host that needs attention."""
    return [
        "%s: %s" % (result["host"], head_words([result])),
        *("    " + line for line in attention_lines(result)),
        *(["    details: " + result["diagnosis"]] if result.get("diagnosis") else []),
    ]


def attention_lines(result: dict[str, Any], nameless: bool = False) -> list[str]:
    """The warnings, errors, reason, and remedy of a host. ``nameless``: write "the host" instead of its name."""
    if "category" not in result:
        return []
    events = [
        one
        for one in [*result["events"], *((result.get("expected") or {}).get("events") or [])]
        if one["severity"] != "NORMAL"
    ]
    lines = [_event_words(one, severity=False) for one in events]
    if lines and result["category"] == "refused":
        lines[-1] = events[-1]["message"]  # the first line has the name of the event
    if result.get("learned"):
        lines.append(
            "learned, not in the definition yet: %s"
            % ", ".join("%s: %s" % one for one in sorted(result["learned"].items()))
        )
    if (
        result["reason"]
        and result["reason"] not in " ".join(one["message"] for one in events)
        and result["category"] != "no_answer"
    ):
        lines.append("reason: " + result["reason"])
    remedy = result["remedy"] or next((one["remedy"] for one in events if one["remedy"]), "")
    if remedy and (events or not good(result)):
        lines.append("what to do: " + remedy)
    if result["category"] == "no_answer":
        # the first line has the reason, so the event adds nothing
        lines = [line for line in lines if not line.startswith("VDS_FAILURE ")]
    return [_nameless(line, result["host"]) for line in lines] if nameless else lines


def head_words(results: list[Any]) -> str:
    """One line for all of ``results``, which have the same outcome: the status, whether the hosts were changed, and
    why.
    """
    result = results[0]
    category = result.get("category")
    if category is None:
        return "prepared; configure_mgmt did not run" if (result.get("deployment") or {}).get("ended") else "no result"
    words = {
        "in_sync": "in sync",
        "out_of_sync": "out of sync",
        "no_answer": "unreachable",
        "not_prepared": "host_deploy failed",
        "undone": "the change was undone",
        "changed": "would change" if result.get("check") else "changed",
    }.get(category, category)
    seconds = sorted(one["seconds"] for one in results if one.get("seconds"))
    if category == "changed" and seconds:
        words += " in %s%s s" % (seconds[0], "" if seconds[0] == seconds[-1] else " to %s" % seconds[-1])
    if result["status"]:
        words = "%s, %s" % (result["status"], words)
    what = _what(result, len(results) == 1)
    return "%s: %s" % (words, what) if what else words


def _what(result: dict[str, Any], addresses: bool) -> str:
    category = result["category"]
    if category == "no_answer":
        return result["reason"] if addresses else _SSH_NAMES.sub("", result["reason"])
    if not good(result):
        named = [
            one
            for one in [*result["events"], *((result.get("expected") or {}).get("events") or [])]
            if one["severity"] != "NORMAL"
        ]
        return "%s%s" % (named[-1]["name"], _number(named[-1])) if named and category == "refused" else ""
    record, networks = result.get("record") or {}, (result.get("request") or {}).get("networks") or {}
    if record:
        return ", ".join(
            "%s removed, addresses returned to the underlying interface" % name for name in record.get("networks") or {}
        )
    if category == "in_sync" and (not result["active_interface"] or result["decision"] == "change"):
        # without an interface, or planned from facts of before
        return str(result["network"])
    if category == "in_sync":
        return (
            "%s on %s" % (result["network"], result["active_interface"])
            if result["exists"]
            else "no network %s" % result["network"]
        )
    if category == "out_of_sync":
        return str(result["network"])
    bonds = {} if networks else (result.get("request") or {}).get("bondings") or {}
    return "; ".join(
        [
            *("%s: %s" % (name, network_words(network, addresses)) for name, network in networks.items()),
            *("%s: %s" % (name, bond_words(bond)) for name, bond in bonds.items()),
        ]
    )


def _event_words(one: dict[str, Any], severity: bool = True) -> str:
    return "%s%s%s: %s" % (one["name"], _number(one), " " + one["severity"] if severity else "", one["message"])


def _number(one: dict[str, Any]) -> str:
    return "" if one.get("id") is None else " (%s)" % one["id"]


def _nameless(text: str, host: str) -> str:
    """``text`` with "the host" instead of the name of the host."""
    name = re.escape(host)
    text = re.sub(
        r"\b(?P<the>[Hh])ost %s(?![\w-])" % name, lambda found: "The host" if found["the"] == "H" else "the host", text
    )
    return re.sub(r"(?<![\w.-])%s(?![\w-])" % name, "the host", text)
