import { findGpu } from "../../catalog/index.ts";
import { catalogGpu } from "../../inventory/index.ts";
import type { GpuInventory } from "../../inventory/index.ts";
import { present } from "../../core/index.ts";
import type { Spec } from "../../spec/index.ts";

/** How a card of the plan is known to driver and kernel. Absent where neither spec nor machine tells. */
export interface CardIdentity {
  /** Model, for a person. */
  readonly name: string;
  readonly uuid?: string;
  /** Position in PCI bus order. */
  readonly index?: number;
  readonly pci?: string;
}

type SpecGpu = NonNullable<Spec["machines"][string]["gpus"]>[string];

/**
 * Cards by their names in the plan: what the spec says of each, completed by what this machine shows; without machines in
 * the spec, the cards of this machine as the plan names them. `here` is this machine's name among several: what is
 * observed says nothing about the others.
 */
export function cardIdentities(
  spec: Spec,
  observed: readonly GpuInventory[],
  here?: string,
): ReadonlyMap<string, CardIdentity> {
  const machines = Object.entries(spec.machines);
  if (machines.length === 0)
    return new Map(observed.map((gpu, position) => [`gpu${gpu.index ?? position}`, seenCard(gpu)]));
  const many = machines.length > 1;
  return new Map(
    machines.flatMap(([machine, { gpus = {} }]) => {
      const seen = matched(gpus, many && machine !== here ? [] : observed);
      return Object.entries(gpus).map(([name, gpu]): [string, CardIdentity] => [
        many ? `${machine}/${name}` : name,
        identityOf(gpu, seen.get(name)),
      ]);
    }),
  );
}

function identityOf(gpu: SpecGpu, seen: GpuInventory | undefined): CardIdentity {
  return {
    ...(seen === undefined ? {} : seenCard(seen)),
    name: gpu.model,
    ...present({ uuid: gpu.uuid ?? seen?.uuid, pci: gpu.pci ?? seen?.pci, index: seen?.index ?? gpu.index }),
  };
}

/**
 * The cards of a machine by their names in the spec. What the spec says of a card names it; cards of which it says nothing
 * are those of their model that nobody else is, in PCI order: equal cards are interchangeable.
 */
function matched(
  gpus: Readonly<Record<string, SpecGpu>>,
  observed: readonly GpuInventory[],
): ReadonlyMap<string, GpuInventory> {
  const found = new Map<string, GpuInventory>();
  const free = new Set(observed);
  const take = (name: string, seen: GpuInventory | undefined): void => {
    if (seen === undefined) return;
    found.set(name, seen);
    free.delete(seen);
  };
  for (const [name, gpu] of Object.entries(gpus)) {
    const named = namedBy(gpu);
    if (named !== undefined) take(name, [...free].find(named));
  }
  for (const [name, gpu] of Object.entries(gpus)) {
    if (namedBy(gpu) !== undefined) continue;
    const model = findGpu(gpu.model)?.name ?? gpu.model;
    take(
      name,
      [...free].find((seen) => (catalogGpu(seen)?.name ?? seen.name) === model),
    );
  }
  return found;
}

/** What tells the card that the spec names; `undefined` where it names none. */
function namedBy({ uuid, pci, index }: SpecGpu): ((seen: GpuInventory) => boolean) | undefined {
  if (uuid !== undefined) return (seen) => seen.uuid === uuid;
  if (pci !== undefined) return (seen) => seen.pci === pci;
  return index === undefined ? undefined : (seen) => seen.index === index;
}

const seenCard = ({ name, uuid, index, pci }: GpuInventory): CardIdentity => ({
  name,
  ...present({ uuid, index, pci }),
});
