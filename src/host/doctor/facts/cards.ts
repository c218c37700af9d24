import type { Host } from "../../../deployment/index.ts";
import { observePciGpus } from "../../../inventory/pci-gpus.ts";
import type { GpuInventory } from "../../../inventory/index.ts";
import { knownIds } from "../../../render/proxmox/known-ids.ts";
import type { DoctorSubject } from "../check.ts";
import { hostParts } from "./host-parts.ts";
import { functionsOf } from "./pci-function.ts";
import type { PciFunction } from "./pci-function.ts";

type Gpu = NonNullable<Host["gpus"]>[string];

/** A card of the spec as this host has it, or a card of the host where there is no spec. */
export interface CardAtHost {
  /** For a person: `card blackwell (0000:f1:00.0)`. */
  readonly subject: string;
  /** Name in the spec. */
  readonly name?: string;
  readonly gpu?: Gpu;
  /** Its place in the spec. */
  readonly path?: string;
  /** Where it is now, `0000:f1:00`; absent where it is not found. */
  readonly slot?: string;
  /** Where the spec says it is. */
  readonly wantedSlot?: string;
  /** What stands at the wanted address instead, where the card is elsewhere or missing. */
  readonly stranger?: string;
  readonly observed?: GpuInventory;
  readonly functions: readonly PciFunction[];
  /** It is handed to a virtual machine. */
  readonly passed: boolean;
}

const slotOf = (address: string): string => address.replace(/\.[0-7]$/, "");

/**
 * The cards to look at: those of the spec where it names any for this host, found by UUID, else by address and id, else
 * by id alone; without them every NVIDIA card of the host.
 */
export function cardsOf(subject: DoctorSubject): readonly CardAtHost[] {
  const { view, host } = subject;
  const seen = everyGpu(subject);
  const named = Object.entries(host?.gpus ?? {});
  if (host === undefined || named.length === 0)
    return seen.filter(({ vendor }) => vendor === "nvidia").map((gpu) => unnamed(view.root, gpu));
  const passed = new Set(hostParts(subject)?.cards.map(({ name }) => name));
  const taken = new Set<GpuInventory>();
  const found = new Map<string, GpuInventory>();
  // Sure ways first, for all cards: a card that is where it should be is nobody else's that moved.
  for (const find of [byUuid, byAddress, byId])
    for (const [name, gpu] of named) {
      const match = found.has(name)
        ? undefined
        : find(
            name,
            gpu,
            seen.filter((one) => !taken.has(one)),
          );
      if (match === undefined) continue;
      taken.add(match);
      found.set(name, match);
    }
  return named.map(([name, gpu]) => {
    const observed = found.get(name);
    const slot = observed?.pci === undefined ? undefined : slotOf(observed.pci);
    const wantedSlot = gpu.pci === undefined ? undefined : slotOf(gpu.pci);
    const stranger = wantedSlot === undefined || wantedSlot === slot ? undefined : at(view.root, wantedSlot);
    const shown = slot ?? wantedSlot;
    return {
      subject: shown === undefined ? `card ${name}` : `card ${name} (${shown}.0)`,
      name,
      gpu,
      path: `machines.${host.name}.gpus.${name}`,
      ...(slot === undefined ? {} : { slot }),
      ...(wantedSlot === undefined ? {} : { wantedSlot }),
      ...(stranger === undefined ? {} : { stranger }),
      ...(observed === undefined ? {} : { observed }),
      functions: slot === undefined ? [] : functionsOf(view.root, slot),
      passed: passed.has(name),
    };
  });
}

type Find = (name: string, gpu: Gpu, seen: readonly GpuInventory[]) => GpuInventory | undefined;

const byUuid: Find = (_, { uuid }, seen) =>
  uuid === undefined ? undefined : seen.find((one) => one.uuid === uuid);

const mayBe = (name: string, gpu: Gpu, one: GpuInventory): boolean => {
  const ids = knownIds({ name, gpu, mapping: "" });
  if (gpu.uuid !== undefined && one.uuid !== undefined && gpu.uuid !== one.uuid) return false;
  return ids.length === 0 || one.pciId === undefined || ids.includes(one.pciId);
};

const byAddress: Find = (name, gpu, seen) =>
  gpu.pci === undefined
    ? undefined
    : seen.find(
        (one) => one.pci !== undefined && slotOf(one.pci) === slotOf(gpu.pci ?? "") && mayBe(name, gpu, one),
      );

/** By its id alone, where the catalog or the spec knows it and no second card of the host could be meant. */
const byId: Find = (name, gpu, seen) => {
  if (knownIds({ name, gpu, mapping: "" }).length === 0) return undefined;
  const candidates = seen.filter((one) => one.pciId !== undefined && mayBe(name, gpu, one));
  return candidates.length === 1 ? candidates[0] : undefined;
};

/** The cards of the inventory, and those that fell silent: sysfs still lists them. */
function everyGpu({ view }: DoctorSubject): readonly GpuInventory[] {
  const known = view.machine.gpus;
  const listed = new Set(known.map(({ pci }) => pci));
  return [...known, ...observePciGpus(view.root).filter(({ pci }) => !listed.has(pci))];
}

function at(root: string, slot: string): string | undefined {
  const [first] = functionsOf(root, slot);
  return first === undefined ? undefined : `${first.id} (class ${first.class})`;
}

function unnamed(root: string, observed: GpuInventory): CardAtHost {
  const slot = observed.pci === undefined ? undefined : slotOf(observed.pci);
  return {
    subject: observed.pci === undefined ? observed.name : `${observed.name} (${observed.pci})`,
    ...(slot === undefined ? {} : { slot }),
    observed,
    functions: slot === undefined ? [] : functionsOf(root, slot),
    passed: false,
  };
}
