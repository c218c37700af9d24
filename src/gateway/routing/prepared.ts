import type { RouteCandidate } from "../../plan/plan.ts";
import type { Target } from "../targets.ts";
import type { Arrangement } from "./arrange.ts";
import type { Surroundings } from "./ask-question.ts";
import type { Eligible, Judgement } from "./judge.ts";
import { judge } from "./judge.ts";
import type { Lineup } from "./lineup.ts";
import { lineUp } from "./lineup.ts";
import type { RouteBound } from "./router.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** What holds for every short enough request of a target, as long as the node's view of its services stays. */
export interface Steady {
  readonly judgement: Judgement;
  readonly lineup: Lineup;
  /** The smallest window, tokens; infinite where none is known. */
  readonly window: number;
}

/** A target as requests use it, computed when it is first asked for. */
export class Prepared {
  readonly candidates: readonly RouteCandidate[];
  readonly route: string;
  readonly strategy: Arrangement["strategy"];
  readonly sticky: Arrangement["sticky"];
  readonly #bounded: boolean;
  readonly #conditional: boolean;
  #steady: Steady | undefined;
  #eligible: readonly Eligible[] = [];
  #lineup: Lineup = [];
  #steadyFor: unknown;

  constructor({ rules, services, route }: Target) {
    this.candidates = rules?.candidates ?? services.map((service) => ({ service, weight: 1 }));
    this.route = rules?.route ?? route;
    this.strategy = rules?.strategy ?? "ordered";
    this.sticky = rules?.sticky ?? "prefix";
    this.#bounded = this.candidates.some(({ maxConcurrent }) => maxConcurrent !== undefined);
    this.#conditional = this.candidates.some(({ when }) => when !== undefined);
  }

  /** `views` stands for the node's view: what was computed for it holds until it is another. */
  steady(views: object, surroundings: Surroundings): Steady | undefined {
    if (this.#conditional) return undefined;
    if (this.#steadyFor === views) return this.#steady;
    this.#steadyFor = views;
    this.#steady = this.#computeSteady(surroundings);
    return this.#steady;
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

  /** `undefined` where requests are not all judged alike: features are needed, or somebody has stepped down. */
  #computeSteady({ viewOf, diversionOf }: Surroundings): Steady | undefined {
    let window = Infinity;
    for (const { service } of this.candidates) {
      if (diversionOf?.(service) !== undefined) return undefined;
      const view = viewOf(service);
      if (view === undefined) continue;
      if (view.capabilities !== undefined) return undefined;
      if (view.contextTokens > 0) window = Math.min(window, view.contextTokens);
    }
    const judgement = judge(this.candidates, {
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
    return { judgement, lineup: lineUp(judgement.eligible, this.strategy), window };
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
