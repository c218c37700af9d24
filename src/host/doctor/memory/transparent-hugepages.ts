import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";

const ID = "memory.transparent-hugepages";

/** Whether the kernel may back the memory of engines by large pages by itself, where engines compute on this host. */
export const transparentHugepages: Check = {
  id: ID,
  title: "Transparent hugepages",
  look({ view, host, deployment }): readonly Finding[] {
    const computes = (deployment?.services ?? []).some(
      ({ machine, runtime, memoryRequest }) =>
        runtime !== "kubernetes" && machine === host?.name && memoryRequest > 0,
    );
    const text = readText(`${view.root}sys/kernel/mm/transparent_hugepage/enabled`);
    const chosen = /\[(\w+)\]/.exec(text)?.[1];
    if (!computes || chosen === undefined) return [];
    if (chosen !== "never") return [{ check: ID, state: "ok", seen: chosen }];
    return [
      {
        check: ID,
        state: "note",
        seen: "never",
        wanted: "madvise or always",
        why: "Engines that hold models in main memory spend more time on looking up addresses.",
        remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        source: "Linux Documentation/admin-guide/mm/transhuge.rst",
      },
    ];
  },
};
