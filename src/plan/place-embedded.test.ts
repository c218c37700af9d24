import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GIB, MIB } from "../core/index.ts";
import type { ModelOutline } from "../models/index.ts";
import { placeEmbedded } from "./place-embedded.ts";

const HEADROOM = 512 * MIB;

/** Llama 3 8B at Q4_K_M: 4.58 GiB of weights, 131 072 bytes of KV a token. */
const LLAMA_8B: ModelOutline = {
  path: "llama-8b.gguf",
  name: "Llama 3 8B",
  architecture: "llama",
  fileBytes: 4.6 * GIB,
  weightBytes: Math.round(4.58 * GIB),
  layers: 32,
  embeddingLength: 4096,
  vocabulary: 128_256,
  trainedContext: 8192,
  kvBytesPerToken: 131_072,
  chatTemplate: undefined,
};
const demand = { outline: LLAMA_8B, contextTokens: undefined, parallel: undefined };

describe("placeEmbedded", () => {
  it("gives a laptop one full context and no more than an eighth of the rest to KV cache", () => {
    const placement = placeEmbedded(demand, 16.5 * GIB, HEADROOM);
    expect(placement).toMatchObject({
      fits: true,
      fit: { contextTokens: 8192, parallel: 1, memory: { kvCache: GIB } },
    });
  });

  it("uses a big machine for more parallel requests", () => {
    expect(placeEmbedded(demand, 256.5 * GIB, HEADROOM)).toMatchObject({ fits: true, fit: { parallel: 16 } });
  });

  it("shortens a context nobody asked for until it fits", () => {
    expect(placeEmbedded(demand, 6.5 * GIB, HEADROOM)).toMatchObject({
      fits: true,
      fit: { contextTokens: 4096, parallel: 1 },
    });
  });

  it("refuses with the arithmetic and says what would fit", () => {
    const tooLong = placeEmbedded({ ...demand, contextTokens: 8192, parallel: 8 }, 8 * GIB, HEADROOM);
    expect(tooLong).toMatchObject({ fits: false });
    if (tooLong.fits) return;
    expect(tooLong.reason).toMatch(/weights 4\.58 GiB, KV cache 8\.00 GiB for 8 × 8192 tokens/);
    expect(tooLong.hint).toMatch(/at most \d+ tokens/);
    const tooBig = placeEmbedded(demand, 4 * GIB, HEADROOM);
    expect(tooBig).toMatchObject({
      fits: false,
      hint: expect.stringContaining("weights alone are 4.58 GiB"),
    });
  });

  it("what fits never takes more than is available less the headroom", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 * GIB }),
        fc.option(fc.integer({ min: 1, max: 100_000 })),
        (available, context) => {
          const placement = placeEmbedded(
            { ...demand, contextTokens: context ?? undefined },
            available,
            HEADROOM,
          );
          if (!placement.fits) return;
          const { memory } = placement.fit;
          expect(memory.total).toBe(memory.weights + memory.kvCache + memory.compute + memory.overhead);
          expect(memory.total).toBeLessThanOrEqual(available - HEADROOM);
        },
      ),
    );
  });
});
