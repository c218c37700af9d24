import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";
import type { Check, Finding } from "../check.ts";

const ID = "memory.governor";

/** Who decides the clocks of the processor, on a host that the spec describes. Virtual machines have none. */
export const governor: Check = {
  id: ID,
  title: "Clocks of the processor",
  look({ view, host }): readonly Finding[] {
    const folder = `${view.root}sys/devices/system/cpu/`;
    const chosen = namesIn(folder)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readText(`${folder}${name}/cpufreq/scaling_governor`).trim())
      .filter((name) => name !== "");
    const driver = readText(`${folder}cpu0/cpufreq/scaling_driver`).trim();
    const counts = [...Map.groupBy(chosen, (name) => name)].map(
      ([name, cpus]) => `${name} on ${cpus.length} CPUs`,
    );
    if (host === undefined || chosen.length === 0) return [];
    const seen = `${counts.join(", ")}${driver === "" ? "" : ` (${driver})`}`;
    // The active drivers of both vendors decide by themselves, also under `powersave`.
    const decides = /^(?:amd-pstate-epp|intel_pstate)$/.test(driver);
    const slow = chosen.some((name) => name === "powersave" || name === "conservative") && !decides;
    if (!slow) return [{ check: ID, state: "ok", seen }];
    return [
      {
        check: ID,
        state: "note",
        seen,
        wanted: "schedutil or performance",
        why: "The processor stays at its lowest clock: layers in main memory and the sampling of tokens are as much slower.",
        remedy: "cpupower frequency-set -g performance",
        source: "Linux Documentation/admin-guide/pm/cpufreq.rst",
      },
    ];
  },
};
