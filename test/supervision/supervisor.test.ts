import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Address } from "../../src/core/index.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import { fakeService } from "../fakes/fake-driver.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

let node: Supervised;
const pids = new Set<number>();
const view = () => {
  const [first] = node.supervisor.services();
  if (first === undefined) throw new Error("the plan has no service");
  if (first.pid !== undefined) pids.add(first.pid);
  return first;
};
const kinds = (): string[] => node.events.kinds().filter((kind) => kind !== "service.loading");
const event = (kind: string) => node.events.events.find((event) => event.kind === kind);
const socketOf = (address: Address | undefined): string => (address?.kind === "unix" ? address.path : "");

/** Started and ready. */
async function serve(...args: Parameters<typeof supervise>): Promise<void> {
  node = supervise(...args);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(true);
  view();
}

afterEach(async () => {
  await node.end();
  const left = [...pids].filter(isAlive);
  pids.clear();
  if (left.length > 0) throw new Error(`still alive after the end: ${left.join(", ")}`);
});

describe("a service", () => {
  test("is started, loads, serves, and is stopped with nothing left", async () => {
    await serve([fakeService("oracle", { load: 300 }), fakeService("scribe")]);
    expect(await node.ready("scribe")).toBe(true);
    const address = node.supervisor.address("oracle");
    expect(await ask(address, "/health")).toBe(200);
    expect(view()).toMatchObject({ state: "ready", restarts: 0, contextTokens: 2048, engine: "fake" });
    expect(statSync(dirname(socketOf(address))).mode & 0o777).toBe(0o700);
    await node.supervisor.stop(20_000);
    expect(view()).toMatchObject({ state: "stopped" });
    expect(node.supervisor.address("oracle")).toBeUndefined();
    expect(existsSync(dirname(socketOf(address)))).toBe(false);
    expect(readdirSync(join(node.stateFolder, "units"))).toEqual([]);
    const own = node.events.events.filter(({ service }) => service === "oracle").map(({ kind }) => kind);
    expect(own.slice(0, 1)).toEqual(["service.starting"]);
    expect(own.slice(-3)).toEqual(["service.ready", "service.stopping", "service.stopped"]);
  });

  test.each([3, 0])("that ends by itself with code %d is started again, and says why", async (code) => {
    await serve([fakeService("oracle", { print: ["the last thing it said"] })]);
    const { pid } = view();
    await ask(node.supervisor.address("oracle"), `/exit?code=${code}`);
    node.supervisor.reportBroken("oracle", "connection reset");
    expect(await node.ready("oracle")).toBe(true);
    expect(view()).toMatchObject({ state: "ready", restarts: 1 });
    expect(view().pid).not.toBe(pid);
    expect(await ask(node.supervisor.address("oracle"), "/health")).toBe(200);
    expect(event("service.crashed")).toMatchObject({
      severity: "error",
      service: "oracle",
      message: expect.stringContaining(`exit code ${code}`),
      data: { pid, code: "engine.crashed", lastLine: "the last thing it said" },
    });
    expect(event("service.restarting")?.message).toBe(
      "oracle starts again in 20 ms (restart 1 of at most 3 within 10 m 0 s).",
    );
  });

  test("that is killed from outside gets no request until it is back", async () => {
    await serve([fakeService("oracle")]);
    process.kill(view().pid ?? 0, "SIGKILL");
    node.supervisor.reportBroken("oracle", "connection reset");
    expect(node.supervisor.address("oracle")).toBeUndefined();
    expect(await node.ready("oracle")).toBe(true);
    expect(await ask(node.supervisor.address("oracle"), "/health")).toBe(200);
    expect(event("service.crashed")?.data).toMatchObject({ code: "engine.killed" });
  });

  test("of which one request broke, though it is well, is used again after a look", async () => {
    await serve([fakeService("oracle")]);
    const { pid } = view();
    node.supervisor.reportBroken("oracle", "connection reset");
    expect(node.supervisor.address("oracle")).toBeUndefined();
    expect(await node.ready("oracle")).toBe(true);
    expect(view()).toMatchObject({ pid, restarts: 0, state: "ready" });
  });

  test("that crashes again and again stays down, with the count and the cause", async () => {
    node = supervise([fakeService("oracle", { exitAfterLoad: 7, print: ["out of luck"] })]);
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(false);
    expect(view()).toMatchObject({ state: "failed", restarts: 3 });
    expect(view().reason).toContain("4 times");
    expect(kinds().filter((kind) => kind === "service.crashed")).toHaveLength(4);
    expect(kinds().at(-1)).toBe("service.gave-up");
    expect(event("service.gave-up")?.message).toContain("exit code 7; its last line: out of luck");
    expect(node.supervisor.diagnostics()).toMatchObject([
      { code: "engine.gave-up", severity: "error", path: "services.oracle" },
    ]);
  });

  test("with a bad model is not started again", async () => {
    const failure = {
      code: "model.not-gguf",
      message: "x.gguf is no GGUF file.",
      hint: "Give a model in GGUF format.",
    };
    node = supervise([fakeService("oracle", { exitAfterLoad: 2, failure })]);
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(false);
    expect(kinds()).toEqual(["service.starting", "service.failed"]);
    expect(view()).toMatchObject({ state: "failed", reason: `${failure.message} ${failure.hint}` });
    expect(node.supervisor.diagnostics()).toMatchObject([{ code: "model.not-gguf", hint: failure.hint }]);
  });

  test("whose program is missing fails at once", async () => {
    const service = fakeService("oracle");
    node = supervise([service]);
    const original = process.execPath;
    process.execPath = join(node.stateFolder, "no-such-node");
    try {
      await node.supervisor.start();
      expect(await node.ready("oracle")).toBe(false);
    } finally {
      process.execPath = original;
    }
    expect(kinds()).toEqual(["service.starting", "service.failed"]);
    expect(view().reason).toContain("no-such-node");
  });

  test("that hangs is killed and started again", async () => {
    // Long enough that a busy machine does not make a healthy engine look hung, short enough for a test.
    const timing = { probeTimeout: 1500, retryProbe: 50, livenessEvery: 100, hungProbes: 2, hungAfter: 2500 };
    await serve([fakeService("oracle", { ignoreTerm: true })], { timing: { ...timing, killGrace: 100 } });
    const { pid } = view();
    void ask(node.supervisor.address("oracle"), "/hang");
    await eventually("the hung engine is ended", () => event("service.hung") !== undefined);
    expect(await node.ready("oracle")).toBe(true);
    expect(view().restarts).toBe(1);
    expect(isAlive(pid ?? 0)).toBe(false);
    expect(event("service.hung")?.message).toContain("did not answer 2 health probes");
  });

  test("that is not ready in time is ended and counted", async () => {
    const service = fakeService("oracle", { load: 600_000 }, { loadTimeout: 2000 });
    node = supervise([{ ...service, restart: { ...service.restart, restarts: 0 } }]);
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(false);
    expect(kinds()).toEqual(["service.starting", "service.start-timeout", "service.gave-up"]);
    expect(event("service.gave-up")?.message).toContain("It was not ready after 2.");
  });
});

describe("a stop", () => {
  test("of an engine that ignores it ends at the deadline by force", async () => {
    await serve([fakeService("oracle", { ignoreTerm: true })]);
    await node.supervisor.stop(300);
    expect(view().state).toBe("stopped");
  });

  test("is hurried by a second one", async () => {
    await serve([fakeService("oracle", { ignoreTerm: true })]);
    const first = node.supervisor.stop(600_000);
    await node.supervisor.stop(0);
    await first;
    expect(view().state).toBe("stopped");
  });

  test("during a start leaves nothing, and nobody waits any longer", async () => {
    node = supervise([fakeService("oracle", { load: 600_000 })]);
    await node.supervisor.start();
    const ready = node.ready("oracle");
    await node.supervisor.stop(1000);
    expect(await ready).toBe(false);
    expect(view().state).toBe("stopped");
    expect(readdirSync(join(node.stateFolder, "units"))).toEqual([]);
  });
});

describe("whenReady", () => {
  test("gives up after its time, when nobody waits any more, and for a service that is not there", async () => {
    node = supervise([fakeService("oracle", { load: 600_000 })]);
    await node.supervisor.start();
    const never = new AbortController().signal;
    expect(await node.supervisor.whenReady("oracle", 20, never)).toBe(false);
    expect(await node.supervisor.whenReady("oracle", 600_000, AbortSignal.timeout(20))).toBe(false);
    expect(await node.supervisor.whenReady("oracle", 600_000, AbortSignal.abort())).toBe(false);
    expect(await node.supervisor.whenReady("nobody", 600_000, never)).toBe(false);
  });
});

test("a state folder with a long path still has sockets that the kernel takes", async () => {
  await serve([fakeService("a".repeat(60)), fakeService("oracle")], { stateFolder: "deep/".repeat(30) });
  const path = socketOf(node.supervisor.address("oracle"));
  expect(Buffer.byteLength(path)).toBeLessThanOrEqual(107);
  expect(path.startsWith(node.stateFolder)).toBe(false);
  expect(await node.ready("a".repeat(60))).toBe(true);
  await node.supervisor.stop(20_000);
  expect(existsSync(dirname(path))).toBe(false);
});

test("an engine that nobody here can watch fails by name", async () => {
  node = supervise([fakeService("oracle", {}, { engine: { name: "vllm", version: "1" } })]);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(false);
  expect(view()).toMatchObject({ state: "failed", restarts: 0 });
  expect(view().reason).toContain("nothing here knows how to watch the engine vllm");
  expect(node.supervisor.diagnostics()).toMatchObject([{ code: "engine.not-run-here" }]);
});
