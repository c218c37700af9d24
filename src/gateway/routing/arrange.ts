import type { RouteRules } from "../../plan/plan.ts";
import type { Contender, Lineup, Run } from "./lineup.ts";
import { isSameModel } from "./lineup.ts";
import type { PrefixMarks } from "./prefix-marks.ts";
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
  readonly running: (contender: Contender) => number;
  readonly pressure: (contender: Contender) => number;
}

/** Best first. What is not ready comes last but where the route's own order says otherwise. */
export function arrange(lineup: Lineup, how: Arrangement): readonly Contender[] {
  const [first] = lineup;
  if (first === undefined) return [];
  return lineup.length === 1 ? ofRun(first, how) : lineup.flatMap((run) => ofRun(run, how));
}

function ofRun({ up, down, same }: Run, how: Arrangement): readonly Contender[] {
  const spread = up.length < 2 ? up : same ? amongEquals(up, how) : amongAll(up, how);
  return down.length === 0 ? spread : [...spread, ...down];
}

/** Different models: a session stays where it is; else the strategy chooses one, and those that are its equals follow. */
function amongAll(up: readonly Contender[], how: Arrangement): readonly Contender[] {
  const session = how.sticky === "session" ? how.session() : undefined;
  if (session !== undefined) return byKey(up, session, undefined, how);
  const first = next(up, how);
  const equals = up.filter((one) => isSameModel(one, first));
  const others = up.filter((one) => !equals.includes(one));
  const led = equals.length < 2 ? equals : amongEquals(equals, how, first);
  return [...led, ...inTurn(others, how)];
}

/**
 * Those that can stand for each other: the session's or where the prompt's beginning is cached first, or whose turn it is,
 * `first` where that is known already.
 */
function amongEquals(
  equals: readonly Contender[],
  how: Arrangement,
  first?: Contender,
): readonly Contender[] {
  const session = how.sticky === "session" ? how.session() : undefined;
  if (session !== undefined) return byKey(equals, session, undefined, how);
  if (how.sticky !== "none") {
    const marks = how.marks();
    const key = keyOf(marks);
    if (key !== undefined) return byKey(equals, key, how.had(marks, equals[0]?.model ?? ""), how);
  }
  const leader = first ?? next(equals, how);
  const rest = equals.filter((one) => one !== leader);
  return [leader, ...inTurn(rest, how)];
}

/** A beginning that nobody is known to have goes by its first 4 KiB: what many prompts share is then cached by few. */
const HEAD = 4_096;

function keyOf({ lengths, hashes }: PrefixMarks): number | undefined {
  let cut = lengths.length - 1;
  while (cut > 0 && (lengths[cut] ?? 0) > HEAD) cut--;
  return hashes[cut];
}

function byKey(
  equals: readonly Contender[],
  key: number,
  had: string | undefined,
  how: Arrangement,
): readonly Contender[] {
  const ordered = byRendezvous(equals, key);
  const at = had === undefined ? -1 : ordered.findIndex(({ service }) => service === had);
  const [holder] = at > 0 ? ordered.splice(at, 1) : [];
  if (holder !== undefined) ordered.unshift(holder);
  return withBoundedLoad(ordered, how.running);
}

/** Who is to have the request; `candidates` are not empty. */
function next<C extends Contender>(candidates: readonly C[], how: Arrangement): C {
  const [first] = candidates;
  const chosen = how.strategy === "weighted" ? takeTurn(how.owed, candidates) : leastLoaded(candidates, how);
  const taken = chosen ?? first;
  if (taken === undefined) throw new RangeError("nobody to choose from");
  return taken;
}

function leastLoaded<C extends Contender>(candidates: readonly C[], how: Arrangement): C | undefined {
  let best: C | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const pressure = how.pressure(candidate);
    if (pressure >= least) continue;
    least = pressure;
    best = candidate;
  }
  return best;
}

/** The rest, as fallbacks. */
function inTurn(candidates: readonly Contender[], how: Arrangement): readonly Contender[] {
  if (candidates.length < 2) return candidates;
  if (how.strategy === "weighted") return candidates.toSorted((a, b) => b.weight - a.weight);
  return candidates
    .map((contender) => ({ contender, pressure: how.pressure(contender) }))
    .toSorted((a, b) => a.pressure - b.pressure)
    .map(({ contender }) => contender);
}
