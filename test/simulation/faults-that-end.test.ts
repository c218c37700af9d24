import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { findEngineDriver } from "../../src/engines/drivers/find-engine-driver.ts";
import type { Fault } from "../../src/simulation/index.ts";
import { FAULTS, tellEngine } from "../../src/simulation/index.ts";
import type { SimulatedEngine } from "./simulated.ts";
import { PATIENT, CARD, endAll, startSimulated, testBoard } from "./simulated.ts";

let place = testBoard();
beforeEach(() => {
  place = testBoard();
});
afterEach(async () => {
  await endAll();
  place.close();
});

const CHAT = "/v1/chat/completions";
const ask = (content: string, more = {}): object => ({ messages: [{ role: "user", content }], ...more });
const start = (kind: string, ...faults: readonly Fault[]): SimulatedEngine =>
  startSimulated(place.board, kind, { faults });

describe("a fault that ends the engine", () => {
  test.each([
    [{ name: "die", code: 3, text: "boom" }, { code: 3, signal: null }, "engine.crashed"],
    [{ name: "die", signal: "SIGKILL" }, { code: null, signal: "SIGKILL" }, "engine.killed"],
    [{ name: "die", signal: "SIGSEGV" }, { code: 139, signal: null }, "engine.crashed"],
    [{ name: "oom-at-run" }, { code: 134, signal: null }, "engine.out-of-memory"],
  ] as const)("llama-server %j", async (fault, exit, reads) => {
    const engine = start("llama.cpp");
    await engine.ready();
    const open = engine.send("POST", CHAT, ask("words=4000")).catch((error: unknown) => error);
    await expect.poll(() => place.board.used(CARD), PATIENT).toBeGreaterThan(0);
    await tellEngine(engine.address, fault);
    expect(await engine.exited).toEqual(exit);
    expect(await open).toBeInstanceOf(Error);
    expect(findEngineDriver("llama.cpp")?.classifyExit(exit, engine.lines).code).toBe(reads);
    expect(place.board.used(CARD)).toBe(0);
  });

  test("kills vLLM's core: requests get 500, health answers 200, then it ends with code 0", async () => {
    const engine = start("vllm");
    await engine.ready();
    const open = engine.send("POST", CHAT, ask("words=4000"));
    await expect
      .poll(async () => (await engine.send("GET", "/metrics")).body, PATIENT)
      .toContain('model_name="brain"} 1');
    await tellEngine(engine.address, { name: "core-dead", ms: 500 });
    expect(await open).toMatchObject({
      status: 500,
      body: expect.stringContaining("EngineCore encountered an issue"),
    });
    expect((await engine.send("GET", "/health")).status).toBe(200);
    expect((await engine.send("POST", CHAT, ask("Hello"))).status).toBe(500);
    expect(place.board.used(CARD)).toBe(0);
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    const said = engine.lines.map((line) => findEngineDriver("vllm")?.classifyLine(line)?.code);
    expect(said).toContain("engine.core-dead");
  });

  test("leaks until the card is full, and dies of it", async () => {
    const engine = start("llama.cpp");
    await engine.ready();
    const before = place.board.used(CARD);
    await tellEngine(engine.address, { name: "leak", bytes: 40 * GIB });
    await expect.poll(() => place.board.used(CARD), PATIENT).toBeGreaterThan(before);
    expect((await engine.exited).code).toBe(134);
  });
});

test("a card that is lost ends what computes on it, and not what rests", async () => {
  const engine = start("llama.cpp");
  await engine.ready();
  place.board.lose(CARD);
  expect((await engine.send("GET", "/health")).status).toBe(200);
  await engine.send("POST", CHAT, ask("Hello")).catch(() => undefined);
  expect((await engine.exited).code).toBe(134);
  const again = start("llama.cpp");
  await again.ready();
  expect(findEngineDriver("llama.cpp")?.onProcessorInstead(again.lines)).toBeDefined();
});

test("orders come from this machine and are known ones", async () => {
  const engine = start("llama.cpp");
  await engine.ready();
  expect((await engine.send("POST", "/simulate/fault", { name: "explode" })).status).toBe(400);
  expect((await engine.send("POST", "/simulate/fault", { name: "slow", tokensPerSecond: 5 })).status).toBe(
    204,
  );
  expect(await tellEngine({ kind: "unix", path: "/nowhere.sock" }, { name: "heal" })).toBe(false);
  expect(Object.keys(FAULTS)).toHaveLength(24);
});
