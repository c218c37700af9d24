import { describe, expect, it } from "vitest";
import { GIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { DeviceRoom, EngineSettings, Fit, MemoryPrediction, Wishes } from "./memory-model.ts";
import { inScheme, LLAMA_70B, MISTRAL_NEMO, QWEN3_4B } from "./shapes.fixture.ts";
import { vllm } from "./vllm.ts";

const HOST = { free: 256 * GIB, threads: 32 };
const card = (name: string, gib: number, free = gib): DeviceRoom => ({
  name,
  total: Math.round(gib * GIB),
  free: Math.round(free * GIB),
  computeCapability: "8.6",
});
const PRO_6000 = card("RTX PRO 6000", 94.97);
const RTX_3080S = [card("gpu-0", 9.78), card("gpu-5", 9.78)];

const fit = (shape: ModelShape, wishes: Wishes, devices: readonly DeviceRoom[]): Fit =>
  vllm.fit({ shape, wishes, devices, host: HOST });

function fitted(shape: ModelShape, wishes: Wishes, devices: readonly DeviceRoom[]): MemoryPrediction {
  const result = fit(shape, wishes, devices);
  if (!result.fits) throw new Error(`${result.reason} ${result.hint}`);
  return result.prediction;
}

function refused(
  shape: ModelShape,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
): Extract<Fit, { fits: false }> {
  const result = fit(shape, wishes, devices);
  if (result.fits) throw new Error("fits");
  return result;
}

const within = (value: number, expected: number, share: number): void => {
  expect(value / expected).toBeGreaterThan(1 - share);
  expect(value / expected).toBeLessThan(1 + share);
};

describe("vLLM, a 70B in W4A16 on an RTX PRO 6000 at 0.95 without graphs", () => {
  const shape = inScheme(LLAMA_70B, "w4a16");
  const wishes = { memoryFraction: 0.95, cudaGraphs: false, contextTokens: 32_768 };

  it("weighs 39.50 GB, 36.79 GiB", () => {
    expect(shape.weightBytes / 1e9).toBeCloseTo(39.5, 1);
    expect(shape.weightBytes / GIB).toBeCloseTo(36.79, 1);
  });

  it("holds 158 K tokens and 4.85 requests of 32 768", () => {
    const { kv, devices } = fitted(shape, wishes, [PRO_6000]);
    within(kv.tokens, 158_000, 0.03);
    within(kv.concurrency, 4.85, 0.03);
    expect(kv.bytesPerToken).toBe(327_680);
    const [device] = devices;
    expect(device?.total).toBeLessThanOrEqual(PRO_6000.free);
    const beside = (device?.compute ?? 0) + (device?.overhead ?? 0) - 0.45 * GIB;
    within(beside, 4.93 * GIB, 0.05);
  });
});

describe("vLLM, the example of its documentation: Qwen3-4B with 11.47 GiB of KV cache", () => {
  const settings = (kvType: "bf16" | "fp8"): EngineSettings => ({
    ...fitted(QWEN3_4B, {}, [card("L4", 22.03)]).settings,
    contextTokens: 32_768,
    kvBytes: Math.round(11.47 * GIB),
    kvKeyType: kvType,
    kvValueType: kvType,
  });

  it("holds 83 488 tokens, 2.55 requests", () => {
    const { kv } = vllm.predict(QWEN3_4B, settings("bf16"), [card("L4", 22.03)]);
    within(kv.tokens, 83_488, 0.001);
    expect(kv.concurrency).toBeCloseTo(2.55, 2);
    expect(kv.bytesPerToken).toBe(147_456);
  });

  it("holds twice as much in fp8", () => {
    const { kv } = vllm.predict(QWEN3_4B, settings("fp8"), [card("L4", 22.03)]);
    within(kv.tokens, 166_992, 0.001);
    expect(kv.concurrency).toBeCloseTo(5.1, 2);
  });
});

describe("vLLM, Mistral-Nemo with tensor parallel over two cards of 10 GB", () => {
  const wishes = { memoryFraction: 0.95, tensorParallel: 2, contextTokens: 32_768, cudaGraphs: false };

  it("does not fit in BF16, names 11.41 GiB of weights a card and what would fit", () => {
    const refusal = refused(MISTRAL_NEMO, wishes, RTX_3080S);
    expect(refusal.code).toBe("does-not-fit");
    expect(refusal.reason).toContain("11.41 GiB of weights per card");
    expect(refusal.reason).toContain("gpu-0 can give");
    expect(refusal.hint).toMatch(/^W4A16 fits with 32 768 tokens and 1\.\d\d×\./);
  });

  it("fits in W4A16 with 32 768 tokens", () => {
    const { kv, devices } = fitted(inScheme(MISTRAL_NEMO, "w4a16"), wishes, RTX_3080S);
    within(devices[0]?.weights ?? 0, 3.87 * GIB, 0.01);
    within(kv.concurrency, 1.65, 0.05);
    expect(devices[0]).toEqual(devices[1]);
  });

  it("does 16 384 tokens in FP8 and not 32 768", () => {
    const fp8 = inScheme(MISTRAL_NEMO, "fp8");
    within(
      fitted(fp8, { ...wishes, contextTokens: 16_384 }, RTX_3080S).devices[0]?.weights ?? 0,
      6.33 * GIB,
      0.01,
    );
    const refusal = refused(fp8, wishes, RTX_3080S);
    expect(refusal.reason).toContain("32 768 tokens of context take 2.50 GiB");
    expect(refusal.hint).toMatch(/As it is, at most \d\d \d{3} tokens of context fit/);
  });
});
