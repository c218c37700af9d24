import { GIB, MIB } from "../core/index.ts";
import { mountOf } from "../inventory/index.ts";
import type { MachineInventory } from "../inventory/index.ts";
import { disksOf } from "./init-disks.ts";
import { gpusOf } from "./init-gpus.ts";
import { amount, present, text, within } from "./init-typed.ts";
import type { Section, TypedMap } from "./init-typed.ts";

/** The metal of a spec. What has no stable identity or no place in the language is in a section's `leftOut`. */
export interface Metal {
  readonly cpu: TypedMap;
  readonly memory: TypedMap;
  readonly gpus: Section;
  readonly disks: Section;
  readonly driver?: TypedMap;
}

/** Features that engines choose their kernels by; /proc/cpuinfo lists a hundred others. */
const TOLD_FEATURES = /^(?:avx\w*|amx_\w+|fma|f16c|asimd\w*|sve\w*|i8mm|bf16)$/;
const MOST_FEATURES = 32;

/**
 * What a spec says about an observed machine; every value is one that the spec's language takes. A disk that one of the
 * files at `modelPaths` (absolute) lies on is one for models.
 */
export function metalOf(machine: MachineInventory, modelPaths: readonly string[] = []): Metal {
  const { driver } = machine;
  const driverKeys = present({
    version: text(driver?.version),
    flavour: driver?.flavour,
    cuda: text(driver?.cuda),
  });
  return {
    cpu: cpuOf(machine),
    memory: memoryOf(machine),
    gpus: gpusOf(machine.gpus),
    disks: disksOf(machine.disks, new Set(modelPaths.map((path) => mountOf(machine, path)?.path))),
    ...(Object.keys(driverKeys).length === 0 ? {} : { driver: driverKeys }),
  };
}

function cpuOf({ cpu, numa }: MachineInventory): TypedMap {
  const nodes = numa.filter(
    (node) => node.memory > 0 && /^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/.test(node.cpus),
  );
  const perSocket = nodes.length / (cpu.sockets ?? 1);
  const nps = /\bAMD\b/.test(cpu.model ?? "") && nodes.length > 1 && [1, 2, 4].includes(perSocket);
  const features = cpu.features.filter((feature) => TOLD_FEATURES.test(feature)).slice(0, MOST_FEATURES);
  return present({
    model: text(cpu.model),
    sockets: within(cpu.sockets, 16),
    cores: within(cpu.cores, 4096),
    threads: cpu.threads < cpu.cores ? undefined : within(cpu.threads, 8192),
    nodesPerSocket: nps ? `NPS${perSocket}` : undefined,
    numa:
      nodes.length > 1 && nodes.length <= 64
        ? nodes.map(({ cpus, memory }) => ({ cpus, memory: amount(memory) }))
        : undefined,
    features: features.length === 0 ? undefined : features,
  });
}

const HUGEPAGES: ReadonlyMap<number, string> = new Map([
  [2 * MIB, "2MiB"],
  [GIB, "1GiB"],
]);

function memoryOf({ memory }: MachineInventory): TypedMap {
  const pages = (memory.hugepages ?? []).find(
    ({ size, count }) => HUGEPAGES.has(size) && count >= 1 && count <= 1_000_000,
  );
  return present({
    size: amount(memory.total),
    hugepages:
      pages === undefined ? undefined : { size: HUGEPAGES.get(pages.size) ?? "", count: pages.count },
  });
}
