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

interface Known {
  readonly limits: GatewayLimits;
  readonly policy: RoutePolicy;
}

/** A target stays as long as its route does: its policy is made once. */
const policies = new WeakMap<Target, Known>();

/** The rules of the target's route in the spec, the gateway's own where it has none. */
export function policyOf(target: Target, limits: GatewayLimits): RoutePolicy {
  const known = policies.get(target);
  if (known?.limits === limits) return known.policy;
  const policy = made(target, limits);
  policies.set(target, { limits, policy });
  return policy;
}

function made({ rules }: Target, limits: GatewayLimits): RoutePolicy {
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
