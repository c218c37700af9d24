import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENGINE_KINDS } from "../../catalog/index.ts";
import type { Health } from "../engine.ts";
import { PAGED, planned } from "../start/planned-service.fixture.ts";
import { findEngineDriver } from "./find-engine-driver.ts";

const KINDS = ENGINE_KINDS.map(({ name }) => name);
const driver = (kind: string) => {
  const found = findEngineDriver(kind);
  if (found === undefined) throw new Error(`There is no driver for ${kind}.`);
  return found;
};

test("every kind of engine of the catalog has a driver, and nothing else has", () => {
  for (const kind of KINDS) expect(driver(kind).kind).toBe(kind);
  expect(findEngineDriver("bogus")).toBeUndefined();
});

describe("health", () => {
  const health = (kind: string, status: number, body = ""): Health => driver(kind).readHealth(status, body);

  test.each([
    ["llama.cpp", 200, '{"status":"ok"}', { state: "ready" }],
    [
      "llama.cpp",
      503,
      '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
      { state: "loading" },
    ],
    [
      "llama.cpp",
      503,
      '{"error":{"code":503,"message":"no slot available"}}',
      { state: "unreachable", reason: "GET /health answered 503: no slot available" },
    ],
    ["vllm", 200, "", { state: "ready" }],
    ["vllm", 503, "", { state: "failed", failure: { code: "engine.core-dead", recoverable: true } }],
    ["vllm", 404, '{"detail":"Not Found"}', { state: "unreachable" }],
    ["sglang", 200, "", { state: "ready" }],
    ["sglang", 503, "", { state: "unreachable", reason: "GET /health answered 503" }],
    ["ktransformers", 200, "", { state: "ready" }],
    ["ktransformers", 404, '{"detail":"Not Found"}', { state: "ready" }],
    ["ktransformers", 503, "", { state: "unreachable" }],
    ["triton-vllm", 200, "", { state: "ready" }],
    ["triton-vllm", 400, "", { state: "unreachable" }],
    ["tensorrt-llm", 200, "", { state: "ready" }],
    ["comfyui", 200, '{"system":{},"devices":[{"name":"cuda:0"}]}', { state: "ready" }],
    ["comfyui", 200, "<html>", { state: "unreachable" }],
    ["openai", 200, '{"data":[]}', { state: "ready" }],
    ["openai", 429, "", { state: "ready" }],
    ["openai", 404, "", { state: "ready" }],
    ["openai", 502, "", { state: "unreachable" }],
    ["anthropic", 529, '{"error":{"message":"Overloaded"}}', { state: "unreachable" }],
    ["anthropic", 402, "", { state: "failed", failure: { code: "engine.key-refused", recoverable: false } }],
  ])("%s %i %s", (kind, status, body, expected) => {
    expect(health(kind, status, body)).toMatchObject(expected);
  });

  test.each(["openai", "anthropic"])("%s: a refused key is named, and never repeated", (kind) => {
    for (const status of [401, 403]) {
      const said = health(kind, status, '{"error":{"message":"Incorrect API key provided: sk-secret"}}');
      expect(said).toMatchObject({
        state: "failed",
        failure: {
          code: "engine.key-refused",
          recoverable: false,
          hint: expect.stringContaining("key in the spec"),
        },
      });
      expect(JSON.stringify(said)).not.toContain("sk-secret");
    }
  });

  test("Triton is asked for the model's own readiness", () => {
    expect(driver("triton-vllm").healthPathOf?.({ servedName: "brain" })).toBe("/v2/models/brain/ready");
  });
});

describe("time to load", () => {
  const GB = 1e9;
  const time = (kind: string, bytes: number, cudaGraphs = true): number =>
    driver(kind).loadTime(
      planned(kind, { ...PAGED, cudaGraphs }, { model: { name: "m", path: "/m", sizeBytes: bytes } }),
    );

  test("grows with the model, and without graphs it is shorter", () => {
    for (const kind of [
      "embedded",
      "llama.cpp",
      "vllm",
      "sglang",
      "ktransformers",
      "triton-vllm",
      "tensorrt-llm",
    ]) {
      expect(time(kind, 40 * GB)).toBeGreaterThan(time(kind, 4 * GB) + 20_000);
      expect(time(kind, 40 * GB, false)).toBeLessThanOrEqual(time(kind, 40 * GB));
      expect(Number.isInteger(time(kind, 12_345_678))).toBe(true);
    }
  });

  test("is what the field has seen, within a factor of three", () => {
    // vLLM, 8B and cold: 30 to 100 s for a reload (vllm.ai/blog, 2025-10-26), 277 s at worst (#44881).
    expect(time("vllm", 16 * GB)).toBeGreaterThan(30_000);
    expect(time("vllm", 16 * GB)).toBeLessThan(277_000);
    // llama-server, 17 GB: 10.9 s (ggml-org/llama.cpp #26188).
    expect(time("llama.cpp", 17.7 * GB)).toBeGreaterThan(4000);
    expect(time("llama.cpp", 17.7 * GB)).toBeLessThan(33_000);
    expect(time("comfyui", 0)).toBeGreaterThan(5000);
    expect(time("openai", 0)).toBeLessThan(5000);
  });
});

test("vLLM sleeps by its own routes, which it has only in development mode", () => {
  expect(driver("vllm").sleep).toEqual({
    sleep: { method: "POST", path: "/sleep?level=1" },
    wake: { method: "POST", path: "/wake_up" },
    arguments: ["--enable-sleep-mode"],
    environment: { VLLM_SERVER_DEV_MODE: "1" },
  });
});

describe("any text", () => {
  /** Words that patterns look for, so that chance meets them. */
  const word = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom(
      "max seq len (",
      "KV cache is needed, which is larger than the available KV cache memory (",
      "CUDA out of memory. Tried to allocate 1.00 GiB. GPU 0 has a total capacity of ",
      "buffer size = ",
      "Load weight end. mem usage=",
      "KV Cache is allocated. #tokens: ",
      '{"error":{"message":',
      "Free memory on device (",
      "Watchdog caught collective operation timeout",
      "unrecognized arguments",
      "[2025-11-10 19:59:09 TP0]",
      "(Worker_TP0 pid=1)",
    ),
  );
  const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(""));

  test("is read without throwing by every driver", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.array(line, { maxLength: 8 }),
        fc.nat(600),
        (kind, lines, status) => {
          const engine = driver(kind);
          const text = lines.join("\n");
          const failure = engine.classifyExit({ code: status % 256, signal: null }, lines);
          expect(failure.message).not.toBe("");
          expect(failure.hint).not.toBe("");
          for (const each of lines) engine.classifyLine(each);
          for (const { weights = 0, kvCache = 0, compute = 0 } of engine.readTook(lines).devices) {
            for (const bytes of [weights, kvCache, compute]) expect(Number.isSafeInteger(bytes)).toBe(true);
          }
          engine.onProcessorInstead(lines);
          engine.readHealth(status, text);
          engine.probe?.fault(200, text);
          engine.load?.read(text);
          engine.program?.unknownFlags(text, ["vllm", "serve", ...lines]);
          engine.program?.readVersion(text);
        },
      ),
    );
  });

  test("of a megabyte without an end is read in time that does not run away", () => {
    const pieces = ["a", " ", "[", "0", "CUDA ", "max seq len (1), (", "Watchdog ", "--", '"', "GPU 0 has "];
    for (const piece of pieces) {
      const long = piece.repeat(Math.ceil(1e6 / piece.length));
      for (const kind of KINDS) {
        const engine = driver(kind);
        const began = performance.now();
        engine.classifyLine(long);
        engine.classifyExit({ code: 1, signal: null }, [long]);
        engine.readTook([long]);
        engine.onProcessorInstead([long]);
        engine.program?.unknownFlags(long, ["vllm", "serve", long]);
        expect(performance.now() - began, `${kind} over ${piece}`).toBeLessThan(2000);
      }
    }
  });
});
