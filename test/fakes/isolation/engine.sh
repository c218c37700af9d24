#!/bin/sh
# A Docker engine beside the machine's own, whose containers share the network of the machine: it makes no network, no
# firewall rule and no bridge. Started by docker-engine.ts as
#   unshare --mount sh engine.sh FOLDER CGROUP
# Says `ready`, or `failed REASON`; `restart` on its standard input ends the engine and starts it again
# after a second (`stopped`, `ready`); containers live on meanwhile. It ends
# with all its containers when its standard input does, so also when the test is killed.
set -u
# A test that was killed reads no more: then the words go nowhere, and what follows is the end of standard input.
trap '' PIPE
folder=$1 cgroup=$2
socket="$folder/docker.sock"

# Sockets and locks of containerd have fixed places below /run.
mount -t tmpfs tmpfs /run || { echo "failed no mount namespace"; exit 1; }
echo '{}' >"$folder/daemon.json"

start() {
  dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/dockerd.pid" --host "unix://$socket" --storage-driver vfs --bridge none --iptables=false \
    --ip-forward=false --ip-masq=false --live-restore --cgroup-parent "$cgroup" >>"$folder/dockerd.log" 2>&1 &
  daemon=$!
  turns=0
  until docker --host "unix://$socket" version >/dev/null 2>&1; do
    turns=$((turns + 1))
    if ! kill -0 $daemon 2>/dev/null || [ $turns -gt 200 ]; then
      echo "failed dockerd: $(tail -n 1 "$folder/dockerd.log")"
      exit 1
    fi
    sleep 0.1
  done
  echo ready
}

start
while read -r word; do
  [ "$word" = restart ] || continue
  kill -TERM $daemon
  wait $daemon 2>/dev/null
  echo stopped
  sleep 1
  start
done

containers=$(docker --host "unix://$socket" ps --all --quiet)
# shellcheck disable=SC2086
[ -z "$containers" ] || docker --host "unix://$socket" rm --force --volumes $containers >/dev/null 2>&1
kill -TERM $daemon
wait $daemon 2>/dev/null
rm -rf "$folder"
exit 0
