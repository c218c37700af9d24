import type { RouteCandidate } from "../../plan/plan.ts";
import type { Question } from "./judge.ts";
import { judge } from "./judge.ts";
import type { Choice, Skipped } from "./router.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** A choice that is the same for all requests like this one; why others were left out is found out when it is asked. */
export class SteadyChoice implements Choice {
  readonly services: readonly string[];
  readonly tokens: TokenBounds;
  readonly #candidates: readonly RouteCandidate[];
  readonly #question: Question;

  constructor(services: readonly string[], candidates: readonly RouteCandidate[], question: Question) {
    this.services = services;
    this.tokens = question.tokens;
    this.#candidates = candidates;
    this.#question = question;
  }

  get skipped(): readonly Skipped[] {
    return judge(this.#candidates, this.#question).skipped;
  }
}
