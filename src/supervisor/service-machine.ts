import { drain, drainOver, slept } from "./machine-drain.ts";
import { afterEnd, condemn, doom, stop } from "./machine-end.ts";
import { look, warmed, woken } from "./machine-look.ts";
import type { Action, Input, MachineState, Rules, Step } from "./service-state.ts";
import { stay } from "./service-state.ts";

/** Decides what follows from one input. Pure: `now` is the only clock, and nothing is done here. */
export function step(state: MachineState, input: Input, now: number, rules: Rules): Step {
  switch (input.kind) {
    case "start":
      return start(state, input.why, input.anew ?? false);
    case "blocked":
      return state.granted ? stay(state) : blocked(state, input.why);
    case "granted":
      return stay(
        state.phase === "queued" && !state.granted ? { ...state, granted: true, waitsFor: undefined } : state,
      );
    case "waiting":
      return state.phase === "queued" && state.granted ? waiting(state, input.why) : stay(state);
    case "turn":
      return state.phase === "queued" ? turn(state, now) : stay(state);
    case "adopted":
      return state.process === "none" ? adopt(state, input.pid, now) : stay(state);
    case "wake":
      return wake(state, now, rules);
    case "broken":
      return state.phase === "ready" && !state.suspect
        ? { state: { ...state, suspect: true }, actions: [{ do: "probe", delay: 0 }], notes: [] }
        : stay(state);
    case "drain":
      return drain(state, input, now, rules);
    case "drained":
      return state.phase === "draining" && state.goal !== "stay" ? drainOver(state, now, rules) : stay(state);
    case "doomed":
      return doom(state, input.failure, now, rules);
    case "stop":
      return stop(state, input.deadline, now);
    default:
      return input.generation === state.generation ? report(state, input, now, rules) : stay(state);
  }
}

type Report = Extract<Input, { generation: number }>;

/** Phases in which health is looked at. */
const watched = (state: MachineState): boolean =>
  state.process === "running" && state.phase !== "stopping" && !state.sleeps;

function report(state: MachineState, input: Report, now: number, rules: Rules): Step {
  switch (input.kind) {
    case "launched":
      if (state.process !== "launching") return stay(state);
      // What came before, such as the pull of an image, is no part of the load time.
      return launched({ ...state, process: "running", pid: input.pid, launchedAt: now }, rules);
    case "not-launched":
      if (state.process !== "launching") return stay(state);
      return afterEnd({ ...state, process: "none" }, input.failure, undefined, now, rules);
    case "exit":
      if (state.process !== "running") return stay(state);
      return afterEnd({ ...state, process: "none" }, input.failure, input.lastLine, now, rules);
    case "health":
      return watched(state) && !state.warming ? look(state, input.health, now, rules) : stay(state);
    case "warmed":
      return watched(state) && state.warming ? warmed(state, input.fault, now, rules) : stay(state);
    case "fault":
      return state.process === "running" && state.phase !== "stopping"
        ? condemn(state, input.failure, now, rules)
        : stay(state);
    case "slept":
      return state.phase === "draining" && state.goal === "sleep" && state.sleeps
        ? slept(state, input.fault, now, rules)
        : stay(state);
    case "woken":
      return state.phase === "loading" && state.sleeps ? woken(state, input.fault, now, rules) : stay(state);
  }
}

/** Somebody wants it up, whatever it does now. */
function start(state: MachineState, why: string | undefined, anew: boolean): Step {
  switch (state.phase) {
    case "stopped":
      return queue({ ...state, failures: [], failure: undefined }, why);
    case "failed":
    case "unloaded":
    case "asleep":
      return queue(anew ? { ...state, failures: [], failure: undefined } : state, why);
    case "backing-off":
      return anew ? queue({ ...state, failures: [] }, why) : stay(state);
    case "draining":
      return keepUp(state, why);
    case "stopping":
      return stay(
        state.goal === "stop" || state.goal === "unload" ? { ...state, goal: "restart", why } : state,
      );
    case "queued":
    case "starting":
    case "loading":
    case "ready":
      return stay(state);
  }
}

/** A drain that somebody changed their mind about. One that is for a restart, or that already put it to sleep, goes on. */
function keepUp(state: MachineState, why: string | undefined): Step {
  if (state.goal === "restart" || state.sleeps) return stay(state);
  return {
    state: { ...state, phase: "ready", goal: "recover", why: undefined },
    actions: [{ do: "probe", delay: 0 }],
    notes: [{ is: "resumed", why }],
  };
}

function queue(state: MachineState, why: string | undefined): Step {
  return {
    state: { ...state, phase: "queued", goal: "recover", granted: false, waitsFor: undefined, why },
    actions: [{ do: "rest" }],
    notes: [],
  };
}

/** Waiting is an event only where there is something to wait for. */
function blocked(state: MachineState, waitsFor: string): Step {
  if (state.phase !== "queued" || state.waitsFor === waitsFor) return stay(state);
  return { state: { ...state, waitsFor }, actions: [], notes: [{ is: "queued", why: waitsFor }] };
}

/** Told once; how the figures move is seen in the state only. */
function waiting(state: MachineState, waitsFor: string): Step {
  const told = state.waitsFor !== undefined;
  return { state: { ...state, waitsFor }, actions: [], notes: told ? [] : [{ is: "queued", why: waitsFor }] };
}

function turn(state: MachineState, now: number): Step {
  if (state.process === "running") return rouse(state, now);
  const generation = state.generation + 1;
  return {
    state: { ...begun(state, now), phase: "starting", generation, process: "launching", adopted: false },
    actions: [{ do: "launch", generation }],
    notes: [{ is: "starting", restarts: state.restarts, why: state.why }],
  };
}

function adopt(state: MachineState, pid: number | undefined, now: number): Step {
  const generation = state.generation + 1;
  return {
    state: { ...begun(state, now), phase: "starting", generation, process: "running", adopted: true, pid },
    actions: [{ do: "probe", delay: 0 }],
    notes: [{ is: "adopted" }],
  };
}

function rouse(state: MachineState, now: number): Step {
  return {
    state: { ...begun(state, now), phase: "loading" },
    actions: [{ do: "rouse" }],
    notes: [{ is: "waking", why: state.why }],
  };
}

const begun = (state: MachineState, now: number): MachineState => ({
  ...state,
  goal: "recover",
  why: undefined,
  waitsFor: undefined,
  granted: false,
  launchedAt: now,
  answeredAt: now,
  readyAt: undefined,
  unanswered: 0,
  suspect: false,
  warming: false,
  coldAnswers: 0,
  progress: undefined,
});

function launched(state: MachineState, { timing }: Rules): Step {
  const next: Action =
    state.phase === "stopping"
      ? { do: "kill", deadline: state.stopDeadline }
      : { do: "probe", delay: timing.firstProbe };
  return { state, actions: [next], notes: [] };
}

function wake(state: MachineState, now: number, rules: Rules): Step {
  if (state.phase === "backing-off")
    return queue({ ...state, restarts: state.restarts + 1 }, state.failure?.message);
  if (state.phase === "draining" && state.goal !== "stay" && !state.sleeps) {
    const over = drainOver(state, now, rules);
    return { ...over, notes: [{ is: "drain-expired" }, ...over.notes] };
  }
  return stay(state);
}
