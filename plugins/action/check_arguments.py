# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edge of plugin_utils/controller/variables.py: the variables of roles and playbooks, as they are for a task or for
hosts of the inventory.
"""

from __future__ import annotations

import os

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.controller import variables as arguments
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.addresses import NETADDR_IMPORT_ERROR
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.model.plain_data import PlainDataError, to_plain
from ansible_collections.ovirt.mgmt_network.plugins.plugin_utils.plan.policies import JMESPATH_IMPORT_ERROR

ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")
SPEC = {
    "roles": {"type": "list", "elements": "str", "default": []},
    "hosts": {"type": "list", "elements": "str"},
    "playbook": {"type": "str", "default": ""},
    "options": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """Contacts no host and needs no connection."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validated, asked = self.validate_argument_spec(argument_spec=SPEC)
        for name, missing in (("netaddr", NETADDR_IMPORT_ERROR), ("jmespath", JMESPATH_IMPORT_ERROR)):
            if missing is not None:
                return {"failed": True, "changed": False, "msg": missing_required_lib(name)}
        specs = {role: specification(role) for role in asked["roles"]}
        if asked["hosts"] is None:
            found, problems = self._check(specs, task_vars, self._templar)
            lines = list(dict.fromkeys(problems))
        else:
            found, problems = {}, {}
            specs.update({asked["playbook"]: asked["options"]} if asked["playbook"] else {})
            for host in asked["hosts"]:
                variables = self._variables_of(host, task_vars)
                _found, problems[host] = self._check(
                    specs, variables, self._templar.copy_with_new_env(available_variables=variables)
                )
            lines = arguments.by_host(problems)
        if lines:
            return {"failed": True, "changed": False, "msg": "%s. No host was contacted" % "; ".join(lines)}
        return {"changed": False, "arguments": found}

    def _variables_of(self, host, task_vars):
        """The variables of ``host`` under those of this play, which hostvars do not have."""
        here, there = (task_vars["hostvars"].raw_get(one) for one in (task_vars["inventory_hostname"], host))
        of_the_play = {
            name: value
            for name, value in task_vars.items()
            if name not in here or here[name] is not value and here[name] != value
        }
        return {**there, **of_the_play}

    def _check(self, specs, variables, templar):
        found, problems = {}, []
        for prefix, options in specs.items():
            given, broken = {}, []
            for name in [
                one
                for one in variables
                if one in options or one.startswith(prefix + "_") or one == arguments.MGMT_NETWORK
            ]:
                if name not in options and name != arguments.MGMT_NETWORK:
                    given[name] = None  # only its name is of interest
                    continue
                try:
                    given[name] = to_plain(templar.template(variables[name]), name)
                except AnsibleUndefinedVariable as error:
                    if name != arguments.NETWORK or arguments.MGMT_NETWORK in variables:
                        broken.append((name, error))
                except (AnsibleError, PlainDataError) as error:
                    broken.append((name, error))
            wrong = ["%s: cannot read the file: %s" % (name, " ".join(str(error).split())) for name, error in broken]
            checked, more = arguments.check(
                prefix, {name: spec for name, spec in options.items() if name not in dict(broken)}, given
            )
            problems += wrong + more + self._locate(prefix, options, checked, variables)
            found.update(checked)
        return found, problems

    @staticmethod
    def _locate(prefix, options, checked, variables):
        """Replace the paths of task files in ``checked`` by where they are; returns what is wrong with them."""
        folders = [variables.get("playbook_dir"), variables.get("inventory_dir"), os.getcwd()]
        problems = []
        for key in [
            one for one in checked if one.endswith("_tasks") and "%s_%s" % (prefix, one) in options and checked[one]
        ]:
            try:
                checked[key] = arguments.located(
                    "%s_%s" % (prefix, key), os.path.expanduser(checked[key]), folders, os.path.isfile
                )
            except arguments.ArgumentError as error:
                problems.append(str(error))
        return problems


def specification(role):
    """The options of ``role`` from its meta/argument_specs.yml: ``{name: {type, ...}}``."""
    with open(os.path.join(ROLES, role, "meta", "argument_specs.yml"), encoding="utf-8") as stream:
        entry_points = yaml_load(stream)["argument_specs"]
    return next(iter(entry_points.values()))["options"]
