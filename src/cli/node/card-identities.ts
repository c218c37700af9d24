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

/**
 * Cards by their names in the plan: what the spec says of each, completed by what this machine shows; without machines in
 * the spec, the cards of this machine as the plan names them.
 */
export function cardIdentities(
  spec: Spec,
  observed: readonly GpuInventory[],
): ReadonlyMap<string, CardIdentity> {
  const machines = Object.entries(spec.machines);
  if (machines.length === 0)
    return new Map(observed.map((gpu, position) => [`gpu${gpu.index ?? position}`, seenCard(gpu)]));
  const prefixed = machines.length > 1;
  return new Map(
    machines.flatMap(([machine, { gpus = {} }]) =>
      Object.entries(gpus).map(([name, gpu]): [string, CardIdentity] => {
        const seen = observed.find(
          (one) =>
            (gpu.uuid !== undefined && one.uuid === gpu.uuid) ||
            (gpu.pci !== undefined && one.pci === gpu.pci) ||
            (gpu.uuid === undefined && gpu.pci === undefined && one.index === gpu.index),
        );
        return [
          prefixed ? `${machine}/${name}` : name,
          {
            ...(seen === undefined ? {} : seenCard(seen)),
            name: gpu.model,
            ...present({ uuid: gpu.uuid, pci: gpu.pci }),
            ...present({ index: seen?.index ?? gpu.index }),
          },
        ];
      }),
    ),
  );
}

const seenCard = ({ name, uuid, index, pci }: GpuInventory): CardIdentity => ({
  name,
  ...present({ uuid, index, pci }),
});
