import type { Candidate, Demand } from "./candidates.ts";
import { knownShape } from "./known-shape.ts";
import type { PlanMachine } from "./machines.ts";

/** Context that a service without a wish has enough with in a large fleet, whose cards others could use, tokens. */
const AMPLE_CONTEXT = 32_768;

/** More cards would make this candidate worth little more: only asked in large fleets. */
export function isEnough({ resident, prediction }: Candidate, { settings, shape }: Demand): boolean {
  const longest = knownShape(shape)?.trainedContext ?? 0;
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

/**
 * The sets of cards that hold the weights of a model, and the processor; when none does, the largest of the others, where
 * a part of the model would stay in main memory or the refusal says most.
 */
export function worthTrying(
  sets: readonly (readonly number[])[] | undefined,
  { shape }: Demand,
  machine: PlanMachine,
): readonly (readonly number[])[] | undefined {
  const known = knownShape(shape);
  if (sets === undefined || known === undefined) return sets;
  const room = (cards: readonly number[]): number =>
    cards.reduce(
      (sum, card) => sum + (machine.cards[card]?.visible ?? 0) - (machine.cards[card]?.headroom ?? 0),
      0,
    );
  const holding = sets.filter((cards) => cards.length > 0 && room(cards) > known.weightBytes);
  const onCards = sets.filter((cards) => cards.length > 0).toSorted((a, b) => room(b) - room(a));
  const tried = new Set(holding.length > 0 ? holding : onCards.slice(0, 1));
  return sets.filter((cards) => cards.length === 0 || tried.has(cards));
}
