import type { EngineFailure, Health } from "../engines/engine.ts";
import { gaveUpAfter, hung, startTimeout } from "./failures.ts";
import type { Note } from "./service-note.ts";
import type { Action, Input, MachineState, Rules, Step } from "./service-state.ts";
import type { Timing } from "./timing.ts";

/** Decides what follows from one input. Pure: `now` is the only clock, and nothing is done here. */
export function step(state: MachineState, input: Input, now: number, rules: Rules): Step {
  switch (input.kind) {
    case "start":
      return state.phase === "stopped" || state.phase === "failed"
        ? launch({ ...state, failures: [], failure: undefined }, now)
        : stay(state);
    case "wake":
      return state.phase === "backing-off"
        ? launch({ ...state, restarts: state.restarts + 1 }, now)
        : stay(state);
    case "broken":
      return state.phase === "ready" && !state.suspect
        ? { state: { ...state, suspect: true }, actions: [{ do: "probe", delay: 0 }], notes: [] }
        : stay(state);
    case "stop":
      return stop(state, input.deadline, now);
    case "launched":
    case "not-launched":
    case "exit":
    case "health":
      return input.generation === state.generation ? report(state, input, now, rules) : stay(state);
  }
}

type Report = Extract<Input, { generation: number }>;

function report(state: MachineState, input: Report, now: number, rules: Rules): Step {
  switch (input.kind) {
    case "launched":
      if (state.process !== "launching") return stay(state);
      return launched({ ...state, process: "running", pid: input.pid }, rules.timing);
    case "not-launched":
      if (state.process !== "launching") return stay(state);
      return afterEnd({ ...state, process: "none" }, input.failure, undefined, now, rules);
    case "exit":
      if (state.process !== "running") return stay(state);
      return afterEnd({ ...state, process: "none" }, input.failure, input.lastLine, now, rules);
    case "health":
      return state.process === "running" && state.phase !== "stopping"
        ? look(state, input.health, now, rules)
        : stay(state);
  }
}

const stay = (state: MachineState): Step => ({ state, actions: [], notes: [] });

function launch(state: MachineState, now: number): Step {
  const generation = state.generation + 1;
  return {
    state: {
      ...state,
      phase: "starting",
      generation,
      process: "launching",
      onEnd: "recover",
      launchedAt: now,
      answeredAt: now,
      readyAt: undefined,
      unanswered: 0,
      suspect: false,
      progress: undefined,
    },
    actions: [{ do: "launch", generation }],
    notes: [{ is: "starting", restarts: state.restarts }],
  };
}

function launched(state: MachineState, timing: Timing): Step {
  return state.phase === "stopping"
    ? { state, actions: [{ do: "kill", deadline: state.stopDeadline }], notes: [] }
    : { state, actions: [{ do: "probe", delay: timing.firstProbe }], notes: [] };
}

function look(state: MachineState, health: Health, now: number, rules: Rules): Step {
  switch (health.state) {
    case "failed":
      return condemn(state, health.failure, now, rules);
    case "ready":
      return ready({ ...state, answeredAt: now, unanswered: 0, suspect: false }, now, rules.timing);
    case "loading":
      return loading({ ...state, answeredAt: now, unanswered: 0 }, health.progress, now, rules);
    case "unreachable":
      return state.phase === "ready"
        ? silent({ ...state, unanswered: state.unanswered + 1 }, health.reason, now, rules)
        : wait(state, now, rules);
  }
}

function ready(state: MachineState, now: number, timing: Timing): Step {
  const actions: Action[] = [{ do: "probe", delay: timing.livenessEvery }];
  if (state.phase === "ready") return { state, actions, notes: [] };
  return {
    state: { ...state, phase: "ready", readyAt: now, progress: undefined, failure: undefined },
    actions,
    notes: [{ is: "ready", loadedIn: now - state.launchedAt, restarts: state.restarts }],
  };
}

function loading(state: MachineState, progress: number | undefined, now: number, rules: Rules): Step {
  if (state.phase === "loading") return wait({ ...state, progress }, now, rules);
  // An engine that was ready and loads again has its whole load time anew.
  const launchedAt = state.phase === "ready" ? now : state.launchedAt;
  const next: MachineState = { ...state, phase: "loading", progress, launchedAt, suspect: false };
  const step = wait(next, now, rules);
  return { ...step, notes: [{ is: "loading" }, ...step.notes] };
}

/** Not ready yet: looks again, or gives up on this start when its time is over. */
function wait(state: MachineState, now: number, rules: Rules): Step {
  const passed = now - state.launchedAt;
  if (passed >= rules.loadTimeout) {
    return condemn(state, startTimeout(passed, state.progress), now, rules);
  }
  const { firstProbe, slowestProbe } = rules.timing;
  const delay = Math.min(slowestProbe, Math.max(firstProbe, passed / 10));
  return { state, actions: [{ do: "probe", delay }], notes: [] };
}

function silent(state: MachineState, reason: string, now: number, rules: Rules): Step {
  const silence = now - state.answeredAt;
  const { hungProbes, hungAfter, retryProbe } = rules.timing;
  if (state.unanswered >= hungProbes && silence >= hungAfter) {
    return condemn(state, hung(silence, state.unanswered, reason), now, rules);
  }
  return { state, actions: [{ do: "probe", delay: retryProbe }], notes: [] };
}

/** Ends a process that lives but is of no use, and keeps why. */
function condemn(state: MachineState, failure: EngineFailure, now: number, rules: Rules): Step {
  const deadline = rules.timing.killGrace;
  return {
    state: { ...state, phase: "stopping", onEnd: "recover", stopDeadline: deadline, suspect: false, failure },
    actions: [{ do: "rest" }, { do: "kill", deadline }],
    notes: [{ is: "condemned", failure, after: now - state.launchedAt }],
  };
}

/** No process any more: what follows depends on who ended it, why, and how often that happened. */
function afterEnd(
  state: MachineState,
  failure: EngineFailure,
  lastLine: string | undefined,
  now: number,
  rules: Rules,
): Step {
  const gone: MachineState = { ...state, pid: undefined, suspect: false, progress: undefined };
  if (state.phase === "stopping" && state.onEnd === "stop") return stopped(gone, now);
  // An engine that was condemned already has its cause; how it died of that says nothing.
  if (state.phase === "stopping") return recover(gone, state.failure ?? failure, [], now, rules);
  const up = state.readyAt === undefined ? undefined : now - state.readyAt;
  return recover(gone, failure, [{ is: "crashed", failure, phase: state.phase, up, lastLine }], now, rules);
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

function stop(state: MachineState, deadline: number, now: number): Step {
  if (state.process === "none") {
    return state.phase === "stopped" ? { state, actions: [], notes: [] } : stopped(state, now);
  }
  const stopping: MachineState = {
    ...state,
    phase: "stopping",
    onEnd: "stop",
    stopDeadline: deadline,
    suspect: false,
  };
  const kill: readonly Action[] = state.process === "running" ? [{ do: "kill", deadline }] : [];
  // A second stop hurries the first, which is no new transition.
  const known = state.phase === "stopping" && state.onEnd === "stop";
  return {
    state: stopping,
    actions: [{ do: "rest" }, ...kill],
    notes: known ? [] : [{ is: "stopping", deadline }],
  };
}

function stopped(state: MachineState, now: number): Step {
  const up = state.readyAt === undefined ? undefined : now - state.readyAt;
  return {
    state: { ...state, phase: "stopped", readyAt: undefined },
    actions: [{ do: "rest" }],
    notes: [{ is: "stopped", up }],
  };
}
