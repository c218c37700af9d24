/**
 * Script that starts an engine which takes its cards by number alone: vLLM reads a UUID in CUDA_VISIBLE_DEVICES as a number
 * and ends (vLLM #20939, #32569, #46132). A number changes when a card is taken out, so it is looked up at each start.
 */
export const VISIBLE_CARDS_SCRIPT = `#!/bin/sh
# visible-cards UUID[,UUID...] COMMAND...: runs COMMAND with the cards of these UUIDs, in this order, as their numbers.
# Rendered by Omni from omni.yaml; the units of vLLM start by it, because vLLM takes no UUID in CUDA_VISIBLE_DEVICES and
# numbers change when a card is taken out or dies. nvidia-smi counts in the order of PCI addresses, so CUDA is told to.
set -eu
uuids=\${1:?usage: visible-cards UUID[,UUID...] COMMAND...}
shift

if ! cards=$(nvidia-smi --query-gpu=index,uuid --format=csv,noheader); then
  echo "visible-cards: nvidia-smi failed, so nobody can say which cards these are: $uuids. $cards" >&2
  exit 1
fi

numbers=
rest=$uuids,
while [ -n "$rest" ]; do
  uuid=\${rest%%,*}
  rest=\${rest#*,}
  number=$(printf '%s\\n' "$cards" | awk -F', *' -v uuid="$uuid" '$2 == uuid { print $1 }')
  if [ -z "$number" ]; then
    echo "visible-cards: the card $uuid is not in this machine, or is lost. There are (number, UUID):" >&2
    printf '%s\\n' "$cards" >&2
    exit 1
  fi
  numbers=$numbers\${numbers:+,}$number
done

CUDA_DEVICE_ORDER=PCI_BUS_ID
CUDA_VISIBLE_DEVICES=$numbers
export CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES
exec "$@"
`;
