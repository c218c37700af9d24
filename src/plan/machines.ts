import { cudaVisibleBytes, findGpu } from "../catalog/index.ts";
import type { GpuModel } from "../catalog/gpus.ts";
import { GIB, MIB } from "../core/index.ts";
import { catalogGpu } from "../inventory/index.ts";
import type { GpuInventory, MachineInventory } from "../inventory/machine.ts";
import type { Guest, Machine, Spec } from "../spec/spec.ts";

/** A card as the planner sees it. Bytes. */
export interface PlanCard {
  /** `card`, or `machine/card` where there are several machines. */
  readonly id: string;
  /** Its key under `gpus`. */
  readonly name: string;
  readonly model: string;
  /** What a CUDA program sees. */
  readonly visible: number;
  readonly headroom: number;
  readonly computeCapability?: string;
  readonly uuid?: string;
  readonly role?: string;
  readonly numaNode?: number;
  readonly lanes?: number;
}

export interface PlanDisk {
  readonly name: string;
  readonly mount?: string;
  /** What may be written: free space where known, else the size; absent when neither is known. */
  readonly room?: number;
  readonly headroom: number;
}

/** A machine as the planner sees it: what engines on it may take. Bytes. */
export interface PlanMachine {
  readonly name: string;
  readonly cards: readonly PlanCard[];
  readonly memory: { readonly capacity: number; readonly headroom: number; readonly known: boolean };
  /** Processors that engines may compute on: physical cores, or the VM's. */
  readonly cores: number;
  /** Memory of each NUMA node, where it is known. */
  readonly numaMemory: readonly number[];
  readonly disks: readonly PlanDisk[];
  /** Free space where container images are unpacked. */
  readonly imageRoom?: number;
  readonly driver?: string;
}

/** Main memory that an operating system and its services keep for themselves: 3 %, 2 GiB at least. */
const systemShare = (size: number): number => Math.max(2 * GIB, Math.round(size * 0.03));
/** Memory of a machine that says nothing about it; the plan then tells what it takes and bounds nothing. */
const UNKNOWN_MEMORY = Number.MAX_SAFE_INTEGER;
const UNKNOWN_CORES = 1;

/** The machines of a spec; without any, the machine that was observed. Pure. */
export function planMachines(spec: Spec, observed: MachineInventory | undefined): readonly PlanMachine[] {
  const named = Object.entries(spec.machines);
  if (named.length === 0) return [observedMachine(spec, observed)];
  const many = named.length > 1;
  return named.map(([name, machine]) => {
    const guest = guestOf(spec, name, named.length);
    const here = isThisMachine(spec, machine, guest) && !many ? observed : undefined;
    return {
      name,
      ...withOneMemory({
        cards: cardsOf(spec, machine, guest, many ? `${name}/` : ""),
        memory: memoryOf(spec, machine, guest, here),
      }),
      cores: coresOf(machine, guest, here),
      numaMemory:
        (guest?.vm === undefined ? machine.cpu?.numa : guest.vm.numa)?.map((node) => node.memory) ?? [],
      disks: disksOf(spec, machine),
      ...imageRoomOf(spec, machine),
      ...(machine.driver?.version === undefined ? {} : { driver: machine.driver.version }),
    };
  });
}

/** Whether a machine of the spec is the one that reads it: engines are its processes, and nobody logs in to it. */
const isThisMachine = (spec: Spec, machine: Machine, guest: Guest | undefined): boolean =>
  spec.runtime.kind === "process" &&
  machine.platform === "linux" &&
  machine.ssh === undefined &&
  machine.address === undefined &&
  guest?.vm === undefined;

function observedMachine(spec: Spec, observed: MachineInventory | undefined): PlanMachine {
  const total = observed?.memory.total ?? 0;
  return {
    name: spec.name,
    ...withOneMemory({
      cards: (observed?.gpus ?? []).flatMap((gpu, index) => observedCard(gpu, index, spec)),
      memory: {
        capacity: observed?.memory.available ?? UNKNOWN_MEMORY,
        headroom: amount(spec.policies.headroom.memory, total),
        known: observed !== undefined,
      },
    }),
    cores: observed?.cpu.cores ?? UNKNOWN_CORES,
    numaMemory: (observed?.numa ?? []).map((node) => node.memory),
    disks: [],
  };
}

/** A card as the driver reports it: nvidia-smi's total less what the driver reserves is what a program sees. */
function observedCard(gpu: GpuInventory, index: number, spec: Spec): readonly PlanCard[] {
  if (gpu.memoryTotal === undefined) return [];
  if (gpu.kernelDriver === "vfio-pci") return [];
  const name = `gpu${gpu.index ?? index}`;
  const told = { ...gpu, model: gpu.name, memory: gpu.memoryTotal, lanes: gpu.link?.lanes };
  return [planCard(name, name, told, catalogGpu(gpu), spec)];
}

/** What is said of a card, by its owner or its driver. */
interface CardFacts extends Pick<PlanCard, "model"> {
  readonly memory?: number | undefined;
  readonly computeCapability?: string | undefined;
  readonly uuid?: string | undefined;
  readonly role?: string | undefined;
  readonly numaNode?: number | undefined;
  readonly lanes?: number | undefined;
}

function planCard(
  id: string,
  name: string,
  { model, memory, computeCapability, uuid, role, numaNode, lanes }: CardFacts,
  known: GpuModel | undefined,
  spec: Spec,
): PlanCard {
  const visible = cudaVisibleBytes(known, memory ?? known?.memory ?? 0);
  const capability = computeCapability ?? known?.computeCapability;
  return {
    id,
    name,
    model: known?.name ?? model,
    visible,
    headroom: amount(spec.policies.headroom.vram, visible),
    ...(capability === undefined ? {} : { computeCapability: capability }),
    ...(uuid === undefined ? {} : { uuid }),
    ...(role === undefined ? {} : { role }),
    ...(numaNode === undefined ? {} : { numaNode }),
    ...(lanes === undefined ? {} : { lanes }),
  };
}

/** The guest that a machine carries: the one that names it, the one of its own name, or the only one of the only machine. */
function guestOf(spec: Spec, machine: string, machines: number): Guest | undefined {
  const guests = Object.entries(spec.guests);
  return (
    guests.find(([, guest]) => guest.machine === machine)?.[1] ??
    spec.guests[machine] ??
    (machines === 1 && guests.length === 1 ? guests[0]?.[1] : undefined)
  );
}

function cardsOf(
  spec: Spec,
  machine: Machine,
  guest: Guest | undefined,
  prefix: string,
): readonly PlanCard[] {
  // A card that vfio-pci holds for a guest is no card of this host.
  const usable = Object.entries(machine.gpus ?? {}).filter(
    ([, gpu]) => guest?.vm !== undefined || gpu.driver !== "vfio-pci",
  );
  return usable.map(([name, gpu]) =>
    planCard(`${prefix}${name}`, name, { ...gpu, lanes: gpu.link?.lanes }, findGpu(gpu.model), spec),
  );
}

function memoryOf(
  spec: Spec,
  machine: Machine,
  guest: Guest | undefined,
  observed: MachineInventory | undefined,
): PlanMachine["memory"] {
  const size = guest?.vm?.memory ?? machine.memory?.size;
  const capacity =
    (guest?.vm === undefined ? machine.memory?.available : undefined) ??
    (size === undefined
      ? observed?.memory.available
      : size - systemShare(size) - reservedPages(machine, guest));
  return {
    capacity: Math.max(0, capacity ?? UNKNOWN_MEMORY),
    headroom: amount(spec.policies.headroom.memory, size ?? observed?.memory.total ?? 0),
    known: capacity !== undefined,
  };
}

/** Models whose card has no memory of its own: card and processor share the machine's. */
const ONE_MEMORY = new Set(["GB10"]);
/** What the processes of engines keep of such a memory beside what is on the card. */
const PROCESS_SHARE = 8 * GIB;

/** Where card and processor share one memory, it is divided once, so that no byte counts twice. */
function withOneMemory({
  cards,
  memory,
}: Pick<PlanMachine, "cards" | "memory">): Pick<PlanMachine, "cards" | "memory"> {
  if (!memory.known || !cards.some((card) => ONE_MEMORY.has(card.model))) return { cards, memory };
  const share = Math.min(PROCESS_SHARE, memory.capacity);
  return {
    cards: cards.map((card) =>
      ONE_MEMORY.has(card.model)
        ? { ...card, visible: Math.min(card.visible, memory.capacity - share) }
        : card,
    ),
    memory: { ...memory, capacity: share },
  };
}

const PAGE_BYTES = { "2MiB": 2 * MIB, "1GiB": GIB } as const;

/** Hugepages that the boot line takes away from everything that does not ask for them; those of a VM are its memory. */
const reservedPages = ({ memory }: Machine, guest: Guest | undefined): number =>
  memory?.hugepages === undefined || guest?.vm !== undefined
    ? 0
    : memory.hugepages.count * PAGE_BYTES[memory.hugepages.size];

const coresOf = (
  machine: Machine,
  guest: Guest | undefined,
  observed: MachineInventory | undefined,
): number =>
  (guest?.vm === undefined ? undefined : guest.vm.cores * (guest.vm.sockets ?? 1)) ??
  machine.cpu?.cores ??
  machine.cpu?.threads ??
  observed?.cpu.cores ??
  UNKNOWN_CORES;

const disksOf = (spec: Spec, machine: Machine): readonly PlanDisk[] =>
  Object.entries(machine.disks ?? {}).map(([name, disk]) => {
    const room = disk.free ?? disk.size;
    return {
      name,
      ...(disk.mount === undefined ? {} : { mount: disk.mount }),
      ...(room === undefined ? {} : { room }),
      headroom: amount(spec.policies.headroom.disk, disk.size ?? room ?? 0),
    };
  });

function imageRoomOf(spec: Spec, machine: Machine): { imageRoom?: number } {
  const room = spec.runtime.docker.dataFree ?? machine.rootFree;
  return room === undefined ? {} : { imageRoom: room };
}

/** An amount of the spec in bytes: as it is, or as a share of `of`. */
const amount = (wanted: { readonly bytes: number } | { readonly fraction: number }, of: number): number =>
  "bytes" in wanted ? wanted.bytes : Math.round(wanted.fraction * of);
