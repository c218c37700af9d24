import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PlannedService } from "../../src/plan/plan.ts";
import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { openStore, readEvents } from "../../src/store/index.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { demoService } from "../fakes/demo-service.ts";
import { fakeService } from "../fakes/fake-driver.ts";

const HOST = fileURLToPath(new URL("../fakes/supervisor-host.ts", import.meta.url));

interface Report {
  readonly engine: number;
  readonly state: string;
  readonly grandchildren: readonly number[];
}

let folder = "";
let host: ChildProcess | undefined;

/** A parent in a group of its own, with its engine ready. */
async function startHost(service: PlannedService): Promise<Report> {
  const child = spawn(process.execPath, [HOST, folder, JSON.stringify(service)], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  host = child;
  for await (const line of createInterface(child.stdout)) {
    const report: Report = JSON.parse(line);
    return report;
  }
  throw new Error("the parent ended without a word");
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-parent-"));
});

afterEach(() => {
  host?.kill("SIGKILL");
  host = undefined;
  rmSync(folder, { recursive: true, force: true });
});

describe("a parent killed by SIGKILL", () => {
  test.each([
    ["an engine that watches its life line", fakeService("oracle", { grandchild: true })],
    [
      "an engine that knows nothing of it and ignores SIGTERM",
      fakeService("oracle", { grandchild: true, ignoreLifeLine: true, ignoreTerm: true }),
    ],
    ["the embedded engine", demoService("oracle")],
  ])("leaves nothing of %s, and the next node starts", async (_what, service) => {
    const { engine, state, grandchildren } = await startHost(service);
    expect(state).toBe("ready");
    expect([engine, ...grandchildren].every(isAlive)).toBe(true);
    host?.kill("SIGKILL");
    await eventually("engine and grandchildren are gone", () => ![engine, ...grandchildren].some(isAlive));

    expect(readEvents(folder, { latest: 1 })?.[0]?.kind).toBe("service.ready");
    const again = await startHost(service);
    expect(again.state).toBe("ready");
    expect(again.engine).not.toBe(engine);
    host?.kill("SIGKILL");
    await eventually("the second is gone too", () => ![again.engine, ...again.grandchildren].some(isAlive));
  });

  test("with its whole process group leaves nothing either", async () => {
    const service = fakeService("oracle", { grandchild: true, ignoreLifeLine: true });
    const { engine, grandchildren } = await startHost(service);
    process.kill(-(host?.pid ?? 0), "SIGKILL");
    await eventually("engine and grandchildren are gone", () => ![engine, ...grandchildren].some(isAlive));
    expect(grandchildren).toHaveLength(1);
  });

  test("gives back the lock of the state folder, and the next run removes its socket", async () => {
    await startHost(fakeService("oracle"));
    const ended = host === undefined ? undefined : once(host, "exit");
    host?.kill("SIGKILL");
    await ended;
    const socket = join(folder, "run", "oracle.sock");
    expect(existsSync(socket)).toBe(true);
    openStore(folder).close();
    const runtime = createProcessRuntime({ stateFolder: folder });
    for (const survivor of await runtime.survivors()) await survivor.end();
    await runtime.allocate("scribe", { socket: true });
    expect(existsSync(socket)).toBe(false);
  });
});
