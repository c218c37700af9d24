/**
 * The program that writes the GPU operator's markers while the driver works, and takes its own away while it does not.
 * What the markers hold is what the operator's validator writes for a driver of the host: the device plugin reads it as
 * shell. Source: NVIDIA/gpu-operator cmd/nvidia-validator/main.go (createStatusFile). The markers of the validator's own
 * later steps, plugin-ready and cuda-ready, stay its own, so that those still prove something.
 */
export const VALIDATION_SCRIPT = `#!/bin/sh
# CARDS    cards that the node has at least; MARKERS folder of the markers
set -u
mine="# written by omni-gpu-validation"
state=""

say() {
  if [ "$1" != "$state" ]; then printf '%s\\n' "$1"; fi
  state=$1
}

# All device nodes, and as many cards as the spec says: with the wrong kernel module the driver loads and sees none.
works() {
  for node in nvidiactl nvidia0; do
    [ -e "\${DEVICES:-/dev}/$node" ] || { why="/dev/$node is missing: are the kernel modules loaded?"; return 1; }
  done
  cards=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU ')
  [ "$cards" -ge "\${CARDS:-1}" ] || { why="nvidia-smi sees $cards cards, the spec names \${CARDS:-1}: Blackwell needs the open kernel modules"; return 1; }
}

write() {
  [ -e "$MARKERS/$1" ] || { printf '%s\\n' "$mine" "$2" >"$MARKERS/.omni-new" && mv "$MARKERS/.omni-new" "$MARKERS/$1"; }
}

take_away() {
  if [ -f "$MARKERS/$1" ] && [ "$(head -n 1 "$MARKERS/$1")" = "$mine" ]; then rm -f "$MARKERS/$1"; fi
}

trap 'exit 0' TERM INT
while :; do
  if works; then
    say "$cards cards: the markers stand"
    write .driver-ctr-ready ""
    write driver-ready "IS_HOST_DRIVER=true
NVIDIA_DRIVER_ROOT=/
DRIVER_ROOT_CTR_PATH=/host
NVIDIA_DEV_ROOT=/
DEV_ROOT_CTR_PATH=/host"
    write toolkit-ready ""
  else
    say "no markers: $why"
    for marker in toolkit-ready driver-ready .driver-ctr-ready; do take_away "$marker"; done
  fi
  [ "\${ONCE:-}" != yes ] || exit 0
  sleep 10 &
  wait $!
done
`;
