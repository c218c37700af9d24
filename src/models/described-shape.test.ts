import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findModelFamily, MODEL_FAMILIES } from "../catalog/index.ts";
import type { ModelDimensions } from "../catalog/index.ts";
import { GIB } from "../core/index.ts";
import { declaredDimensions, describedShape } from "./index.ts";
import type { ModelShape } from "./index.ts";

function dimensions(name: string): ModelDimensions {
  const family = findModelFamily(name);
  if (family === undefined) throw new Error(`${name} is not in the catalog`);
  return family.dimensions;
}
const shape = (name: string, quantization?: string, format?: "gguf" | "safetensors"): ModelShape =>
  describedShape(dimensions(name), { quantization, format, origin: "catalog", name });
/** Bytes of KV cache a token, 2 bytes an element. */
const kvBytesPerToken = (model: ModelShape): number =>
  2 *
  model.layers
    .filter((layer) => layer.draft !== true)
    .flatMap((layer) => layer.caches)
    .reduce((sum, cache) => {
      if (cache.kind === "full") return sum + cache.kvHeads * (cache.keyLength + cache.valueLength);
      return cache.kind === "latent" ? sum + cache.rank + cache.rope + cache.indexer : sum;
    }, 0);

describe("parameters of known models", () => {
  // As the model pages of the hub count them.
  const published: readonly (readonly [string, number])[] = [
    ["Llama-3.1-8B", 8_030_261_248],
    ["DeepSeek-R1-Distill-Llama-70B", 70_553_706_496],
    ["Mistral-Nemo-12B", 12_247_782_400],
    ["Mistral-Small-24B", 23_572_403_200],
    ["Qwen2.5-Coder-7B", 7_615_616_512],
    ["DeepSeek-R1-Distill-Qwen-32B", 32_763_876_352],
    ["Qwen3-0.6B", 596_049_920],
    ["Qwen3-Embedding-0.6B", 595_776_512],
    ["Qwen3-8B", 8_190_735_360],
    ["Qwen3-30B-A3B", 30_532_122_624],
    ["Qwen3-Coder-480B", 480_154_875_392],
    ["Qwen3.5-27B", 27_781_427_952],
    ["gpt-oss-20b", 20_914_757_184],
    ["gpt-oss-120b", 116_829_156_672],
    ["GLM-4.5-Air", 110_468_824_832],
    ["GLM-4.7", 358_337_791_296],
    ["Gemma-3-27B", 27_432_406_640],
    ["Phi-4", 14_659_507_200],
    ["Llama-4-Scout", 108_641_793_536],
    ["DeepSeek-V3", 684_489_845_504],
    ["nomic-embed-text-v1.5", 136_731_648],
    ["bge-m3", 567_754_752],
  ];
  it.each(published)("%s has %d", (name, parameters) => {
    expect(shape(name, "bf16").parameters).toBe(parameters);
  });

  it("leaves the MTP block and the vision tower out where GGUF files do", () => {
    expect(shape("DeepSeek-V3", "Q4_K_M").parameters).toBe(671_026_419_200);
    expect(shape("Gemma-3-27B", "Q4_K_M").parameters).toBe(27_009_346_304);
    expect(shape("GLM-4.5-Air", "Q4_K_M").layers.filter((layer) => layer.draft === true)).toHaveLength(1);
  });
});

describe("bytes of known models", () => {
  it("are those of the published safetensors", () => {
    const llama = shape("DeepSeek-R1-Distill-Llama-70B", "w4a16");
    expect(llama.weightBytes / 1e9).toBeCloseTo(39.5, 2);
    expect(llama.weightBytes / GIB).toBeCloseTo(36.79, 2);
    expect(llama.embeddingBytes + llama.outputBytes).toBe(2 * 128_256 * 8192 * 2);
    expect(llama.quantization).toMatchObject({ scheme: "w4a16", method: "compressed-tensors" });
    expect(shape("Mistral-Nemo-12B").weightBytes / GIB).toBeCloseTo(22.81, 2);
    expect(shape("Mistral-Nemo-12B", "w4a16").weightBytes / 1e9).toBeCloseTo(8.31, 2);
    // gpt-oss publishes its experts in MXFP4 and the rest in bf16.
    expect(shape("gpt-oss-20b").weightBytes).toBe(13_761_264_768);
    expect(shape("DeepSeek-V3").weightBytes / 1e9).toBeCloseTo(688.6, 0);
  });

  it.each([
    ["DeepSeek-V3", "Q4_K_M", 404.5, 0.02],
    ["DeepSeek-V3", "Q2_K", 244, 0.04],
    ["DeepSeek-V3", "IQ2_XS", 195.2, 0.02],
    ["DeepSeek-V3", "IQ2_XXS", 174.5, 0.04],
    ["DeepSeek-V3", "IQ1_M", 149, 0.02],
    ["DeepSeek-V3", "IQ1_S", 133.7, 0.04],
    ["Llama-3.1-8B", "Q8_0", 8.54, 0.002],
    ["Llama-3.1-8B", "Q6_K", 6.6, 0.002],
    ["Llama-3.1-8B", "Q5_K_M", 5.73, 0.002],
    ["Llama-3.1-8B", "Q4_K_M", 4.92, 0.002],
    ["Llama-3.1-8B", "Q3_K_M", 4.02, 0.003],
    ["Llama-3.1-8B", "Q2_K", 3.18, 0.003],
    ["Llama-3.3-70B", "Q4_K_M", 42.52, 0.002],
    ["Phi-4", "Q4_K_M", 9.05, 0.002],
    ["nomic-embed-text-v1.5", "Q8_0", 0.146, 0.01],
  ])("%s in %s has %d GB", (name, quantization, gigabytes, tolerance) => {
    const { weightBytes, format } = shape(name, quantization);
    expect(format).toBe("gguf");
    expect(Math.abs(weightBytes / 1e9 / gigabytes - 1)).toBeLessThan(tolerance);
  });

  it("add up from their parts in every quantization", () => {
    const quantizations = [
      "bf16",
      "fp8",
      "w4a16",
      "awq",
      "nvfp4",
      "bnb-4bit",
      "Q4_K_M",
      "IQ2_XXS",
      "Q3_K_XL",
    ];
    for (const family of MODEL_FAMILIES) {
      let last = Infinity;
      for (const quantization of ["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"]) {
        const bytes = describedShape(family.dimensions, { quantization, origin: "catalog" }).weightBytes;
        expect(bytes, `${family.name} ${quantization}`).toBeLessThan(last);
        last = bytes;
      }
      for (const quantization of quantizations) {
        const model = describedShape(family.dimensions, { quantization, origin: "catalog" });
        const blocks = model.layers.reduce(
          (sum, { weights }) => sum + weights.attention + weights.feedForward + weights.experts,
          0,
        );
        const edges = model.embeddingBytes + model.outputBytes + model.otherBytes + model.projectorBytes;
        expect(blocks + edges, `${family.name} ${quantization}`).toBe(model.weightBytes);
        expect(Number.isInteger(model.weightBytes), `${family.name} ${quantization}`).toBe(true);
        expect(model.expertParameters > 0).toBe(model.experts !== undefined);
      }
    }
  });

  it("of tied models count the embedding once", () => {
    const model = shape("Qwen3-4B", "bf16");
    expect([model.tiedEmbeddings, model.outputBytes]).toEqual([true, 0]);
    expect(model.embeddingBytes).toBe(2560 * 151_936 * 2);
  });
});

describe("caches of known models", () => {
  it.each([
    ["DeepSeek-R1-Distill-Llama-70B", 327_680],
    ["Mistral-Nemo-12B", 163_840],
    ["Qwen3-4B", 147_456],
    ["DeepSeek-V3", 70_272],
    ["DeepSeek-V3.2", 70_272 + 15_616],
    ["Qwen3.5-9B", 32_768],
  ])("%s keeps %d bytes a token", (name, bytes) => {
    expect(kvBytesPerToken(shape(name))).toBe(bytes);
  });

  it("are none for encoders", () => {
    expect(shape("bge-m3").layers.every((layer) => layer.caches.length === 0)).toBe(true);
  });

  it("have windows and states where the model has them", () => {
    const count = (name: string, kind: string): number =>
      shape(name, "Q4_K_M").layers.filter((layer) => layer.caches[0]?.kind === kind).length;
    expect([count("Gemma-3-27B", "full"), count("Gemma-3-27B", "window")]).toEqual([10, 52]);
    expect([count("gpt-oss-20b", "full"), count("gpt-oss-20b", "window")]).toEqual([12, 12]);
    expect([count("Qwen3.5-9B", "full"), count("Qwen3.5-9B", "state")]).toEqual([8, 24]);
    expect(shape("Qwen3.5-9B", "Q4_K_M").layers[0]?.caches).toEqual([
      { kind: "state", convolution: 3 * 8192, recurrent: 32 * 128 * 128 },
    ]);
  });
});

describe("declared shapes", () => {
  const LLAMA = {
    layers: 80,
    hidden: 8192,
    heads: 64,
    kvHeads: 8,
    feedForward: 28_672,
    vocabulary: 128_256,
  } as const;

  it("mean the same as the catalog's", () => {
    const declared = describedShape(declaredDimensions(LLAMA), { quantization: "Q4_K_M", origin: "spec" });
    const known = shape("Llama-3.3-70B", "Q4_K_M");
    expect(declared.weightBytes).toBe(known.weightBytes);
    expect(declared.layers).toEqual(known.layers);
  });

  it("are scaled to the parameters that are claimed", () => {
    const { feedForward: _, ...rest } = LLAMA;
    const parameters = 70_553_706_496;
    const model = describedShape(declaredDimensions({ ...rest, parameters }), {
      quantization: "bf16",
      origin: "spec",
      parameters,
    });
    expect(model.parameters).toBe(parameters);
    expect(model.weightBytes / (parameters * 2)).toBeCloseTo(1, 6);
    expect(() =>
      describedShape(declaredDimensions(LLAMA), { origin: "spec", parameters: 1_000_000_000 }),
    ).toThrow(/embedding and head alone/);
  });

  it("of each kind of attention give its caches", () => {
    const kinds = (shape: Parameters<typeof declaredDimensions>[0]): unknown[] =>
      describedShape(declaredDimensions(shape), { quantization: "Q4_K_M", origin: "spec" }).layers.map(
        (layer) => layer.caches[0],
      );
    const small = { ...LLAMA, layers: 4 };
    expect(kinds({ ...small, attention: "dsa", kvLoraRank: 512 })[0]).toEqual({
      kind: "latent",
      rank: 512,
      rope: 64,
      indexer: 128,
    });
    const hybrid = kinds({ ...small, attention: "hybrid", fullAttentionInterval: 2, state: 8_000_000 });
    expect(hybrid[0]).toEqual({ kind: "state", convolution: 0, recurrent: 1_000_000 });
    expect(hybrid[1]).toMatchObject({ kind: "full", kvHeads: 8 });
    expect(kinds({ ...small, attention: "sliding-window", window: 4096 })[3]).toMatchObject({
      kind: "window",
      window: 4096,
    });
  });

  it("that leave out what their attention needs are refused by the name of the key", () => {
    expect(() => declaredDimensions({ ...LLAMA, attention: "mla" })).toThrow(/no kvLoraRank/);
    expect(() => declaredDimensions({ ...LLAMA, attention: "sliding-window" })).toThrow(/no window/);
    expect(() => declaredDimensions({ ...LLAMA, attention: "hybrid" })).toThrow(/no fullAttentionInterval/);
    expect(() => declaredDimensions({ ...LLAMA, feedForward: undefined })).toThrow(/no feedForward/);
  });

  it("of any size have positive integer bytes that add up", () => {
    fc.assert(
      fc.property(
        fc.record({
          layers: fc.integer({ min: 1, max: 12 }),
          hidden: fc.integer({ min: 1, max: 5000 }),
          heads: fc.integer({ min: 1, max: 64 }),
          feedForward: fc.integer({ min: 1, max: 9000 }),
          vocabulary: fc.integer({ min: 1, max: 300_000 }),
        }),
        fc.constantFrom(
          "bf16",
          "fp8",
          "w4a16",
          "gptq",
          "nvfp4",
          "bnb-4bit",
          "Q4_K_M",
          "Q2_K",
          "IQ3_XS",
          "UD-Q4_K_XL",
        ),
        (declared, quantization) => {
          const model = describedShape(declaredDimensions(declared), { quantization, origin: "spec" });
          expect(Number.isSafeInteger(model.weightBytes) && model.weightBytes > 0).toBe(true);
          expect(model.layers).toHaveLength(declared.layers);
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });
});

describe("quantizations", () => {
  it("decide the format, and unknown ones are refused", () => {
    expect(shape("Qwen3-8B", "UD-Q4_K_XL").format).toBe("gguf");
    expect(shape("Qwen3-8B", "q5_k_m").quantization).toMatchObject({ scheme: "gguf", name: "Q5_K_M" });
    expect(shape("Qwen3-8B", "AWQ").quantization.scheme).toBe("w4a16-awq");
    expect(shape("Qwen3-8B", undefined, "gguf").quantization.name).toBe("Q4_K_M");
    expect(shape("DeepSeek-V3").quantization.scheme).toBe("fp8");
    expect(() => shape("Qwen3-8B", "Q4_K_M", "safetensors")).toThrow(/Q4_K_M in safetensors/);
    expect(() => shape("Qwen3-8B", "Q9_Z")).toThrow(/Q9_Z in gguf/);
  });
});
