import { hashComment, shellWord } from "../../escape/shell.ts";
import type { SwitchCard } from "./cards.ts";

/** First part of the script: what it is, its settings, and the cards that it may touch. */
export const opening = (
  cards: readonly SwitchCard[],
  withoutAddress: readonly string[],
  order: readonly string[],
): string => `#!/bin/sh
# omni-switch: moves GPUs between a driver of the host and vfio-pci, and back.
# Rendered by Omni from omni.yaml, whose cards are in the table below. It needs nothing of Omni to run: a POSIX shell,
# GNU find, od and sed, which every Proxmox VE host has. Install it with mode 755; run it as root.
#
#   omni-switch status             what every function of every card is bound to, and who uses it
#   omni-switch --dry-run to-vfio  what would be done, without touching anything
#   omni-switch to-vfio            cards to vfio-pci, for a VM
#   omni-switch restore            cards back to the host's driver
#
# It fails closed: what it cannot read counts as unsafe. Nothing in sysfs outlives a reboot; cards that belong to a VM
# for good are better bound early, by vfio-pci's ids= in modprobe.d, and then this script only confirms it.
# Exit codes: 0 done or nothing to do, 1 failed on the way, 2 wrong usage, 3 refused for safety.
set -eu
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin

# Roots, so that the script can be tried on a tree of plain files.
sysfs=\${OMNI_SYSFS:-/sys}
proc=\${OMNI_PROC:-/proc}
dev=\${OMNI_DEV:-/dev}
runtime=\${OMNI_RUNTIME:-/run}
# Seconds that one write or NVIDIA's lock may take before it counts as stuck or refused.
patience=\${OMNI_PATIENCE:-30}
pci=$sysfs/bus/pci

# Calls the function $1 once a card: name, address, audio function yes or no, driver on the host, vendor:device ids.
each_card() {
${cards.map((card) => `  ${tableLine(card)}`).join("\n") || "  :"}
}
${withoutAddress.map((name) => `${hashComment(`Not in the table, because the spec names no pci address: ${name}`)}\n`).join("")}
# Order of a card's functions: ${order.join(" first, then ")}. USB functions of older cards go with the audio function.
functions_of() { # slot, audio yes or no
  sound=
  if [ "$2" = yes ]; then sound=$1.1; fi
  for entry in "$pci/devices/$1".[2-7]; do
    if [ -e "$entry" ]; then sound="$sound $1.\${entry##*.}"; fi
  done
  functions="${order[0] === "video" ? "$1.0 $sound" : "$sound $1.0"}"
}
`;

const tableLine = (card: SwitchCard): string =>
  [
    '"$1"',
    quoted(card.name),
    quoted(card.slot),
    card.audio ? "yes" : "no",
    card.hostDriver ?? "any",
    quoted(card.ids.join(" ")),
  ].join(" ");

/** Quoted also where the shell would not need it: a table reads better so. */
const quoted = (text: string): string => {
  const word = shellWord(text);
  return word.startsWith("'") ? word : `'${word}'`;
};
