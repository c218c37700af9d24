import { describe, expect, test } from "vitest";
import type { EngineFailure } from "../engines/engine.ts";
import { step } from "./service-machine.ts";
import type { Input, MachineState, Rules } from "./service-state.ts";
import { INITIAL } from "./service-state.ts";
import { TIMING } from "./timing.ts";

const RULES: Rules = {
  restart: { restarts: 3, window: 60_000, backoffMin: 100, backoffMax: 300 },
  loadTimeout: 10_000,
  timing: TIMING,
  warmUp: false,
};
const crash: EngineFailure = { code: "engine.crashed", message: "It ended.", hint: "-", recoverable: true };
const lost: EngineFailure = { ...crash, code: "gpu.lost", message: "gpu0 is lost.", recoverable: false };

const play = (from: MachineState, ...inputs: readonly Input[]) =>
  inputs.reduce((last, input) => step(last.state, input, 1000, RULES), {
    state: from,
    actions: [],
    notes: [],
  } as ReturnType<typeof step>);
const ready = play(
  INITIAL,
  { kind: "start" },
  { kind: "turn" },
  { kind: "launched", generation: 1, pid: 42 },
  { kind: "health", generation: 1, health: { state: "ready" } },
).state;
const drain = (goal: "stop" | "unload" | "restart" | "sleep" | "stay", inFlight = 0): Input => ({
  kind: "drain",
  goal,
  why: "Another needs its card.",
  limit: 5000,
  inFlight,
});
const exit: Input = { kind: "exit", generation: 1, failure: crash, lastLine: undefined };

describe("a drain", () => {
  test.each([
    ["unload", "unloaded"],
    ["stop", "stopped"],
    ["restart", "queued"],
  ] as const)("for %s waits for answers, ends the engine without force, and ends %s", (goal, end) => {
    const draining = play(ready, drain(goal, 2));
    expect(draining.state.phase).toBe("draining");
    expect(draining.actions).toEqual([{ do: "wait", delay: 5000 }]);
    const over = play(draining.state, { kind: "drained" });
    expect(over.actions).toContainEqual({ do: "kill", deadline: TIMING.stopGrace });
    expect(play(over.state, exit).state).toMatchObject({ phase: end, failures: [], restarts: 0 });
  });

  test("of a service that nobody uses ends at once", () => {
    expect(play(ready, drain("unload")).state.phase).toBe("stopping");
  });

  test("is taken back by a request, unless it is for a restart", () => {
    const request: Input = { kind: "start", why: "A request asks for it." };
    expect(play(ready, drain("unload", 1), request).state).toMatchObject({ phase: "ready", pid: 42 });
    expect(play(ready, drain("restart", 1), request).state.phase).toBe("draining");
  });

  test("that ends in a crash is no failure: it was to end anyway", () => {
    const crashed = play(ready, drain("unload", 1), exit);
    expect(crashed.state).toMatchObject({ phase: "unloaded", failures: [] });
    expect(crashed.notes.map(({ is }) => is)).toEqual(["crashed", "unloaded"]);
    expect(play(ready, drain("stay"), exit).state.phase).toBe("backing-off");
  });

  test("for sleep keeps the process; a request queues it, and its turn wakes it", () => {
    const told = play(ready, drain("sleep"));
    expect(told.actions).toContainEqual({ do: "put-to-sleep" });
    const asleep = play(told.state, { kind: "slept", generation: 1 });
    expect(asleep.state).toMatchObject({ phase: "asleep", process: "running", pid: 42 });
    const woken = play(asleep.state, { kind: "start" }, { kind: "turn" });
    expect(woken.actions).toEqual([{ do: "rouse" }]);
    const up = play(
      woken.state,
      { kind: "woken", generation: 1 },
      { kind: "health", generation: 1, health: { state: "ready" } },
    );
    expect(up.state).toMatchObject({ phase: "ready", generation: 1, sleeps: false });
  });

  test("for sleep of an engine that cannot unloads it", () => {
    const refused = play(ready, drain("sleep"), { kind: "slept", generation: 1, fault: "404" }, exit);
    expect(refused.state).toMatchObject({ phase: "unloaded", process: "none" });
  });
});

test("a service whose card is gone is ended and stays failed, until it is started anew", () => {
  const doomed = play(ready, { kind: "doomed", failure: lost });
  expect(doomed.state.phase).toBe("stopping");
  const failed = play(doomed.state, exit);
  expect(failed.state).toMatchObject({ phase: "failed", failure: lost });
  expect(play(failed.state, { kind: "start", anew: true }).state).toMatchObject({
    phase: "queued",
    failure: undefined,
  });
});

test("an engine that was taken over is looked at, and is ready when it answers", () => {
  const adopted = play(INITIAL, { kind: "adopted", pid: 7 });
  expect(adopted).toMatchObject({
    state: { phase: "starting", adopted: true },
    actions: [{ do: "probe", delay: 0 }],
  });
  const up = play(adopted.state, { kind: "health", generation: 1, health: { state: "ready" } });
  expect(up.notes).toMatchObject([{ is: "ready", adopted: true }]);
  expect(play(INITIAL, { kind: "start" }, { kind: "adopted", pid: 7 }).state.process).toBe("running");
});
