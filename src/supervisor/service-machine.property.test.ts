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
  warmUp: true,
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

const GOALS = ["stop", "unload", "restart", "sleep", "stay"] as const;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>(
    () => ({ kind: "start", why: "A request asks for it." }),
    () => ({ kind: "start", anew: true }),
    () => ({ kind: "blocked", why: "Another starts first." }),
    () => ({ kind: "granted" }),
    () => ({ kind: "waiting", why: "Memory is taken." }),
    () => ({ kind: "wake" }),
    () => ({ kind: "broken" }),
    () => ({ kind: "drained" }),
    () => ({ kind: "adopted", pid: 8 }),
    () => ({ kind: "doomed", failure: { ...crash, code: "gpu.lost", recoverable: false } }),
  ),
  fc.constantFrom<Happening>(
    () => ({ kind: "turn" }),
    () => ({ kind: "turn" }),
    (generation) => ({ kind: "launched", generation, pid: 7 }),
    (generation) => ({ kind: "not-launched", generation, failure: crash }),
    (generation) => ({ kind: "warmed", generation }),
    (generation) => ({ kind: "warmed", generation, fault: "no token" }),
    (generation) => ({ kind: "slept", generation }),
    (generation) => ({ kind: "slept", generation, fault: "404" }),
    (generation) => ({ kind: "woken", generation }),
    (generation) => ({ kind: "woken", generation, fault: "404" }),
    (generation) => ({ kind: "fault", generation, failure: { ...crash, code: "engine.core-dead" } }),
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
  fc
    .record({ goal: fc.constantFrom(...GOALS), inFlight: fc.nat({ max: 1 }) })
    .map((drain): Happening => () => ({ kind: "drain", why: "Its owner wants it.", limit: 500, ...drain })),
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
    const isBirth = input.kind === "launched" || input.kind === "not-launched";
    if (speaksOfNow && (processes === 0 || born === isBirth)) continue;
    if (input.kind === "adopted" && processes > 0) continue;
    if (speaksOfNow && isEnd) processes--;
    if (speaksOfNow && input.kind === "launched") born = true;
    if (input.kind === "adopted") [processes, born] = [1, true];
    const after = step(state, input, now, RULES);
    if (launches(after.actions) > 0) born = false;
    processes += launches(after.actions);
    moments.push({ ...after, before: state, input, now, processes });
    ({ state } = after);
  }
  return moments;
}

/** The failures before it do not count any more. */
const isForgiven = ({ phase }: MachineState, input: Input): boolean =>
  (input.kind === "start" && (input.anew === true || phase === "stopped")) ||
  (input.kind === "drain" && input.goal === "restart" && (phase === "stopped" || phase === "failed"));
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
      for (const { before, input, actions, now } of play(script)) {
        // A start that a person asks for begins a new budget.
        if (isForgiven(before, input)) recent = [];
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

test("it never waits for nothing: while something is to come, something is under way", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      let pending: string | undefined;
      for (const { before, input, actions, state } of play(script)) {
        // What was under way has arrived: it must lead to something new.
        const speaksOfNow = !("generation" in input) || input.generation === before.generation;
        if (pending !== undefined && speaksOfNow && ANSWERS[pending] === input.kind) pending = undefined;
        for (const { do: it } of actions) {
          if (it in ANSWERS) pending = it;
          else if (it !== "kill") pending = undefined;
        }
        const isUp = state.process === "running" && !["stopping", "asleep", "queued"].includes(state.phase);
        expect((isUp || state.phase === "backing-off") && pending === undefined).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

/** What begins by one of these ends in such an input. */
const ANSWERS: Readonly<Record<string, Input["kind"]>> = {
  probe: "health",
  wait: "wake",
  "warm-up": "warmed",
  "put-to-sleep": "slept",
  rouse: "woken",
};

test("no end, and no way down, without its cause", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      for (const { before, state, notes } of play(script)) {
        if (state.phase === before.phase || SILENT.has(state.phase)) continue;
        expect(notes, `${before.phase} to ${state.phase}`).not.toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

/** Being queued is an event only where there is something to wait for; what follows at once is one itself. */
const SILENT: ReadonlySet<string> = new Set(["queued"]);
