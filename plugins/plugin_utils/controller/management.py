# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Configure the networks of a host: plan, apply, read the host again, and build the result.

Between tasks, a job is plain data: ``arguments`` (of the role configure_mgmt, validated; or of setup_networks, which
have ``host_networks``), ``began`` (seconds since the
epoch), ``plan`` (see plan/plan.py; {} if there is none), ``change`` (whether to apply it), ``down`` (devices that the
network needs and that are not up), ``failure`` (see report/outcome.py; {} if there is none), and after apply()
``applied`` (the result of nmstate_apply) and ``edited`` (whether a hook has edited the request).
"""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments as apply_options
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import network_change
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.failures import failure
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import UNREACHABLE, Host, Silent
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.definition import DefinitionError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.events import SETUP_FAILED, SETUP_NETWORKS_FAILED
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.facts import FactsError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.host_state import StateFormatError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import describe
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.topology import interfaces_down
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.derive import plan_management_network
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.edit import with_request
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.plan import CHANGE, IN_SYNC, REFUSE, Options, Plan
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.policies import PolicyError, violations
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.remove import plan_removal
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.producer import plan_networks
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.setup.wanted import HostNetworksError
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.report import outcome, steps

_UNUSABLE = (DefinitionError, FactsError, StateFormatError, PolicyError)


class _Failed(Exception):
    """``failure``: why the job cannot continue, as data."""

    def __init__(self, failure: dict[str, Any]) -> None:
        super().__init__(failure["reason"])
        self.failure = failure


class Job:
    """``data``: see above. ``check``: Ansible's check mode. ``no_log``: of the task."""

    def __init__(self, host: Host, data: dict[str, Any], check: bool = False, no_log: bool = False) -> None:
        self._host = host
        self._check = check
        self._no_log = no_log
        self.data: dict[str, Any] = {
            "arguments": {},
            "began": time.time(),
            "plan": {},
            "change": False,
            "down": [],
            "failure": {},
            **data,
        }
        self.facts: dict[str, Any] = {}  # the host's facts, as last read
        self._facts_after: dict[str, Any] = {}  # the host's facts after the commit, if its guard has given them
        self.for_ansible: dict[str, Any] = {}  # values of a module's result for Ansible: its facts, warnings

    @property
    def _arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = self.data["arguments"]
        return arguments

    def plan(self) -> None:
        """Wait for the host, gather its facts unless they are in the arguments, and decide."""
        try:
            self.facts = self._arguments.get("facts") or self._first_facts()
            plan = self._made()
            self._take(plan)
        except _Failed as exc:
            self.data["failure"] = exc.failure

    def apply(self, request: Any = None) -> None:
        """Apply the plan if there is something to change, with the ``request`` as edited by a hook."""
        self.data.update(applied={}, edited=False)
        if self.data["failure"] or not self.data["change"]:
            return
        try:
            if request is not None and request != self.data["plan"]["request"]:
                if not isinstance(request, dict):
                    text = "configure_mgmt_request: got %s, expected a mapping. The host was not changed."
                    raise _Failed(failure(steps.PLAN, text % describe(request)))
                self._edit(request)
            self.data["applied"] = self._applied(Plan.from_dict(self.data["plan"]))
        except _Failed as exc:
            self.data["failure"] = exc.failure

    def conclude(self) -> dict[str, Any]:
        """The result of the host. After a change, the host is read again and compared with the definition."""
        applied, after = self.data.get("applied") or {}, None
        if applied and not applied.get("failed") and not self.data["failure"] and not self._check:
            try:
                after = self._compared()
            except _Failed as exc:
                self.data["failure"] = exc.failure
        arguments, plan = self._arguments, self.data["plan"]
        decision = Plan.from_dict(plan).decision_dict() if plan else {}
        if arguments.get("state") == "absent" and plan:
            decision["record"] = plan["record"]
        return outcome.outcome(
            decision,
            self._host.name,
            applied,
            self.data["failure"] or None,
            activate=arguments.get("activate", True) and arguments.get("state") != "absent",
            now=time.time(),
            began=self.data["began"],
            deployment=arguments.get("deployment"),
            learn_vlan=self._learns(),
            check=self._check,
            down=self.data["down"],
            after=after,
            setup_failed=SETUP_NETWORKS_FAILED if self._any_network else SETUP_FAILED,
        )

    def answers(self) -> None:
        """After a failure of unknown cause: try once to reach the host. If it does not answer, this is the cause."""
        try:
            self._host.await_answer(0)
        except Silent as exc:
            self.data["failure"].update(failure(self.data["failure"]["step"], str(exc), unreachable=True))

    def _first_facts(self) -> dict[str, Any]:
        self._host.bound_ssh()
        if not self._arguments.get("deployment"):  # a host that was just deployed answers
            try:
                self._host.await_answer(self._arguments["wait"])
            except Silent as exc:
                raise _Failed(failure(steps.CONNECT, str(exc), unreachable=True)) from exc
        return self._facts()

    def _facts(self) -> dict[str, Any]:
        result = self._module_result()
        if result.get("failed"):
            raise _Failed(failure(steps.GATHER, result.get("msg") or "the module host_network_facts failed"))
        facts: dict[str, Any] = result.pop("ansible_facts")
        network: dict[str, Any] = facts.pop("host_network")
        self.for_ansible.setdefault("ansible_facts", {}).update(facts)
        self.for_ansible.setdefault("warnings", []).extend(result.get("warnings") or [])
        return network

    def _module_result(self) -> dict[str, Any]:
        try:
            return self._host.module("host_network_facts", {})
        except UNREACHABLE as exc:
            raise _Failed(failure(steps.GATHER, str(exc), _is_lost(exc))) from exc

    def _made(self) -> Plan:
        arguments = self._arguments
        if self._any_network:
            return self._made_of_any_network()
        make = plan_removal if arguments["state"] == "absent" else plan_management_network
        try:
            return make(self.facts, arguments["network"], self._options())
        except _UNUSABLE as exc:
            raise _Failed(failure(steps.PLAN, str(exc))) from exc

    @property
    def _any_network(self) -> bool:
        """Whether the job is about any networks and bonds (host_networks), not about the management network."""
        return "host_networks" in self._arguments

    def _made_of_any_network(self) -> Plan:
        try:
            return plan_networks(self.facts, self._arguments["host_networks"], self._options())
        except (*_UNUSABLE, HostNetworksError) as exc:
            raise _Failed(failure(steps.PLAN, str(exc))) from exc

    def _options(self) -> Options:
        arguments = self._arguments
        return Options(
            host=self._host.name,
            permit_loss=arguments["permit_loss"],
            keep_vlan_name=arguments["keep_vlan_name"],
            persistent=arguments["persistent"],
            role="setup_networks" if self._any_network else "configure_mgmt",
        )

    def _take(self, plan: Plan) -> None:
        self.data.update(plan=plan.to_dict(), down=self._down(plan), change=self._wanted(plan))
        if plan.decision == REFUSE:
            raise _Failed(failure(steps.PLAN, (plan.event or {}).get("message", "")))
        if self.data["change"] and self._arguments["policies"]:
            self._enforce_policies()

    def _down(self, plan: Plan) -> list[str]:
        """The devices that the management network needs and that are not up; other networks are not required."""
        return [] if self._any_network else interfaces_down(self.facts, plan.network)

    def _wanted(self, plan: Plan) -> bool:
        """Whether to apply the plan. A missing record in VDSM's persistence is always added."""
        attributes = [difference["attribute"] for difference in plan.differences]
        asked = (
            self._arguments["sync"] == "apply"
            or self._arguments["state"] == "absent"
            or not plan.exists
            or attributes == ["persistence"]
        )
        return plan.decision == CHANGE and asked and not (self._learns() and "vlan" in attributes)

    def _learns(self) -> bool:
        """Whether to report the VLAN instead of changing it: only if the definition does not set a VLAN tag, not even
        none.
        """
        return bool(self._arguments.get("learn_vlan")) and "vlan_tag" not in self._arguments["network"]

    def _enforce_policies(self) -> None:
        try:
            messages = violations(self.facts, self._arguments["policies"])
        except PolicyError as exc:
            raise _Failed(failure(steps.PLAN, str(exc))) from exc
        if messages:
            self.data["change"] = False
            raise _Failed(
                failure(steps.POLICIES, "%s The host was not changed." % " ".join(_sentence(text) for text in messages))
            )

    def _edit(self, request: dict[str, Any]) -> None:
        # The hook may have changed the host as well, so its request is validated against the current facts.
        self.facts = self._facts()
        made = Plan.from_dict(self.data["plan"])
        try:
            plan = with_request(made, request, self.facts, self._arguments["network"], self._options())
        except _UNUSABLE as exc:
            raise _Failed(failure(steps.PLAN, str(exc))) from exc
        self.data.update(plan=plan.to_dict(), edited=True)
        if plan.decision == REFUSE:
            raise _Failed(failure(steps.PLAN, (plan.event or {}).get("message", "")))

    def _applied(self, plan: Plan) -> dict[str, Any]:
        arguments = self._arguments
        given = {key: arguments[key] for key in ("timeout", "probes", "persistent", "last_resort")}
        given.update(state=plan.state, settings=plan.settings, record=plan.record, diagnosis=arguments["diagnosis_dir"])
        params = ArgumentSpecValidator(apply_options.nmstate_apply()).validate(given).validated_parameters
        try:
            applied = network_change.apply(self._host, given, params, self._no_log, facts=True)
        except UNREACHABLE as exc:
            if not _is_lost(exc):
                raise _Failed(failure(steps.APPLY, str(exc))) from exc
            msg = "%s. If the change has begun, the host undoes it %s s after it was applied." % (
                str(exc).rstrip(". \r\n"),
                arguments["timeout"],
            )
            raise _Failed(failure(steps.APPLY, msg, unreachable=True)) from exc
        if applied.get("failed"):
            self.data["failure"] = failure(steps.APPLY, applied.get("msg") or "")
        self._facts_after = applied.pop("host_network", {})
        self.for_ansible.setdefault("warnings", []).extend(applied.pop("warnings", None) or [])
        self.for_ansible.update({"diff": applied.pop("diff")} if "diff" in applied else {})
        return {key: value for key, value in applied.items() if key not in ("change", "settings", "ansible_facts")}

    def _compared(self) -> dict[str, Any]:
        self.facts = self._facts_after or self._facts()
        after = self._made()
        self.data["down"] = self._down(after)
        if after.decision != IN_SYNC and not self.data.get("edited"):
            # a hook may deviate from the definition on purpose; the differences are reported then
            msg = "The change was committed, but the host does not match the definition: %s. Run again%s." % (
                after.differences or after.event,
                "" if self._any_network else " with configure_mgmt_sync=apply",
            )
            self.data["failure"] = failure(steps.COMPARE, msg)
        return after.decision_dict()


def _sentence(text: str) -> str:
    return text if text.rstrip().endswith((".", "!", "?")) else text.rstrip() + "."


def _is_lost(error: BaseException) -> bool:
    """Whether the connection failed, and not Ansible itself."""
    return isinstance(error, AnsibleConnectionFailure) or not isinstance(error, AnsibleError)
