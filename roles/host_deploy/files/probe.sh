# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Reads everything that host_deploy needs for its decisions in one call, because each task would start Python on the host.
# Changes nothing. Input: $1 packages, $2 units (both separated by blanks), $3 tuned profile. Output: lines "key=value".
#   missing=            packages of $1 that are not installed
#   unit.NAME=          absent | masked | unconfigured | idle (must be enabled or started) | ready
#   firewalld=          absent | stopped | running
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

say() { printf '%s=%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
version() { has "$1" && timeout 10 "$@" 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1; }
first_line() { [ -r "$1" ] && head -n 1 "$1" 2>/dev/null | tr -d '\r\n\000'; }

installed() {
  if has dpkg-query; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
  elif has rpm; then
    rpm -q --whatprovides "$1" >/dev/null 2>&1
  else
    false
  fi
}

# The port of this host's end of the SSH connection. sudo removes SSH_CONNECTION, so it is read from parent processes.
ssh_port() {
  pid=$$
  while [ "${pid:-0}" -gt 1 ]; do
    connection=$({ tr '\000' '\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p'; } 2>/dev/null)
    if [ -n "$connection" ]; then
      echo "${connection##* }"
      return
    fi
    pid=$({ sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status"; } 2>/dev/null)
  done
}

unit_state() {
  LoadState='' UnitFileState='' ActiveState='' ConditionResult='' ConditionTimestampMonotonic=0
  eval "$(systemctl show "$1" -p LoadState -p UnitFileState -p ActiveState -p ConditionResult -p ConditionTimestampMonotonic 2>/dev/null)"
  case $LoadState in
    loaded) ;;
    masked) echo masked; return ;;
    *) echo absent; return ;;
  esac
  if [ "$1" = vdsmd ] && [ "$ActiveState" != active ] && ! timeout 60 vdsm-tool is-configured >/dev/null 2>&1; then
    echo unconfigured
    return
  fi
  case $UnitFileState in
    enabled | static | indirect | alias | generated) ;;
    *) echo idle; return ;;
  esac
  case $ActiveState in
    active | activating | reloading) echo ready; return ;;
  esac
  # A unit whose conditions are not met (for example, no clock in a container) does not start.
  if [ "$ConditionResult" = no ] && [ "$ConditionTimestampMonotonic" != 0 ]; then
    echo ready
  else
    echo idle
  fi
}

say uid "$(id -u)"
say arch "$(uname -m)"
say nm_version "$(version NetworkManager --version)"
say nm_active "$(systemctl is-active NetworkManager 2>/dev/null)"
say nmstate_version "$(version nmstatectl --version)"
say ssh_port "$(ssh_port)"

missing=
for package in $1; do installed "$package" || missing="$missing $package"; done
say missing "${missing# }"
say python3_apt "$(has dpkg-query && installed python3-apt && echo yes)"
for unit in $2; do say "unit.$unit" "$(unit_state "$unit")"; done

if ! has firewall-offline-cmd; then
  say firewalld absent
elif [ "$(systemctl is-active firewalld 2>/dev/null)" = active ]; then
  say firewalld running
else
  say firewalld stopped
fi

say vdsm_dir "$([ -d /etc/vdsm ] && echo yes)"
say vdsm_id "$(first_line /etc/vdsm/vdsm.id)"
say hardware_id "$(first_line /sys/class/dmi/id/product_uuid | tr 'A-F' 'a-f')"
say machine_id "$(first_line /etc/machine-id)"

say clock_synchronised "$(has chronyc && timeout 5 chronyc waitsync 1 >/dev/null 2>&1 && echo yes)"
say tuned_active "$(first_line /etc/tuned/active_profile)"
known=
for folder in /etc/tuned /etc/tuned/profiles /usr/lib/tuned /usr/lib/tuned/profiles; do
  [ -n "$3" ] && [ -f "$folder/$3/tuned.conf" ] && known=yes
done
say tuned_known "$known"
