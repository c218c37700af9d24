import { createHash } from "node:crypto";
import { canonicalJson } from "../../core/index.ts";
import type { LaunchSpec } from "../../engines/engine.ts";

type Launched = Omit<LaunchSpec, "digest" | "address" | "environment"> & {
  /** Variables whose values may be known; secrets by their references. */
  readonly variables: Readonly<Record<string, unknown>>;
};

/**
 * Stands for everything that a restart would be needed to change. The same launch with another address has the same digest,
 * so what stands for host and port in `command` must be the same in both. No value of a secret goes into it.
 */
export const launchDigest = (launched: Launched): string =>
  createHash("sha256").update(canonicalJson(launched)).digest("hex").slice(0, 32);
