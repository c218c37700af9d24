import type { Health } from "../engines/engine.ts";
import { hung, noFirstAnswer, notWoken, startTimeout } from "./failures.ts";
import { condemn } from "./machine-end.ts";
import type { Action, MachineState, Rules, Step } from "./service-state.ts";

/** First requests without a good answer before a start counts as failed. */
const COLD_ANSWERS = 2;

/** What a look at health means. The engine is running and not on its way down. */
export function look(state: MachineState, health: Health, now: number, rules: Rules): Step {
  switch (health.state) {
    case "failed":
      return condemn(state, health.failure, now, rules);
    case "ready":
      return answered({ ...state, answeredAt: now, unanswered: 0, suspect: false }, now, rules);
    case "loading":
      return loading({ ...state, answeredAt: now, unanswered: 0 }, health.progress, now, rules);
    case "unreachable":
      return serving(state)
        ? silent({ ...state, unanswered: state.unanswered + 1 }, health.reason, now, rules)
        : wait(state, now, rules);
  }
}

/** It is ready, or was until its owner told it to take nothing new. */
const serving = ({ phase }: MachineState): boolean => phase === "ready" || phase === "draining";

function answered(state: MachineState, now: number, rules: Rules): Step {
  if (serving(state))
    return { state, actions: [{ do: "probe", delay: rules.timing.livenessEvery }], notes: [] };
  if (!rules.warmUp) return ready(state, now, rules);
  const actions: readonly Action[] = [{ do: "rest" }, { do: "warm-up", delay: 0 }];
  if (state.phase === "loading") return { state: { ...state, warming: true }, actions, notes: [] };
  return { state: { ...state, phase: "loading", warming: true }, actions, notes: [{ is: "loading" }] };
}

function ready(state: MachineState, now: number, { timing }: Rules): Step {
  return {
    state: {
      ...state,
      phase: "ready",
      readyAt: now,
      warming: false,
      answeredAt: now,
      progress: undefined,
      failure: undefined,
    },
    actions: [{ do: "probe", delay: timing.livenessEvery }],
    notes: [
      {
        is: "ready",
        loadedIn: now - state.launchedAt,
        restarts: state.restarts,
        adopted: state.adopted,
      },
    ],
  };
}

/** The first request came back: with an answer, or with `fault`. */
export function warmed(state: MachineState, fault: string | undefined, now: number, rules: Rules): Step {
  if (fault === undefined) return ready(state, now, rules);
  const coldAnswers = state.coldAnswers + 1;
  if (coldAnswers >= COLD_ANSWERS) return condemn(state, noFirstAnswer(fault), now, rules);
  return {
    state: { ...state, coldAnswers },
    actions: [{ do: "warm-up", delay: rules.timing.livenessEvery }],
    notes: [],
  };
}

/** The call that wakes a sleeping engine came back. */
export function woken(state: MachineState, fault: string | undefined, now: number, rules: Rules): Step {
  const awake: MachineState = { ...state, sleeps: false, answeredAt: now };
  if (fault !== undefined) return condemn(awake, notWoken(fault), now, rules);
  return { state: awake, actions: [{ do: "probe", delay: 0 }], notes: [] };
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
