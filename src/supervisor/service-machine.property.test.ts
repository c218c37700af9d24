import fc from "fast-check";
import { expect, test } from "vitest";
import type { EngineFailure, Health } from "../engines/engine.ts";
import { step } from "./service-machine.ts";
import type { Action, Input, MachineState, Rules, Step } from "./service-state.ts";
import { INITIAL } from "./service-state.ts";
import { TIMING } from "./timing.ts";

const RULES: Rules = {
  restart: { restarts: 3, window: 60_000, backoffMin: 100, backoffMax: 300 },
  loadTimeout: 10_000,
  timing: TIMING,
};
const crash: EngineFailure = { code: "engine.crashed", message: "It ended.", hint: "-", recoverable: true };
const badModel: EngineFailure = { ...crash, code: "model.not-gguf", recoverable: false };
const healths: readonly Health[] = [
  { state: "ready" },
  { state: "loading", progress: 0.5 },
  { state: "failed", failure: crash },
  { state: "unreachable", reason: "ECONNREFUSED" },
];

/** An input of the world, still without the generation it speaks of. */
type Happening = (generation: number) => Input;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>(
    () => ({ kind: "start" }),
    () => ({ kind: "wake" }),
    () => ({ kind: "broken" }),
    (generation) => ({ kind: "launched", generation, pid: 7 }),
    (generation) => ({ kind: "not-launched", generation, failure: crash }),
  ),
  fc.constantFrom(crash, crash, crash, badModel).map((failure): Happening => (generation) => ({
    kind: "exit",
    generation,
    failure,
    lastLine: undefined,
  })),
  fc.constantFrom(...healths).map((health): Happening => (generation) => ({
    kind: "health",
    generation,
    health,
  })),
  fc.nat({ max: 1000 }).map((deadline): Happening => () => ({ kind: "stop", deadline })),
);

/** Anything in any order, with time between; `stale` speaks of the process before. */
const scripts = fc.array(fc.record({ passed: fc.nat({ max: 20_000 }), stale: fc.boolean(), happening }), {
  maxLength: 80,
});
type Script = readonly {
  readonly passed: number;
  readonly stale: boolean;
  readonly happening: Happening;
}[];

interface Moment extends Step {
  readonly before: MachineState;
  readonly input: Input;
  readonly now: number;
  /** Processes that really exist after this moment, counted from outside the machine. */
  readonly processes: number;
}

/** Plays a script against a world that counts processes itself and lets only those end that exist. */
function play(script: Script): readonly Moment[] {
  const moments: Moment[] = [];
  let state = INITIAL;
  let now = 0;
  let processes = 0;
  let born = false;
  for (const { passed, stale, happening } of script) {
    now += passed;
    const input = happening(state.generation - (stale ? 1 : 0));
    const speaksOfNow = "generation" in input && input.generation === state.generation;
    const isEnd = input.kind === "exit" || input.kind === "not-launched";
    if (speaksOfNow && (processes === 0 || born !== (input.kind === "exit" || input.kind === "health")))
      continue;
    if (speaksOfNow && isEnd) processes--;
    if (speaksOfNow && input.kind === "launched") born = true;
    const after = step(state, input, now, RULES);
    if (launches(after.actions) > 0) born = false;
    processes += launches(after.actions);
    moments.push({ ...after, before: state, input, now, processes });
    ({ state } = after);
  }
  return moments;
}

const launches = (actions: readonly Action[]): number =>
  actions.filter(({ do: it }) => it === "launch").length;
const kills = (actions: readonly Action[]): boolean => actions.some(({ do: it }) => it === "kill");
const stateAfter = (script: Script): MachineState => play(script).at(-1)?.state ?? INITIAL;

test("there are never two processes, and only one that exists is killed", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      for (const { processes, state, actions } of play(script)) {
        expect(processes).toBe(state.process === "none" ? 0 : 1);
        expect(kills(actions) && state.process !== "running").toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

test("restarts stay inside the budget of any window, and waits inside their bounds", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const { window, restarts, backoffMin, backoffMax } = RULES.restart;
      let recent: number[] = [];
      for (const { before, actions, now } of play(script)) {
        // A start that a person asks for begins a new budget.
        if (launches(actions) > 0 && before.phase !== "backing-off") recent = [];
        const delays = actions.flatMap((action) => (action.do === "wait" ? [action.delay] : []));
        recent = [...recent.filter((time) => now - time < window), ...delays.map(() => now)];
        expect(recent.length).toBeLessThanOrEqual(restarts);
        expect(delays.every((delay) => delay >= backoffMin && delay <= backoffMax)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("a stop ends it: nothing is launched any more, and the end of the process is the end", () => {
  fc.assert(
    fc.property(scripts, fc.boolean(), (script, startsAtAll) => {
      const stop = step(stateAfter(script), { kind: "stop", deadline: 0 }, 1e9, RULES);
      const { generation } = stop.state;
      const rest: readonly Input[] = [
        startsAtAll
          ? { kind: "launched", generation, pid: 9 }
          : { kind: "not-launched", generation, failure: crash },
        { kind: "exit", generation, failure: crash, lastLine: undefined },
        { kind: "wake" },
      ];
      let { state } = stop;
      const done = [...stop.actions];
      const existed = state.process;
      for (const input of rest) {
        const after = step(state, input, 1e9, RULES);
        done.push(...after.actions);
        ({ state } = after);
      }
      expect(launches(done)).toBe(0);
      expect(state).toMatchObject({ phase: "stopped", process: "none" });
      expect(kills(done)).toBe(existed === "running" || (existed === "launching" && startsAtAll));
    }),
    { numRuns: 500 },
  );
});

test("it never waits for nothing: while something is to come, a look, a wait or a launch is under way", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      let pending = false;
      for (const { before, input, actions, state } of play(script)) {
        // What was under way has arrived: it must lead to something new.
        if (input.kind === "wake" && before.phase === "backing-off") pending = false;
        if (input.kind === "health" && input.generation === before.generation) pending = false;
        for (const { do: it } of actions) {
          if (it === "probe" || it === "wait") pending = true;
          if (it === "rest" || it === "launch") pending = false;
        }
        const waitsForIt =
          state.phase === "backing-off" || (state.process === "running" && state.phase !== "stopping");
        expect(waitsForIt && !pending).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});
