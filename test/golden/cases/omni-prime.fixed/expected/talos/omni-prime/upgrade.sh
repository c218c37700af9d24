#!/bin/sh
# Brings the nodes of the guest omni-prime to the Talos image and the Kubernetes version of omni.yaml. Rendered by
# Omni; needs talosctl and the secrets that apply.sh made. Extensions and kernel arguments change by this script
# only, also within one version of Talos. Talos 1.12 takes upgrades from 1.10 and newer. A node that was installed
# by Talos 1.10 or older has a small EFI partition (1101 MiB), and two images with NVIDIA's modules may not fit:
# look at talosctl get discoveredvolumes first.
#   --talos-only: leave Kubernetes as it is
#   --dry-run: print the commands, run none
# Secrets and generated configs are kept in OMNI_TALOS_SECRETS (~/.local/state/omni/talos/omni-prime/omni-prime when
# unset): keep that folder, and keep it out of any repository.
set -eu

talos_only=false
dry_run=false
for argument in "$@"; do
  case "$argument" in
    --talos-only) talos_only=true ;;
    --dry-run) dry_run=true ;;
    *) printf '%s\n' 'usage: upgrade.sh [--talos-only] [--dry-run]' >&2; exit 2 ;;
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

# One node after another, control planes first; each is back before the next one goes.
run talosctl --talosconfig "$secrets/talosconfig" upgrade --nodes 192.168.3.2 --endpoints 192.168.3.2 \
  --image "$TALOS_INSTALLER" --wait

if ! "$talos_only"; then
  run talosctl --talosconfig "$secrets/talosconfig" upgrade-k8s --nodes 192.168.3.2 --endpoints 192.168.3.2 \
    --to 1.35.0
fi
