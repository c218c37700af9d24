import type { EngineFailure } from "../engines/engine.ts";
import { gaveUpAfter } from "./failures.ts";
import type { Note } from "./service-note.ts";
import type { Goal, MachineState, Rules, Step } from "./service-state.ts";
import { stay } from "./service-state.ts";

/** Ends an engine that lives but is of no use, and keeps why. */
export function condemn(state: MachineState, failure: EngineFailure, now: number, rules: Rules): Step {
  const deadline = rules.timing.killGrace;
  return {
    state: {
      ...state,
      phase: "stopping",
      goal: afterCondemned(state),
      stopDeadline: deadline,
      suspect: false,
      warming: false,
      failure,
    },
    actions: [{ do: "rest" }, { do: "kill", deadline }],
    notes: [{ is: "condemned", failure, after: now - state.launchedAt }],
  };
}

/** What was on its way down already, or asleep, needs no restart for having failed. */
function afterCondemned({ phase, goal }: MachineState): Goal {
  if (phase === "asleep") return "unload";
  if (phase !== "draining" || goal === "stay") return "recover";
  return goal === "sleep" ? "unload" : goal;
}

/** Its card is gone, or something else that no restart mends: what runs is ended, and it stays failed. */
export function doom(state: MachineState, failure: EngineFailure, now: number, rules: Rules): Step {
  if (state.process === "none") {
    if (state.phase === "stopped" || state.phase === "failed") return stay(state);
    return {
      state: { ...state, phase: "failed", failure, granted: false, waitsFor: undefined },
      actions: [{ do: "rest" }],
      notes: [{ is: "failed", failure }],
    };
  }
  if (state.phase === "stopping")
    return stay(state.goal === "stop" ? state : { ...state, goal: "recover", failure });
  const doomed = condemn(state, failure, now, rules);
  // An engine that is still being made is killed as soon as it exists.
  const actions = state.process === "running" ? doomed.actions : ([{ do: "rest" }] as const);
  return { ...doomed, actions, state: { ...doomed.state, goal: "recover" } };
}

/** No engine any more: what follows depends on who ended it, why, and how often that happened. */
export function afterEnd(
  state: MachineState,
  failure: EngineFailure,
  lastLine: string | undefined,
  now: number,
  rules: Rules,
): Step {
  let gone: MachineState = {
    ...state,
    pid: undefined,
    adopted: false,
    sleeps: false,
    suspect: false,
    warming: false,
    progress: undefined,
  };
  const { phase } = state;
  if (phase === "stopping" && state.goal !== "recover") return settled(gone, now);
  // An engine that was condemned already has its cause; how it died of that says nothing.
  if (phase === "stopping") return recover(gone, state.failure ?? failure, [], now, rules);
  const up = state.readyAt === undefined ? undefined : now - state.readyAt;
  const crashed: Note = { is: "crashed", failure, phase, up, lastLine };
  // It slept and was about to be woken: it starts afresh instead.
  if (phase === "queued") return { state: gone, actions: [], notes: [crashed] };
  if (phase === "asleep")
    gone = { ...gone, goal: "unload", why: `It ended in its sleep. ${failure.message}` };
  else if (phase !== "draining" || state.goal === "stay")
    return recover(gone, failure, [crashed], now, rules);
  const end = settled(gone, now);
  return { ...end, notes: [crashed, ...end.notes] };
}

/** The engine is gone as it was meant to be. */
export function settled(state: MachineState, now: number): Step {
  const up = state.readyAt === undefined ? undefined : now - state.readyAt;
  const down: MachineState = { ...state, readyAt: undefined, granted: false, waitsFor: undefined };
  switch (state.goal) {
    case "restart":
      return { state: { ...down, phase: "queued", goal: "recover" }, actions: [{ do: "rest" }], notes: [] };
    case "unload":
    case "sleep":
      return {
        state: { ...down, phase: "unloaded", failure: undefined },
        actions: [{ do: "rest" }],
        notes: [{ is: "unloaded", why: state.why, up }],
      };
    case "stop":
    case "stay":
    case "recover":
      return {
        state: { ...down, phase: "stopped" },
        actions: [{ do: "rest" }],
        notes: [{ is: "stopped", up, why: state.why }],
      };
  }
}

function recover(
  state: MachineState,
  failure: EngineFailure,
  crash: readonly Note[],
  now: number,
  { restart }: Rules,
): Step {
  const failed = { ...state, phase: "failed" as const, failure };
  if (!failure.recoverable) {
    return { state: failed, actions: [{ do: "rest" }], notes: [{ is: "failed", failure }] };
  }
  const failures = [...state.failures.filter((time) => now - time < restart.window), now];
  if (failures.length > restart.restarts) {
    const gaveUp = gaveUpAfter(failure, failures.length, restart);
    return {
      state: { ...failed, failures, failure: gaveUp },
      actions: [{ do: "rest" }],
      notes: [...crash, { is: "gave-up", failure: gaveUp, cause: failure }],
    };
  }
  const delay = Math.min(restart.backoffMax, restart.backoffMin * 2 ** (failures.length - 1));
  return {
    state: { ...state, phase: "backing-off", failures, failure, retryDelay: delay },
    actions: [{ do: "wait", delay }],
    notes: [...crash, { is: "restarting", delay, attempt: failures.length, budget: restart }],
  };
}

/** Down at once: answers are cut, after `deadline` ms by force. */
export function stop(state: MachineState, deadline: number, now: number): Step {
  if (state.process === "none") {
    return state.phase === "stopped" ? stay(state) : settled({ ...state, goal: "stop", why: undefined }, now);
  }
  // A second stop hurries the first, which is no new transition.
  const known = state.phase === "stopping" && state.goal === "stop";
  return goDown({ ...state, goal: "stop", why: undefined }, deadline, known);
}

/** Begins the end of an engine that exists or is being made; its goal is set. */
export function goDown(state: MachineState, deadline: number, known = false): Step {
  const stopping: MachineState = {
    ...state,
    phase: "stopping",
    stopDeadline: deadline,
    suspect: false,
    warming: false,
  };
  const kill = state.process === "running" ? [{ do: "kill", deadline } as const] : [];
  return {
    state: stopping,
    actions: [{ do: "rest" }, ...kill],
    notes: known ? [] : [{ is: "stopping", deadline, why: state.why }],
  };
}
