import { CODES, formatDuration } from "../core/index.ts";
import type { EngineFailure, EngineLoad } from "../engines/engine.ts";

/** Why a request for one token had no good answer: none came, or one that is none. */
export interface WorkFault {
  readonly kind: "silent" | "wrong";
  readonly reason: string;
}

/** What an engine's own figures and answers tell about whether it really works. Times are of the clock that only grows. */
export interface VitalSigns {
  readonly load: EngineLoad | undefined;
  /** When it last computed something, or had nothing to compute. */
  readonly movedAt: number;
  /** When it was last seen to work: an answer to a probe, or progress for others. */
  readonly provedAt: number;
  /** Requests for one token in a row without a good answer. */
  readonly faults: number;
  /** Somebody had a wrong answer, and it has not been asked since. */
  readonly suspected: boolean;
}

/** A request for one token may fail once: the engine may have been at the end of its patience, or of its queue. */
const FAULTS = 2;

export const freshSigns = (now: number): VitalSigns => ({
  load: undefined,
  movedAt: now,
  provedAt: now,
  faults: 0,
  suspected: false,
});

/** Takes in the engine's figures as read at `now`. */
export function withLoad(signs: VitalSigns, load: EngineLoad, now: number): VitalSigns {
  const moved = load.progress !== undefined && load.progress !== signs.load?.progress;
  const first = signs.load === undefined;
  return {
    load,
    movedAt: moved || first || !hasWork(load) ? now : signs.movedAt,
    provedAt: moved && !first ? now : signs.provedAt,
    faults: moved && !first && !signs.suspected ? 0 : signs.faults,
    suspected: signs.suspected,
  };
}

const hasWork = (load: EngineLoad): boolean => (load.running ?? 0) + (load.waiting ?? 0) > 0;

/** It has work and has not moved for `stall` ms. Only an engine that tells its progress can be found out this way. */
export function stalledFor(signs: VitalSigns, now: number, stall: number): EngineFailure | undefined {
  const { load, movedAt } = signs;
  if (load?.progress === undefined || !hasWork(load) || now - movedAt < stall) return undefined;
  const work = `${load.running ?? 0} running, ${load.waiting ?? 0} waiting`;
  return stalled(`It has work (${work}) and made no progress for ${formatDuration(now - movedAt)}.`);
}

/** Whether to ask it for a token now: it is suspected, or nobody uses it and it has proved nothing for `every` ms. */
export function wantsProof(signs: VitalSigns, inFlight: number, now: number, every: number): boolean {
  if (signs.suspected) return true;
  if (inFlight > 0 || (signs.load !== undefined && hasWork(signs.load))) return false;
  return signs.faults > 0 || now - signs.provedAt >= every;
}

/** Takes in how a request for one token went, and what follows. */
export function withProof(
  signs: VitalSigns,
  fault: WorkFault | undefined,
  now: number,
): { readonly signs: VitalSigns; readonly failure?: EngineFailure } {
  if (fault === undefined)
    return { signs: { ...signs, provedAt: now, movedAt: now, faults: 0, suspected: false } };
  const faults = signs.faults + 1;
  if (faults < FAULTS) return { signs: { ...signs, faults } };
  const failure =
    fault.kind === "wrong"
      ? wrong(
          `Its health is good, but ${FAULTS} requests for one token were answered wrongly: ${fault.reason}.`,
        )
      : stalled(`Its health is good, but ${FAULTS} requests for one token had no answer: ${fault.reason}.`);
  return { signs: { ...signs, faults }, failure };
}

const stalled = (message: string): EngineFailure => ({
  code: "engine.stalled",
  message,
  hint: CODES["engine.stalled"].remedy,
  recoverable: true,
});

const wrong = (message: string): EngineFailure => ({
  code: "engine.wrong-answer",
  message,
  hint: CODES["engine.wrong-answer"].remedy,
  recoverable: true,
});
