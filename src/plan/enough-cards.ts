import { OmniError } from "../core/index.ts";
import type { Candidate, Demand } from "./candidates.ts";

/** Context that a service without a wish has enough with in a large fleet, whose cards others could use, tokens. */
const AMPLE_CONTEXT = 32_768;

/** More cards would make this candidate worth little more: only asked in large fleets. */
export function isEnough({ resident, prediction }: Candidate, { settings, shape }: Demand): boolean {
  const longest = shape === undefined || shape instanceof OmniError ? 0 : shape.trainedContext;
  const wished = settings.context === "auto" ? Math.min(longest, AMPLE_CONTEXT) : settings.context;
  const parallel = settings.parallel === "auto" ? 1 : settings.parallel;
  return resident && prediction.settings.contextTokens >= wished && prediction.settings.parallel >= parallel;
}

/** Whether every kind of card of `fewer` is in `kinds` as often. */
export function contains(kinds: readonly string[], fewer: readonly string[]): boolean {
  const left = [...kinds];
  return fewer.every((kind) => {
    const at = left.indexOf(kind);
    return at !== -1 && left.splice(at, 1).length === 1;
  });
}
