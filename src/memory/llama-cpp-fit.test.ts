import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sparseShape } from "../../test/fakes/sparse-gguf.ts";
import { deepseek2Lite } from "../../test/fakes/sparse-models/deepseek.ts";
import { gemma3 } from "../../test/fakes/sparse-models/gemma.ts";
import { llama, LLAMA_70B, LLAMA_8B, MIXTRAL } from "../../test/fakes/sparse-models/llama.ts";
import { codestralMamba } from "../../test/fakes/sparse-models/mamba.ts";
import { qwen3moe } from "../../test/fakes/sparse-models/qwen3.ts";
import { qwen35 } from "../../test/fakes/sparse-models/qwen35.ts";
import { GIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { cards, settings } from "./llama-cpp.fixture.ts";
import type { DeviceMemory, Fit, MemoryPrediction, Wishes } from "./memory-model.ts";

const llama8 = await sparseShape(llama(LLAMA_8B));
const llama70 = await sparseShape(llama(LLAMA_70B));
const mixtral = await sparseShape(llama(MIXTRAL));
const shapes = [
  llama8,
  llama70,
  mixtral,
  await sparseShape(gemma3("Q4_K")),
  await sparseShape(qwen3moe("Q4_K")),
  await sparseShape(qwen35("Q4_K")),
  await sparseShape(deepseek2Lite("Q4_K")),
  await sparseShape(codestralMamba("Q8_0")),
];

function fit(shape: ModelShape, gib: readonly number[], hostGib: number, wishes: Wishes = {}): Fit {
  return llamaCpp.fit({
    shape,
    wishes,
    devices: cards(
      gib.map((size) => size * GIB),
      "8.6",
    ),
    host: { free: hostGib * GIB, threads: 8 },
  });
}

function fitted(found: Fit): { prediction: MemoryPrediction; resident: boolean } {
  if (!found.fits) throw new Error(found.reason);
  return found;
}

function refused(found: Fit): { code: string; reason: string; hint: string } {
  if (found.fits) throw new Error("fits");
  return found;
}

const sizes = fc.array(fc.integer({ min: 2, max: 100 }), { minLength: 0, maxLength: 4 });

describe("what fits", () => {
  it("takes no more than there is anywhere, and every term adds up", () => {
    fc.assert(
      fc.property(fc.constantFrom(...shapes), sizes, fc.integer({ min: 1, max: 400 }), (shape, gib, host) => {
        const found = fit(shape, gib, host);
        if (!found.fits) return;
        const { devices, host: main, settings: chosen } = found.prediction;
        for (const [index, memory] of devices.entries()) {
          expect(memory.total).toBeLessThanOrEqual((gib[index] ?? 0) * GIB);
        }
        expect(main.total).toBeLessThanOrEqual(host * GIB);
        for (const memory of [...devices, main]) expect(sumOf(memory)).toEqual(memory.total);
        expect(chosen.contextTokens % 256).toBe(0);
        expect(chosen.contextTokens).toBeLessThanOrEqual(shape.trainedContext);
        expect(chosen.contextTokens).toBeGreaterThanOrEqual(4096);
        // The settings stand for themselves: predicting them again places everything the same.
        const again = llamaCpp.predict(
          shape,
          chosen,
          cards(
            gib.map((size) => size * GIB),
            "8.6",
          ),
        );
        expect(again).toEqual(found.prediction);
      }),
      { numRuns: 60 },
    );
  });

  it("is not less with more memory", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes),
        fc.array(fc.integer({ min: 4, max: 60 }), { minLength: 1, maxLength: 3 }),
        (shape, gib) => {
          const less = fit(shape, gib, 64, { resident: true, parallel: 1 });
          if (!less.fits) return;
          const more = fitted(
            fit(
              shape,
              gib.map((size) => size + 4),
              64,
              { resident: true, parallel: 1 },
            ),
          );
          expect(more.prediction.settings.contextTokens).toBeGreaterThanOrEqual(
            less.prediction.settings.contextTokens,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it("leaves no room for the next step of context", () => {
    const { prediction } = fitted(fit(llama8, [8], 64, { parallel: 1 }));
    const next = { ...prediction.settings, contextTokens: prediction.settings.contextTokens + 256 };
    const total = llamaCpp.predict(llama8, next, cards([8 * GIB], "8.6")).devices[0]?.total ?? 0;
    expect(prediction.settings.contextTokens).toBeLessThan(llama8.trainedContext);
    expect(total).toBeGreaterThan(8 * GIB);
  });

  it("divides by what layers weigh, not by the sizes of the cards", () => {
    const { prediction, resident } = fitted(fit(llama70, [10, 10, 12, 8, 8, 8], 32));
    const { tensorSplit = [], contextTokens } = prediction.settings;
    expect(resident).toBe(true);
    expect(tensorSplit.reduce((sum, count) => sum + count, 0)).toBe(81);
    expect(contextTokens).toBeGreaterThan(8192);
    const shares = prediction.devices.map(
      ({ total }, index) => total / ([10, 10, 12, 8, 8, 8][index] ?? 1) / GIB,
    );
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
    expect(Math.min(...shares)).toBeGreaterThan(0.85);
  });
});

describe("what does not fit on the cards", () => {
  it("of a mixture of experts keeps the fewest experts in main memory and rebalances the cards", () => {
    const { prediction, resident } = fitted(fit(mixtral, [12, 8], 64));
    const { cpuExpertLayers, tensorSplit = [], gpuLayers } = prediction.settings;
    expect(resident).toBe(false);
    expect(gpuLayers).toBe(33);
    expect(cpuExpertLayers).toBeGreaterThan(0);
    // The first layers are light without their experts: the first card takes more of them than its size says.
    expect((tensorSplit[0] ?? 0) / 33).toBeGreaterThan(12 / 20);
    const fewer = fit(mixtral, [12, 8], 64, { cpuExpertLayers: cpuExpertLayers - 1, gpuLayers: 33 });
    expect(fewer.fits).toBe(false);
  });

  it("misses no number of expert layers that fits cards and main memory", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 3, max: 16 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 2, max: 26 }),
        (gib, host) => {
          const exact = (cpuExpertLayers: number): Fit =>
            fit(mixtral, gib, host, { cpuExpertLayers, gpuLayers: 33, contextTokens: 4096, parallel: 1 });
          const first = Array.from({ length: 33 }, (_, layers) => layers).find(
            (layers) => exact(layers).fits,
          );
          const found = fit(mixtral, gib, host, { gpuLayers: 33, contextTokens: 4096, parallel: 1 });
          expect(found.fits ? found.prediction.settings.cpuExpertLayers : undefined).toBe(first);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("of a dense model keeps the fewest layers in main memory", () => {
    const { prediction, resident } = fitted(fit(llama8, [5], 64));
    expect(resident).toBe(false);
    expect(prediction.settings.gpuLayers).toBeGreaterThan(20);
    expect(prediction.settings.gpuLayers).toBeLessThan(33);
    const more = fit(llama8, [5], 64, { gpuLayers: prediction.settings.gpuLayers + 1 });
    expect(more.fits).toBe(false);
  });

  it("is refused where everything must be resident, with bits a weight and what would do", () => {
    const { code, reason, hint } = refused(fit(mixtral, [12, 8], 64, { resident: true }));
    expect(code).toBe("not-fully-resident");
    expect(reason).toMatch(
      /needs \d+\.\d\d GiB on gpu-0 \(\d+\.\d\d GiB of weights \+ .*\), which has 12\.00 GiB/,
    );
    expect(hint).toMatch(/experts of the first \d+ layers in main memory \(cpuMoe: \d+\)/);
    expect(hint).toMatch(
      /24\.4\d GiB of weights at 4\.\d\d bits a weight .* \d\.\d\d bits a weight would fit/,
    );
  });

  it("is refused with the arithmetic of main memory when that is short", () => {
    const { code, reason, hint } = refused(fit(llama70, [], 32));
    expect(code).toBe("does-not-fit");
    expect(reason).toMatch(/needs 3\d\.\d\d GiB on main memory \(37\.\d\d GiB of weights/);
    expect(reason).toContain("which has 32.00 GiB");
    expect(hint).toContain("bits a weight would fit");
  });

  it("is refused with what is left to main memory when cards take their part", () => {
    const { code, reason } = refused(fit(llama70, [12], 16));
    expect(code).toBe("does-not-fit");
    expect(reason).toMatch(
      /needs \d\d\.\d\d GiB on main memory \(\d\d\.\d\d GiB of weights .*, which has 16\.00 GiB/,
    );
    expect(reason).not.toContain("on gpu-0");
  });

  it("says how much context would fit when the wished one does not", () => {
    const { code, reason, hint } = refused(fit(llama8, [8], 1, { contextTokens: 131_072 }));
    expect(code).toBe("does-not-fit");
    expect(reason).toContain("131072 tokens of context for one request");
    expect(hint).toContain("4096 tokens of context for one request fit");
  });

  it("is refused for a cache that llama.cpp does not have", () => {
    expect(refused(fit(llama8, [24], 64, { kvKeyType: "fp8", kvValueType: "fp8" }))).toMatchObject({
      code: "spec.bad-value",
      reason: "llama.cpp cannot keep its KV cache in fp8",
    });
    const packed = fit(llama8, [24], 64, { kvValueType: "q8_0", flashAttention: false });
    expect(refused(packed)).toMatchObject({ code: "spec.conflict" });
  });

  it("without a shape says so", () => {
    const found = llamaCpp.fit({
      shape: undefined,
      wishes: {},
      devices: [],
      host: { free: GIB, threads: 1 },
    });
    expect(refused(found).code).toBe("model.no-shape");
  });
});

describe("prediction", () => {
  it("never takes less for more context, more requests or more precise caches", () => {
    const total = (shape: ModelShape, changes: Parameters<typeof settings>[0]): number => {
      const { devices, host } = llamaCpp.predict(shape, settings(changes), cards([GIB, GIB]));
      return [...devices, host].reduce((sum, memory) => sum + memory.total, 0);
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 4 }),
        (shape, steps, parallel) => {
          const base = { contextTokens: steps * 256, parallel, tensorSplit: [1, 1] };
          const bytes = total(shape, base);
          expect(total(shape, { ...base, contextTokens: (steps + 7) * 256 })).toBeGreaterThanOrEqual(bytes);
          expect(total(shape, { ...base, kvKeyType: "f32", kvValueType: "f32" })).toBeGreaterThanOrEqual(
            bytes,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("unpacks a packed cache on CUDA cards: K and V of one layer in F16 for every cell", () => {
    const q8 = settings({ contextTokens: 131_072, kvKeyType: "q8_0", kvValueType: "q8_0" });
    const cuda = llamaCpp.predict(llama8, q8, cards([24 * GIB], "8.6")).devices[0]?.compute ?? 0;
    const other = llamaCpp.predict(llama8, q8, cards([24 * GIB])).devices[0]?.compute ?? 0;
    expect(cuda - other).toBeGreaterThanOrEqual(131_072 * 2 * 1024 * 2 - 128 * 2 ** 20);
  });

  it("puts a projector for images on the first card, and makes room for it there", () => {
    const seeing = { ...llama8, projectorBytes: GIB };
    const [first, second] = fitted(fit(seeing, [6, 6], 16, { parallel: 1 })).prediction.devices;
    expect(first?.parts).toContainEqual({ term: "weights", name: "projector", bytes: GIB });
    expect(second?.parts.map(({ name }) => name)).not.toContain("projector");
    const without = llamaCpp.predict(llama8, settings(), cards([24 * GIB])).devices[0]?.total ?? 0;
    const withIt = llamaCpp.predict(seeing, settings(), cards([24 * GIB])).devices[0]?.total ?? 0;
    expect(withIt - without).toBe(2 * GIB);
  });

  it("counts the CUDA context on CUDA cards only", () => {
    const [cuda] = llamaCpp.predict(llama8, settings(), cards([24 * GIB], "8.6")).devices;
    const [other] = llamaCpp.predict(llama8, settings(), cards([24 * GIB])).devices;
    expect(cuda?.overhead).toBe(GIB / 2);
    expect(other?.overhead).toBe(0);
    expect(cuda?.parts.map(({ name }) => name)).toContain("CUDA context");
  });
});

const sumOf = (memory: DeviceMemory): number => memory.parts.reduce((sum, { bytes }) => sum + bytes, 0);
