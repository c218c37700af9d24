import type { RouteRules } from "../../plan/plan.ts";
import { hashText } from "./hashing.ts";
import type { Eligible } from "./judge.ts";
import type { PrefixMarks } from "./prefix-marks.ts";
import type { Equal } from "./rendezvous.ts";
import { byRendezvous, withBoundedLoad } from "./rendezvous.ts";
import { takeTurn } from "./weighted-turns.ts";

/** What the order of those that may take a request depends on. */
export interface Arrangement {
  readonly strategy: RouteRules["strategy"];
  readonly sticky: RouteRules["sticky"];
  /** Turns under `weighted`, by service; changed here. */
  readonly owed: Map<string, number>;
  readonly session: () => number | undefined;
  readonly marks: () => PrefixMarks;
  /** Who had the beginning of this prompt, for a model. */
  readonly had: (marks: PrefixMarks, model: string) => string | undefined;
  readonly running: (eligible: Eligible) => number;
  readonly pressure: (eligible: Eligible) => number;
}

/** Best first. What is not ready comes last but where the route's own order says otherwise. */
export function arrange(candidates: readonly Eligible[], how: Arrangement): readonly Eligible[] {
  if (candidates.length < 2) return candidates;
  if (how.strategy === "ordered") {
    return runsOfEquals(candidates).flatMap((run) => (run.length < 2 ? run : readyFirst(run, how)));
  }
  return readyFirst(candidates, how);
}

function readyFirst(candidates: readonly Eligible[], how: Arrangement): readonly Eligible[] {
  const up = candidates.filter(isReady);
  if (up.length === candidates.length) return spread(up, how);
  const down = candidates.filter((candidate) => !isReady(candidate));
  return [...spread(up, how), ...down];
}

const isReady = ({ view }: Eligible): boolean => view === undefined || view.state === "ready";

function spread(candidates: readonly Eligible[], how: Arrangement): readonly Eligible[] {
  const [only] = candidates;
  if (only === undefined || candidates.length === 1) return candidates;
  const session = how.sticky === "session" ? how.session() : undefined;
  if (session !== undefined) return byKey(candidates, session, undefined, how);
  const next = how.strategy === "weighted" ? takeTurn(how.owed, candidates) : leastLoaded(candidates, how);
  const first = next ?? only;
  const equals = candidates.filter((candidate) => isSameModel(candidate, first));
  const others = equals.length === candidates.length ? [] : candidates.filter((one) => !equals.includes(one));
  return [...amongEquals(equals, first, how), ...inTurn(others, how)];
}

/** Those that can stand for each other: where the prompt's beginning is cached first, or whose turn it is. */
function amongEquals(equals: readonly Eligible[], first: Eligible, how: Arrangement): readonly Eligible[] {
  if (equals.length < 2) return equals;
  if (how.sticky !== "none") {
    const marks = how.marks();
    const key = keyOf(marks);
    if (key !== undefined) return byKey(equals, key, how.had(marks, first.view?.model ?? ""), how);
  }
  return [
    first,
    ...inTurn(
      equals.filter((one) => one !== first),
      how,
    ),
  ];
}

/** A beginning that nobody is known to have goes by its first 4 KiB: what many prompts share is then cached by few. */
const HEAD = 4_096;

function keyOf({ lengths, hashes }: PrefixMarks): number | undefined {
  let cut = lengths.length - 1;
  while (cut > 0 && (lengths[cut] ?? 0) > HEAD) cut--;
  return hashes[cut];
}

function byKey(
  candidates: readonly Eligible[],
  key: number,
  had: string | undefined,
  how: Arrangement,
): readonly Eligible[] {
  const equals = candidates.map((eligible) => equalOf(eligible, how));
  const ordered = byRendezvous(equals, key);
  const at = had === undefined ? -1 : ordered.findIndex(({ service }) => service === had);
  const [holder] = at > 0 ? ordered.splice(at, 1) : [];
  if (holder !== undefined) ordered.unshift(holder);
  return withBoundedLoad(ordered).map(({ eligible }) => eligible);
}

interface EligibleEqual extends Equal {
  readonly eligible: Eligible;
}

const equalOf = (eligible: Eligible, how: Arrangement): EligibleEqual => ({
  eligible,
  service: eligible.service,
  seed: seedOf(eligible.service),
  // Under `ordered` and `least-loaded` a weight is no share.
  weight: how.strategy === "weighted" ? eligible.weight : 1,
  running: how.running(eligible),
  parallel: eligible.view?.parallel ?? 1,
});

const seeds = new Map<string, number>();

/** Names of services are few and stay. */
export function seedOf(name: string): number {
  const known = seeds.get(name);
  if (known !== undefined) return known;
  const seed = hashText(name);
  seeds.set(name, seed);
  return seed;
}

/** The rest, as fallbacks. */
function inTurn(candidates: readonly Eligible[], how: Arrangement): readonly Eligible[] {
  if (candidates.length < 2) return candidates;
  return how.strategy === "weighted"
    ? candidates.toSorted((a, b) => b.weight - a.weight)
    : byPressure(candidates, how);
}

function byPressure(candidates: readonly Eligible[], how: Arrangement): readonly Eligible[] {
  return candidates
    .map((eligible) => ({ eligible, pressure: how.pressure(eligible) }))
    .toSorted((a, b) => a.pressure - b.pressure)
    .map(({ eligible }) => eligible);
}

function leastLoaded(candidates: readonly Eligible[], how: Arrangement): Eligible | undefined {
  let best: Eligible | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const pressure = how.pressure(candidate);
    if (pressure >= least) continue;
    least = pressure;
    best = candidate;
  }
  return best;
}

const isSameModel = (a: Eligible, b: Eligible): boolean =>
  a === b || (a.view !== undefined && a.view.model === b.view?.model);

/** Neighbours that are the same model on the same engine with the same window: replicas of one service. */
function runsOfEquals(candidates: readonly Eligible[]): readonly (readonly Eligible[])[] {
  const runs: Eligible[][] = [];
  for (const candidate of candidates) {
    const run = runs.at(-1);
    const [first] = run ?? [];
    if (run !== undefined && first !== undefined && isReplica(first, candidate)) run.push(candidate);
    else runs.push([candidate]);
  }
  return runs;
}

const isReplica = (a: Eligible, b: Eligible): boolean =>
  isSameModel(a, b) &&
  a.view?.engine === b.view?.engine &&
  a.view?.contextTokens === b.view?.contextTokens &&
  a.tight === b.tight;
