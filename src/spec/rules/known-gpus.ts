import { findGpu, nearestGpu } from "../../catalog/index.ts";
import { machinesOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

/** Every GPU model is in the catalog, or its memory and compute capability are given. */
export const knownGpus: Rule = ({ spec, wasFaulty }, report) => {
  for (const { value: machine, path } of machinesOf(spec)) {
    for (const [name, gpu] of Object.entries(machine.gpus ?? {})) {
      if (findGpu(gpu.model) !== undefined || wasFaulty([...path, "gpus", name])) continue;
      if (gpu.memory !== undefined && gpu.computeCapability !== undefined) continue;
      const near = nearestGpu(gpu.model);
      report({
        code: "spec.unknown-gpu",
        path: [...path, "gpus", name, "model"],
        message:
          near === undefined
            ? `${gpu.model} is not in the catalog of GPUs`
            : `${gpu.model} is not in the catalog of GPUs; the nearest is ${near}`,
        hint: near ?? `{ model: ${gpu.model}, memory: 24GiB, computeCapability: "8.9" }`,
      });
    }
  }
};
