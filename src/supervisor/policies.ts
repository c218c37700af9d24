import type { LadderPolicies } from "./ladder/index.ts";
import type { SwapPolicies } from "./residency/index.ts";

/** What Omni may do by itself, as the spec's policies say. Milliseconds, bytes, degrees Celsius. */
export interface SupervisorPolicies extends SwapPolicies, LadderPolicies {
  readonly watch: LadderPolicies["watch"] & {
    /** Time without progress, with work waiting, after which an engine counts as hung. */
    readonly stall: number;
  };
}

/** The spec's own defaults, for nodes that have no spec. */
export const POLICIES: SupervisorPolicies = {
  swap: { minResidency: 60_000, ttl: 600_000, maxWait: 300_000 },
  headroom: { vram: { bytes: 0 }, memory: { bytes: 0 } },
  watch: { maxTemperature: 88, coolDown: 300_000, stall: 120_000 },
};
