import { formatBytes } from "../../../core/index.ts";
import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";

const ID = "memory.swap";
/** Share of main memory from which models in it count as big. */
const BIG = 0.25;

/** Whether models in main memory can be swapped out. */
export const swap: Check = {
  id: ID,
  title: "Swap",
  look({ view, host, deployment }): readonly Finding[] {
    const meminfo = readText(`${view.root}proc/meminfo`);
    const bytes = (key: string): number =>
      Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1] ?? 0) * 1024;
    const [total, free, memory] = [bytes("SwapTotal"), bytes("SwapFree"), bytes("MemTotal")];
    if (total === 0) return [];
    const used = total - free;
    const here = (deployment?.services ?? []).filter(
      ({ machine, runtime }) => runtime !== "kubernetes" && machine === host?.name,
    );
    const asked = here.reduce((sum, { memoryRequest }) => sum + memoryRequest, 0);
    const seen = `${formatBytes(total)} of swap, ${formatBytes(used)} in use`;
    if (asked < memory * BIG) return [{ check: ID, state: "ok", seen }];
    const swappiness = Number(readText(`${view.root}proc/sys/vm/swappiness`).trim() || 60);
    if (swappiness <= 10 && used < total / 10)
      return [{ check: ID, state: "ok", seen: `${seen}, swappiness ${swappiness}` }];
    return [
      {
        check: ID,
        state: "note",
        seen: `${seen}, swappiness ${swappiness}`,
        wanted: "swappiness 1, or no swap",
        why: `Models take ${formatBytes(asked)} of main memory here; what the kernel swaps out of them is read back from disk at every token.`,
        remedy: "sysctl vm.swappiness=1   # and in /etc/sysctl.d for every boot",
      },
    ];
  },
};
