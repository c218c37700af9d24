import type { Caller } from "./caller.ts";
import type { Admitted, KeyGate, KeyRefusal } from "./key-gate.ts";
import type { KeyRoll } from "./key-roll.ts";
import { isUnknown } from "./key-roll.ts";
import { CLOCK } from "./limits/limits.ts";
import type { Clock, Limits } from "./limits/limits.ts";
import { headersOf } from "./limits/limit-headers.ts";

export interface KeyGateOptions {
  readonly roll: KeyRoll;
  readonly limits: Limits;
  /** Looks for new keys when a secret is not known; true when there are other keys now. */
  readonly lookAgain?: () => boolean;
  readonly clock?: Clock;
}

/** Milliseconds between two looks for new keys that unknown secrets can cause. */
const LOOK_INTERVAL = 20;

/** Puts together who may ask (`roll`) and how much (`limits`). */
export function createKeyGate({ roll, limits, lookAgain, clock = CLOCK }: KeyGateOptions): KeyGate {
  let looked = -Infinity;
  return {
    get open(): boolean {
      return roll.open;
    },
    identify(secret: string | undefined, kin?: object): Caller | KeyRefusal {
      const found = roll.identify(secret, clock.wall(), kin);
      if (lookAgain === undefined || !isUnknown(found)) return found;
      const now = clock.steady();
      if (now - looked < LOOK_INTERVAL) return found;
      looked = now;
      return lookAgain() ? roll.identify(secret, clock.wall()) : found;
    },
    admit: (caller, tokens): Admitted | KeyRefusal | Promise<Admitted | KeyRefusal> =>
      limits.admit(caller, tokens),
    limitHeaders: (caller) => headersOf(limits.state(caller)),
  };
}
