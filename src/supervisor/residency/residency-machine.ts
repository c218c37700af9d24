import { decide } from "./residency-decision.ts";
import { draftOf } from "./residency-draft.ts";
import { take } from "./residency-input.ts";
import type { ResidencyInput, ResidencyRules, ResidencyState, ResidencyStep } from "./residency-state.ts";

/** Decides what follows from one input. Pure: `now` is the only clock, and nothing is done here. */
export function stepResidency(
  state: ResidencyState,
  input: ResidencyInput,
  now: number,
  rules: ResidencyRules,
): ResidencyStep {
  const draft = draftOf(state, now, rules);
  take(draft, input);
  if (draft.changed) decide(draft);
  const { residents, wants, started, wakeAt, actions, notes } = draft;
  return { state: { residents, wants, started, wakeAt }, actions, notes };
}
