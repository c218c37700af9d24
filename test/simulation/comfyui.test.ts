import { afterAll, beforeAll, expect, test } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { findEngineDriver } from "../../src/engines/drivers/find-engine-driver.ts";
import type { SimulatedEngine } from "./simulated.ts";
import { PATIENT, CARD, endAll, freePort, startSimulated, testBoard } from "./simulated.ts";

const place = testBoard();
let engine: SimulatedEngine;
let port = 0;
beforeAll(async () => {
  port = await freePort();
  engine = startSimulated(place.board, "comfyui", {
    address: { kind: "tcp", host: "127.0.0.1", port },
    memory: { [CARD]: { weights: 12 * GIB, compute: 2 * GIB, overhead: GIB / 2 } },
  });
  await engine.ready("/system_stats");
});
afterAll(async () => {
  await endAll();
  place.close();
});

const workflow = (steps: number): object => ({
  prompt: { "3": { class_type: "KSampler", inputs: { steps } } },
});

async function finished(id: string): Promise<Record<string, unknown>> {
  let found: Record<string, Record<string, unknown>> = {};
  await expect
    .poll(
      async () => Object.keys((found = JSON.parse((await engine.send("GET", `/history/${id}`)).body))),
      PATIENT,
    )
    .toEqual([id]);
  return found[id] ?? {};
}

const submit = async (steps: number): Promise<string> =>
  JSON.parse((await engine.send("POST", "/api/prompt", workflow(steps))).body).prompt_id;

test("takes its models with the first workflow, keeps them, and gives them back when told", async () => {
  const driver = findEngineDriver("comfyui");
  const stats = await engine.send("GET", "/system_stats");
  expect(driver?.readHealth(stats.status, stats.body)).toEqual({ state: "ready" });
  expect(driver?.onProcessorInstead(engine.lines)).toBeUndefined();
  expect(place.board.used(CARD)).toBe(GIB / 2);
  const id = await submit(400);
  await expect.poll(() => place.board.used(CARD), PATIENT).toBe(14.5 * GIB);
  expect(driver?.load?.read((await engine.send("GET", "/queue")).body)).toEqual({ running: 1, waiting: 0 });
  expect(await finished(id)).toMatchObject({ status: { status_str: "success", completed: true } });
  expect(place.board.used(CARD)).toBe(12.5 * GIB);
  await engine.send("POST", "/free", { unload_models: true });
  expect(place.board.used(CARD)).toBe(GIB / 2);
});

test("tells progress by a WebSocket", async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?clientId=me`);
  const seen: string[] = [];
  const done = new Promise<void>((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      const { type, data: told } = JSON.parse(String(data));
      seen.push(type === "progress" ? `progress ${told.value}/${told.max}` : type);
      if (type === "executing" && told.node === null) resolve();
    });
  });
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  await submit(3);
  await done;
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.close();
  await closed;
  expect(seen.filter((type) => type !== "status")).toEqual([
    "execution_start",
    "execution_cached",
    "executing",
    "progress 1/3",
    "progress 2/3",
    "progress 3/3",
    "executed",
    "execution_success",
    "executing",
  ]);
});

test("outlives a workflow that finds no room, and one that is interrupted", async () => {
  await engine.send("POST", "/free", { unload_models: true });
  place.board.steal(CARD, 25 * GIB);
  expect(await finished(await submit(2))).toMatchObject({
    status: { status_str: "error", completed: false },
  });
  expect(engine.lines).toContain("Got an OOM, unloading all loaded models.");
  place.board.giveBack(CARD);
  const id = await submit(900);
  await expect
    .poll(async () => JSON.parse((await engine.send("GET", "/queue")).body).queue_running.length, PATIENT)
    .toBe(1);
  await engine.send("POST", "/interrupt");
  expect(JSON.stringify(await finished(id))).toContain("execution_interrupted");
  expect((await engine.send("POST", "/prompt", {})).status).toBe(400);
});

test("dies of SIGTERM as any program does", async () => {
  engine.signal("SIGTERM");
  expect(await engine.exited).toEqual({ code: null, signal: "SIGTERM" });
});
