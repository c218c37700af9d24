import type { LadderRung } from "../../plan/plan.ts";
import { isDiversion } from "./effective-service.ts";
import type { Missing } from "./ladder-state.ts";

/** Steps that give a hot card less to do. */
const LIGHTER: ReadonlySet<string> = new Set([
  "reduce-parallel",
  "route-long-prompts",
  "offload-experts",
  "cpu-executor",
  "remote-fallback",
]);

const freesOn = (rung: LadderRung, device: string): number =>
  rung.frees.filter((freed) => freed.device === device).reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes that the rungs from `from` up to, not including, `to` free on a device. */
export const freedBetween = (
  rungs: readonly LadderRung[],
  from: number,
  to: number,
  device: string,
): number => rungs.slice(from, to).reduce((sum, rung) => sum + freesOn(rung, device), 0);

/** Where to step for what is missing: `enough` when the plan says that this frees it all. */
export interface RungChoice {
  readonly to: number;
  readonly enough: boolean;
}

/**
 * The first rung at which all that is missing is freed; where none is, the one at which most of it is. Rungs that free
 * nothing there are passed on the way. `undefined` when no rung frees anything there. What the next engine of a chain
 * takes is not known, so that it counts as freeing nothing.
 */
export function rungFor(
  rungs: readonly LadderRung[],
  from: number,
  missing: readonly Missing[],
): RungChoice | undefined {
  let best: number | undefined;
  let least = shortAfter(rungs, from, from, missing);
  for (let to = from + 1; to <= rungs.length; to++) {
    if (rungs[to - 1]?.step === "next-engine") break;
    const short = shortAfter(rungs, from, to, missing);
    if (short >= least) continue;
    best = to;
    least = short;
    if (short === 0) return { to, enough: true };
  }
  return best === undefined ? undefined : { to: best, enough: false };
}

const shortAfter = (
  rungs: readonly LadderRung[],
  from: number,
  to: number,
  missing: readonly Missing[],
): number =>
  missing.reduce(
    (sum, { device, bytes }) => sum + Math.max(0, bytes - freedBetween(rungs, from, to, device)),
    0,
  );

/** The next rung that gives its cards less to do. */
export function rungForHeat(rungs: readonly LadderRung[], from: number): number | undefined {
  const ahead = rungs.slice(from);
  const end = ahead.findIndex(({ step }) => step === "next-engine");
  const at = (end < 0 ? ahead : ahead.slice(0, end)).findIndex(({ step }) => LIGHTER.has(step));
  return at < 0 ? undefined : from + at + 1;
}

/**
 * Where to step after an engine ran out of memory: to the context that it says would fit, else to the next rung that
 * frees anything, moves the service away or takes another engine.
 */
export function rungAfterFailure(
  rungs: readonly LadderRung[],
  from: number,
  fittingTokens: number | undefined,
): number | undefined {
  const after = (matches: (rung: LadderRung) => boolean): number | undefined => {
    const at = rungs.slice(from).findIndex(matches);
    return at < 0 ? undefined : from + at + 1;
  };
  const fits =
    fittingTokens === undefined
      ? undefined
      : after((rung) => (rung.contextTokens ?? Infinity) <= fittingTokens);
  return (
    fits ??
    after(
      (rung) => rung.frees.some(({ bytes }) => bytes > 0) || isDiversion(rung) || rung.step === "next-engine",
    )
  );
}

/** Where to step when a start would not fit. */
export function rungForPrediction(
  rungs: readonly LadderRung[],
  from: number,
  missing: readonly Missing[],
): number | undefined {
  const choice = rungFor(rungs, from, missing);
  if (choice?.enough === true) return choice.to;
  const engine = rungs.slice(from).findIndex(({ step }) => step === "next-engine");
  return engine < 0 ? choice?.to : from + engine + 1;
}
