import { pveNotes } from "../escape/pve.ts";
import type { HostedVm, ProxmoxHost } from "./proxmox-host.ts";
import { passedSlots } from "./vm-devices.ts";
import type { VmDisk } from "./vm-disks.ts";
import { bootPositions, firmwareStorage, FIRMWARE_OPTIONS, vmDisks } from "./vm-disks.ts";
import { vmFaults } from "./vm-faults.ts";
import { vmNotes } from "./vm-notes.ts";
import type { Setting } from "./vm-settings.ts";
import { vmSettings } from "./vm-settings.ts";

/** Volumes as block storages name them, in the order in which the script makes them. */
function diskSettings(hosted: HostedVm, disks: readonly VmDisk[]): readonly Setting[] {
  const { vm } = hosted;
  const order = bootPositions(hosted, disks);
  const storage = firmwareStorage(disks);
  const ovmf = (vm.firmware ?? "ovmf") === "ovmf" && storage !== undefined;
  let made = ovmf ? 1 : 0;
  return [
    ...(ovmf ? [["efidisk0", `${storage}:vm-${vm.id}-disk-0,${FIRMWARE_OPTIONS}`] as const] : []),
    ...disks.flatMap(({ position, from }): readonly Setting[] => {
      if (from.kind === "new")
        return [[position, `${from.storage}:vm-${vm.id}-disk-${made++},size=${from.sizeGib}G`]];
      return "path" in from ? [[position, from.path]] : [];
    }),
    ...(disks.length === 0
      ? []
      : [["boot", `order=${[...order.before, ...order.after].join(";")}`] as const]),
  ];
}

function notes(hosted: HostedVm, host: ProxmoxHost, disks: readonly VmDisk[]): string {
  const { vm } = hosted;
  const bySerial = disks.flatMap(({ position, from }) =>
    from.kind === "whole" && "serial" in from
      ? [`${position} is the disk with the serial number ${from.serial}; the script finds its name.`]
      : [],
  );
  const slots = passedSlots(hosted, host).filter(({ typed, address }) => !typed && address !== undefined);
  return [
    vmNotes(hosted, host),
    `What qm config ${vm.id} shows after vm-${vm.id}.sh, for reading, comparing and as /etc/pve/qemu-server/${vm.id}.conf of a host that has the volumes already. These lines are the VM's notes.`,
    ...(disks.length > 0 && firmwareStorage(disks) !== undefined
      ? [
          "Volumes are named as block storages name them; a storage of files puts a folder before and a suffix behind.",
        ]
      : []),
    ...((hosted.vm.firmware ?? "ovmf") === "ovmf" && firmwareStorage(disks) === undefined
      ? ["efidisk0 is missing here: the spec names no storage, so the script asks the host for one."]
      : []),
    ...bySerial,
    ...slots.map(
      ({ slot, address, mapping }) =>
        `${slot}: the mapping ${mapping} stands for host=${address ?? ""}, which root@pam alone may write.`,
    ),
    ...vmFaults(hosted, host).map(
      ({ message }) => `Rendered as written, and Proxmox will not start it: ${message}`,
    ),
  ].join("\n");
}

/** `<vmid>.conf`: notes first, then keys in the order in which Proxmox itself writes them. */
export function vmConfig(hosted: HostedVm, host: ProxmoxHost): string {
  const { disks } = vmDisks(hosted, host);
  const settings = [...vmSettings(hosted, host), ...diskSettings(hosted, disks)];
  const lines = settings
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}: ${value}`);
  return `${[pveNotes(notes(hosted, host, disks)), ...lines].join("\n")}\n`;
}
