# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# Run once on the fabric host: a VLAN-aware switch (sw0), a router between its VLANs and the engine, DHCP, RA and DNS.
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
systemctl stop NetworkManager
engine_wire 52:54:00:02:01:01 10.77.0.2 10.77.0.1
ip -batch - <<'BATCH'
addr add 10.99.0.2/24 dev engine0
addr add fd00:99::2/64 dev engine0 nodad
link add sw0 type bridge vlan_filtering 1 mcast_snooping 0
link set sw0 mtu 9216 up
link add router mtu 9216 address 52:54:00:02:01:00 type veth peer name swr mtu 9216
link set router up
link set swr master sw0 up
BATCH
# the switch itself is in no VLAN: it would answer ARP for the router's addresses too, with a MAC behind which there is no DNS
bridge vlan del dev sw0 vid 1 self
# the router hangs on a port like everybody, all VLANs tagged
bridge vlan add dev swr vid 2-4094
bridge vlan add dev swr vid 1 pvid
# VLAN 1 is the untagged one; the gateway of each net is .1
for net in 1:80 10:81 20:82 3000:88 777:78; do
	vlan=${net%:*} octet=${net#*:}
	ip -batch - <<BATCH
link add link router name v$vlan type vlan id $vlan
link set v$vlan mtu 9000 up
addr add 10.$octet.0.1/24 dev v$vlan
addr add fd00:$octet::1/64 dev v$vlan nodad
BATCH
done
# in VLAN 20 the gateway is silent: it answers no echo requests, and passes on those of others
tc qdisc add dev v20 clsact
tc filter add dev v20 ingress protocol ip u32 match ip protocol 1 0xff match ip dst 10.82.0.1/32 match u8 8 0xff at 20 action drop
tc filter add dev v20 ingress protocol ipv6 u32 match ip6 protocol 58 0xff match ip6 dst fd00:82::1/128 match u8 128 0xff at 40 action drop
# what comes later are wires and ports, which do not speak
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
mkdir -p /run/lab
cat >/run/lab/dnsmasq.conf <<'EOC'
bind-dynamic
interface=v1,v10,v3000,v777
no-dhcp-interface=v777
no-resolv
no-hosts
address=/engine.lab/10.99.0.1
address=/engine.lab/fd00:99::1
# an address follows from MAC and client id alone; no-ping spares 3 s before each offer
no-ping
dhcp-authoritative
dhcp-leasefile=/run/lab/leases
enable-ra
dhcp-range=10.80.0.50,10.80.0.99,255.255.255.0,10m
dhcp-range=10.81.0.50,10.81.0.99,255.255.255.0,10m
dhcp-range=10.88.0.50,10.88.0.99,255.255.255.0,10m
dhcp-range=fd00:80::50,fd00:80::99,64,10m
dhcp-range=fd00:81::,ra-only,64,10m
dhcp-range=fd00:88::50,fd00:88::99,64,10m
log-dhcp
log-facility=/var/log/dnsmasq.log
pid-file=/run/lab/dnsmasq.pid
EOC
dnsmasq --conf-file=/run/lab/dnsmasq.conf
