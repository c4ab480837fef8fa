# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager's D-Bus API through systemd's busctl, which requires no bindings and is the same on every release.

Checkpoints are always addressed by their exact path, because the last one may belong to another program.
Interfaces and constants: NetworkManager's D-Bus API reference (org.freedesktop.NetworkManager, nm-dbus-types).
"""

from __future__ import annotations

import json
import re

from .command import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

BUS = "org.freedesktop.NetworkManager"
PATH = "/org/freedesktop/NetworkManager"
_ACTIVE_STATES = ("unknown", "activating", "activated", "deactivating", "deactivated")
_ADDR_GEN_MODES = ("eui64", "stable-privacy", "default-or-eui64", "default")
_GENERATED, _EXTERNAL = 0x2, 0x8  # NMSettingsConnectionFlags
_UNMANAGED, _ACTIVATED = 10, 100  # NMDeviceState
_ACTIVE_EXTERNAL = 0x80  # NMActivationStateFlags

# The properties of a profile that matter for a change: (setting, property of NetworkManager, name in the facts).
_PROPERTIES = (
    ("connection", "interface-name", "interface_name"),
    ("connection", "autoconnect", "autoconnect"),
    ("connection", "autoconnect-priority", "autoconnect_priority"),
    ("connection", "multi-connect", "multi_connect"),
    ("802-3-ethernet", "mtu", "mtu"),
    ("802-3-ethernet", "assigned-mac-address", "cloned_mac_address"),
    ("infiniband", "mtu", "mtu"),
    ("ipv4", "method", "ipv4_method"),
    ("ipv4", "dhcp-client-id", "dhcp_client_id"),
    ("ipv4", "dhcp-iaid", "ipv4_dhcp_iaid"),
    ("ipv4", "dhcp-hostname", "ipv4_dhcp_hostname"),
    ("ipv4", "dhcp-fqdn", "ipv4_dhcp_fqdn"),
    ("ipv4", "dhcp-send-hostname", "ipv4_dhcp_send_hostname"),
    ("ipv4", "route-metric", "ipv4_route_metric"),
    ("ipv4", "route-table", "ipv4_route_table"),
    ("ipv4", "never-default", "ipv4_never_default"),
    ("ipv4", "ignore-auto-dns", "ipv4_ignore_auto_dns"),
    ("ipv6", "method", "ipv6_method"),
    ("ipv6", "dhcp-duid", "dhcp_duid"),
    ("ipv6", "dhcp-hostname", "ipv6_dhcp_hostname"),
    ("ipv6", "dhcp-send-hostname", "ipv6_dhcp_send_hostname"),
    ("ipv6", "addr-gen-mode", "addr_gen_mode"),
    ("ipv6", "token", "token"),
    ("ipv6", "route-metric", "ipv6_route_metric"),
    ("ipv6", "route-table", "ipv6_route_table"),
    ("ipv6", "never-default", "ipv6_never_default"),
    ("ipv6", "ignore-auto-dns", "ipv6_ignore_auto_dns"),
)


class NetworkManagerError(Exception):
    """NetworkManager is not running or rejected a call; the text says what to do next."""


def plain(value: Any) -> Any:
    """busctl's JSON without its ``{"type": signature, "data": value}`` wrappers, recursively. Pure."""
    if isinstance(value, dict):
        if set(value) == {"type", "data"} and isinstance(value["type"], str):
            return plain(value["data"])
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value


def checkpoint_paths() -> list[str]:
    """The D-Bus paths of all open checkpoints (list of str, oldest first)."""
    return _busctl("get-property", BUS, PATH, BUS, "Checkpoints")


def destroy_checkpoint(path: str) -> None:
    """End the checkpoint at ``path`` and keep the changes made since its creation. Raises NetworkManagerError if it
    does not
    exist: then NetworkManager has already rolled back, or another program has ended it.
    """
    _busctl("call", BUS, PATH, BUS, "CheckpointDestroy", "o", _checked(path))


def rollback_checkpoint(path: str) -> None:
    """Roll back to the checkpoint at ``path``. Raises NetworkManagerError if it does not exist."""
    _busctl("call", BUS, PATH, BUS, "CheckpointRollback", "o", _checked(path))


def _checked(path: str) -> str:
    # An empty path would destroy all checkpoints (libnm, CheckpointDestroy).
    if not re.match(PATH + r"/Checkpoint/\d+$", path):
        raise ValueError("got %r, expected the path of a checkpoint" % path)
    return path


def checkpoint_owner(path: str) -> str:
    """The creator of the checkpoint at ``path``, as text for a message, from NetworkManager's audit lines in the system
    log.
    """
    rc, out, _err = run(
        ["journalctl", "--quiet", "--boot", "--output=cat", "--unit=NetworkManager", "--lines=2000"], timeout=10
    )
    for line in reversed(out.splitlines() if rc == 0 else []):
        fields = dict(re.findall(r'(\w+)="?([^"\s]+)"?', line))
        if fields.get("op") == "checkpoint-create" and fields.get("arg") == path:
            return "created by process %s%s of uid %s" % (
                fields.get("pid", "?"),
                _process_name(fields.get("pid", "")),
                fields.get("uid", "?"),
            )
    return "its creator is not in NetworkManager's log"


def objects() -> dict:
    """All objects of NetworkManager in one call: ``{path: {interface: {property: value}}}``, unwrapped."""
    return _busctl("call", BUS, "/org/freedesktop", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")[0]


def settings(path: str) -> dict:
    """The settings of the profile at ``path``: ``{setting: {property: value}}``, without secrets."""
    return _busctl("call", BUS, path, BUS + ".Settings.Connection", "GetSettings")[0]


def profiled_devices() -> set[str]:
    """The names of the devices that have a profile, active or not (set of str)."""
    paths = _busctl("call", BUS, PATH + "/Settings", BUS + ".Settings", "ListConnections")[0]
    return {settings(path)["connection"].get("interface-name", "") for path in paths}


def applied(path: str) -> dict:
    """The settings in effect on the device at ``path``, in the same format; {} if it is not up."""
    try:
        return _busctl("call", BUS, path, BUS + ".Device", "GetAppliedConnection", "u", "0")[0]
    except NetworkManagerError:
        return {}


def active_profiles(managed: Mapping) -> dict[str, dict]:
    """GetSettings of every profile that is active on a device in ``managed`` (see objects): ``{path: settings}``."""
    return {path: settings(path) for path in sorted(set(_profile_paths(managed).values()))}


# --- pure functions on the objects ---


def version_of(managed: Mapping) -> str:
    """NetworkManager's version, such as ``1.52.1`` (empty if unknown)."""
    return managed.get(PATH, {}).get(BUS, {}).get("Version", "")


def devices_of(managed: Mapping) -> dict[str, dict]:
    """``{device: {managed: bool}}`` of the existing devices that NetworkManager knows."""
    return {
        device["Interface"]: {"managed": device["Managed"]}
        for device in _each(managed, "Device").values()
        if device.get("Real", True)
    }


def connected_of(managed: Mapping) -> dict[str, dict]:
    """``{device: {connection: uuid of its active connection or "", external: bool}}`` of what NetworkManager manages,
    loopback left out. ``external``: it only shows the configuration of another program.
    """
    devices = {}
    for device in _each(managed, "Device").values():
        if device.get("Real", True) and device["State"] != _UNMANAGED and device["Interface"] != "lo":
            active = managed.get(device["ActiveConnection"], {}).get(BUS + ".Connection.Active", {})
            external = device["State"] == _ACTIVATED and bool(active.get("StateFlags", 0) & _ACTIVE_EXTERNAL)
            devices[device["Interface"]] = {"connection": active.get("Uuid", ""), "external": external}
    return devices


def dns_of(managed: Mapping) -> list[dict]:
    """The merged resolver settings of each interface (Configuration of NetworkManager's DnsManager)."""
    return managed.get(PATH + "/DnsManager", {}).get(BUS + ".DnsManager", {}).get("Configuration") or []


def unmanaged_of(managed: Mapping) -> dict[str, str]:
    """``{device: why}`` of the devices that NetworkManager does not configure. ``unmanaged``: NetworkManager ignores
    the device. ``external``: another program (ifupdown, systemd-networkd, ip) has configured it, and NetworkManager
    only shows it in a generated profile (NM_SETTINGS_CONNECTION_FLAG_EXTERNAL).
    """
    reasons = {name: "unmanaged" for name, device in devices_of(managed).items() if not device["managed"]}
    for device, path in _profile_paths(managed).items():
        if managed.get(path, {}).get(BUS + ".Settings.Connection", {}).get("Flags", 0) & _EXTERNAL:
            reasons.setdefault(device, "external")
    return reasons


def active_connections_of(managed: Mapping) -> dict[str, dict]:
    """The active connection of each device: ``{device: {uuid, path, state}}``.

    ``path`` is that of the active connection, ``state`` one of unknown, activating, activated, deactivating,
    deactivated.
    """
    names = _device_names(managed)
    connections = {}
    for path, active in _each(managed, "Connection.Active").items():
        for device in active["Devices"]:
            if device in names:
                state = active["State"]
                connections[names[device]] = {
                    "uuid": active["Uuid"],
                    "path": path,
                    "state": _ACTIVE_STATES[state] if state < len(_ACTIVE_STATES) else "unknown",
                }
    return connections


def active_on(managed: Mapping, device: str) -> dict | None:
    """The active connection of ``device``: ``{uuid, path, profile_path}``, the D-Bus paths of device and profile; None
    if there is none.
    """
    for active in _each(managed, "Connection.Active").values():
        for path in active["Devices"]:
            if managed.get(path, {}).get(BUS + ".Device", {}).get("Interface") == device:
                return {"uuid": active["Uuid"], "path": path, "profile_path": active["Connection"]}
    return None


def checkpoints_of(managed: Mapping) -> list[dict]:
    """``[{path, created, timeout, devices}]``: created in ms of the boot clock, timeout in s (0: none), devices by
    name.
    """
    names = _device_names(managed)
    return [
        {
            "path": path,
            "created": checkpoint["Created"],
            "timeout": checkpoint["RollbackTimeout"],
            "devices": sorted(names[device] for device in checkpoint["Devices"] if device in names),
        }
        for path, checkpoint in sorted(_each(managed, "Checkpoint").items())
    ]


def profiles_of(managed: Mapping, settings_by_path: Mapping) -> dict[str, dict]:
    """The active profile of each device: ``{device: {uuid, id, type, file, in_memory, ...}}``, without unset keys.

    ``settings_by_path``: see active_profiles(). ``file`` is empty if the profile has none. ``lease_client_id``,
    ``lease_duid``, and ``lease_iaid`` are the identifiers in the current leases, independent of the profile.
    """
    profiles = {}
    for device, path in _profile_paths(managed).items():
        profile = settings_by_path.get(path)
        if profile:
            profiles[device] = dict(
                _profile(profile, managed.get(path, {}).get(BUS + ".Settings.Connection", {})),
                **lease_of(managed, device),
            )
    return profiles


def _profile(profile: Mapping, properties: Mapping) -> dict:
    connection, file = profile["connection"], properties.get("Filename", "")
    # An unsaved change is in a shadow file below /run, which is lost at the next boot.
    facts = {
        "uuid": connection["uuid"],
        "id": connection["id"],
        "type": connection["type"],
        "file": file,
        "in_memory": bool(properties.get("Unsaved")) or not file or file.startswith("/run/"),
    }
    flags = properties.get("Flags", 0)
    for name, bit in (("generated", _GENERATED), ("external", _EXTERNAL)):
        if flags & bit:
            facts[name] = True
    controller = connection.get("controller") or connection.get("master")
    if controller:
        facts["controller"] = controller
    hardware = profile.get("802-3-ethernet", {}).get("mac-address")
    if hardware:
        facts["mac_address"] = ":".join("%02x" % octet for octet in hardware)
    for setting, name, fact in _PROPERTIES:
        value = profile.get(setting, {}).get(name)
        if value not in (None, ""):
            facts[fact] = value
    mode = facts.get("addr_gen_mode")
    if isinstance(mode, int):
        facts["addr_gen_mode"] = _ADDR_GEN_MODES[mode] if 0 <= mode < len(_ADDR_GEN_MODES) else str(mode)
    return facts


def lease_of(managed: Mapping, device: str) -> dict:
    """``{lease_client_id, lease_duid, lease_iaid}`` of the leases on ``device``, as far as present."""
    facts = {}
    for properties in _each(managed, "Device").values():
        if properties["Interface"] != device:
            continue
        v4 = managed.get(properties.get("Dhcp4Config", "/"), {}).get(BUS + ".DHCP4Config", {}).get("Options", {})
        v6 = managed.get(properties.get("Dhcp6Config", "/"), {}).get(BUS + ".DHCP6Config", {}).get("Options", {})
        for options, option, fact in (
            (v4, "dhcp_client_identifier", "lease_client_id"),
            (v6, "dhcp6_client_id", "lease_duid"),
            (v6, "iaid", "lease_iaid"),
        ):
            if options.get(option):
                facts[fact] = options[option]
    return facts


def _profile_paths(managed: Mapping) -> dict[str, str]:
    """``{device: path of its active profile}``, without loopback."""
    names = _device_names(managed)
    return {
        names[device]: active["Connection"]
        for active in _each(managed, "Connection.Active").values()
        for device in active["Devices"]
        if device in names and names[device] != "lo"
    }


def _device_names(managed: Mapping) -> dict[str, str]:
    return {path: device["Interface"] for path, device in _each(managed, "Device").items()}


def _each(managed: Mapping, interface: str) -> dict[str, dict]:
    wanted = "%s.%s" % (BUS, interface)
    return {path: interfaces[wanted] for path, interfaces in managed.items() if wanted in interfaces}


def _busctl(*words: str) -> Any:
    # A stopped NetworkManager stays stopped: do not start it without the administrator's consent.
    rc, out, err = run(["busctl", "--json=short", "--auto-start=no", *words], timeout=30)
    if rc:
        raise NetworkManagerError(_explain(err.strip(), rc, words))
    return plain(json.loads(out)) if out.strip() else None


def _explain(err: str, rc: int | None, words: Sequence[str]) -> str:
    if BUS in err and re.search(r"was not provided|does not exist|not activatable|NameHasNoOwner", err):
        return (
            "NetworkManager is not running on this host. Nothing was changed. Start it with systemctl enable --now "
            "NetworkManager"
        )
    if "bus" in err and re.search(r"Failed to connect|No such file|Connection refused", err):
        return "the system message bus does not answer (%s). Nothing was changed. Check systemctl status dbus" % err
    return "NetworkManager rejected %s: %s" % (" ".join(words[4:]), err or "exit status %s" % rc)


def _process_name(pid: str) -> str:
    try:
        with open("/proc/%s/comm" % pid, encoding="utf-8", errors="replace") as stream:
            return " (%s)" % stream.read().strip()
    except OSError:
        return " (ended)"
