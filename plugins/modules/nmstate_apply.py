#!/usr/bin/python
# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: nmstate_apply
short_description: Apply an nmstate state as a transaction that proves itself or undoes itself
version_added: 0.1.0
description:
  - Applies what differs between O(state) and the host's network, and nothing else. When nothing differs, nothing is
    called.
  - The change is journaled on the host before it begins, applied by a guard process under systemd, and kept only after
    the
    controller has come back over a new connection. In every other case (no confirmation in time, a failed
    verification, a
    lost address, a killed process, a power cut) the host ends in its old state, profile files included.
  - Used over the network path that it changes; that is what it is for.
options:
  state:
    description:
      - The desired state in nmstate's own form, as C(nmstatectl apply) takes it. Interfaces that it does not name are
        not touched.
      - What differs and cannot be undone with the network, or cannot be compared because nmstate does not show it, is
        refused. That is C(hostname),
        C(ovs-db), C(ovn), C(dispatch), the types C(ovs-bridge), C(ovs-interface) and C(ipsec), the secrets of
        C(802.1x) and C(macsec), C(vrf-name) of a
        route, and an C(identifier) other than C(name).
    type: dict
    required: true
  settings:
    version_added: 0.2.0
    description:
      - Settings of NetworkManager profiles that nmstate cannot express, by device and then by property as C(nmcli)
        names it. They are written into
        the device's profile in the transaction that applies the O(state), and undone with it.
      - Values are texts, numbers (also for what C(nmcli) shows as words), or lists of texts. An empty text takes a
        setting back.
      - The properties are C(connection.zone), C(connection.metered), C(connection.mdns), C(connection.llmnr),
        C(connection.dns-over-tls),
        C(ipv4.dhcp-vendor-class-identifier), C(ipv4.dhcp-reject-servers), C(ipv4.link-local),
        C(ipv4.replace-local-rule), C(ipv4.routed-dns),
        C(ipv6.dhcp-iaid), C(ipv6.ip6-privacy), C(ipv6.replace-local-rule) and C(ipv6.routed-dns). Any other is
        refused, and so is a device that is
        neither in the O(state) nor has an active profile.
      - C(802-3-ethernet.cloned-mac-address) and C(802-3-ethernet.mtu) are only written into the profile of a device
        that has both already. They count
        from its next activation on.
      - P(ovirt.mgmt_network.profile_settings#filter) says which of them a host has that should come along with its
        addresses.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds from the applied change until the host undoes it by itself when no confirmation has come.
      - NetworkManager's own checkpoint, the net below, lives 60 seconds longer.
    type: int
    default: 60
  commit:
    description:
      - Whether to commit the change once it is proven. With V(false) the transaction is left pending, its timer
        running, for
        M(ovirt.mgmt_network.network_commit).
    type: bool
    default: true
  persistent:
    description:
      - With V(false) (stateless hosts) nothing is ever written to disk, neither a profile nor VDSM's persistence.
        O(record) is kept in memory,
        where M(ovirt.mgmt_network.host_network_facts) finds it, and the change is gone after a reboot.
    type: bool
    default: true
  record:
    description:
      - What VDSM's unified persistence is to hold after the commit, so that VDSM on the host adopts the networks.
      - Without it the persistence is not touched.
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
      - Addresses (without prefix) that must be on the host again after the change.
      - By default the local end of the control connection.
      - Refused are addresses that the host does not have, addresses on C(lo), link-local and temporary IPv6 addresses,
        and addresses on an interface
        that NetworkManager does not manage.
      - A connection that proves nothing about the change is refused, too, with O(commit=true). Such are connections
        without SSH (local, a container's
        exec, libvirt) and those to an address of the kinds above, for example on an out-of-band NIC. Set O(keep) and
        at least one of O(probes)
        then, or O(commit=false).
    type: list
    elements: str
  probes:
    description:
      - What the host is to prove about its network before the change is offered for confirmation, beside the new
        connection
        that the controller always makes. A failed probe undoes the change at once.
      - Probes are relative. One that did not pass before the change is left out.
    type: list
    elements: dict
    default: [{type: gateway}, {type: dns}, {type: path_mtu}, {type: duplicate_address}]
    suboptions:
      type:
        description:
          - V(gateway), the default gateways answer. V(dns), the DNS servers answer. V(tcp), a connection to
            O(probes[].target) and
            O(probes[].port) is made. V(path_mtu), packets of the new MTU come back unfragmented from the default
            gateways whose device has a
            larger MTU than before; a gateway that did not answer packets of the old size is left out.
            V(duplicate_address), no other device answers for the host's addresses.
        type: str
        required: true
        choices: [gateway, dns, tcp, path_mtu, duplicate_address]
      target:
        description: An address in place of the host's own gateways or servers.
        type: str
      port:
        description: The port for V(tcp) and V(dns).
        type: int
      size:
        description: The packet size for V(path_mtu), in place of the new MTU.
        type: int
      timeout:
        description: Seconds that one attempt may take.
        type: int
        default: 2
  last_resort:
    description:
      - What the host does when its old state could not be brought back exactly. V(reboot) restarts it; the profile
        files of the
        old state are then in place before NetworkManager starts.
    type: str
    choices: [none, reboot]
    default: none
  diagnosis:
    version_added: 0.2.0
    description:
      - A folder on the controller. After a failure, what the host knows about it is put into a folder of its own in
        there, C(HOST-TRANSACTION).
        The state that was asked for, what differed, the network before, at the failure and after the undoing,
        nmstate's verification
        difference, the phases with their times, and the log of NetworkManager and of the guard.
      - Secrets of profiles (passwords, private keys, pre-shared keys) are masked. With C(no_log) nothing is written.
      - With an empty string nothing is written.
    type: str
    default: ~/.ansible/ovirt-mgmt-network
  checkpoint_wait:
    description: Seconds to wait for the end of another program's checkpoint. It is never touched.
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
    details: The proof of the change needs the controller.
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
  description: What differed and was (or, in check mode, would be) applied, an nmstate state. Empty when nothing
    differed.
  type: dict
  returned: always
  sample: {"interfaces": [{"name": "eth2", "state": "up", "mtu": 9000}]}
settings:
  description: What of O(settings) did not hold and was (or, in check mode, would be) written. Empty when all of it
    held.
  type: dict
  returned: always
  sample: {"ovirtmgmt": {"connection.zone": "internal"}}
transaction:
  description: Identity of the transaction; empty when nothing had to be applied.
  type: str
  returned: always
  sample: 20261121T051643-5f0c1a
proven:
  description:
    - Whether the control connection proves the change. With V(false) only O(keep) and O(probes) do, because the
      connection does not use an address
      that the change could take away.
  type: bool
  returned: when a transaction was opened
not_probed:
  description:
    - Probes that were not made after the change, each with the reason. Probes are relative, so one that failed before
      the change is left out. Larger
      packets are not sent to a gateway that did not answer packets of the old size.
  type: list
  elements: str
  returned: when a transaction was opened
  sample: ["path_mtu 192.0.2.1: packets of the old size, 1500 bytes, were not answered before the change, so packets of
    9000 bytes were not sent"]
phase:
  description: Where the transaction ended. C(applied) means pending, with its timer running.
  type: str
  returned: when a transaction was opened
  sample: committed
recorded:
  description: Whether O(record) is recorded now, in VDSM's unified persistence or, without O(persistent), in memory.
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
  description: Whether the old state is back exactly, profile files and all.
  type: bool
  returned: when the change was undone
diagnosis:
  description: The folder on the controller that holds what is known about the failure.
  type: str
  returned: failure, unless O(diagnosis) is empty
  sample: /home/me/.ansible/ovirt-mgmt-network/host1-20261121T051643-5f0c1a
diagnosis_summary:
  description:
    - The short form of the diagnosis, for places that keep no files, such as the artifact of an AWX job. At most 2 KiB
      as JSON; secrets are masked.
    - Each part is there only when there is something to say.
  type: dict
  returned: failure
  contains:
    step:
      description: The step that failed.
      type: str
      returned: failure
      sample: apply
    phases:
      description: The last phases of the transaction, each with the seconds since its begin.
      type: list
      elements: str
      returned: when a transaction was opened
      sample: ["0.000 s open", "2.104 s applying", "4.871 s undone"]
    error:
      description: Kind and message of nmstate's error.
      type: str
      returned: when nmstate failed
    not_restored:
      description: What of the old state is not back.
      type: list
      elements: str
      returned: when the undo was not exact
    log:
      description: The last warnings and errors of NetworkManager, and the last lines of the guard.
      type: list
      elements: str
      returned: when the host answered
repairs:
  description: What it took to bring the old state back.
  type: list
  elements: str
  returned: when the change was undone
meanwhile:
  description:
    - What else of the host's network changed during the transaction, for example an unrelated NIC or the bridge of
      another tool.
    - It was neither repaired nor does it make the result inexact. Each entry names C(device), C(what), C(old) and
      C(new).
  type: list
  elements: dict
  returned: when the change was undone
timeline:
  description: The phases with the host's time (seconds since the epoch).
  type: list
  elements: dict
  returned: when a transaction was opened
"""

import json
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ovirt.mgmt_network.plugins.module_utils import arguments
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.change import difference
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.facts import unmanaged as managed
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.proof import kept_addresses
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources import (
    kernel,
    networkmanager,
    ssh_connection,
    vdsm_persistence,
)
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.command import CommandError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.networkmanager import NetworkManagerError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.sources.nmstatectl import NmstateError
from ansible_collections.ovirt.mgmt_network.plugins.module_utils.transaction import run as transaction


def to_keep(change, settings, params):
    """``(addresses, proven)``, see keep.wanted(). Raises TransactionError when they prove nothing, or when
    NetworkManager does not manage a device that is to be changed or that holds an address to keep.
    """
    unmanaged, links = networkmanager.unmanaged_of(networkmanager.objects()), kernel.links()
    refuse_unmanaged(managed.refused(change, settings, [], links, unmanaged), unmanaged)
    try:
        addresses, proven = kept_addresses.wanted(
            params["keep"], ssh_connection.connection()["local"], params["probes"], params["commit"], links, unmanaged
        )
    except kept_addresses.KeepError as exc:
        raise transaction.TransactionError(str(exc)) from exc
    refuse_unmanaged(managed.refused(change, settings, addresses, links, unmanaged), unmanaged)
    return addresses, proven


def refuse_unmanaged(devices, unmanaged):
    """Raise TransactionError for the first of ``devices``, names out of ``unmanaged``."""
    for device in devices:
        reason, remedy = managed.explain(device, unmanaged[device])
        raise transaction.TransactionError("%s Nothing was changed. %s" % (reason, remedy))


def owner():
    """Who opens the transaction, for the message to a second one."""
    return "%s from %s" % (os.environ.get("SUDO_USER") or "root", ssh_connection.connection()["peer"] or "this host")


def show(data):
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def settled_plan(module):
    """What transaction.plan() gives, made when no transaction of ours and no checkpoint of anybody else is pending.

    What they hold is not yet this host's network, and must not be taken for it. Check mode waits for nobody.
    """
    params, end = module.params, time.monotonic() + module.params["checkpoint_wait"]
    if not module.check_mode:
        said = transaction.recover_left_over()
        if said:
            module.warn(said)
    while True:
        if not module.check_mode:
            transaction.wait_for_checkpoints(max(0, end - time.monotonic()))
        found = transaction.plan(params["state"], params["settings"])
        if module.check_mode or not networkmanager.checkpoint_paths():  # nobody has made one while the plan was made
            return found


def run(module):
    """Plan, and unless nothing differs or in check mode begin; returns the module's result."""
    params = module.params
    change, lacking, current = settled_plan(module)
    record = params["record"] or {"networks": {}, "bondings": {}}
    unrecorded = not vdsm_persistence.record_in_sync(record, persistent=params["persistent"])
    result = {
        "changed": bool(change or lacking or unrecorded),
        "change": change,
        "settings": lacking,
        "transaction": "",
    }
    if result["changed"]:
        after = {
            "state": change,
            **({"settings": lacking} if lacking else {}),
            **({"record": record} if unrecorded else {}),
        }
        was = {"state": difference.before(change, current), **({"settings": current["settings"]} if lacking else {})}
        result["diff"] = {"before": show(was), "after": show(after)}
    addresses, proven = to_keep(change, lacking, params) if change or lacking else ([], True)
    if module.check_mode or not result["changed"]:
        return result
    if not change and not lacking:
        for prepared in vdsm_persistence.prepare_record(record, persistent=params["persistent"]):
            vdsm_persistence.publish(prepared)
        return dict(result, recorded=True)
    status = transaction.begin(
        change,
        current,
        dict(
            params,
            keep=addresses,
            proven=proven,
            record=record,
            owner=owner(),
            settings=transaction.concerned(params["settings"], change, lacking),
            probes=[{key: value for key, value in one.items() if value is not None} for one in params["probes"]],
        ),
    )
    return dict(result, transaction=status["id"], phase=status["phase"], proven=proven)


def main():
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
