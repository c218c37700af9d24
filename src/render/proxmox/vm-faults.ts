import { formatBytes, MIB } from "../../core/index.ts";
import { mebibytes } from "./mebibytes.ts";
import { nodeCount, pageOf, PAGE_BYTES } from "./hugepages.ts";
import type { HostedVm, ProxmoxHost, Vm } from "./proxmox-host.ts";

/** Something that Proxmox will not start, with the spec's place; `advised` faults are findings of the spec already. */
export interface VmFault {
  readonly key: string;
  readonly message: string;
  readonly hint: string;
  readonly advised: boolean;
}

/** Numbers of a set of processors such as `0-3,8`. */
function processors(set: string): readonly number[] {
  return set.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: Math.min(last - first + 1, 8192) }, (_, index) => first + index);
  });
}

function memoryFaults(vm: Vm): readonly VmFault[] {
  const nodes = vm.numa ?? [];
  const page = pageOf(vm);
  const unit = page === undefined ? MIB : PAGE_BYTES[page];
  if (nodes.length === 0 && page === undefined) return [];
  const uneven = [vm.memory, ...nodes.map(({ memory }) => memory)].find((bytes) => bytes % unit !== 0);
  const sum = nodes.reduce((total, { memory }) => total + mebibytes(memory), 0);
  return [
    ...(uneven === undefined
      ? []
      : [
          {
            key: "memory",
            message: `${formatBytes(uneven)} is ${(uneven / unit).toFixed(2)} times ${formatBytes(unit)}, which is no whole number; rendered as whole MiB, rounded down.`,
            hint: "Write amounts that are whole GiB.",
            advised: true,
          },
        ]),
    ...(nodes.length === 0 || sum === mebibytes(vm.memory)
      ? []
      : [
          {
            key: "numa",
            message: `The NUMA nodes have ${sum} MiB together, the VM ${mebibytes(vm.memory)} MiB; they must be equal.`,
            hint: "Make the nodes' memory sum to the VM's.",
            advised: true,
          },
        ]),
  ];
}

/** Without NUMA nodes of its own a VM with hugepages has one for each virtual socket, backed by the host node of its number. */
function socketFaults(vm: Vm, there: number): readonly VmFault[] {
  const page = pageOf(vm);
  const sockets = vm.sockets ?? 1;
  if (page === undefined || (vm.numa ?? []).length > 0 || sockets === 1) return [];
  const part = vm.memory / sockets;
  return [
    ...(vm.memory % PAGE_BYTES[page] === 0 && part % PAGE_BYTES[page] !== 0
      ? [
          {
            key: "memory",
            message: `Proxmox backs each of the ${sockets} virtual sockets by ${formatBytes(part)}, which is no whole number of pages of ${page}.`,
            hint: `memory: a multiple of ${sockets} × ${formatBytes(PAGE_BYTES[page])}, or sockets: 1`,
            advised: false,
          },
        ]
      : []),
    ...(sockets > there
      ? [
          {
            key: "sockets",
            message: `Proxmox backs virtual socket ${sockets - 1} by host node ${sockets - 1}, and the host has ${there} (0 to ${there - 1}).`,
            hint: `sockets: ${there}, or numa: with a hostNode each`,
            advised: false,
          },
        ]
      : []),
  ];
}

/** Proxmox knows numa0 to numa7. Source: PVE::QemuServer::Memory, MAX_NUMA. */
const MOST_NODES = 8;

const countFault = (nodes: number): readonly VmFault[] =>
  nodes <= MOST_NODES
    ? []
    : [
        {
          key: "numa",
          message: `The VM has ${nodes} NUMA nodes, and Proxmox knows numa0 to numa${MOST_NODES - 1}.`,
          hint: `At most ${MOST_NODES} entries.`,
          advised: false,
        },
      ];

function nodeFaults({ vm }: HostedVm, parts: ProxmoxHost): readonly VmFault[] {
  const { host } = parts;
  const nodes = vm.numa ?? [];
  const there = nodeCount(parts);
  return nodes.flatMap((node, index) => [
    ...(vm.hugepages !== undefined && node.hostNode === undefined
      ? [
          {
            key: `numa.${index}`,
            message: `NUMA node ${index} names no host node, and hugepages need exactly one for each.`,
            hint: `hostNode: ${index}`,
            advised: false,
          },
        ]
      : []),
    ...(node.hostNode !== undefined && node.hostNode >= there
      ? [
          {
            key: `numa.${index}.hostNode`,
            message: `NUMA node ${index} is backed by host node ${node.hostNode}, and ${host.name} has ${there} (0 to ${there - 1}).`,
            hint: `hostNode: ${index % there}, or correct cpu.nodesPerSocket`,
            advised: false,
          },
        ]
      : []),
  ]);
}

function processorFaults(vm: Vm): readonly VmFault[] {
  if (vm.numa === undefined || vm.numa.length === 0) return [];
  const count = vm.cores * (vm.sockets ?? 1);
  const used = vm.numa.flatMap(({ cpus }) => processors(cpus));
  const once = new Set(used);
  const beyond = used.find((cpu) => cpu >= count);
  const twice = once.size < used.length;
  const complete = beyond !== undefined || once.size === count;
  const problem =
    beyond === undefined
      ? twice
        ? "a processor is in two nodes"
        : `${once.size} of ${count} processors are in a node`
      : `processor ${beyond} is beyond the VM's ${count} (0 to ${count - 1})`;
  if (beyond === undefined && !twice && complete) return [];
  return [
    {
      key: "numa",
      message: `NUMA nodes: ${problem}. QEMU wants each processor in exactly one node.`,
      hint: "Cut 0 to the last processor into ranges, one a node.",
      advised: false,
    },
  ];
}

function machineFaults(vm: Vm): readonly VmFault[] {
  const slots = Object.values(vm.hostpci ?? {});
  const q35 = (vm.machine ?? "q35").includes("q35");
  return [
    ...(!q35 && slots.some(({ pcie }) => pcie !== false)
      ? [
          {
            key: "machine",
            message: `${vm.machine ?? ""} has no PCI Express, which the passed cards are shown as.`,
            hint: "machine: q35",
            advised: true,
          },
        ]
      : []),
    ...(vm.balloon === true && slots.length > 0
      ? [
          {
            key: "balloon",
            message:
              "Ballooning with passed cards: a card's memory stays pinned, so nothing can be given back.",
            hint: "balloon: false",
            advised: false,
          },
        ]
      : []),
  ];
}

/** A mapping that nobody can make, because Proxmox takes no such name. Source: PVE::JSONSchema, pve-configid. */
const mappingFaults = (vm: Vm): readonly VmFault[] =>
  Object.entries(vm.hostpci ?? {})
    .filter(([, { mapping }]) => mapping !== undefined && !/^[a-z][a-z0-9_-]+$/i.test(mapping))
    .map(([slot, { mapping = "" }]) => ({
      key: `hostpci.${slot}.mapping`,
      message: `The mapping ${mapping} cannot exist: Proxmox takes names of at least two characters that begin with a letter.`,
      hint: `mapping: gpu-${mapping}, or leave it away to have Omni make one`,
      advised: false,
    }));

/**
 * What Proxmox or QEMU will refuse, or what cannot work, in the spec's words; all of it is rendered as written. Source:
 * PVE::QemuServer Memory.pm and PCI.pm, the rules that they die by at the VM's start.
 */
export const vmFaults = (hosted: HostedVm, host: ProxmoxHost): readonly VmFault[] => [
  ...memoryFaults(hosted.vm),
  ...socketFaults(hosted.vm, nodeCount(host)),
  ...countFault((hosted.vm.numa ?? []).length),
  ...nodeFaults(hosted, host),
  ...processorFaults(hosted.vm),
  ...machineFaults(hosted.vm),
  ...mappingFaults(hosted.vm),
];
