import { shellCommand, shellWord, hashComment } from "../escape/shell.ts";
import { fileHeader } from "./file-header.ts";
import { knownIds } from "./known-ids.ts";
import type { HostedVm, ProxmoxHost } from "./proxmox-host.ts";
import { HOST_CHECK, PRELUDE } from "./shell/prelude.ts";
import { DISK_FUNCTIONS, VM_FUNCTIONS } from "./shell/vm-functions.ts";
import type { PassedSlot } from "./vm-devices.ts";
import { passedSlots } from "./vm-devices.ts";
import type { VmDisk } from "./vm-disks.ts";
import { bootPositions, firmwareStorage, FIRMWARE_OPTIONS, vmDisks } from "./vm-disks.ts";
import { vmFaults } from "./vm-faults.ts";
import { vmNotes } from "./vm-notes.ts";
import { startTimeout, vmSettings } from "./vm-settings.ts";

const OPTIONS = `
force=no
elsewhere=no
start=no
created=no
changed=no

usage() {
  cat <<'USAGE'
Usage: SCRIPT [--dry-run] [--force] [--start] [--elsewhere]
  --dry-run    say what would change, change nothing
  --force      the VM of this number is ours although it has another name
  --start      start the VM when all is set
  --elsewhere  the address in omni.yaml is not this machine's any more
Makes the VM where there is none, else sets what differs. Never removes a VM or a disk, never stops a VM.
USAGE
}

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=yes ;;
  --force) force=yes ;;
  --start) start=yes ;;
  --elsewhere) elsewhere=yes ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
`;

const START = `
step 'Start'
if [ "$start" = no ]; then
  say "  not asked for: --start does it, or qm start $VMID --timeout $TIMEOUT"
elif [ -n "$FAULTS" ]; then
  refuse "Not started: $FAULTS" 'Correct omni.yaml and render again.'
else
  case $(qm status "$VMID" 2>/dev/null || true) in
  *running*) say '  runs already' ;;
  *) run qm start "$VMID" --timeout "$TIMEOUT" ;;
  esac
fi

step 'Done'
if [ "$dry_run" = yes ]; then say '  This was a dry run: nothing has changed.'; elif [ "$changed$created" = nono ]; then say '  Nothing has changed.'; fi
`;

function mappingLine(slot: PassedSlot, { cards }: ProxmoxHost): string {
  if (slot.typed) return shellCommand(["check_mapping", slot.mapping]);
  const card = cards.find(({ name }) => name === slot.card);
  if (slot.address === undefined || card === undefined)
    return shellCommand(["map_card", slot.mapping, slot.card, "", ""]);
  return [
    hashComment(
      `By address instead, which Proxmox takes from root@pam alone: qm set ID --${slot.slot} host=${slot.address}${slot.options === "" ? "" : `,${slot.options}`}`,
    ),
    shellCommand(["map_card", slot.mapping, slot.card, slot.address, knownIds(card).join(" ")]),
  ].join("\n");
}

function diskLine({ position, from }: VmDisk): string {
  if (from.kind === "new") return shellCommand(["disk", position, `${from.storage}:${from.sizeGib}`]);
  return "path" in from
    ? shellCommand(["whole_disk", position, from.path])
    : shellCommand(["disk_by_serial", position, from.serial]);
}

function diskSteps(hosted: HostedVm, host: ProxmoxHost): readonly string[] {
  const { vm, guest } = hosted;
  const { disks, missing } = vmDisks(hosted, host);
  const order = bootPositions(hosted, disks);
  const storage = firmwareStorage(disks);
  const ovmf = (vm.firmware ?? "ovmf") === "ovmf";
  return [
    "step 'Disks'",
    ...(ovmf ? [hashComment("UEFI variables. No keys are enrolled beforehand: Talos enrols its own.")] : []),
    ...(ovmf && storage === undefined
      ? [
          "storage=''",
          `if [ -z "$(value_of efidisk0)" ]; then pick_storage; fi`,
          `disk efidisk0 "$storage:1,${FIRMWARE_OPTIONS}"`,
        ]
      : []),
    ...(ovmf && storage !== undefined
      ? [shellCommand(["disk", "efidisk0", `${storage}:1,${FIRMWARE_OPTIONS}`])]
      : []),
    ...disks.map(diskLine),
    ...missing.map(({ position, why }) => hashComment(`${position} is left out: ${why}`)),
    ...(guest.talos === undefined
      ? []
      : [shellCommand(["installer", installerName(guest.talos.version), `talos/${guest.name}/images.env`])]),
    shellCommand(["boot_order", ...order.before, "ide2", ...order.after]),
  ];
}

/** Name under which the Talos ISO lies in Proxmox's own storage. */
export const installerName = (version: string): string =>
  `omni-talos-${version.replaceAll(/[^\w.-]/g, "-")}.iso`;

/** The script that makes a VM or brings it to what the spec says. POSIX sh; never removes anything. */
export function vmScript(hosted: HostedVm, host: ProxmoxHost): string {
  const { vm, name } = hosted;
  const slots = passedSlots(hosted, host);
  const settings = vmSettings(hosted, host);
  const faults = vmFaults(hosted, host);
  const roms = slots.flatMap(({ romFile }) => (romFile === undefined ? [] : [romFile]));
  const variables = {
    HOST: host.host.name,
    ADDRESS: host.host.address ?? "",
    VMID: String(vm.id),
    NAME: name,
    NOTES: vmNotes(hosted, host),
    TIMEOUT: String(startTimeout(vm)),
    FAULTS: faults.map(({ message }) => message).join(" "),
  };
  return [
    "#!/bin/sh",
    fileHeader(
      host.deployment,
      `VM ${vm.id} (${name}) on the Proxmox host ${host.host.name}, as commands of qm. Run it on the host after apply.sh and a reboot: ./vm-${vm.id}.sh --dry-run, then ./vm-${vm.id}.sh. Run again, it sets only what differs.`,
      ...faults.map(({ message }) => `Rendered as written, and Proxmox will not start it: ${message}`),
    ),
    "set -eu\n",
    ...Object.entries(variables).map(([key, value]) => `${key}=${shellWord(value)}`),
    PRELUDE,
    OPTIONS.replace("SCRIPT", `./vm-${vm.id}.sh`),
    HOST_CHECK,
    VM_FUNCTIONS,
    DISK_FUNCTIONS,
    "step 'This host'",
    "check_host",
    ...(slots.length === 0 ? [] : ["NODE=$(hostname)", "NODE=${NODE%%.*}"]),
    "check_vm",
    ...roms.map((rom) => shellCommand(["check_rom", rom])),
    ...(slots.length === 0
      ? []
      : ["\nstep 'Resource mappings of the cards'", ...slots.map((slot) => mappingLine(slot, host))]),
    "\nstep 'The VM'",
    "create_vm",
    "\nstep 'Settings'",
    ...settings.map(([key, value]) => shellCommand(["setting", key, value])),
    shellCommand(["no_more", ...settings.map(([key]) => key)]),
    "",
    ...diskSteps(hosted, host),
    START,
  ].join("\n");
}
