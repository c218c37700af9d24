import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { findEngineDriver } from "../../src/engines/drivers/find-engine-driver.ts";
import type { Fault } from "../../src/simulation/index.ts";
import type { SimulatedEngine } from "./simulated.ts";
import { PATIENT, CARD, freePort, endAll, startSimulated, testBoard } from "./simulated.ts";

let place = testBoard();
beforeEach(() => {
  place = testBoard();
});
afterEach(async () => {
  await endAll();
  place.close();
});

const start = (kind: string, ...faults: readonly Fault[]): SimulatedEngine =>
  startSimulated(place.board, kind, { faults });

/** How the driver of that kind reads the end. */
async function endOf(
  kind: string,
  engine: SimulatedEngine,
): Promise<{ code: number | null; reads: string | undefined; recoverable: boolean | undefined }> {
  const exit = await engine.exited;
  const failure = findEngineDriver(kind)?.classifyExit(exit, engine.lines);
  return { code: exit.code, reads: failure?.code, recoverable: failure?.recoverable };
}

describe("a start that fails", () => {
  test.each([
    ["llama.cpp", { name: "oom-at-load" }, 1, "engine.out-of-memory"],
    ["llama.cpp", { name: "port-busy" }, 1, "engine.port-busy"],
    ["llama.cpp", { name: "no-model" }, 1, "engine.model-not-found"],
    ["llama.cpp", { name: "wrong-flag", text: "--swap" }, 1, "engine.bad-argument"],
    ["llama.cpp", { name: "no-kernel" }, 134, "engine.no-kernel"],
    ["vllm", { name: "oom-at-load" }, 1, "engine.out-of-memory"],
    ["vllm", { name: "port-busy" }, 1, "engine.port-busy"],
    ["vllm", { name: "no-kernel" }, 1, "engine.no-kernel"],
    ["vllm", { name: "wrong-flag" }, 2, "engine.bad-argument"],
    ["vllm", { name: "on-processor" }, 1, "engine.no-card"],
    ["sglang", { name: "oom-at-load" }, 137, "engine.out-of-memory"],
    ["triton-vllm", { name: "no-kernel" }, 1, "engine.no-kernel"],
    ["comfyui", { name: "port-busy" }, 1, "engine.port-busy"],
  ] as const)("%s %j", async (kind, fault, code, reads) => {
    const engine = start(kind, fault);
    expect(await endOf(kind, engine)).toMatchObject({ code, reads });
    expect(place.board.used(CARD)).toBe(0);
  });

  test("for want of room on the card says how much, in the words of its kind", async () => {
    place.board.steal(CARD, 24 * GIB);
    const engine = start("llama.cpp");
    expect(await endOf("llama.cpp", engine)).toMatchObject({ code: 1, reads: "engine.out-of-memory" });
    expect(engine.lines.join("\n")).toContain(
      "allocating 10240.00 MiB on device 0: cudaMalloc failed: out of memory",
    );
  });

  test("of vLLM whose share is not free says what is", async () => {
    place.board.steal(CARD, 20 * GIB);
    const engine = start("vllm");
    await engine.exited;
    expect(engine.lines.join("\n")).toContain(
      "Free memory on device cuda:0 (10.50/31.00 GiB) on startup is less than desired GPU memory utilization (0.6, 18.60 GiB)",
    );
  });

  test("is planted for so many starts, and the next one is sound", async () => {
    place.board.plant("brain", { name: "no-model" }, 2);
    for (let i = 0; i < 2; i++) expect((await start("llama.cpp").exited).code).toBe(1);
    await start("llama.cpp").ready();
  });

  test("because its port is really taken", async () => {
    const address = { kind: "tcp", host: "127.0.0.1", port: await freePort() } as const;
    await startSimulated(place.board, "llama.cpp", { memory: {}, address }).ready();
    const second = startSimulated(place.board, "vllm", { memory: {}, address });
    expect(await endOf("vllm", second)).toMatchObject({ code: 1, reads: "engine.port-busy" });
  });
});

test("two vLLM that start together count each other's memory as their own", async () => {
  const settings = {
    loadTime: 800,
    memory: { [CARD]: { weights: 5 * GIB, kvCache: GIB, compute: GIB, overhead: GIB / 2 } },
  };
  const command = ["vllm", "serve", "/m/a", "--gpu-memory-utilization", "0.45"];
  const alone = startSimulated(place.board, "vllm", { ...settings, loadTime: 50 }, command);
  await alone.ready();
  const said = (engine: SimulatedEngine): number =>
    Number(/Available KV cache memory: (-?[\d.]+) GiB/.exec(engine.lines.join("\n"))?.[1]);
  expect(said(alone)).toBeCloseTo(31 * 0.45 - 6, 1);
  alone.signal("SIGKILL");
  await alone.exited;
  const both = ["a", "b"].map((service) =>
    startSimulated(place.board, "vllm", { ...settings, service }, command),
  );
  const ends = await Promise.all(both.map((engine) => Promise.race([engine.exited, engine.ready()])));
  // At least one of them has less than alone, or nothing at all.
  const least = Math.min(...both.map(said).filter(Number.isFinite));
  expect(ends.some((end) => end !== undefined && end.code === 1) || least < said(alone) - 1).toBe(true);
});

describe("a start that is odd", () => {
  test("hangs while loading, and a kill frees what it took", async () => {
    const engine = start("vllm", { name: "hang-at-load" });
    await sleep(300);
    await expect(engine.send("GET", "/health")).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    engine.signal("SIGKILL");
    expect((await engine.exited).signal).toBe("SIGKILL");
    expect(place.board.used(CARD)).toBe(0);
  });

  test("is slow, and says that it is loading", async () => {
    const engine = start("llama.cpp", { name: "slow-start", ms: 1500 });
    await expect
      .poll(async () => (await engine.send("GET", "/health").catch(() => undefined))?.body, PATIENT)
      .toContain("Loading model");
    await engine.ready();
  });

  test("computes on the processor: no memory of the card, and its log tells", async () => {
    const engine = start("llama.cpp", { name: "on-processor" });
    await engine.ready();
    expect(place.board.used(CARD)).toBe(0);
    expect(findEngineDriver("llama.cpp")?.onProcessorInstead(engine.lines)).toContain("main memory");
  });

  test("ends with code 0 after it was ready", async () => {
    const engine = start("vllm", { name: "exit-after-ready", ms: 100 });
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(engine.lines.join("\n")).toContain("Application startup complete.");
  });

  test("does not end on SIGTERM", async () => {
    const engine = start("comfyui", { name: "ignore-term" });
    await engine.ready("/system_stats");
    engine.signal("SIGTERM");
    await sleep(150);
    expect((await engine.send("GET", "/system_stats")).status).toBe(200);
  });
});
