# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/deploy: reads a host in a few round trips and returns the steps of host_deploy that it needs."""

from __future__ import annotations

import base64
import os
import shlex
import time

from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import role_variables
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller.host import UNREACHABLE, Host, Silent
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.deploy import firewall, identity, packed, steps, system

ROLE = "host_deploy"
SPEC = {
    "wait": {"type": "int"},
    "installed": {"type": "list", "elements": "str", "default": []},
    "before": {"type": "str", "default": ""},
}
_FACTS = ("os_family", "distribution", "distribution_major_version", "pkg_mgr", "python")
_SUBSET = ["!all", "!min", "distribution", "pkg_mgr", "python"]
_PROBE = os.path.join(os.path.dirname(__file__), "..", "..", "roles", ROLE, "files", "probe.sh")


class _Unfit(Exception):
    """The host cannot be deployed; the text says why."""


class ActionModule(ActionBase):
    """Changes nothing."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        began = time.time()
        _validated, asked = self.validate_argument_spec(argument_spec=SPEC)
        specs = {ROLE: role_variables.specification(ROLE)}
        missing = role_variables.missing_library()
        arguments, problems = ({}, [missing]) if missing else role_variables.checked(specs, task_vars, self._templar)
        if problems:
            msg = missing or role_variables.refusal(problems)
            return {"failed": True, "changed": False, "msg": msg}
        self._host, self._variables, self._for_ansible = Host(self, task_vars), task_vars, {}
        result = {"changed": False, "began": began}
        try:
            if asked["wait"] is not None:
                self._host.bound_ssh()
                self._host.await_answer(asked["wait"])
            result.update(self._plan(arguments, asked))
        except Silent as exc:
            result.update(failed=True, silent=True, msg=str(exc))
        except (_Unfit, *UNREACHABLE) as exc:
            result.update(failed=True, msg=str(exc))
        if self._for_ansible:
            result["ansible_facts"] = self._for_ansible
        return result

    def _plan(self, arguments, asked):
        facts = self._system()
        family = system.FAMILIES[facts["os_family"]]
        nmstate = arguments.get("nmstate_packages", list(family.nmstate_packages))
        probe = self._probe(arguments, family)
        problems = system.tool_problems(probe, family, nmstate)
        if problems:
            raise _Unfit(system.refusal(problems))
        network = self._network() if probe["nmstate_version"] else {}
        before = asked["before"] or (packed.lines(network) if network else "")
        install = steps.missing_packages(probe, nmstate, asked["installed"])
        if install:
            return self._described(arguments, probe, family, before) | {
                "steps": ["packages.yml"],
                "install": install,
                "installed": asked["installed"] + install,
                "apt": facts["pkg_mgr"] == "apt",
                # the apt module installs python3-apt when it runs, but requires it in check mode
                "simulated": probe["python3_apt"] == "yes" or not self._task.check_mode,
            }
        host_id = identity.host_id(arguments["vdsm_id"], probe, network.get("nics") or {})
        own_names = (self._host.name, self._variables.get("ansible_host"))
        rivals = identity.rivals(host_id, arguments["known_ids"], own_names)
        if rivals:
            raise _Unfit(identity.conflict(host_id, self._host.name, rivals))
        port = steps.ssh_port(arguments, probe, self._templar.template(self._variables.get("ansible_port")))
        commands = self._firewall_commands(arguments, probe, network, port)
        return self._described(arguments, probe, family, before) | {
            "id": host_id,
            "ssh_port": port,
            "firewall_commands": commands,
            "steps": steps.steps(arguments, probe, family, host_id, commands, self._task.check_mode),
        }

    def _described(self, arguments, probe, family, before):
        """The data that the steps and the result use."""
        options = ("clock_timeout", "nm_slaves_order", "ntp_servers", "post_tasks", "tuned_profile")
        return {
            "arguments": {name: arguments[name] for name in options},
            "before": before,
            "packages": steps.packages(arguments, family),
            "chrony": {
                "unit": family.chrony_unit,
                "conf": family.chrony_conf,
                "idle": probe["unit." + family.chrony_unit] == "idle",
            },
            "clock_synchronised": probe["clock_synchronised"] == "yes",
            "firewall_start": steps.starts_firewalld(arguments, probe),
            "firewalld": steps.firewalld_at_the_end(arguments, probe, self._task.check_mode),
            "vdsm_dir": bool(probe["vdsm_dir"]),
            "vdsm_id": probe["vdsm_id"],
            "tuned": {
                "idle": probe["unit.tuned"] == "idle",
                "switch": bool(arguments["tuned_profile"]) and steps.switches_profile(arguments, probe),
            },
            "services": steps.idle_services(arguments, probe),
            "services_left_alone": steps.services_left_alone(arguments, probe),
        }

    def _system(self):
        """Ansible's facts about the system, gathered if they are not known yet."""
        facts = self._variables.get("ansible_facts") or {}
        if not all(name in facts for name in _FACTS):
            result = self._execute_module(
                module_name="ansible.legacy.setup", module_args={"gather_subset": _SUBSET}, task_vars=self._variables
            )
            if result.get("failed"):
                raise _Unfit(result.get("msg") or "cannot gather the facts of the host")
            self._for_ansible = result["ansible_facts"]
            facts = {**facts, **{name.removeprefix("ansible_"): fact for name, fact in self._for_ansible.items()}}
        problems = system.system_problems(facts)
        if problems:
            raise _Unfit(system.refusal(problems))
        return facts

    def _probe(self, arguments, family):
        with open(_PROBE, "rb") as stream:
            script = base64.b64encode(stream.read()).decode("ascii")
        words = [steps.packages(arguments, family), steps.units(arguments, family), [arguments["tuned_profile"]]]
        line = "echo %s | base64 -d | /bin/sh -s -- %s" % (script, shlex.join(" ".join(part) for part in words))
        status, out, err = self._host.run(line)
        probe = steps.parse(out)
        if "tuned_known" not in probe:  # its last line
            raise _Unfit("cannot read the host (exit status %s): %s" % (status, (err or out).strip()))
        return probe

    def _network(self):
        result = self._host.module("host_network_facts", {})
        if result.get("failed"):
            raise _Unfit(result.get("msg") or "cannot read the network of the host")
        return result["ansible_facts"]["host_network"]

    def _firewall_commands(self, arguments, probe, network, port):
        firewalld = probe["firewalld"] if arguments["firewall"] == "firewalld" else firewall.ABSENT
        zone = firewall.zone(arguments["firewall_zone"], network)
        listings = [self._output([*call, "--list-all"]) for call in firewall.calls(firewalld, zone)]
        services = arguments["firewall_services"]
        unlisted = firewall.unlisted_services(listings, services)
        if listings and unlisted:
            known = self._output(firewall.services_known_by(firewalld)).split()
            unknown = [name for name in unlisted if name not in known]
            if unknown:
                raise _Unfit(
                    "firewalld on this host does not know %s (host_deploy_firewall_services). Install the package "
                    "that contains the service definition (host_deploy_extra_packages), or list the ports in "
                    "host_deploy_firewall_ports. The firewall was not changed." % ", ".join(unknown)
                )
        return firewall.additions(firewalld, zone, listings, port, services, arguments["firewall_ports"])

    def _output(self, words):
        status, out, err = self._host.run(shlex.join(words))
        if status:
            raise _Unfit("%s: %s" % (" ".join(words), (err or out).strip()))
        return out
