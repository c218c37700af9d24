import type { Service } from "../spec/spec.ts";
import type { PlanCard, PlanMachine } from "./machines.ts";

/** Up to this many cards every subset is looked at; beyond, and in large fleets, runs of equal cards. */
const MOST_CARDS_FOR_ALL_SUBSETS = 6;

/** How much is looked at: everything, or what large fleets have time for. */
export type Depth = "thorough" | "quick";

/**
 * The sets of cards of a machine that a service may be put on, as indices into its cards, in the order in which they
 * would be preferred when all else is equal: few cards first. `[]` is the processor alone; `undefined` when the service
 * names cards that this machine does not have.
 */
export function cardSets(
  service: Service,
  machine: PlanMachine,
  engine: { readonly cpu: boolean; readonly cards: boolean },
  depth: Depth,
): readonly (readonly number[])[] | undefined {
  const { devices } = service;
  if (devices.kind === "cpu") return engine.cpu ? [[]] : undefined;
  if (devices.kind === "gpus") return engine.cards ? namedCards(devices.gpus, machine) : undefined;
  const processor = engine.cpu ? [[]] : [];
  return engine.cards ? [...subsets(machine.cards, depth), ...processor] : processor;
}

function namedCards(
  names: readonly string[],
  machine: PlanMachine,
): readonly (readonly number[])[] | undefined {
  const indices: number[] = [];
  for (const name of names) {
    const own = name.startsWith(`${machine.name}/`) ? name.slice(machine.name.length + 1) : name;
    const index = machine.cards.findIndex((card) => card.name === own);
    if (index === -1) return undefined;
    indices.push(index);
  }
  return [indices];
}

/** Subsets of cards, fewest first; equal cards of a large machine only in aligned runs, as NVLink pairs and PCIe switches are. */
function subsets(cards: readonly PlanCard[], depth: Depth): readonly (readonly number[])[] {
  const found =
    depth === "thorough" && cards.length <= MOST_CARDS_FOR_ALL_SUBSETS
      ? allSubsets(cards.length)
      : runsOfEqualCards(cards);
  return found.toSorted((a, b) => a.length - b.length);
}

function allSubsets(count: number): number[][] {
  const all: number[][] = [];
  for (let mask = 1; mask < 1 << count; mask++)
    all.push(Array.from({ length: count }, (_, index) => index).filter((index) => (mask >> index) & 1));
  return all;
}

function runsOfEqualCards(cards: readonly PlanCard[]): number[][] {
  const kinds = Map.groupBy(
    cards.map((card, index) => ({ kind: cardKind(card), index })),
    (entry) => entry.kind,
  );
  const runs: number[][] = [];
  for (const members of kinds.values()) {
    const indices = members.map((entry) => entry.index);
    for (let length = 1; length <= indices.length; length *= 2)
      for (let start = 0; start + length <= indices.length; start += length)
        runs.push(indices.slice(start, start + length));
  }
  const all = cards.map((_, index) => index);
  return runs.some((run) => run.length === all.length) ? runs : [...runs, all];
}

/** Cards of one kind are interchangeable for memory and kernels. */
export const cardKind = (card: PlanCard): string =>
  `${card.model}|${card.visible}|${card.headroom}|${card.computeCapability ?? ""}|${card.role ?? ""}|${card.numaNode ?? ""}|${card.lanes ?? ""}`;

/** Machines of one kind are interchangeable until something is on them. */
export const machineKind = (machine: PlanMachine): string =>
  [
    ...machine.cards.map(cardKind),
    machine.memory.capacity,
    machine.memory.headroom,
    machine.cores,
    machine.numaMemory.join(),
    machine.imageRoom ?? "",
    machine.driver ?? "",
    ...machine.disks.map((disk) => `${disk.mount ?? disk.name}:${disk.room ?? ""}`),
  ].join(";");
