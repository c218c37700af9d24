import { formatDuration } from "../../core/index.ts";
import type { TryOutcome } from "./router.ts";

/** When a service is set aside, and for how long. Milliseconds. */
export interface EjectionPolicy {
  /** So many broken tries in a row. */
  readonly consecutive: number;
  /** Or this share of the tries within `window`, when there were at least `volume`. */
  readonly share: number;
  readonly volume: number;
  readonly window: number;
  /** The first time; it doubles with each that follows, up to `longest`. */
  readonly first: number;
  readonly longest: number;
  /** A probe that has not ended after this is taken for lost, and another may go. */
  readonly probeTime: number;
}

export const EJECTION: EjectionPolicy = {
  consecutive: 5,
  share: 0.5,
  volume: 10,
  window: 30_000,
  first: 5_000,
  longest: 300_000,
  probeTime: 60_000,
};

/** What is known of a service's last tries. Times are of the clock that only grows. */
export interface Standing {
  readonly inRow: number;
  /** Tries of the current and of the last half window, and since when the current one runs. */
  readonly tries: readonly [now: number, before: number];
  readonly broken: readonly [now: number, before: number];
  readonly since: number;
  /** Ejections that followed one another. */
  readonly times: number;
  /** Until when it is set aside; after that one request may probe it. Absent while it is in. */
  readonly out?: { readonly until: number; readonly restarts: number; readonly probing?: number };
  /** When it was let in again. */
  readonly backSince?: number;
}

/** What a try changed, for an event. */
export interface StandingChange {
  readonly kind: "ejected" | "readmitted";
  readonly cause: string;
}

export const freshStanding = (now: number): Standing => ({
  inRow: 0,
  tries: [0, 0],
  broken: [0, 0],
  since: now,
  times: 0,
});

/** Takes in how a try ended. `restarts` is how often the service has been restarted. */
export function afterTry(
  standing: Standing,
  outcome: TryOutcome,
  now: number,
  restarts: number,
  policy: EjectionPolicy,
): { readonly standing: Standing; readonly change?: StandingChange } {
  if (outcome === "unblamed") return { standing: endProbe(standing) };
  const turned = turn(standing, now, policy.window / 2);
  const broke = outcome === "broken" ? 1 : 0;
  const next: Standing = {
    ...turned,
    inRow: broke === 0 ? 0 : turned.inRow + 1,
    tries: [turned.tries[0] + 1, turned.tries[1]],
    broken: [turned.broken[0] + broke, turned.broken[1]],
  };
  if (next.out !== undefined) {
    // What began before it was set aside says nothing new; a probe does.
    if (next.out.probing === undefined && now < next.out.until) return { standing: next };
    if (broke === 0) return readmitted(next, now, "a probe was answered");
    return ejected(next, now, restarts, policy, "a probe broke too");
  }
  if (broke === 0) return { standing: forgiven(next, now, policy) };
  if (next.inRow >= policy.consecutive) {
    return ejected(next, now, restarts, policy, `${next.inRow} tries in a row broke`);
  }
  const tries = next.tries[0] + next.tries[1];
  const broken = next.broken[0] + next.broken[1];
  if (tries >= policy.volume && broken / tries >= policy.share) {
    const within = formatDuration(policy.window);
    return ejected(next, now, restarts, policy, `${broken} of ${tries} tries within ${within} broke`);
  }
  return { standing: next };
}

/** Whether a service may be asked: as any other, as a probe by one request, or not now. */
export function admits(
  standing: Standing,
  now: number,
  restarts: number,
  policy: EjectionPolicy,
): "in" | "probe" | "out" {
  const { out } = standing;
  if (out === undefined) return "in";
  if (out.probing !== undefined && now - out.probing < policy.probeTime) return "out";
  // A restarted engine is another one: it is asked at once.
  return now >= out.until || restarts !== out.restarts ? "probe" : "out";
}

/** One request goes there to see. */
export const withProbe = (standing: Standing, now: number): Standing =>
  standing.out === undefined ? standing : { ...standing, out: { ...standing.out, probing: now } };

function endProbe(standing: Standing): Standing {
  if (standing.out?.probing === undefined) return standing;
  const { probing: _, ...out } = standing.out;
  return { ...standing, out };
}

/** Moves on to the next half window when the current one is over. */
function turn(standing: Standing, now: number, half: number): Standing {
  const passed = now - standing.since;
  if (passed < half) return standing;
  const keep = passed < 2 * half;
  return {
    ...standing,
    tries: [0, keep ? standing.tries[0] : 0],
    broken: [0, keep ? standing.broken[0] : 0],
    since: now,
  };
}

/** Time that a service is set aside the `times`-th time in a row, from 1. */
export const ejectionTime = (times: number, { first, longest }: EjectionPolicy): number =>
  Math.min(longest, first * 2 ** Math.min(30, times - 1));

function ejected(
  standing: Standing,
  now: number,
  restarts: number,
  policy: EjectionPolicy,
  cause: string,
): { readonly standing: Standing; readonly change: StandingChange } {
  const times = standing.times + 1;
  const until = now + ejectionTime(times, policy);
  const { backSince: _, ...rest } = standing;
  return { standing: { ...rest, times, out: { until, restarts } }, change: { kind: "ejected", cause } };
}

function readmitted(
  standing: Standing,
  now: number,
  cause: string,
): { readonly standing: Standing; readonly change: StandingChange } {
  const { out: _, ...rest } = standing;
  return {
    standing: { ...rest, inRow: 0, tries: [0, 0], broken: [0, 0], since: now, backSince: now },
    change: { kind: "readmitted", cause },
  };
}

/** Once it has been good for as long as it was last set aside, the next time is as the first. */
function forgiven(standing: Standing, now: number, policy: EjectionPolicy): Standing {
  if (standing.times === 0 || standing.backSince === undefined) return standing;
  if (now - standing.backSince < ejectionTime(standing.times, policy)) return standing;
  const { backSince: _, ...rest } = standing;
  return { ...rest, times: 0 };
}
