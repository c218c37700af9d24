import { formatBytes } from "../../../core/index.ts";
import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";

const ID = "memory.size";
/** The kernel and the firmware keep a few per cent; a memory module that is missing is more. */
const LEAST = 0.92;
const MOST = 1.05;

/** Main memory of the host beside the spec. */
export const mainMemory: Check = {
  id: ID,
  title: "Main memory",
  look({ view, host }): readonly Finding[] {
    const wanted = host?.memory?.size;
    const kibibytes = /^MemTotal:\s+(\d+) kB$/m.exec(readText(`${view.root}proc/meminfo`))?.[1];
    if (kibibytes === undefined)
      return wanted === undefined
        ? []
        : [{ check: ID, state: "unknown", seen: "/proc/meminfo does not tell it" }];
    const total = Number(kibibytes) * 1024;
    const seen = formatBytes(total);
    if (host === undefined || wanted === undefined) return [{ check: ID, state: "ok", seen }];
    const path = `machines.${host.name}.memory.size`;
    if (total >= wanted * LEAST && total <= wanted * MOST) return [{ check: ID, state: "ok", seen, path }];
    const less = total < wanted;
    return [
      {
        check: ID,
        state: less ? "error" : "note",
        seen,
        wanted: formatBytes(wanted),
        why: less
          ? "What was planned into memory does not fit: guests do not start, or engines are killed."
          : "There is more than the plan uses.",
        remedy: less
          ? "dmidecode -t 17: does a module not answer? Seat it anew, or correct memory.size in omni.yaml."
          : "Correct memory.size in omni.yaml.",
        path,
      },
    ];
  },
};
