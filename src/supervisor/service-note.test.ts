import { expect, test } from "vitest";
import type { EngineFailure } from "../engines/engine.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Note } from "./service-note.ts";
import { describe as describeNote } from "./service-note.ts";

const service: PlannedService = {
  name: "oracle",
  engine: { name: "embedded", version: "1" },
  model: { name: "omni-demo", path: "/m.gguf", sizeBytes: 1 },
  devices: ["cpu"],
  contextTokens: 1,
  parallel: 1,
  queueLimit: 1,
  threads: 1,
  memory: [],
  restart: { restarts: 3, window: 600_000, backoffMin: 1000, backoffMax: 30_000 },
  loadTimeout: 1000,
  extraArguments: [],
};
const failure: EngineFailure = {
  code: "engine.killed",
  message: "It was killed by SIGKILL.",
  hint: "Look for the out-of-memory killer.",
  recoverable: true,
};
const crashed: Note = { is: "crashed", failure, phase: "ready", up: 7_500_000, lastLine: "slot 3 released" };

test.each<[Note, string, string]>([
  [
    { is: "starting", restarts: 0, why: undefined },
    "service.starting",
    "Starting oracle: engine embedded, model omni-demo.",
  ],
  [
    { is: "starting", restarts: 2, why: undefined },
    "service.starting",
    "Starting oracle again (restart 2): engine embedded, model omni-demo.",
  ],
  [
    { is: "ready", adopted: false, loadedIn: 4200, restarts: 0 },
    "service.ready",
    "oracle is ready after 4.2 s.",
  ],
  [crashed, "service.crashed", "oracle ended after 2 h 5 m ready. It was killed by SIGKILL."],
  [
    { is: "condemned", failure: { ...failure, code: "engine.hung" }, after: 9 },
    "service.hung",
    "oracle is ended by Omni. It was killed by SIGKILL.",
  ],
  [
    { is: "restarting", delay: 2000, attempt: 2, budget: service.restart },
    "service.restarting",
    "oracle starts again in 2.0 s (restart 2 of at most 3 within 10 m 0 s).",
  ],
  [
    { is: "failed", failure },
    "service.failed",
    "oracle cannot run. It was killed by SIGKILL. Look for the out-of-memory killer.",
  ],
  [
    { is: "gave-up", failure, cause: failure },
    "service.gave-up",
    "oracle stays down. It was killed by SIGKILL. Look for the out-of-memory killer.",
  ],
  [{ is: "stopping", why: undefined, deadline: 0 }, "service.stopping", "Stopping oracle by force."],
  [
    { is: "stopping", why: undefined, deadline: 8000 },
    "service.stopping",
    "Stopping oracle; what is left after 8.0 s is killed.",
  ],
  [{ is: "stopped", why: undefined, up: undefined }, "service.stopped", "oracle is stopped."],
])("%o reads well", (note, kind, message) => {
  expect(describeNote(note, service, 4711)).toMatchObject({ kind, message, service: "oracle" });
});

test("a crash carries its code, process, phase and last line for programs", () => {
  expect(describeNote(crashed, service, 4711).data).toEqual({
    pid: 4711,
    code: "engine.killed",
    hint: "Look for the out-of-memory killer.",
    phase: "ready",
    lastLine: "slot 3 released",
  });
});

test("a service that never had a process was not started rather than crashed", () => {
  const event = describeNote({ ...crashed, up: undefined }, service, undefined);
  expect(event).toMatchObject({
    kind: "service.not-started",
    message: "oracle could not be started. It was killed by SIGKILL.",
  });
});
