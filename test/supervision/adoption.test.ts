import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PlannedService } from "../../src/plan/plan.ts";
import { isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import { fakeService } from "../fakes/fake-driver.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

const HOST = fileURLToPath(new URL("../fakes/supervisor-host.ts", import.meta.url));
const GRACE = "60000";

let root = "";
let host: ChildProcess | undefined;
let node: Supervised | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "omni-adopt-"));
});

afterEach(async () => {
  host?.kill("SIGKILL");
  host = undefined;
  await node?.end();
  node = undefined;
  rmSync(root, { recursive: true, force: true });
});

/** An Omni that started this service and died by SIGKILL once it was ready; the engine's process number. */
async function startAndDie(service: PlannedService): Promise<number> {
  const child = spawn(process.execPath, [HOST, root, JSON.stringify(service), GRACE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  host = child;
  for await (const line of createInterface(child.stdout)) {
    const { engine }: { readonly engine: number } = JSON.parse(line);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    return engine;
  }
  throw new Error("the parent ended without a word");
}

const view = () => node?.supervisor.services()[0];
const event = (kind: string) => node?.events.events.find((one) => one.kind === kind);

async function startAgain(service: PlannedService): Promise<void> {
  node = supervise([service], { root });
  await node.supervisor.start();
  expect(await node.ready(service.name)).toBe(true);
}

describe("a new Omni after one that was killed", () => {
  test("takes a healthy engine over without a restart, and watches it like its own", async () => {
    const service = fakeService("oracle");
    const engine = await startAndDie(service);
    expect(isAlive(engine)).toBe(true);
    await startAgain(service);
    expect(view()).toMatchObject({ state: "ready", pid: engine, adopted: true, restarts: 0 });
    expect(node?.events.kinds().filter((kind) => kind !== "service.loading")).toEqual([
      "service.adopted",
      "service.ready",
    ]);
    expect(event("service.ready")?.message).toBe("oracle is ready without a restart.");
    await ask(node?.supervisor.address("oracle"), "/exit?code=3");
    node?.supervisor.reportBroken("oracle", "connection reset");
    expect(await node?.ready("oracle")).toBe(true);
    expect(view()).toMatchObject({ state: "ready", restarts: 1 });
    expect(view()?.adopted).toBeUndefined();
    expect(isAlive(engine)).toBe(false);
  });

  test("ends one that was started differently, and starts it as the plan says", async () => {
    const engine = await startAndDie(fakeService("oracle"));
    await startAgain(fakeService("oracle", { print: ["another"] }));
    expect(isAlive(engine)).toBe(false);
    expect(view()?.pid).not.toBe(engine);
    expect(event("service.orphan-killed")?.message).toContain(
      "Omni ended it: it was started differently from how the plan wants it.",
    );
  });

  test("ends one of a service that the plan has no more", async () => {
    const engine = await startAndDie(fakeService("oracle"));
    await startAgain(fakeService("scribe"));
    expect(isAlive(engine)).toBe(false);
    expect(event("service.orphan-killed")?.message).toContain("the plan has no such service any more");
  });
});

test("an Omni that lets go leaves its engine to the next", async () => {
  const service = fakeService("oracle");
  await startAgain(service);
  const { pid = 0 } = view() ?? {};
  await node?.supervisor.release();
  expect(isAlive(pid)).toBe(true);
  await startAgain(service);
  expect(view()).toMatchObject({ state: "ready", pid, adopted: true });
});
