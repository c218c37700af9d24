import { GIB, MIB } from "../core/index.ts";
import { catalogGpu, hasMemoryOf } from "../inventory/index.ts";
import type { GpuInventory } from "../inventory/index.ts";
import { serviceName } from "../spec/index.ts";
import { uniqueName } from "./init-models.ts";
import { amount, Claims, present, text, within } from "./init-typed.ts";
import type { Section, TypedMap } from "./init-typed.ts";

/** The cards of a spec by name. NVIDIA's alone: the engines of this version compute on no others. */
export function gpusOf(gpus: readonly GpuInventory[]): Section {
  const value: Record<string, TypedMap> = {};
  const about: Record<string, string> = {};
  const leftOut: string[] = [];
  const names = new Set<string>(["auto", "cpu"]);
  const claims = new Claims();
  const kinds = Map.groupBy(gpus, kindOf);
  const numbers = new Map<string, number>();
  for (const gpu of gpus) {
    const typed = gpuOf(gpu, claims);
    if (typeof typed === "string") {
      leftOut.push(typed);
      continue;
    }
    const kind = kindOf(gpu);
    const number = (numbers.get(kind) ?? 0) + 1;
    numbers.set(kind, number);
    const several = (kinds.get(kind)?.length ?? 0) > 1;
    const name = uniqueName(several ? `${kind}-${number}` : kind, names, 63);
    value[name] = typed;
    const memory = gpu.memoryTotal === undefined ? undefined : `${(gpu.memoryTotal / GIB).toFixed(1)} GiB`;
    const driver = gpu.kernelDriver ?? (gpu.uuid === undefined ? "no driver" : undefined);
    about[name] = [gpu.name, memory, driver].filter((part) => part !== undefined).join(", ");
  }
  return { value, about, leftOut };
}

/** What cards of one model are called in the spec, before they are numbered: `rtx-3080`. */
const kindOf = (gpu: GpuInventory): string =>
  serviceName(catalogGpu(gpu)?.name ?? gpu.name)
    .slice(0, 56)
    .replace(/-+$/, "") || "card";

const DRIVERS = new Set(["vfio-pci", "nvidia", "nouveau"]);

/** A card as the spec types it, or why it is not in the spec. */
function gpuOf(gpu: GpuInventory, claims: Claims): TypedMap | string {
  const where = `${gpu.name}${gpu.pci === undefined ? "" : ` at ${gpu.pci}`}`;
  if (gpu.vendor !== "nvidia")
    return `${where}: the engines of this version compute on NVIDIA cards and on processors`;
  const model = catalogGpu(gpu);
  const memory = gpu.memoryTotal === undefined || gpu.memoryTotal < MIB ? undefined : amount(gpu.memoryTotal);
  const capability = /^\d{1,2}\.\d$/.exec(gpu.computeCapability ?? "")?.[0];
  if (model === undefined && (memory === undefined || capability === undefined))
    return `${where}: not in the catalog, and its memory and compute capability are known only with the driver`;
  const modified = model === undefined || !hasMemoryOf(gpu, model);
  const { link } = gpu;
  return present({
    model: model?.name ?? text(gpu.name) ?? "NVIDIA GPU",
    uuid: claims.once("uuid", gpu.uuid, /^(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i),
    pci: claims.once("pci", gpu.pci, /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i, (pci) =>
      pci.slice(0, -2),
    ),
    ids: gpu.pciId !== undefined && /^[0-9a-f]{4}:[0-9a-f]{4}$/.test(gpu.pciId) ? [gpu.pciId] : undefined,
    index: claims.once("index", within(gpu.index, 63, 0)),
    memory: modified ? memory : undefined,
    computeCapability: model === undefined ? capability : undefined,
    driver: DRIVERS.has(gpu.kernelDriver ?? "") ? gpu.kernelDriver : undefined,
    numaNode: within(gpu.numaNode, 63, 0),
    link:
      link === undefined
        ? undefined
        : present({ generation: within(link.generation, 7), lanes: within(link.lanes, 32) }),
  });
}
