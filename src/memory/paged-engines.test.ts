import { describe, expect, it } from "vitest";
import { GIB, MIB } from "../core/index.ts";
import type { DeviceRoom, Fit, MemoryPrediction, Wishes } from "./memory-model.ts";
import { memoryModelOf } from "./memory-models.ts";
import { DEEPSEEK_V32, inScheme, LLAMA_70B, MISTRAL_NEMO, QWEN3_4B } from "./shapes.fixture.ts";

const HOST = { free: 256 * GIB, threads: 32 };
const CONTEXT = 0.45 * GIB;
const card = (name: string, gib: number, free = gib): DeviceRoom => ({
  name,
  total: Math.round(gib * GIB),
  free: Math.round(free * GIB),
});

const fit = (
  kind: string,
  shape: typeof LLAMA_70B | undefined,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
): Fit => memoryModelOf(kind).fit({ shape, wishes, devices, host: HOST });

function fitted(
  kind: string,
  shape: typeof LLAMA_70B,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
): MemoryPrediction {
  const result = fit(kind, shape, wishes, devices);
  if (!result.fits) throw new Error(`${result.reason} ${result.hint}`);
  return result.prediction;
}

const L4 = card("L4", 22.03);

describe("vLLM's choices", () => {
  it("takes the largest fraction of a shared card, in thousandths, and leaves the rest alone", () => {
    const shared = card("gpu", 94.97, 40);
    const { settings, devices } = fitted("vllm", QWEN3_4B, {}, [shared]);
    expect(settings.memoryFraction).toBe(Math.floor(((40 * GIB - CONTEXT) / shared.total) * 1000) / 1000);
    expect(devices[0]?.total).toBeLessThanOrEqual(40 * GIB);
    expect(fitted("vllm", QWEN3_4B, {}, [L4]).settings.memoryFraction).toBe(0.92);
  });

  it("puts two services side by side on one card", () => {
    const first = fitted("vllm", QWEN3_4B, {}, [card("gpu", 22.03, 11)]);
    const second = fitted("vllm", QWEN3_4B, {}, [card("gpu", 22.03, 22.03 - 11)]);
    expect((first.devices[0]?.total ?? 0) + (second.devices[0]?.total ?? 0)).toBeLessThanOrEqual(L4.total);
  });

  it("takes the whole trained context where it fits and the longest otherwise", () => {
    expect(fitted("vllm", QWEN3_4B, {}, [L4]).settings.contextTokens).toBe(40_960);
    const small = fitted("vllm", QWEN3_4B, {}, [card("gpu", 12)]);
    expect(small.settings.contextTokens % 256).toBe(0);
    expect(small.kv.concurrency).toBeGreaterThanOrEqual(1);
    expect(small.kv.tokens).toBeLessThan(small.settings.contextTokens + 512);
  });

  it("starts with its own default of requests, and with fewer where the context needs their memory", () => {
    expect(fitted("vllm", QWEN3_4B, {}, [L4]).settings.parallel).toBe(256);
    const tight = fitted("vllm", inScheme(MISTRAL_NEMO, "w4a16"), { contextTokens: 32_768 }, [
      card("a", 9.65, 8.65),
      card("b", 9.65, 8.65),
    ]);
    expect(tight.settings.parallel).toBeLessThan(256);
    expect(tight.settings.parallel).toBeGreaterThanOrEqual(4);
  });

  it("divides unequal cards by layers and lets the smallest count", () => {
    const { settings, devices } = fitted("vllm", QWEN3_4B, {}, [card("a", 31.36), card("b", 11.6)]);
    expect(settings).toMatchObject({ tensorParallel: 1, pipelineParallel: 2 });
    expect(devices[0]?.kvCache).toBe(devices[1]?.kvCache);
  });

  it("replicates the latent of MLA on every rank; fp8 keeps 656 bytes and the indexer", () => {
    const eight = Array.from({ length: 8 }, (_, index) => card(`gpu${index}`, 178.35));
    const plain = fitted("vllm", DEEPSEEK_V32, {}, eight);
    expect(plain.settings.tensorParallel).toBe(8);
    expect(plain.kv.bytesPerToken).toBe(8 * 61 * (576 * 2 + 132));
    const fp8 = fitted("vllm", DEEPSEEK_V32, { kvKeyType: "fp8" }, eight);
    expect(fp8.kv.bytesPerToken).toBe(8 * 61 * (656 + 132));
  });
});

describe("vLLM's refusals", () => {
  it("says which fraction would do when it claims more than is free", () => {
    const refusal = fit("vllm", QWEN3_4B, { memoryFraction: 0.9 }, [card("gpu0", 22.03, 18)]);
    expect(refusal).toMatchObject({ fits: false, code: "does-not-fit" });
    if (refusal.fits) return;
    expect(refusal.reason).toContain("of gpu0");
    expect(refusal.reason).toContain("18.00 GiB are free");
    expect(refusal.hint).toMatch(
      /^Set memoryFraction to at most 0\.796: it fits with 40 960 tokens and 1\.\d\d×\.$/,
    );
  });

  it("says how large a KV cache of fixed size may be", () => {
    const refusal = fit("vllm", QWEN3_4B, { kvBytes: 20 * GIB }, [L4]);
    expect(refusal).toMatchObject({ fits: false, code: "does-not-fit" });
    if (refusal.fits) return;
    expect(refusal.reason).toMatch(
      /needs 7\.49 GiB of weights .* with 20\.00 GiB of KV cache .* in all; L4 has 22\.03 GiB free/,
    );
    expect(refusal.hint).toMatch(/^Set the size of the KV cache to at most 10\.\d\d GiB a card: it fits/);
  });

  it("counts cards when no smaller scheme would do", () => {
    const refusal = fit("vllm", inScheme(LLAMA_70B, "w4a16"), { contextTokens: 8192 }, [L4]);
    expect(refusal).toMatchObject({
      fits: false,
      hint: expect.stringMatching(/^4 such cards would hold it with 8 192 tokens/),
    });
  });

  it("refuses divisions that cannot be, with one that can", () => {
    const three = [card("a", 94), card("b", 94), card("c", 94)];
    expect(fit("vllm", LLAMA_70B, { tensorParallel: 3 }, three)).toMatchObject({
      fits: false,
      code: "plan.indivisible",
      reason: expect.stringContaining("64 attention heads cannot be divided by 3 cards"),
      hint: expect.stringContaining("pipelineParallel: 3"),
    });
    expect(fit("vllm", LLAMA_70B, { tensorParallel: 2, pipelineParallel: 2 }, three)).toMatchObject({
      code: "plan.indivisible",
      reason: expect.stringContaining("3 cards are given, and 2 × 2 ranks are asked for"),
    });
  });

  it("needs a shape and a card", () => {
    for (const kind of ["vllm", "sglang", "tensorrt-llm", "triton-vllm", "ktransformers"]) {
      expect(fit(kind, undefined, {}, [L4])).toMatchObject({ fits: false, code: "model.no-shape" });
      expect(fit(kind, QWEN3_4B, {}, [])).toMatchObject({ fits: false, code: "plan.no-device" });
    }
  });

  it("refuses a machine without main memory for its processes", () => {
    const result = memoryModelOf("vllm").fit({
      shape: QWEN3_4B,
      wishes: {},
      devices: [L4],
      host: { free: GIB, threads: 4 },
    });
    expect(result).toMatchObject({ fits: false, reason: expect.stringContaining("of main memory") });
  });
});

describe("the other paged engines", () => {
  it("SGLang gives weights and KV cache its fraction of what is free", () => {
    const h100 = card("H100", 79.11);
    const { settings, devices, kv } = fitted(
      "sglang",
      inScheme(LLAMA_70B, "w4a16"),
      { contextTokens: 32_768 },
      [h100],
    );
    // 512 MiB + 1.5 MiB × 8 192 + 1 GiB / 8 + 2 MiB × 256 are kept free.
    const room = h100.free - CONTEXT;
    const reserve = (512 + 1.5 * 8192 + 128 + 512) * MIB;
    expect(settings.memoryFraction).toBe(Math.floor((1 - reserve / room) * 1000) / 1000);
    const [device] = devices;
    const pool = (settings.memoryFraction ?? 0) * room - (device?.weights ?? 0);
    expect(device?.kvCache).toBe(Math.floor(pool / 327_680) * 327_680);
    expect(kv.tokens).toBe(Math.floor(pool / 327_680));
  });

  it("TensorRT-LLM takes nine tenths of what weights and activations leave", () => {
    const h100 = card("H100", 79.11);
    const [device] = fitted("tensorrt-llm", inScheme(LLAMA_70B, "w4a16"), { contextTokens: 32_768 }, [
      h100,
    ]).devices;
    const rest = (device?.weights ?? 0) + (device?.compute ?? 0) + (device?.overhead ?? 0);
    const block = 32 * 327_680;
    expect(device?.kvCache).toBe(Math.floor(((h100.free - rest) * 0.9) / block) * block);
  });

  it("vLLM in Triton takes a second context on the card, and more main memory", () => {
    const plain = fitted("vllm", QWEN3_4B, { memoryFraction: 0.9 }, [L4]);
    const triton = fitted("triton-vllm", QWEN3_4B, { memoryFraction: 0.9 }, [L4]);
    expect(triton.kv).toEqual(plain.kv);
    expect((triton.devices[0]?.overhead ?? 0) - (plain.devices[0]?.overhead ?? 0)).toBe(364 * MIB);
    expect(triton.host.total).toBeGreaterThan(plain.host.total);
  });
});
