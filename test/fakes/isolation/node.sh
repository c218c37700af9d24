#!/bin/sh
# A node with a Docker engine of its own and a world outside it, all in fresh namespaces: nothing here touches the
# networks, firewall rules or processes of the machine. Started by docker-node.ts as
#   unshare --net --mount --pid --fork --kill-child --mount-proc sh node.sh FOLDER PROBE CGROUP
# It is process 1 of its namespace: when it ends, the kernel ends all others. It ends when its standard input does, so
# also when the test is killed. Says `world PID` and `ready`, or `failed REASON`.
set -eu
folder=$1 probe=$2 cgroup=$3

# Sockets and locks of containerd and iptables have fixed places below /run.
mount -t tmpfs tmpfs /run
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

# The world: 203.0.113.10 (RFC 5737), beyond the node's only way out. It knows a way to the node's containers, so that
# only the engine's rules keep it from them.
unshare --net "$probe" serve 80 world &
world=$!
here=$(readlink /proc/self/ns/net)
while [ "$(readlink /proc/$world/ns/net)" = "$here" ]; do sleep 0.02; done
ip link add node0 type veth peer name world0
ip link set world0 netns "$world"
ip addr add 203.0.113.1/24 dev node0
ip link set node0 up
nsenter --net=/proc/$world/ns/net sh -ec '
  ip link set lo up
  ip addr add 203.0.113.10/24 dev world0
  ip link set world0 up
  ip route add 172.16.0.0/12 via 203.0.113.1'
echo "world $world"

# A service of the node itself, as SSH or a hypervisor's API would be.
"$probe" serve 9100 node &

# A name server on the node's loopback, as systemd-resolved or dnsmasq is one: Docker asks it in the node's name.
echo 'nameserver 127.0.0.1' >"$folder/resolv.conf"
mount --bind "$folder/resolv.conf" /etc/resolv.conf
"$probe" names 203.0.113.10 &

echo '{}' >"$folder/daemon.json"
dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root "$folder/exec" \
  --pidfile "$folder/dockerd.pid" --host "unix://$folder/docker.sock" --storage-driver vfs --bridge none \
  --cgroup-parent "$cgroup" >"$folder/dockerd.log" 2>&1 &
daemon=$!
turns=0
until docker --host "unix://$folder/docker.sock" version >/dev/null 2>&1; do
  turns=$((turns + 1))
  if ! kill -0 $daemon 2>/dev/null || [ $turns -gt 200 ]; then
    echo "failed dockerd: $(tail -n 1 "$folder/dockerd.log")"
    exit 1
  fi
  sleep 0.1
done
echo ready
cat >/dev/null
