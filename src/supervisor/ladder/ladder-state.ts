import type { EngineFailure } from "../../engines/engine.ts";
import type { LadderRung } from "../../plan/plan.ts";

/** Bytes that are missing on a device. */
export interface Missing {
  readonly device: string;
  readonly bytes: number;
}

/** Why a service is not as planned. Bytes, degrees Celsius. */
export type Cause =
  | {
      readonly is: "memory";
      readonly device: string;
      readonly free: number;
      readonly kept: number;
      /** Who else holds the device, in words. */
      readonly foreign?: string;
    }
  | { readonly is: "heat"; readonly device: string; readonly temperature: number; readonly limit: number }
  | { readonly is: "failure"; readonly message: string }
  | { readonly is: "predicted"; readonly missing: readonly Missing[] }
  | { readonly is: "by-hand" };

/** How far a service has stepped down. Times are milliseconds of the clock that only grows. */
export interface LadderState {
  /** Useful rungs in force, 0 as planned. */
  readonly rung: number;
  readonly because: Cause | undefined;
  /** Rung that its owner stepped down to; nothing but its owner climbs above it. */
  readonly heldAt: number;
  /** Its engine is being started anew for the last change. */
  readonly pending: boolean;
  /** Since when a climb would have fitted at every look, and up to which rung at all of them. */
  readonly calm: { readonly since: number; readonly to: number } | undefined;
  /** The last climb, until it has held for a cool-down. */
  readonly climbedAt: number | undefined;
  /** Climbs that did not hold; each doubles the cool-down. */
  readonly strikes: number;
  /** It was said that no step is left. */
  readonly exhausted: boolean;
}

export const AS_PLANNED: LadderState = {
  rung: 0,
  because: undefined,
  heldAt: 0,
  pending: false,
  calm: undefined,
  climbedAt: undefined,
  strikes: 0,
  exhausted: false,
};

/** What one look says of a device that the service is on. */
export interface Room {
  readonly device: string;
  /** Bytes; absent where they cannot be read. */
  readonly free?: number;
  /** Neither short of memory nor too hot. */
  readonly calm: boolean;
}

export type LadderInput =
  /** This service was chosen to make room, or to do less. */
  | { readonly kind: "pressure"; readonly cause: Cause; readonly missing: readonly Missing[] }
  | { readonly kind: "failed"; readonly failure: EngineFailure }
  | { readonly kind: "predicted"; readonly missing: readonly Missing[] }
  | { readonly kind: "room"; readonly rooms: readonly Room[] }
  | { readonly kind: "ready" }
  | { readonly kind: "step"; readonly direction: "down" | "up" };

export interface LadderRules {
  /** Those that change something, in order. */
  readonly rungs: readonly LadderRung[];
  /** Quiet milliseconds before a climb, before any climb failed. */
  readonly coolDown: number;
  /** Bytes kept free by device. */
  readonly kept: ReadonlyMap<string, number>;
}

/** What happened, for people; `describeLadder` turns it into an event. */
export type LadderNote =
  | { readonly is: "down"; readonly from: number; readonly to: number; readonly because: Cause }
  | { readonly is: "up"; readonly from: number; readonly to: number; readonly byHand: boolean }
  | { readonly is: "exhausted"; readonly because: Cause };

export interface LadderStep {
  readonly state: LadderState;
  readonly change?: { readonly from: number; readonly to: number };
  readonly notes: readonly LadderNote[];
}
