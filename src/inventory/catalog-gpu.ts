import { findGpu, findPciGpu, GPUS } from "../catalog/index.ts";
import type { GpuInventory } from "./machine.ts";

type GpuModel = (typeof GPUS)[number];

/** How far a card's reported memory lies from its label: error correction and the driver take some, never a quarter. */
const NEAR = { least: 0.85, most: 1.05 } as const;

/**
 * The catalog's model of an observed card: by its PCI id first, which tells apart what one product name means twice,
 * then by name; memory decides between models that share both. `undefined` when the catalog does not know the card, or
 * when several models are possible and nothing tells which.
 */
export function catalogGpu(gpu: GpuInventory): GpuModel | undefined {
  const byId = (gpu.pciId === undefined ? [] : (findPciGpu(gpu.pciId)?.models ?? [])).flatMap(
    (name) => findGpu(name) ?? [],
  );
  if (byId.length === 1) return byId[0];
  if (byId.length > 1)
    return gpu.memoryTotal === undefined ? undefined : byId.find((model) => hasMemoryOf(gpu, model));
  const named = findGpu(gpu.name);
  if (named === undefined || hasMemoryOf(gpu, named)) return named;
  // `GeForce RTX 4060 Ti` is a card of 8 GiB and one of 16: the catalog tells the second apart by its size.
  return (
    GPUS.find(
      (model) => model.name.startsWith(`${named.name} `) && sized(model.name) && hasMemoryOf(gpu, model),
    ) ?? named
  );
}

const sized = (name: string): boolean => / \d+GB$/.test(name);

/** Whether the card's memory is that of the model's label; true as well when the card does not tell. */
export function hasMemoryOf(gpu: GpuInventory, model: GpuModel): boolean {
  if (gpu.memoryTotal === undefined) return true;
  const share = gpu.memoryTotal / model.memory;
  return share >= NEAR.least && share <= NEAR.most;
}
