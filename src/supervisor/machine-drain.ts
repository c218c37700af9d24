import { goDown, settled } from "./machine-end.ts";
import type { Input, MachineState, Rules, Step } from "./service-state.ts";
import { stay } from "./service-state.ts";

type Drain = Extract<Input, { kind: "drain" }>;

/** Takes nothing new, lets answers finish, and then does what the drain is for. */
export function drain(state: MachineState, input: Drain, now: number, rules: Rules): Step {
  const { goal, why } = input;
  const meant: MachineState = { ...state, goal, why };
  switch (state.phase) {
    case "ready":
    case "draining":
      // What is being put to sleep is out of reach until that is done.
      return state.sleeps ? stay(state) : letFinish(meant, input, now, rules);
    case "queued":
    case "starting":
    case "loading":
    case "backing-off":
      return goal === "stay" ? stay(state) : withdraw(meant, now, rules);
    case "asleep":
      return goal === "sleep" || goal === "stay" ? stay(state) : withdraw(meant, now, rules);
    case "stopping":
      return stay(goal === "stay" || state.goal === "stop" ? state : { ...meant, goal: gone(goal) });
    case "unloaded":
      return goal === "stop" || goal === "restart" ? settled(meant, now) : stay(state);
    case "stopped":
      if (goal === "unload") return settled(meant, now);
      return goal === "restart" ? settled({ ...meant, failures: [], failure: undefined }, now) : stay(state);
    case "failed":
      if (goal === "restart") return settled({ ...meant, failures: [], failure: undefined }, now);
      return goal === "stop" ? settled(meant, now) : stay(state);
  }
}

function letFinish(
  state: MachineState,
  { inFlight, limit, why, goal }: Drain,
  now: number,
  rules: Rules,
): Step {
  if (goal !== "stay" && inFlight === 0) return drainOver(state, now, rules);
  return {
    state: { ...state, phase: "draining", suspect: false },
    actions: [
      goal === "stay" ? { do: "probe", delay: rules.timing.livenessEvery } : { do: "wait", delay: limit },
    ],
    notes: [{ is: "draining", why, inFlight, limit: goal === "stay" ? undefined : limit }],
  };
}

/** Nobody is being answered, or their time is over. */
export function drainOver(state: MachineState, _now: number, rules: Rules): Step {
  if (state.sleeps) return stay(state);
  if (state.goal !== "sleep") return goDown(state, rules.timing.stopGrace);
  return {
    state: { ...state, phase: "draining", sleeps: true },
    actions: [{ do: "rest" }, { do: "put-to-sleep" }],
    notes: [],
  };
}

/** The call that puts an engine to sleep came back. One that cannot sleep is unloaded. */
export function slept(state: MachineState, fault: string | undefined, _now: number, rules: Rules): Step {
  if (fault !== undefined) {
    const why = `${state.why ?? ""} It did not go to sleep: ${fault}.`.trim();
    return goDown({ ...state, sleeps: false, goal: "unload", why }, rules.timing.stopGrace);
  }
  return {
    state: { ...state, phase: "asleep", readyAt: undefined },
    actions: [{ do: "rest" }],
    notes: [{ is: "asleep", why: state.why }],
  };
}

/** Down without a drain: it answers nobody. */
function withdraw(state: MachineState, now: number, rules: Rules): Step {
  const meant: MachineState = { ...state, goal: gone(state.goal) };
  return meant.process === "none" ? settled(meant, now) : goDown(meant, rules.timing.stopGrace);
}

/** What a drain to sleep comes to where no engine is ready to sleep. */
const gone = (goal: MachineState["goal"]): MachineState["goal"] => (goal === "sleep" ? "unload" : goal);
