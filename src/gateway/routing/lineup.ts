import type { RouteRules } from "../../plan/plan.ts";
import { hashText } from "./hashing.ts";
import type { Eligible } from "./judge.ts";
import type { Equal } from "./rendezvous.ts";

/** A service that may take a request, with what its order depends on. */
export interface Contender extends Eligible, Equal {
  readonly model: string | undefined;
}

/** Services among which the strategy chooses. */
export interface Run {
  /** Those that are ready. */
  readonly up: readonly Contender[];
  /** The others, behind them. */
  readonly down: readonly Contender[];
  /** All of `up` are the same model. */
  readonly same: boolean;
}

/** Everybody in the order of runs. It stays as long as the node's view of its services does. */
export type Lineup = readonly Run[];

/**
 * Prepares those that may take a request for being put in order. Under `ordered` replicas of one service (neighbours of the
 * same model and engine with the same window) are a run; under the other strategies all are one.
 */
export function lineUp(eligible: readonly Eligible[], strategy: RouteRules["strategy"]): Lineup {
  const contenders = eligible.map((one) => contenderOf(one, strategy));
  const runs: Contender[][] = [];
  for (const contender of contenders) {
    const run = runs.at(-1);
    const [first] = run ?? [];
    const joins = first !== undefined && (strategy !== "ordered" || isReplica(first, contender));
    if (run !== undefined && joins) run.push(contender);
    else runs.push([contender]);
  }
  return runs.map(runOf);
}

function runOf(all: readonly Contender[]): Run {
  // Where there is nobody to choose from, the route's own order holds.
  const up = all.length === 1 ? all : all.filter(isReady);
  const [first] = up;
  return {
    up,
    down: up.length === all.length ? [] : all.filter((one) => !isReady(one)),
    same: first !== undefined && up.every((one) => isSameModel(first, one)),
  };
}

const contenderOf = (eligible: Eligible, strategy: RouteRules["strategy"]): Contender => ({
  ...eligible,
  seed: seedOf(eligible.service),
  // Under `ordered` and `least-loaded` a weight is no share.
  share: strategy === "weighted" ? eligible.weight : 1,
  parallel: eligible.view?.parallel ?? 1,
  model: eligible.view?.model,
});

const isReady = ({ view }: Eligible): boolean => view === undefined || view.state === "ready";

export const isSameModel = (a: Contender, b: Contender): boolean =>
  a === b || (a.model !== undefined && a.model === b.model);

const isReplica = (a: Contender, b: Contender): boolean =>
  isSameModel(a, b) &&
  a.view?.engine === b.view?.engine &&
  a.view?.contextTokens === b.view?.contextTokens &&
  a.tight === b.tight;

const seeds = new Map<string, number>();

/** Hash of the name of a service or model; they are few and stay. */
export function seedOf(name: string): number {
  const known = seeds.get(name);
  if (known !== undefined) return known;
  const seed = hashText(name);
  seeds.set(name, seed);
  return seed;
}
