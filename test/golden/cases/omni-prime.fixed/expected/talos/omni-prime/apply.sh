#!/bin/sh
# Makes the machine configs of the guest omni-prime from the patches beside this file, checks them and hands them to
# the nodes. Rendered by Omni from omni.yaml; needs talosctl. Paths of your own patches count from the folder of
# omni.yaml: start it there, or set OMNI_PROJECT.
#   --first: the nodes wait in maintenance mode: install them, then start the cluster
#   --dry-run: print the commands, run none
# Secrets and generated configs are kept in OMNI_TALOS_SECRETS (~/.local/state/omni/talos/omni-prime/omni-prime when
# unset): keep that folder, and keep it out of any repository.
set -eu

first=false
dry_run=false
for argument in "$@"; do
  case "$argument" in
    --first) first=true ;;
    --dry-run) dry_run=true ;;
    *) printf '%s\n' 'usage: apply.sh [--first] [--dry-run]' >&2; exit 2 ;;
  esac
done

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
secrets=${OMNI_TALOS_SECRETS:-${XDG_STATE_HOME:-$HOME/.local/state}/omni/talos/omni-prime/omni-prime}
# shellcheck source=/dev/null
. "$here/images.env"

run() {
  if "$dry_run"; then
    printf '%s' '+'
    printf ' %s' "$@"
    printf '\n'
  else
    "$@"
  fi
}

# Keys of the cluster: made once, with --first, readable by nobody else; other keys are another cluster.
umask 077
if [ ! -f "$secrets/secrets.yaml" ] && ! "$first" && ! "$dry_run"; then
  printf '%s\n' "No secrets.yaml in $secrets: set OMNI_TALOS_SECRETS to the folder that --first made." >&2
  exit 1
fi
run mkdir -p "$secrets/nodes"
if [ ! -f "$secrets/secrets.yaml" ]; then run talosctl gen secrets --output-file "$secrets/secrets.yaml"; fi

run talosctl gen config omni-prime https://192.168.3.2:6443 \
  --with-secrets "$secrets/secrets.yaml" --output "$secrets" --force \
  --talos-version v1.12 --with-docs=false --with-examples=false \
  --kubernetes-version 1.35.0 \
  --config-patch "@$here/patches/10-install.yaml" \
  --config-patch "@$here/patches/20-modules.yaml" \
  --config-patch "@$here/patches/30-sysctls.yaml" \
  --config-patch "@$here/patches/40-volumes.yaml" \
  --config-patch "@$here/patches/85-cluster.yaml" \
  --config-patch-control-plane "@$here/patches/86-scheduling.yaml"

# One node: its own patch and the owner's over the common config, checked, then handed over.
node() {
  name=$1 base=$2 address=$3
  shift 3
  count=$#
  for patch in "$@"; do set -- "$@" --patch "@$patch"; done
  shift "$count"
  if [ "$#" -eq 0 ]; then
    run cp "$secrets/$base.yaml" "$secrets/nodes/$name.yaml"
  else
    run talosctl machineconfig patch "$secrets/$base.yaml" "$@" --output "$secrets/nodes/$name.yaml"
  fi
  run talosctl validate --config "$secrets/nodes/$name.yaml" --mode metal
  if "$first"; then
    if run talosctl apply-config --insecure --nodes "$address" --file "$secrets/nodes/$name.yaml"; then return 0; fi
    printf '%s\n' "$name is not in maintenance mode; trying the keys of an earlier run." >&2
  fi
  run talosctl --talosconfig "$secrets/talosconfig" apply-config --nodes "$address" --endpoints "$address" \
    --file "$secrets/nodes/$name.yaml"
}

node talos-node-0 controlplane 192.168.3.2 "$here/nodes/talos-node-0.yaml"

if "$first"; then
  # Once in the life of a cluster. The node installs and restarts first; this asks again for up to half an hour.
  # AlreadyExists is the answer of a cluster that an earlier run started.
  tries=0
  until answer=$(run talosctl --talosconfig "$secrets/talosconfig" bootstrap --nodes 192.168.3.2 --endpoints 192.168.3.2 2>&1); do
    case $answer in *AlreadyExists*) break ;; esac
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ]; then
      printf '%s\n' 'The node talos-node-0 does not answer; look at its console, then run apply.sh --first again. It said:' "$answer" >&2
      exit 1
    fi
    sleep "${OMNI_TALOS_WAIT:-15}"
  done
  if [ -n "$answer" ]; then printf '%s\n' "$answer"; fi
fi
run talosctl --talosconfig "$secrets/talosconfig" kubeconfig "$secrets/kubeconfig" --force --merge=false \
  --nodes 192.168.3.2 --endpoints 192.168.3.2
run talosctl --talosconfig "$secrets/talosconfig" health --wait-timeout 20m --nodes 192.168.3.2 --endpoints 192.168.3.2
