import { readText } from "./cgroup.ts";
import { namesIn } from "./folder.ts";
import type { NumaNodeInventory } from "./machine.ts";

/** The NUMA nodes in order of their number; those without CPUs (memory of a card, CXL) have an empty list. */
export function observeNuma(root = "/"): NumaNodeInventory[] {
  const folder = `${root}sys/devices/system/node/`;
  return namesIn(folder)
    .flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((id) => {
      const kibibytes = /MemTotal:\s+(\d+) kB/.exec(readText(`${folder}node${id}/meminfo`))?.[1];
      return {
        id,
        cpus: readText(`${folder}node${id}/cpulist`).trim(),
        memory: Number(kibibytes ?? 0) * 1024,
      };
    });
}
