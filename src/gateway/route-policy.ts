import type { GatewayLimits } from "./limits.ts";
import type { Target } from "./targets.ts";

/** What a route allows one of its requests. Milliseconds. */
export interface RoutePolicy {
  /** Tries, the first included. */
  readonly attempts: number;
  /** A cut answer may go on elsewhere. */
  readonly continues: boolean;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
}

/** The rules of the target's route in the spec, the gateway's own where it has none. */
export function policyOf({ rules }: Target, limits: GatewayLimits): RoutePolicy {
  if (rules === undefined) {
    return {
      attempts: limits.attempts,
      continues: true,
      firstByte: limits.idleTime,
      idle: limits.idleTime,
      total: limits.totalTime,
    };
  }
  return {
    attempts: rules.retries + 1,
    continues: rules.continue,
    ...rules.timeouts,
  };
}
