import { pveValue } from "../escape/pve.ts";
import { shellCommand } from "../escape/shell.ts";
import { mebibytes } from "./mebibytes.ts";
import type { HostedVm, ProxmoxHost, Vm } from "./proxmox-host.ts";
import { networkSettings, numaSettings, passedSlots, slotSettings } from "./vm-devices.ts";

/** Key and value as `qm set` takes them and the configuration file holds them. */
export type Setting = readonly [key: string, value: string];

const flag = (value: boolean): string => (value ? "1" : "0");

/** Hugepages need NUMA, with or without nodes of its own. Source: PVE::QemuServer::Memory. */
const needsNuma = (vm: Vm): boolean => vm.hugepages !== undefined || (vm.numa ?? []).length > 0;

const HUGEPAGES = { "2MiB": "2", "1GiB": "1024", any: "any" } as const;

function processorAndMemory(vm: Vm, place: string): readonly Setting[] {
  return [
    ["cpu", pveValue(vm.cpu ?? "host", `${place}.cpu`)],
    ["sockets", String(vm.sockets ?? 1)],
    ["cores", String(vm.cores)],
    ["memory", String(mebibytes(vm.memory))],
    ...(vm.balloon === true ? [] : [["balloon", "0"] as const]),
    ["numa", flag(needsNuma(vm))],
    ...numaSettings(vm),
    ...(vm.hugepages === undefined ? [] : [["hugepages", HUGEPAGES[vm.hugepages]] as const]),
    ...(vm.affinity === undefined ? [] : [["affinity", vm.affinity] as const]),
  ];
}

/**
 * All settings of a VM but its disks, in the order in which they are set: the machine before what needs it. Throws
 * `OmniError` `render.unrepresentable` for a value that Proxmox's configuration cannot hold.
 */
export function vmSettings(hosted: HostedVm, host: ProxmoxHost): readonly Setting[] {
  const { vm, guest, name } = hosted;
  const place = `guests.${guest.name}.vm`;
  const entries = (vm.arguments ?? []).map((entry, index) => pveValue(entry, `${place}.arguments.${index}`));
  const scsi = Object.keys(vm.disks ?? {}).some((position) => position.startsWith("scsi"));
  return [
    ["name", pveValue(name, `${place}.name`)],
    ["ostype", "l26"],
    ["machine", pveValue(vm.machine ?? "q35", `${place}.machine`)],
    ["bios", vm.firmware ?? "ovmf"],
    ...processorAndMemory(vm, place),
    ["agent", flag(vm.agent ?? true)],
    ["onboot", flag(vm.onBoot ?? true)],
    ...(scsi ? [["scsihw", "virtio-scsi-single"] as const] : []),
    ...networkSettings(hosted),
    ...slotSettings(passedSlots(hosted, host)),
    ...(entries.length === 0 ? [] : [["args", shellCommand(entries)] as const]),
  ];
}

/**
 * Seconds that a start may take: what the spec says, else Proxmox's own rule, a second a GiB, four times with passed
 * cards, five more a network card, at least 30. Source: PVE::QemuServer::Helpers config_aware_timeout.
 */
export function startTimeout({ startTimeout, memory, hostpci, networks }: Vm): number {
  if (startTimeout !== undefined) return Math.ceil(startTimeout / 1000);
  const gibibytes = Math.ceil(mebibytes(memory) / 1024);
  const cards = Object.keys(hostpci ?? {}).length;
  return Math.max(30, gibibytes * (cards > 0 ? 4 : 1) + 5 * (networks ?? []).length);
}
