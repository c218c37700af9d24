import { formatCudaArchitecture, meetsCudaRequirement, OmniError } from "../core/index.ts";
import type { CudaRequirement } from "../core/index.ts";
import type { DeviceCode } from "./device-code.ts";

export type CheckedBinary = DeviceCode & { readonly path: string };

/**
 * Every binary with CUDA code has to meet every requirement, and there has to be one: a check that looked at nothing
 * has shown nothing. Throws `OmniError` `binary.lacks-architecture`.
 */
export function checkRequirements(
  target: string,
  binaries: readonly CheckedBinary[],
  requirements: readonly CudaRequirement[],
): void {
  if (requirements.length === 0) return;
  const carrying = binaries.filter((binary) => binary.containers > 0);
  if (carrying.length === 0) {
    throw new OmniError(
      "binary.lacks-architecture",
      `${target}: ${requirements.map(({ text }) => text).join(", ")} is required, and no binary here carries CUDA code.`,
      { hint: "Was the engine built with CUDA, and does --only match its libraries?" },
    );
  }
  const faults = carrying.flatMap(({ path, architectures }) => {
    const missing = requirements.filter((one) => !meetsCudaRequirement(architectures, one));
    if (missing.length === 0) return [];
    const carried = architectures.map(formatCudaArchitecture).join(", ");
    return [`${path} lacks ${missing.map(({ text }) => text).join(", ")}; it carries ${carried}`];
  });
  if (faults.length === 0) return;
  throw new OmniError("binary.lacks-architecture", faults.join("\n  "));
}
