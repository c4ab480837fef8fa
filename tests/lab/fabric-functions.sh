# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# What the lab does on the fabric host: ports for hosts, and faults of switches and servers.

# port HOST NIC [untagged]: the far end of that NIC's wire becomes a port of the switch; on wires VLAN 1 is tagged (see lab-nics)
port() {
	if wire "$1" "$2"; then
		on_switch "h$1p$2"
		bridge vlan add dev "h$1p$2" vid 1 pvid $3
	fi
}

wire() {
	! ip link show "h$1p$2" >/dev/null 2>&1 || return 1
	ip link add "h$1p$2" type vxlan id $(($1 * 16 + $2)) local 10.77.0.2 remote "10.77.0.$1" dstport 4789 nolearning noudpcsum
	ip link set "h$1p$2" mtu 9216 up
}

on_switch() {
	ip link set "$1" master sw0 up
	bridge vlan add dev "$1" vid 2-4094
}

# lacp HOST NIC NIC: both wires end in an 802.3ad bond that is the port. A bond has no VXLAN legs, so a bridge and a veth
# pair stand between; they let LACP through where the switch's own bridge would not.
lacp() {
	host=$1; shift
	ip link show "h${host}lag" >/dev/null 2>&1 && return 0
	ip link add "h${host}lag" mtu 9216 type bond mode 802.3ad lacp_rate fast miimon 100 xmit_hash_policy layer3+4
	for nic in "$@"; do
		wire "$host" "$nic"
		ip link add "h${host}b$nic" mtu 9216 type bridge mcast_snooping 0 vlan_filtering 1
		ip link add "h${host}v$nic" mtu 9216 type veth peer name "h${host}w$nic" mtu 9216
		for d in "h${host}p$nic" "h${host}v$nic"; do
			ip link set "$d" master "h${host}b$nic" up
			ip link set "$d" type bridge_slave group_fwd_mask 0x4004
			bridge vlan add dev "$d" vid 2-4094
		done
		bridge vlan add dev "h${host}p$nic" vid 1 pvid
		ip link set "h${host}b$nic" up
		ip link set "h${host}w$nic" master "h${host}lag"
	done
	ip link set "h${host}lag" mtu 9216 up
	on_switch "h${host}lag"
}

unplug() {
	for d in $(ip -br link | sed -n "s/^\(h$1[pbvwl][a-z0-9]*\).*/\1/p"); do
		ip link del "$d" 2>/dev/null || true
	done
}

# the ports of the switch that lead to that host
ports() {
	bridge link | sed -n "s/^[0-9]*: \(h$1[pl][a-z0-9]*\)[@:].* master sw0 .*/\1/p"
}

# vlan_drop HOST VLAN, vlan_allow HOST VLAN: the switch forgets a VLAN on the host's ports, and learns it again
vlan_drop() {
	for d in $(ports "$1"); do bridge vlan del dev "$d" vid "$2"; done
}

vlan_allow() {
	for d in $(ports "$1"); do
		case $2:$d in
		1:*lag) bridge vlan add dev "$d" vid 1 pvid untagged ;;
		1:*) bridge vlan add dev "$d" vid 1 pvid ;;
		*) bridge vlan add dev "$d" vid "$2" ;;
		esac
	done
}

# path_mtu VLAN MTU: behind the host's port larger packets of that VLAN vanish without a word, as they do on a switch
# whose MTU is smaller; 9000 takes the fault away. The limit counts the Ethernet header.
path_mtu() {
	tc qdisc del dev "v$1" clsact 2>/dev/null || true
	[ "$2" -lt 9000 ] || return 0
	tc qdisc add dev "v$1" clsact
	for way in ingress egress; do
		tc filter add dev "v$1" "$way" matchall action police rate 100gbit burst 100m mtu $(($2 + 14)) conform-exceed drop
	done
}

# dhcp on|off
dhcp() {
	running=$(cat /run/lab/dnsmasq.pid 2>/dev/null || true)
	[ -n "$running" ] && [ -e "/proc/$running" ] || running=
	case $1 in
	on) [ -n "$running" ] || dnsmasq --conf-file=/run/lab/dnsmasq.conf ;;
	off) [ -z "$running" ] || { kill "$running"; while [ -e "/proc/$running" ]; do sleep 0.1; done; } ;;
	esac
}

# twin ADDRESS VLAN, untwin: somebody else in that VLAN has the address
twin() {
	untwin
	ip netns add twin
	ip link add twin1 type veth peer name twin0 netns twin
	ip link set twin1 master sw0 up
	bridge vlan add dev twin1 vid "$2" pvid untagged
	ip -n twin addr add "$1/24" dev twin0
	ip -n twin link set twin0 up
	ip -n twin route add default via "${1%.*}.1"
}

untwin() {
	ip netns del twin 2>/dev/null || true
	ip link del twin1 2>/dev/null || true
}
