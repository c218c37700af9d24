import type { Diagnostic } from "../../core/index.ts";
import { formatBytes } from "../../core/index.ts";
import { missingPages, PAGE_BYTES, reservesByItself, unevenNodes } from "./hugepages.ts";
import type { KernelChoice } from "./kernel-choice.ts";
import type { HostedVm, ProxmoxHost } from "./proxmox-host.ts";
import { vmDisks } from "./vm-disks.ts";
import { vmFaults } from "./vm-faults.ts";

function addresses({ host, cards }: ProxmoxHost): readonly Diagnostic[] {
  return cards
    .filter(({ gpu }) => gpu.pci === undefined)
    .map(({ name }) => ({
      code: "render.needs-value",
      severity: "error",
      path: `machines.${host.name}.gpus.${name}.pci`,
      message: `The card ${name} is handed to a guest, and its PCI address is not in the spec; the scripts refuse before they change anything.`,
      hint: `gpus.${name}.pci: "0000:…"   # lspci -Dnn -d 10de:`,
    }));
}

function unknownCards({ vm, guest }: HostedVm, { host }: ProxmoxHost): readonly Diagnostic[] {
  return Object.entries(vm.hostpci ?? {})
    .filter(([, { gpu }]) => host.gpus?.[gpu] === undefined)
    .map(([slot, { gpu }]) => ({
      code: "render.vm-will-not-start",
      severity: "error",
      path: `guests.${guest.name}.vm.hostpci.${slot}`,
      message: `${slot} shall be ${gpu}, which is no card of ${host.name}; the slot is left out.`,
      hint: `One of: ${Object.keys(host.gpus ?? {}).join(", ") || "none, the machine has no gpus"}`,
    }));
}

function incomplete(hosted: HostedVm, parts: ProxmoxHost): readonly Diagnostic[] {
  const { vm, guest } = hosted;
  const place = `guests.${guest.name}.vm`;
  const { disks, missing } = vmDisks(hosted, parts);
  return [
    ...missing.map(({ position, why, hint }): Diagnostic => ({
      code: "render.needs-value",
      severity: "error",
      path: `${place}.disks.${position}`,
      message: `${position} is left out. ${why}`,
      hint,
    })),
    ...(disks.length + missing.length > 0
      ? []
      : [
          {
            code: "render.needs-value",
            severity: "warning",
            path: `${place}.disks`,
            message: `VM ${vm.id} has no disk in the spec: where it is new, there is nothing to install its system on.`,
            hint: "disks: { scsi0: { storage: local-zfs, size: 64GiB } }",
          } as const,
        ]),
    ...((vm.networks ?? []).length > 0
      ? []
      : [
          {
            code: "render.needs-value",
            severity: "warning",
            path: `${place}.networks`,
            message: `VM ${vm.id} has no network card in the spec: where it is new, nothing reaches it.`,
            hint: "networks: [{ bridge: vmbr0 }]",
          } as const,
        ]),
  ];
}

/** Faults that the advice has not told already; those stand as comments in the files only. */
const willNotStart = (hosted: HostedVm, parts: ProxmoxHost): readonly Diagnostic[] =>
  vmFaults(hosted, parts)
    .filter(({ advised }) => !advised)
    .map(({ key, message, hint }) => ({
      code: "render.vm-will-not-start",
      severity: "error",
      path: `guests.${hosted.guest.name}.vm.${key}`,
      message,
      hint,
    }));

const pagesPath = (parts: ProxmoxHost): string =>
  `machines.${parts.host.name}.${reservesByItself(parts) ? "boot.arguments" : "memory.hugepages"}`;

/** Pages that a host node has to give although the kernel does not set them aside there. */
const shortNodes = (parts: ProxmoxHost): readonly Diagnostic[] =>
  unevenNodes(parts).map(({ node, need, share }) => ({
    code: "render.vm-will-not-start",
    severity: "warning",
    path: pagesPath(parts),
    message: `The VMs of ${parts.host.name} take ${need.count} hugepages of ${need.size} from host node ${node}, and the boot line's pages are spread evenly over its nodes, ${share} each. Proxmox asks the node for the rest when a VM starts, and memory in pieces that large is rare by then.`,
    hint: "vm.numa: one entry a host node, each with hostNode and an equal part of the memory",
  }));

/** What of a host could not be rendered as asked, and what its owner should know. */
export function hostDiagnostics(parts: ProxmoxHost, kernel: KernelChoice | undefined): readonly Diagnostic[] {
  const { host } = parts;
  return [
    ...(kernel?.refused === undefined
      ? []
      : [
          {
            code: "render.step-refused",
            severity: "warning",
            path: `machines.${host.name}.kernel`,
            message: `apply.sh of ${host.name} changes nothing until the kernel is left out (--skip kernel) or corrected: ${kernel.refused}`,
            hint: "Correct kernel: pin, package and atMost must hold together.",
          } as const,
        ]),
    ...addresses(parts),
    ...missingPages(parts).map(({ need, have }): Diagnostic => ({
      code: "render.vm-will-not-start",
      severity: "error",
      path: pagesPath(parts),
      message: `The VMs of ${host.name} need ${need.count} hugepages of ${need.size} (${formatBytes(need.count * PAGE_BYTES[need.size])}), and the boot line reserves ${have}.`,
      hint: `hugepages: { size: ${need.size}iB, count: ${need.count} }, or leave it away to have it computed`,
    })),
    ...(missingPages(parts).length > 0 ? [] : shortNodes(parts)),
    ...parts.vms.flatMap((hosted) => [
      ...unknownCards(hosted, parts),
      ...incomplete(hosted, parts),
      ...willNotStart(hosted, parts),
    ]),
  ];
}
