import type { RouteCandidate } from "../../plan/plan.ts";
import type { Target } from "../targets.ts";
import type { Arrangement } from "./arrange.ts";
import { isMet } from "./conditions.ts";
import type { Eligible, Judgement, Question } from "./judge.ts";
import { judge } from "./judge.ts";
import type { Lineup } from "./lineup.ts";
import { lineUp } from "./lineup.ts";
import type { RouteBound } from "./router.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** What holds for every short enough request that meets the same conditions, as long as the node's view stays. */
export interface Steady {
  readonly judgement: Judgement;
  readonly lineup: Lineup;
  /** The names of the lineup, where their order depends on nothing else. */
  readonly services: readonly string[] | undefined;
  /** The smallest window, tokens; infinite where none is known. */
  readonly window: number;
}

/** Candidates whose conditions a number has bits for. */
const MOST_BITS = 30;

/** A target as requests use it, computed when it is first asked for. */
export class Prepared {
  readonly candidates: readonly RouteCandidate[];
  readonly route: string;
  readonly strategy: Arrangement["strategy"];
  readonly sticky: Arrangement["sticky"];
  readonly #bounded: boolean;
  /** Some candidate has a condition. */
  readonly isConditional: boolean;
  readonly #steady = new Map<number, Steady | "none">();
  #eligible: readonly Eligible[] = [];
  #lineup: Lineup = [];
  #steadyFor: unknown;

  constructor({ rules, services, route }: Target) {
    this.candidates = rules?.candidates ?? services.map((service) => ({ service, weight: 1 }));
    this.route = rules?.route ?? route;
    this.strategy = rules?.strategy ?? "ordered";
    this.sticky = rules?.sticky ?? "prefix";
    this.#bounded = this.candidates.some(({ maxConcurrent }) => maxConcurrent !== undefined);
    this.isConditional = this.candidates.some(({ when }) => when !== undefined);
  }

  /** `views` stands for the node's view: what was computed for it holds until it is another. */
  steady(views: object, question: Question): Steady | undefined {
    if (this.#steadyFor !== views) {
      this.#steadyFor = views;
      this.#steady.clear();
    }
    const met = this.isConditional ? this.#met(question) : 0;
    if (met === undefined) return undefined;
    let steady = this.#steady.get(met);
    if (steady === undefined) this.#steady.set(met, (steady = this.#computeSteady(question, met)));
    return steady === "none" ? undefined : steady;
  }

  /** A bit for each candidate whose condition this request does not meet; `undefined` where that is not sure. */
  #met(question: Question): number | undefined {
    if (this.candidates.length > MOST_BITS) return undefined;
    let bits = 0;
    for (const [index, { when }] of this.candidates.entries()) {
      if (when === undefined) continue;
      const met = isMet(when, question.tokens, question);
      if (met === undefined) return undefined;
      if (!met) bits |= 1 << index;
    }
    return bits;
  }

  /** The runs of those that may take a request: mostly the same as of the request before, and kept then. */
  lineup(eligible: readonly Eligible[]): Lineup {
    const last = this.#eligible;
    if (eligible.length !== last.length || !eligible.every((one, index) => isSame(one, last[index]))) {
      this.#eligible = eligible;
      this.#lineup = lineUp(eligible, this.strategy);
    }
    return this.#lineup;
  }

  /** `none` where requests are not all judged alike: features are needed, or somebody has stepped down. */
  #computeSteady({ viewOf, diversionOf }: Question, unmet: number): Steady | "none" {
    let window = Infinity;
    const candidates = this.candidates
      .filter((_, index) => (unmet & (1 << index)) === 0)
      .map(({ service, weight, maxConcurrent }) => ({
        service,
        weight,
        ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
      }));
    // Who is left out has to be told why: that differs from request to request.
    if (candidates.length === 0) return "none";
    for (const { service } of candidates) {
      if (diversionOf?.(service) !== undefined) return "none";
      const view = viewOf(service);
      if (view === undefined) continue;
      if (view.capabilities !== undefined) return "none";
      if (view.contextTokens > 0) window = Math.min(window, view.contextTokens);
    }
    const judgement = judge(candidates, {
      operation: "other",
      tokens: EMPTY,
      tokensFor: () => EMPTY,
      hasLength: false,
      answer: undefined,
      key: "",
      headers: {},
      minutes: () => 0,
      needs: () => [],
      viewOf,
      diversionOf: undefined,
    });
    const lineup = lineUp(judgement.eligible, this.strategy);
    const fixed =
      !this.#bounded && (judgement.eligible.length < 2 || lineup.every(({ up }) => up.length < 2));
    const services = fixed
      ? (judgement.eligible.length < 2
          ? judgement.eligible
          : lineup.flatMap(({ up, down }) => [...up, ...down])
        ).map(({ service }) => service)
      : undefined;
    return { judgement, lineup, services, window };
  }

  /** How many requests of this route may be at each service, where the spec says so. */
  bounds(ordered: readonly Eligible[]): ReadonlyMap<string, RouteBound> | undefined {
    if (!this.#bounded) return undefined;
    const { route } = this;
    const bounds = ordered.flatMap(({ service, maxConcurrent }): [string, RouteBound][] =>
      maxConcurrent === undefined ? [] : [[service, { route, limit: maxConcurrent }]],
    );
    return bounds.length === 0 ? undefined : new Map(bounds);
  }
}

const isSame = (one: Eligible, other: Eligible | undefined): boolean =>
  one.service === other?.service &&
  one.view === other.view &&
  one.tight === other.tight &&
  one.weight === other.weight &&
  one.maxConcurrent === other.maxConcurrent;

const EMPTY: TokenBounds = { least: 0, most: 0, likely: 0 };
