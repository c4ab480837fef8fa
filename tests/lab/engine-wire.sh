# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later

# engine_wire MAC LOCAL REMOTE: engine0, a NIC with MTU 9000, whose other end is in the fabric or comes from there. It is one
# end of a veth pair; what arrives at the other end goes through a VXLAN tunnel, which may fragment. Were engine0 the tunnel
# itself, or its bridge, the kernel would tell senders and routes that only 1450 bytes fit into one of its packets.
engine_wire() {
	ip link add engine0 mtu 9000 address "$1" type veth peer name engine1 mtu 9000
	ip link add engine2 mtu 9000 type vxlan id 1 local "$2" remote "$3" dstport 4789 nolearning noudpcsum
	for way in "engine1 engine2" "engine2 engine1"; do
		from=${way% *} to=${way#* }
		echo 1 >"/proc/sys/net/ipv6/conf/$from/disable_ipv6"
		tc qdisc add dev "$from" ingress
		tc filter add dev "$from" parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev "$to"
		ip link set "$from" up
	done
	ip link set engine0 up
}
