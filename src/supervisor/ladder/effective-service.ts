import type { LadderRung, MemoryTerms, PlannedService } from "../../plan/plan.ts";

/** A service as it runs some rungs down, and what is asked of others for it. */
export interface Effective {
  /** With the settings, context, parallel requests and memory of these rungs. */
  readonly service: PlannedService;
  readonly rungs: number;
  /** Prompts longer than this many tokens go elsewhere. */
  readonly longPrompts?: { readonly above: number; readonly to: string };
  /** All requests go there, and the service itself is unloaded. */
  readonly divertedTo?: string;
  /** Services that are unloaded to make room. */
  readonly unloads: readonly string[];
  /** The next engine of its chain takes over; `engine` is its name. */
  readonly nextEngine: boolean;
  readonly engine?: string;
  /**
   * Its engine has to be started anew to get here from the rung before. False where its requests go elsewhere or did: it is
   * unloaded then, and its next start is the right one.
   */
  readonly restartNeeded: boolean;
}

/** The rungs that change something, in order; rung 1 is the first of them. */
export const usefulRungs = (service: Pick<PlannedService, "ladder">): readonly LadderRung[] =>
  (service.ladder ?? []).filter((rung) => rung.noEffect === undefined);

/**
 * The service with its first `rungs` useful rungs in force, one on top of the other. `before` is the number that was in
 * force until now: it decides `restartNeeded`. Pure.
 */
export function effectiveService(planned: PlannedService, rungs: number, before = 0): Effective {
  const useful = usefulRungs(planned);
  const taken = useful.slice(0, Math.max(0, rungs));
  const longPrompts = taken.findLast((rung) => rung.above !== undefined && rung.to !== undefined);
  const diverted = taken.findLast((rung) => isDiversion(rung));
  const engine = taken.findLast((rung) => rung.step === "next-engine")?.to;
  return {
    service: changed(planned, taken),
    rungs: taken.length,
    ...(longPrompts?.above === undefined || longPrompts.to === undefined
      ? {}
      : { longPrompts: { above: longPrompts.above, to: longPrompts.to } }),
    ...(diverted?.to === undefined ? {} : { divertedTo: diverted.to }),
    unloads: [...new Set(taken.flatMap((rung) => rung.unloads ?? []))],
    nextEngine: engine !== undefined,
    ...(engine === undefined ? {} : { engine }),
    restartNeeded: startsDiffer(useful, before, rungs),
  };
}

/** The service is unloaded, and all that it was asked for goes to another. */
export const isDiversion = (rung: LadderRung): boolean =>
  rung.to !== undefined && rung.above === undefined && rung.step !== "next-engine";

const settingsOf = (rungs: readonly LadderRung[]): PlannedService["settings"] =>
  rungs.findLast((rung) => rung.settings !== undefined)?.settings;

/** An engine that runs with the first `from` of these rungs has to be started anew to run with the first `to`. */
export function startsDiffer(rungs: readonly LadderRung[], from: number, to: number): boolean {
  const [before, after] = [rungs.slice(0, Math.max(0, from)), rungs.slice(0, Math.max(0, to))];
  if (before.some(isDiversion) || after.some(isDiversion)) return false;
  return settingsOf(before) !== settingsOf(after) || takesNext(before) !== takesNext(after);
}

const takesNext = (rungs: readonly LadderRung[]): boolean =>
  rungs.some((rung) => rung.step === "next-engine");

function changed(planned: PlannedService, taken: readonly LadderRung[]): PlannedService {
  const settings = settingsOf(taken);
  if (settings === undefined) return planned;
  const { kvCache: _stale, ...rest } = planned;
  const contextTokens = taken.findLast((rung) => rung.contextTokens !== undefined)?.contextTokens;
  const parallel = taken.findLast((rung) => rung.parallel !== undefined)?.parallel;
  const freed = taken.filter((rung) => rung.settings !== undefined).flatMap((rung) => rung.frees);
  return {
    ...rest,
    settings,
    contextTokens: contextTokens ?? planned.contextTokens,
    parallel: parallel ?? planned.parallel,
    memory: planned.memory.map((terms) =>
      lessened(
        terms,
        freed.filter(({ device }) => device === terms.device).reduce((sum, { bytes }) => sum + bytes, 0),
      ),
    ),
  };
}

/** Takes the freed bytes off the terms, the cache first; what moves here (negative) is added to it. */
function lessened(terms: MemoryTerms, freed: number): MemoryTerms {
  if (freed === 0) return terms;
  const { parts: _stale, ...rest } = terms;
  const kvCache = Math.max(0, terms.kvCache - freed);
  const beyondCache = freed - (terms.kvCache - kvCache);
  const compute = Math.max(0, terms.compute - beyondCache);
  const beyondCompute = beyondCache - (terms.compute - compute);
  const weights = Math.max(0, terms.weights - beyondCompute);
  return { ...rest, kvCache, compute, weights, total: kvCache + compute + weights + terms.overhead };
}
