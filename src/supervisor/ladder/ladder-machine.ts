import { isDiversion, startsDiffer } from "./effective-service.ts";
import type { Cause, LadderInput, LadderRules, LadderState, LadderStep, Room } from "./ladder-state.ts";
import { freedBetween, rungAfterFailure, rungFor, rungForHeat, rungForPrediction } from "./rung-choice.ts";

/** The cool-down doubles with each climb that did not hold, at most this often: 5 minutes become 5 hours. */
const MOST_STRIKES = 6;

/** Decides what follows from one input. Pure: `now` is the only clock, and nothing is done here. */
export function stepLadder(
  state: LadderState,
  input: LadderInput,
  now: number,
  rules: LadderRules,
): LadderStep {
  const { rungs } = rules;
  switch (input.kind) {
    case "pressure": {
      if (state.pending) return stay(state);
      const to =
        input.cause.is === "heat"
          ? rungForHeat(rungs, state.rung)
          : rungFor(rungs, state.rung, input.missing)?.to;
      return down(state, to, input.cause, now, rules);
    }
    case "failed": {
      const { code, fittingTokens, message } = input.failure;
      if (code !== "engine.out-of-memory" && fittingTokens === undefined) return stay(state);
      const to = rungAfterFailure(rungs, state.rung, fittingTokens);
      return down(state, to, { is: "failure", message }, now, rules);
    }
    case "predicted": {
      const to = rungForPrediction(rungs, state.rung, input.missing);
      return down(state, to, { is: "predicted", missing: input.missing }, now, rules);
    }
    case "room":
      return look(holding(state, now, rules), input.rooms, now, rules);
    case "ready":
      return stay({ ...state, pending: false });
    case "step":
      return byHand(state, input.direction, now, rules);
  }
}

const stay = (state: LadderState): LadderStep => ({ state, notes: [] });

/** Milliseconds of calm before the next climb. */
export const coolDownOf = (state: LadderState, rules: LadderRules): number =>
  rules.coolDown * 2 ** state.strikes;

/** Bytes that must be free on a device before the rungs from `to` on are given up. */
export function neededFor(rules: LadderRules, to: number, from: number, device: string): number | undefined {
  const takes = freedBetween(rules.rungs, to, from, device);
  // A twentieth more than the plan says: what is taken back is a prediction.
  return takes > 0 ? (rules.kept.get(device) ?? 0) + Math.ceil(takes * 1.05) : undefined;
}

function down(
  state: LadderState,
  to: number | undefined,
  because: Cause,
  now: number,
  rules: LadderRules,
): LadderStep {
  // A climb that ends like this did not hold.
  const fell = state.climbedAt !== undefined && now - state.climbedAt < coolDownOf(state, rules);
  const strikes = fell ? Math.min(MOST_STRIKES, state.strikes + 1) : state.strikes;
  const shaken: LadderState = { ...state, strikes, climbedAt: undefined, calm: undefined };
  if (to === undefined || to <= state.rung)
    return state.exhausted
      ? stay(shaken)
      : { state: { ...shaken, exhausted: true }, notes: [{ is: "exhausted", because }] };
  return {
    state: { ...moved(shaken, to, rules), because },
    change: { from: state.rung, to },
    notes: [{ is: "down", from: state.rung, to, because }],
  };
}

function moved(state: LadderState, to: number, { rungs }: LadderRules): LadderState {
  const isAway = (rung: number): boolean => rungs.slice(0, rung).some(isDiversion);
  const starts = isAway(state.rung) || startsDiffer(rungs, state.rung, to);
  return {
    ...state,
    rung: to,
    calm: undefined,
    pending: !isAway(to) && (state.pending || starts),
    exhausted: false,
  };
}

/** A climb that has held for its cool-down takes a strike back; the next does so after as long again. */
function holding(state: LadderState, now: number, rules: LadderRules): LadderState {
  if (state.climbedAt === undefined || now - state.climbedAt < coolDownOf(state, rules)) return state;
  return state.strikes === 0
    ? { ...state, climbedAt: undefined }
    : { ...state, strikes: state.strikes - 1, climbedAt: now };
}

/** Up when calm has lasted and what comes back has fitted all the while. */
function look(state: LadderState, rooms: readonly Room[], now: number, rules: LadderRules): LadderStep {
  if (state.rung <= state.heldAt)
    return stay(state.calm === undefined ? state : { ...state, calm: undefined });
  const fits = state.pending || rooms.some((room) => !room.calm) ? state.rung : highest(state, rooms, rules);
  if (fits >= state.rung) return stay({ ...state, calm: undefined });
  const calm = {
    since: state.calm?.since ?? now,
    to: Math.max(fits, state.calm?.to ?? 0),
  };
  if (now - calm.since < coolDownOf(state, rules)) return stay({ ...state, calm });
  return {
    state: { ...moved(state, calm.to, rules), climbedAt: now },
    change: { from: state.rung, to: calm.to },
    notes: [{ is: "up", from: state.rung, to: calm.to, byHand: false }],
  };
}

/** The rung nearest to the plan whose memory fits into what is free now; what cannot be measured counts as fitting. */
function highest(state: LadderState, rooms: readonly Room[], rules: LadderRules): number {
  for (let to = state.heldAt; to < state.rung; to++) {
    const fits = rooms.every(({ device, free }) => {
      const needed = neededFor(rules, to, state.rung, device);
      return needed === undefined || free === undefined || free >= needed;
    });
    if (fits) return to;
  }
  return state.rung;
}

function byHand(state: LadderState, direction: "down" | "up", now: number, rules: LadderRules): LadderStep {
  const to = state.rung + (direction === "down" ? 1 : -1);
  if (to < 0 || to > rules.rungs.length) return stay(state);
  const change = { from: state.rung, to };
  const next = moved(state, to, rules);
  return direction === "down"
    ? {
        state: { ...next, heldAt: to, because: { is: "by-hand" }, climbedAt: undefined },
        change,
        notes: [{ is: "down", ...change, because: { is: "by-hand" } }],
      }
    : {
        state: { ...next, heldAt: Math.min(state.heldAt, to), climbedAt: now },
        change,
        notes: [{ is: "up", ...change, byHand: true }],
      };
}
