import type { EventLog } from "../../core/index.ts";
import type { EngineFailure } from "../../engines/engine.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Reading } from "../../watch/reading.ts";
import type { LadderView } from "../backends.ts";
import type { Clock } from "../clock.ts";
import type { Effective } from "./effective-service.ts";

/** An amount of memory: bytes, or a share of what there is. */
export type Amount = { readonly bytes: number } | { readonly fraction: number };

/** What the owner's policies say about the ladder. Milliseconds, degrees Celsius. */
export interface LadderPolicies {
  readonly headroom: { readonly vram: Amount; readonly memory: Amount };
  readonly watch: {
    readonly interval: number;
    /** Free memory of a card below which services step down; the headroom when absent. */
    readonly lowVram?: Amount | undefined;
    readonly maxTemperature: number;
    readonly coolDown: number;
  };
}

export type LadderPlan = Pick<Plan, "services" | "ledger">;

export interface LadderKeeperOptions {
  readonly plan: LadderPlan;
  readonly policies: LadderPolicies;
  readonly clock: Clock;
  readonly events: EventLog;
  /** Devices of the plan that are cards of this machine, with the identity that the watch knows them by (UUID). */
  readonly cards: ReadonlyMap<string, string>;
  /** Processes of this machine that belong to Omni's engines, where known: others on a card are named as such. */
  readonly ownProcesses?: () => ReadonlySet<number>;
  /** The service is to run like this from now on. May call back (`ready`, `failed`) before it returns. */
  readonly onChange: (service: string, effective: Effective) => void;
  /** `service` has to be unloaded for the sake of `by`, until `restore`. */
  readonly evict: (service: string, by: string) => void;
  readonly restore: (service: string, by: string) => void;
}

/** Steps services down and up. */
export interface LadderKeeper {
  /** To be called with every look of the watch. */
  reading(reading: Reading): void;
  /** An engine failed; true when the ladder changed something because of it, so that a restart is worth another try. */
  failed(service: string, failure: EngineFailure): boolean;
  /** The start would not fit: bytes that are missing by device. True when the ladder changed something. */
  predicted(
    service: string,
    missing: readonly { readonly device: string; readonly bytes: number }[],
  ): boolean;
  /** The service is loaded and answers. */
  ready(service: string): void;
  /** The service holds no memory any more. */
  gone(service: string): void;
  /** Its owner wants one rung down or up; false when there is none. A service that was stepped down by hand stays so. */
  step(service: string, direction: "down" | "up"): boolean;
  /** `undefined` for a service as planned. */
  viewOf(service: string): LadderView | undefined;
  /** How the service is to run now. Throws RangeError for a service that is not in the plan. */
  effective(service: string): Effective;
  /** Goes on with another plan: services whose ladder is the same stay on their rung, others start at 0. */
  replan(plan: LadderPlan): void;
}
