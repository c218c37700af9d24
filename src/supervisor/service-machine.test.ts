import { describe, expect, test } from "vitest";
import type { EngineFailure } from "../engines/engine.ts";
import { step } from "./service-machine.ts";
import type { Input, MachineState, Rules, Step } from "./service-state.ts";
import { INITIAL } from "./service-state.ts";
import { TIMING } from "./timing.ts";

const RULES: Rules = {
  restart: { restarts: 3, window: 60_000, backoffMin: 100, backoffMax: 300 },
  loadTimeout: 10_000,
  timing: TIMING,
  warmUp: false,
};
const crash: EngineFailure = { code: "engine.crashed", message: "It ended.", hint: "-", recoverable: true };
const badModel: EngineFailure = {
  code: "model.not-gguf",
  message: "No GGUF.",
  hint: "-",
  recoverable: false,
};

/** Runs inputs one after another at the times given and keeps the last step. */
function play(...script: readonly (readonly [number, Input])[]): Step {
  return playBy(RULES, ...script);
}

function playBy(rules: Rules, ...script: readonly (readonly [number, Input])[]): Step {
  let last: Step = { state: INITIAL, actions: [], notes: [] };
  for (const [now, input] of script) last = step(last.state, input, now, rules);
  return last;
}

/** What follows an input when it also has its turn at once. */
function withTurn(state: MachineState, input: Input, now: number): Step {
  return step(step(state, input, now, RULES).state, { kind: "turn" }, now, RULES);
}

const start = [0, { kind: "start" }] as const;
const turn = [0, { kind: "turn" }] as const;
const launched = [5, { kind: "launched", generation: 1, pid: 42 }] as const;
const ready = [100, { kind: "health", generation: 1, health: { state: "ready" } }] as const;
const exit = (failure: EngineFailure, generation = 1): Input => ({
  kind: "exit",
  generation,
  failure,
  lastLine: undefined,
});
const unreachable: Input = {
  kind: "health",
  generation: 1,
  health: { state: "unreachable", reason: "ECONNREFUSED" },
};
const names = ({ notes }: Step): string[] => notes.map((note) => note.is);

describe("one service", () => {
  test("starts, loads with progress, and is ready with the time it took", () => {
    const loading = play(start, turn, launched, [
      50,
      { kind: "health", generation: 1, health: { state: "loading", progress: 0.4 } },
    ]);
    expect(loading.state).toMatchObject({ phase: "loading", progress: 0.4, pid: 42 });
    const done = step(loading.state, ready[1], 700, RULES);
    expect(done.state).toMatchObject({ phase: "ready", progress: undefined });
    expect(done.notes).toEqual([{ is: "ready", loadedIn: 695, restarts: 0, adopted: false }]);
    expect(done.actions).toEqual([{ do: "probe", delay: TIMING.livenessEvery }]);
  });

  test("looks often at first and ever more rarely while it loads", () => {
    expect(play(start, turn, launched).actions).toEqual([{ do: "probe", delay: 20 }]);
    expect(play(start, turn, launched, [60, unreachable]).actions).toEqual([{ do: "probe", delay: 20 }]);
    expect(play(start, turn, launched, [2005, unreachable]).actions).toEqual([{ do: "probe", delay: 200 }]);
    expect(play(start, turn, launched, [9000, unreachable]).actions).toEqual([{ do: "probe", delay: 500 }]);
  });

  test("is ended when it is not ready in time, and then counts as failed once", () => {
    const late = play(start, turn, launched, [10_005, unreachable]);
    expect(late.state).toMatchObject({ phase: "stopping", failure: { code: "engine.start-timeout" } });
    expect(late.actions).toContainEqual({ do: "kill", deadline: TIMING.killGrace });
    const after = step(late.state, exit(crash), 10_100, RULES);
    expect(after.state).toMatchObject({ phase: "backing-off", failure: { code: "engine.start-timeout" } });
    expect(names(after)).toEqual(["restarting"]);
  });

  test("that crashes waits twice as long each time, up to the bound, then gives up with the cause", () => {
    let now = 0;
    let { state }: { state: MachineState } = play(start, turn);
    const delays: number[] = [];
    while (state.phase !== "failed") {
      state = step(state, { kind: "launched", generation: state.generation, pid: 1 }, ++now, RULES).state;
      const after = step(state, exit(crash, state.generation), ++now, RULES);
      delays.push(...after.actions.flatMap((action) => (action.do === "wait" ? [action.delay] : [])));
      ({ state } = withTurn(after.state, { kind: "wake" }, (now += 300)));
    }
    expect(delays).toEqual([100, 200, 300]);
    expect(state.failure?.code).toBe("engine.gave-up");
    expect(state.failure?.message).toContain("4 times within 1 m 0 s; its budget is 3 restarts");
    expect(state.failure?.message).toContain("It ended.");
  });

  test("has its budget back when its failures are older than the window", () => {
    let now = 0;
    let { state }: { state: MachineState } = play(start, turn);
    for (let round = 0; round < 20; round++) {
      state = step(state, { kind: "launched", generation: state.generation, pid: 1 }, now, RULES).state;
      state = step(state, exit(crash, state.generation), (now += 60_001), RULES).state;
      expect(state.phase).toBe("backing-off");
      ({ state } = withTurn(state, { kind: "wake" }, now));
    }
    expect(state.restarts).toBe(20);
  });

  test("with a bad model is not started again", () => {
    const after = play(start, turn, launched, [50, exit(badModel)]);
    expect(after.state).toMatchObject({ phase: "failed", failure: badModel });
    expect(names(after)).toEqual(["failed"]);
    expect(step(after.state, { kind: "wake" }, 99_999, RULES).actions).toEqual([]);
  });

  test("is hung only after many looks and a long silence", () => {
    let { state } = play(start, turn, launched, ready);
    let now = 100;
    for (let look = 0; state.phase === "ready" && look < 1000; look++) {
      ({ state } = step(state, unreachable, (now += 250), RULES));
    }
    expect(now - 100).toBeGreaterThanOrEqual(TIMING.hungAfter);
    expect(state).toMatchObject({ phase: "stopping", failure: { code: "engine.hung" } });
    expect(state.failure?.message).toContain("ECONNREFUSED");
  });

  test("of which a request broke is looked at at once and trusted again after an answer", () => {
    const suspect = play(start, turn, launched, ready, [200, { kind: "broken" }]);
    expect(suspect.state).toMatchObject({ phase: "ready", suspect: true });
    expect(suspect.actions).toEqual([{ do: "probe", delay: 0 }]);
    expect(step(suspect.state, { kind: "broken" }, 201, RULES).actions).toEqual([]);
    expect(step(suspect.state, ready[1], 202, RULES).state.suspect).toBe(false);
  });

  test("stopped while it was being launched is ended as soon as there is a process", () => {
    const stopping = play(start, turn, [1, { kind: "stop", deadline: 700 }]);
    expect(stopping.state.phase).toBe("stopping");
    const born = step(stopping.state, launched[1], 5, RULES);
    expect(born.actions).toEqual([{ do: "kill", deadline: 700 }]);
    expect(step(born.state, exit(crash), 9, RULES).state.phase).toBe("stopped");
  });

  test("stopped a second time is hurried", () => {
    const hurried = play(
      start,
      turn,
      launched,
      ready,
      [200, { kind: "stop", deadline: 9000 }],
      [300, { kind: "stop", deadline: 0 }],
    );
    expect(hurried.actions).toContainEqual({ do: "kill", deadline: 0 });
  });
});
