#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: nmstate_apply
short_description: Apply an nmstate state as a transaction that is verified or undone
version_added: 0.1.0
description:
  - Applies the differences between O(state) and the host's network, and nothing else. If there are none, it does not
    touch the network.
  - The change is journaled on the host before it begins, applied by a guard process under systemd, and kept only after
    the controller has reached the host over a new connection. In every other case (no confirmation in time, a failed
    probe, a lost address, a killed process, a power failure), the host returns to its old state, including its profile
    files.
  - The module can change the network path that Ansible itself uses.
options:
  state:
    description:
      - Desired state in the format of C(nmstatectl apply). Interfaces that it does not name are not changed.
      - The module rejects differences that it cannot undo, or cannot compare because nmstate does not show them. These
        are C(hostname), C(ovs-db), C(ovn), C(dispatch), the types C(ovs-bridge), C(ovs-interface), and C(ipsec), the
        secrets of C(802.1x) and C(macsec), C(vrf-name) of a route, and an C(identifier) other than C(name).
    type: dict
    required: true
  settings:
    version_added: 0.2.0
    description:
      - Settings of NetworkManager profiles that nmstate cannot express, by device and then by property as named by
        C(nmcli). They are written into the profile of the device in the same transaction as O(state), and undone with
        it.
      - Values are text, numbers (also for properties that C(nmcli) shows as words), or lists of text. Empty text resets
        a property.
      - The properties are C(connection.zone), C(connection.metered), C(connection.mdns), C(connection.llmnr),
        C(connection.dns-over-tls), C(ipv4.dhcp-vendor-class-identifier), C(ipv4.dhcp-reject-servers),
        C(ipv4.link-local), C(ipv4.replace-local-rule), C(ipv4.routed-dns), C(ipv6.dhcp-iaid), C(ipv6.ip6-privacy),
        C(ipv6.replace-local-rule), and C(ipv6.routed-dns). Any other property is rejected, and so is a device that is
        not in O(state) and has no active profile.
      - C(802-3-ethernet.cloned-mac-address) and C(802-3-ethernet.mtu) are only written into the profile of a device
        that already has these values. They take effect when the profile is activated next.
      - P(ovirt.mgmt_network.profile_settings#filter) lists the settings that must move with a host's addresses.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds after which the host undoes an applied change that was not confirmed.
      - NetworkManager's checkpoint, the second line of defense, expires 60 seconds later.
    type: int
    default: 60
  commit:
    description:
      - Whether to commit the change after it was verified. With V(false), the transaction is left pending with its
        timer running; end it with M(ovirt.mgmt_network.network_commit).
    type: bool
    default: true
  persistent:
    description:
      - With V(false), nothing is written to disk, neither profiles nor VDSM's persistence. This is for stateless hosts.
        O(record) is kept in memory, where M(ovirt.mgmt_network.host_network_facts) finds it, and the next boot restores
        the old network.
    type: bool
    default: true
  record:
    description:
      - What to write to VDSM's unified persistence with the commit, so that VDSM on the host adopts the networks.
      - If not set, the persistence is not changed.
    type: dict
    suboptions:
      networks:
        description: Networks by name, as in a setupNetworks request.
        type: dict
        default: {}
      bondings:
        description: Bonds by name, as in a setupNetworks request.
        type: dict
        default: {}
  keep:
    description:
      - Addresses (without prefix length) that the host must still have after the change.
      - Defaults to the local end of the control connection.
      - The module rejects addresses that the host does not have, addresses on C(lo), link-local and temporary IPv6
        addresses, and addresses on an interface that NetworkManager does not manage.
      - With O(commit=true), the module also rejects a control connection that cannot verify the change. This is a
        connection without SSH (local, a container's exec, libvirt), or a connection to one of the addresses above, for
        example on an out-of-band NIC. Set O(keep) and at least one of O(probes) then, or O(commit=false).
    type: list
    elements: str
  probes:
    description:
      - What the host verifies in addition to the new connection, before the controller confirms the change. If a probe
        fails, the change is undone immediately.
      - A probe that fails before the change is skipped afterwards.
    type: list
    elements: dict
    default: [{type: gateway}, {type: dns}, {type: path_mtu}, {type: duplicate_address}]
    suboptions:
      type:
        description:
          - V(gateway) verifies that the default gateways answer.
          - V(dns) verifies that the DNS servers answer.
          - V(tcp) verifies that a connection to O(probes[].target) and O(probes[].port) can be opened.
          - V(path_mtu) verifies that packets of the new MTU reach the default gateways and come back unfragmented, if
            the MTU of the gateway's device was raised. Gateways that do not answer packets of the old size are skipped.
          - V(duplicate_address) verifies that no other device answers for the host's addresses.
        type: str
        required: true
        choices: [gateway, dns, tcp, path_mtu, duplicate_address]
      target:
        description: Address to probe instead of the host's own gateways or DNS servers.
        type: str
      port:
        description: Port for V(tcp) and V(dns).
        type: int
      size:
        description: Packet size for V(path_mtu) instead of the new MTU.
        type: int
      timeout:
        description: Maximum seconds for one attempt.
        type: int
        default: 2
  last_resort:
    description:
      - What the host does if its old state could not be restored exactly. V(reboot) restarts it; the profile files of
        the old state are in place before NetworkManager starts.
    type: str
    choices: [none, reboot]
    default: none
  diagnosis:
    version_added: 0.2.0
    description:
      - Directory on the controller. Each failure gets a folder C(HOST-TRANSACTION) in it with the requested state, the
        differences, the network before the change, at the failure, and after the undo, nmstate's verification error,
        the phases with their times, and the logs of NetworkManager and of the guard.
      - Secrets of profiles (passwords, private keys, pre-shared keys) are masked. With C(no_log), nothing is written.
      - If empty, nothing is written.
    type: str
    default: ~/.ansible/ovirt-mgmt-network
  checkpoint_wait:
    description: Seconds to wait until another program's checkpoint ends. Such a checkpoint is never touched.
    type: int
    default: 30
extends_documentation_fragment:
  - ovirt.mgmt_network.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: linux
    support: full
  action:
    support: full
  async:
    support: none
    details: The controller must verify the change.
requirements:
  - nmstate 2.x and NetworkManager 1.40 or later on the host
  - root on the host, or I(become)
seealso:
  - module: ovirt.mgmt_network.network_commit
  - module: ovirt.mgmt_network.host_network_facts
author:
  - The ovirt.mgmt_network developers (@oVirt)
"""

EXAMPLES = r"""
- name: Read the network of the host
  ovirt.mgmt_network.host_network_facts:

- name: Move the host's address from eth1 to a bridge on it
  ovirt.mgmt_network.nmstate_apply:
    state:
      interfaces:
        - name: eth1
          state: up
          ipv4: {enabled: false}
          ipv6: {enabled: false}
        - name: ovirtmgmt
          type: linux-bridge
          state: up
          mac-address: "{{ ansible_facts['host_network'].nics.eth1.hwaddr }}"
          bridge:
            options: {stp: {enabled: false}}
            port: [{name: eth1}]
          ipv4: {enabled: true, dhcp: true}
          ipv6: {enabled: false}

- name: Set the firewalld zone of the bridge
  ovirt.mgmt_network.nmstate_apply:
    state: {}
    settings:
      ovirtmgmt: {connection.zone: internal}

- name: Raise an MTU, and leave the change pending
  ovirt.mgmt_network.nmstate_apply:
    state:
      interfaces: [{name: eth2, state: up, mtu: 9000}]
    commit: false
  register: pending

- name: Commit it
  ovirt.mgmt_network.network_commit:
    transaction: "{{ pending.transaction }}"
"""

RETURN = r"""
change:
  description: The differences that were applied (in check mode, would be applied), an nmstate state. Empty if there
    were none.
  type: dict
  returned: always
  sample: {"interfaces": [{"name": "eth2", "state": "up", "mtu": 9000}]}
settings:
  description: The part of O(settings) that was written (in check mode, would be written). Empty if the host already had
    all of them.
  type: dict
  returned: always
  sample: {"ovirtmgmt": {"connection.zone": "internal"}}
transaction:
  description: ID of the transaction. Empty if there was nothing to apply.
  type: str
  returned: always
  sample: 20261121T051643-5f0c1a
proven:
  description:
    - Whether the control connection verifies the change. If V(false), only O(keep) and O(probes) do, because the
      connection does not use an address that the change could remove.
  type: bool
  returned: when a transaction was opened
not_probed:
  description:
    - Probes that were skipped after the change, each with the reason. A probe that failed before the change is skipped,
      and larger packets are not sent to a gateway that did not answer packets of the old size.
  type: list
  elements: str
  returned: when a transaction was opened
  sample: ["path_mtu 192.0.2.1: packets of the old size, 1500 bytes, were not answered before the change, so packets of
    9000 bytes were not sent"]
phase:
  description: Last phase of the transaction. C(applied) means pending, with the timer running.
  type: str
  returned: when a transaction was opened
  sample: committed
recorded:
  description: Whether O(record) was written, to VDSM's unified persistence or, without O(persistent), to memory.
  type: bool
  returned: when O(record) was given and something changed
step:
  description: The step that failed, one of C(begin), C(prepare), C(apply), C(prove), C(commit).
  type: str
  returned: failure
rolled_back:
  description: Whether the host is back in its old state.
  type: bool
  returned: failure
exact:
  description: Whether the old state was restored exactly, including the profile files.
  type: bool
  returned: when the change was undone
diagnosis:
  description: Folder on the controller with the diagnostic data of the failure.
  type: str
  returned: failure, unless O(diagnosis) is empty
  sample: /home/me/.ansible/ovirt-mgmt-network/host1-20261121T051643-5f0c1a
diagnosis_summary:
  description:
    - Short form of the diagnosis for places that keep no files, such as the artifact of an AWX job. At most 2 KiB as
      JSON; secrets are masked.
    - Empty parts are left out.
  type: dict
  returned: failure
  contains:
    step:
      description: The step that failed.
      type: str
      returned: failure
      sample: apply
    phases:
      description: The last phases of the transaction, each with the seconds since its start.
      type: list
      elements: str
      returned: when a transaction was opened
      sample: ["0.000 s open", "2.104 s applying", "4.871 s undone"]
    error:
      description: Kind and message of nmstate's error.
      type: str
      returned: when nmstate failed
    not_restored:
      description: The parts of the old state that were not restored.
      type: list
      elements: str
      returned: when the undo was not exact
    log:
      description: The last warnings and errors of NetworkManager, and the last log lines of the guard.
      type: list
      elements: str
      returned: when the host answered
repairs:
  description: What was done to restore the old state.
  type: list
  elements: str
  returned: when the change was undone
meanwhile:
  description:
    - Other changes of the host's network during the transaction, for example of an unrelated NIC or of another tool's
      bridge.
    - They are not undone, and the result can still be exact. Each entry has C(device), C(what), C(old), and C(new).
  type: list
  elements: dict
  returned: when the change was undone
timeline:
  description: The phases with the host's time in seconds since the epoch.
  type: list
  elements: dict
  returned: when a transaction was opened
"""

import json
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects import every
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import unmanaged
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import kept_addresses
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import kernel, networkmanager, ssh_connection
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.networkmanager import NetworkManagerError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.nmstatectl import NmstateError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run as transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.ovirt.mgmt_network.plugins.module_utils.effects.base import Plan


def to_keep(change: Mapping, settings: Mapping, params: Mapping, objects: Mapping) -> tuple[list[str], bool]:
    """``(addresses, proven)``, see kept_addresses.wanted(). Raises TransactionError if they cannot verify the change,
    or if NetworkManager does not manage a device to change or a device with an address to keep.
    """
    reasons, links = networkmanager.unmanaged_of(objects), kernel.links()
    refuse_unmanaged(unmanaged.refused(change, settings, [], links, reasons), reasons)
    try:
        addresses, proven = kept_addresses.wanted(
            params["keep"], ssh_connection.connection()["local"], params["probes"], params["commit"], links, reasons
        )
    except kept_addresses.KeepError as exc:
        raise transaction.TransactionError(str(exc)) from exc
    refuse_unmanaged(unmanaged.refused(change, settings, addresses, links, reasons), reasons)
    return addresses, proven


def refuse_unmanaged(devices: Iterable[str], reasons: Mapping[str, str]) -> None:
    """Raise TransactionError for the first of ``devices``, names in ``reasons`` (see unmanaged_of)."""
    for device in devices:
        reason, remedy = unmanaged.explain(device, reasons[device])
        raise transaction.TransactionError("%s Nothing was changed. %s" % (reason, remedy))


def owner(peer: str) -> str:
    """The owner of the transaction, for the message that another run gets."""
    return "%s from %s" % (os.environ.get("SUDO_USER") or "root", peer or "this host")


def show(data: object) -> str:
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def settled_plan(module: AnsibleModule) -> Plan:
    """The result of transaction.plan(), computed when no transaction and no other program's checkpoint is open, because
    an uncommitted change must not be taken for the host's network. Check mode does not wait.
    """
    params, end = module.params, time.monotonic() + module.params["checkpoint_wait"]
    if not module.check_mode:
        message = transaction.recover_left_over()
        if message:
            module.warn(message)
    while True:
        if not module.check_mode:
            transaction.wait_for_checkpoints(max(0, end - time.monotonic()))
        plan = transaction.plan({key: params[key] for key in ("state", "settings", "record", "persistent")})
        if module.check_mode or not networkmanager.checkpoint_paths():  # none was created during the computation
            return plan


def run(module: AnsibleModule) -> dict:
    """Plan and, unless nothing differs or in check mode, begin. Returns the module's result."""
    params = module.params
    plan = settled_plan(module)
    change, settings = plan.missing["state"], plan.missing["settings"]
    result = {"changed": any(plan.missing.values()), "change": change, "settings": settings, "transaction": ""}
    if result["changed"]:
        result["diff"] = diff(plan)
    live = every.live(plan.missing)
    addresses, proven = to_keep(change, settings, params, plan.host.objects) if live else ([], True)
    if module.check_mode or not result["changed"]:
        return result
    if not live:
        status = transaction.put_at_once(plan)
        if status["record_trouble"]:
            raise OSError(status["record_trouble"])
        return dict(result, recorded=True)
    probes = [{key: value for key, value in probe.items() if value is not None} for probe in params["probes"]]
    control = ssh_connection.connection()
    options = dict(params, keep=addresses, proven=proven, owner=owner(control["peer"]), control=control, probes=probes)
    status = transaction.begin(plan, options)
    return dict(result, transaction=status["id"], phase=status["phase"], proven=proven)


def diff(plan: Plan) -> dict[str, str]:
    """What is missing and the current values, for the diff."""
    after = {key: value for key, value in plan.missing.items() if value or key == "state"}
    before = {key: value for key, value in plan.present.items() if key in after and key != "record"}
    return {"before": show({"state": {}, **before}), "after": show(after)}


def main() -> None:
    module = AnsibleModule(argument_spec=arguments.nmstate_apply(), supports_check_mode=True)
    try:
        arguments.check(module.params)
        module.exit_json(**run(module))
    except (
        arguments.ArgumentError,
        transaction.TransactionError,
        NmstateError,
        NetworkManagerError,
        CommandError,
        OSError,
    ) as exc:
        module.fail_json(msg=str(exc), step="begin", rolled_back=False)


if __name__ == "__main__":
    main()
