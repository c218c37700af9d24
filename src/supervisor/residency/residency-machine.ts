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
  // A request that begins or ends on a busy service changes nobody's turn.
  const service = "service" in input ? draft.residents.get(input.service) : undefined;
  const still =
    input.kind === "lease-taken" || (input.kind === "lease-released" && (service?.inFlight ?? 0) > 0);
  if (!still) decide(draft);
  const { residents, wants, started, wakeAt, actions, notes } = draft;
  return { state: { residents, wants, started, wakeAt }, actions, notes };
}
