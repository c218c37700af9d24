import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GIB, MIB } from "../core/index.ts";
import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import { embedded } from "./embedded.ts";
import type { Fit, Wishes } from "./memory-model.ts";
import { denseShape } from "./shapes.fixture.ts";

/** Llama 3 8B at Q4_K_M: 4.58 GiB of weights, 131 072 bytes of KV a token. */
const LLAMA_8B: ModelShape = {
  ...denseShape({
    name: "Llama 3 8B",
    layers: 32,
    hidden: 4096,
    feedForward: 14_336,
    heads: 32,
    kvHeads: 8,
    headLength: 128,
    vocabulary: 128_256,
    trainedContext: 8192,
  }),
  format: "gguf",
  weightBytes: Math.round(4.58 * GIB),
};

const fit = (shape: ModelShape | undefined, wishes: Wishes, free: number): Fit =>
  embedded.fit({ shape, wishes, devices: [], host: { free, threads: 8 } });

function fitted(shape: ModelShape, wishes: Wishes, free: number): Extract<Fit, { fits: true }>["prediction"] {
  const result = fit(shape, wishes, free);
  if (!result.fits) throw new Error(result.reason);
  return result.prediction;
}

const withCaches = (caches: readonly LayerCache[]): ModelShape => ({
  ...LLAMA_8B,
  layers: LLAMA_8B.layers.map((layer) => ({ ...layer, caches })),
});

describe("the embedded engine's memory", () => {
  it("gives a laptop one full context and no more than an eighth of the rest to KV cache", () => {
    const { settings, host, kv } = fitted(LLAMA_8B, {}, 16 * GIB);
    expect(settings).toMatchObject({ contextTokens: 8192, parallel: 1, threads: 8, gpuLayers: 0 });
    expect(host.kvCache).toBe(GIB);
    expect(kv).toMatchObject({ tokens: 8192, bytesPerToken: 131_072, concurrency: 1 });
  });

  it("adds up weights, f16 cache, logits and activations of a micro-batch, and the process", () => {
    const { host } = fitted(LLAMA_8B, { contextTokens: 1000, parallel: 3 }, 64 * GIB);
    expect(host.weights).toBe(LLAMA_8B.weightBytes);
    expect(host.kvCache).toBe(131_072 * 1024 * 3);
    expect(host.compute).toBe((128_256 + 4 * 4096) * 512 * 4);
    expect(host.overhead).toBe(192 * MIB);
  });

  it("uses a big machine for more parallel requests and shortens a context nobody asked for", () => {
    expect(fitted(LLAMA_8B, {}, 256 * GIB).settings.parallel).toBe(16);
    expect(fitted(LLAMA_8B, {}, 6 * GIB).settings).toMatchObject({ contextTokens: 4096, parallel: 1 });
  });

  it("refuses with the arithmetic and says what would fit", () => {
    const tooLong = fit(LLAMA_8B, { contextTokens: 8192, parallel: 8 }, 7.5 * GIB);
    expect(tooLong).toMatchObject({
      fits: false,
      code: "model.too-large",
      reason: expect.stringMatching(
        /weights 4\.58 GiB, KV cache 8\.00 GiB for 8 × 8192 tokens.*can give 7\.50 GiB/,
      ),
      hint: expect.stringMatching(/at most \d+ tokens/),
    });
    expect(fit(LLAMA_8B, {}, 3.5 * GIB)).toMatchObject({
      fits: false,
      hint: expect.stringContaining("weights alone are 4.58 GiB"),
    });
    expect(fit(undefined, {}, GIB)).toMatchObject({ fits: false, code: "model.no-shape" });
  });

  it("counts windows, latents and states by what they keep", () => {
    const wishes = { contextTokens: 8192, parallel: 2 };
    const bytes = (cache: LayerCache): number => fitted(withCaches([cache]), wishes, 256 * GIB).host.kvCache;
    expect(bytes({ kind: "window", window: 1024, kvHeads: 8, keyLength: 128, valueLength: 128 })).toBe(
      2 * 32 * 1536 * 4096,
    );
    expect(bytes({ kind: "latent", rank: 512, rope: 64, indexer: 128 })).toBe(2 * 32 * 8192 * 704 * 2);
    expect(bytes({ kind: "state", convolution: 1000, recurrent: 100_000 })).toBe(2 * 32 * 101_000 * 4);
  });

  it("fits only within what is free, and takes more for more context", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 * GIB }),
        fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
        (free, contextTokens) => {
          const result = fit(LLAMA_8B, contextTokens === undefined ? {} : { contextTokens }, free);
          if (!result.fits) return;
          const { host, settings } = result.prediction;
          expect(host.total).toBe(host.weights + host.kvCache + host.compute + host.overhead);
          expect(host.total).toBeLessThanOrEqual(free);
          const longer = embedded.predict(
            LLAMA_8B,
            { ...settings, contextTokens: settings.contextTokens + 256 },
            [],
          );
          expect(longer.host.total).toBeGreaterThan(host.total);
        },
      ),
    );
  });
});
