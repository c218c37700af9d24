import { readText } from "./cgroup.ts";
import { namesIn } from "./folder.ts";
import type { MachineInventory } from "./machine.ts";

type Hugepages = NonNullable<MachineInventory["memory"]["hugepages"]>;

/** The sizes of hugepages of which any are reserved; bytes and counts. */
export function observeHugepages(root = "/"): Hugepages {
  const folder = `${root}sys/kernel/mm/hugepages/`;
  return namesIn(folder).flatMap((name) => {
    const kibibytes = /^hugepages-(\d+)kB$/.exec(name)?.[1];
    const count = Number(readText(`${folder}${name}/nr_hugepages`).trim() || 0);
    if (kibibytes === undefined || !(count > 0)) return [];
    const free = Number(readText(`${folder}${name}/free_hugepages`).trim() || 0);
    return [{ size: Number(kibibytes) * 1024, count, free }];
  });
}
