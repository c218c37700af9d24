import { describe, expect, it } from "vitest";
import { sparseSource } from "../../../test/fakes/sparse-model.ts";
import type { SparseModel } from "../../../test/fakes/sparse-model.ts";
import type { LayerCache, LayerShape } from "../model-shape.ts";
import { readGgufShapeFrom } from "./read-gguf-shape.ts";

const layersOf = async (
  architecture: string,
  keys: NonNullable<SparseModel["keys"]>,
): Promise<readonly LayerShape[]> =>
  (await readGgufShapeFrom([sparseSource({ architecture, keys })])).layers.filter(
    (layer) => layer.draft !== true,
  );

const cachesOf = async (
  architecture: string,
  keys: NonNullable<SparseModel["keys"]>,
): Promise<LayerCache[]> => (await layersOf(architecture, keys)).flatMap((layer) => layer.caches);

/** Bytes of one token as F16: of caches for every token, and of those with a window. */
const bytesOf = (caches: readonly LayerCache[]): { readonly every: number; readonly window: number } => {
  let every = 0;
  let window = 0;
  for (const cache of caches) {
    if (cache.kind === "latent") every += 2 * (cache.rank + cache.rope + cache.indexer);
    if (cache.kind === "full") every += 2 * cache.kvHeads * (cache.keyLength + cache.valueLength);
    if (cache.kind === "window") window += 2 * cache.kvHeads * (cache.keyLength + cache.valueLength);
  }
  return { every, window };
};

const attention = (blocks: number, heads: number, kvHeads: number, length: number) => ({
  block_count: blocks,
  "attention.head_count": heads,
  "attention.head_count_kv": kvHeads,
  "attention.key_length": length,
  "attention.value_length": length,
});

describe("keys and values", () => {
  const models: readonly (readonly [string, string, NonNullable<SparseModel["keys"]>, number])[] = [
    // 80 × 8 × (128 + 128) × 2
    ["Llama 70B", "llama", attention(80, 64, 8, 128), 327_680],
    // 40 × 8 × 256 × 2; its heads are shorter than hidden / heads
    ["Mistral-Nemo", "llama", { embedding_length: 5120, ...attention(40, 32, 8, 128) }, 163_840],
    // 36 × 8 × 256 × 2
    ["Qwen3-4B", "qwen3", { embedding_length: 2560, ...attention(36, 32, 8, 128) }, 147_456],
    // Without lengths: hidden / heads, 2 × 4 × (16 + 16) × 2
    ["a small one", "llama", { block_count: 2, "attention.head_count": 4 }, 512],
    // Deci: blocks without attention have 0 heads; (4 + 2) × 256 × 2
    ["Nemotron 51B", "deci", { ...attention(3, 64, 8, 128), "attention.head_count_kv": [4, 0, 2] }, 3072],
    // MiMo-V2: keys of 192 and values of 128; without a pattern all three would be read
    ["unequal lengths", "llama", { ...attention(3, 64, 4, 192), "attention.value_length": 128 }, 7680],
    // llama.cpp does not use these windows
    ["Mistral 7B", "llama", { ...attention(32, 32, 8, 128), "attention.sliding_window": 4096 }, 131_072],
    ["Phi-3", "phi3", { ...attention(32, 32, 32, 96), "attention.sliding_window": 2047 }, 393_216],
    // MiniCPM3 has a KV rank, but keeps full keys and values: 62 × 40 × (96 + 64) × 2
    [
      "MiniCPM3",
      "minicpm3",
      { ...attention(62, 40, 40, 96), "attention.value_length": 64, "attention.kv_lora_rank": 256 },
      793_600,
    ],
    // Three loops over two blocks: 3 × 2 × 2 × 128 × 2
    ["Nanbeige", "nanbeige", { ...attention(2, 8, 2, 64), num_loops: 3 }, 3072],
    ["BERT", "bert", attention(12, 12, 12, 64), 0],
    ["ModernBERT", "modern-bert", { ...attention(22, 12, 12, 64), "attention.sliding_window": 128 }, 0],
    ["LLaDA", "llada", attention(32, 32, 32, 128), 0],
  ];
  it.each(models)("of %s", async (_, architecture, keys, bytes) => {
    expect(bytesOf(await cachesOf(architecture, keys))).toEqual({ every: bytes, window: 0 });
  });

  it("of the router of Granite Switch: one more layer of one head", async () => {
    const layers = await layersOf("graniteswitch", attention(40, 32, 8, 128));
    expect(layers).toHaveLength(41);
    expect(layers.at(-1)).toEqual({
      weights: { attention: 0, feedForward: 0, experts: 0 },
      caches: [{ kind: "full", kvHeads: 1, keyLength: 128, valueLength: 128 }],
    });
  });
});

describe("sliding windows", () => {
  const models: readonly (readonly [
    name: string,
    architecture: string,
    keys: NonNullable<SparseModel["keys"]>,
    every: number,
    window: number,
    width: number,
  ])[] = [
    // Every 6th of 62 attends fully: 10 and 52 times 16 × 256 × 2
    [
      "Gemma 3 27B",
      "gemma3",
      { ...attention(62, 32, 16, 128), "attention.sliding_window": 1024 },
      81_920,
      425_984,
      1024,
    ],
    // 21 and 21 times 8 × 512 × 2, the window is the architecture's own
    ["Gemma 2 9B", "gemma2", attention(42, 16, 8, 256), 172_032, 172_032, 4096],
    // 12 and 12 times 8 × 128 × 2
    [
      "gpt-oss 20B",
      "gpt-oss",
      { ...attention(24, 64, 8, 64), "attention.sliding_window": 128 },
      24_576,
      24_576,
      128,
    ],
    // Blocks from the 20th on share: 4 full and 16 windows of 2 × 512 × 2
    [
      "Gemma 3n E4B",
      "gemma3n",
      { ...attention(35, 8, 2, 256), "attention.sliding_window": 512 },
      8192,
      32_768,
      512,
    ],
    // 12 full and 36 chunked of 8 × 256 × 2; the width stands in the source
    ["Llama 4 Scout", "llama4", attention(48, 40, 8, 128), 49_152, 147_456, 8192],
    [
      "Llama 4 without chunks",
      "llama4",
      { ...attention(48, 40, 8, 128), "attention.sliding_window": 0 },
      196_608,
      0,
      0,
    ],
    [
      "Cohere 2",
      "cohere2",
      { ...attention(32, 32, 8, 128), "attention.sliding_window": 4096 },
      32_768,
      98_304,
      4096,
    ],
    // The first of four attends fully; 7 blocks have 2 such
    [
      "SmallThinker",
      "smallthinker",
      { ...attention(7, 28, 4, 128), "attention.sliding_window": 1 },
      4096,
      10_240,
      4096,
    ],
    ["EXAONE 4 32B", "exaone4", attention(64, 40, 8, 128), 65_536, 196_608, 4096],
    ["EXAONE 4 1.2B", "exaone4", attention(30, 32, 8, 64), 61_440, 0, 0],
    ["OLMo 2", "olmo2", attention(32, 32, 32, 128), 524_288, 0, 0],
    [
      "OLMo 3",
      "olmo2",
      { ...attention(32, 32, 32, 128), "attention.sliding_window": 4096 },
      131_072,
      393_216,
      4096,
    ],
    [
      "a period from the file",
      "gemma3",
      { ...attention(4, 8, 1, 64), "attention.sliding_window": 9, "attention.sliding_window_pattern": 2 },
      512,
      512,
      9,
    ],
    // Gemma 4: pattern, heads by block and other lengths in the window; the last two blocks share
    [
      "Gemma 4",
      "gemma4",
      {
        ...attention(6, 8, 8, 512),
        "attention.head_count_kv": [8, 8, 2, 8, 8, 2],
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": 1024,
        "attention.sliding_window_pattern": [true, true, false, true, true, false],
        "attention.shared_kv_layers": 2,
      },
      2 * 1024 * 2,
      3 * 8 * 512 * 2,
      1024,
    ],
  ];
  it.each(models)("of %s", async (_, architecture, keys, every, window, width) => {
    const caches = await cachesOf(architecture, keys);
    expect(bytesOf(caches)).toEqual({ every, window });
    const widths = new Set(caches.flatMap((cache) => (cache.kind === "window" ? [cache.window] : [])));
    expect([...widths]).toEqual(width === 0 ? [] : [width]);
  });

  it("of an architecture that has to give a pattern and does not", async () => {
    const keys = { ...attention(6, 8, 8, 64), "attention.sliding_window": 128 };
    await expect(cachesOf("mimo2", keys)).rejects.toThrow(/mimo2\.attention\.sliding_window_pattern/);
  });
});

describe("latents", () => {
  const V3 = {
    block_count: 61,
    "attention.head_count": 128,
    "attention.head_count_kv": 1,
    "attention.kv_lora_rank": 512,
    "attention.key_length": 576,
    "attention.value_length": 512,
    "attention.key_length_mla": 192,
    "attention.value_length_mla": 128,
  };

  it("of DeepSeek-V3: 61 × (512 + 64) × 2, and the draft block beside them", async () => {
    const source = sparseSource({
      architecture: "deepseek2",
      keys: { ...V3, block_count: 62, nextn_predict_layers: 1 },
    });
    const shape = await readGgufShapeFrom([source]);
    const latent = { kind: "latent", rank: 512, rope: 64, indexer: 0 };
    expect(shape.layers.map((layer) => layer.draft === true).lastIndexOf(false)).toBe(60);
    expect(shape.layers.at(-1)).toMatchObject({ draft: true, caches: [latent] });
    expect(bytesOf(shape.layers.slice(0, 61).flatMap((layer) => layer.caches)).every).toBe(70_272);
    expect(shape).toMatchObject({ heads: 128, kvHeads: 1, headLength: 192 });
  });

  it("of an old file of DeepSeek-V3: keys and values of all 128 heads", async () => {
    const caches = await cachesOf("deepseek2", {
      ...attention(61, 128, 128, 192),
      "attention.value_length": 128,
      "attention.kv_lora_rank": 512,
    });
    expect(bytesOf(caches).every).toBe(61 * 128 * (192 + 128) * 2);
  });

  it("of DeepSeek-V3.2: an indexer key of 128 beside each", async () => {
    const caches = await cachesOf("deepseek32", { ...V3, "attention.indexer.key_length": 128 });
    expect(bytesOf(caches).every).toBe(70_272 + 15_616);
  });

  it("of GLM: indexer keys in all blocks, and with a context of a million in 21 of 78", async () => {
    const keys = { ...V3, block_count: 79, nextn_predict_layers: 1, "attention.indexer.key_length": 128 };
    const indexers = async (context: number): Promise<number> =>
      (await cachesOf("glm-dsa", { ...keys, context_length: context })).filter(
        (cache) => cache.kind === "latent" && cache.indexer === 128,
      ).length;
    expect(await indexers(202_752)).toBe(78);
    expect(await indexers(1_048_576)).toBe(21);
  });

  it("of Hy-4 without an indexer, and with one in the blocks that the file lists", async () => {
    const keys = { ...V3, block_count: 4 };
    expect(bytesOf(await cachesOf("hy_v4", keys)).every).toBe(4 * 576 * 2);
    const indexed = { "attention.indexer.top_k": 2048, "attention.indexer.key_length": 128 };
    const caches = await cachesOf("hy_v4", { ...keys, ...indexed, "attention.indexer.types": [1, 0, 1, 0] });
    expect(bytesOf(caches).every).toBe((4 * 576 + 2 * 128) * 2);
  });

  it("of a model with windows: latents of their own width", async () => {
    const keys = {
      ...V3,
      block_count: 2,
      "attention.key_length_swa": 320,
      "attention.sliding_window": 1024,
      "attention.sliding_window_pattern": [true, false],
      "attention.indexer.key_length": 128,
      "attention.indexer.types": [0, 1],
    };
    expect(bytesOf(await cachesOf("dots3note", keys))).toEqual({ every: (576 + 128) * 2, window: 320 * 2 });
  });

  it("of DeepSeek-V4: the last tokens, a quarter or a 128th of all, indexer keys and compressors", async () => {
    const caches = await cachesOf("deepseek4", {
      ...attention(3, 64, 1, 512),
      "attention.sliding_window": 128,
      "attention.indexer.key_length": 128,
      "attention.compress_ratios": [0, 4, 128],
    });
    expect(bytesOf(caches)).toEqual({ every: 2 * (512 / 4 + 128 / 4 + 512 / 128), window: 3 * 512 * 2 });
    const states = caches.filter((cache) => cache.kind === "state").map(({ recurrent }) => recurrent);
    expect(states).toEqual([2 * 8 * 1024, 2 * 8 * 256, 2 * 128 * 512]);
  });

  it("of Ling 3: the main pass keeps the draft block's latent too", async () => {
    const keys = { ...V3, block_count: 3, nextn_predict_layers: 1, "ssm.conv_kernel": 4, "kda.head_dim": 64 };
    const caches = await cachesOf("bailingmoe3", { ...keys, "attention.head_count_kv": [0, 1, 1] });
    expect(bytesOf(caches).every).toBe(2 * 576 * 2);
  });

  it("of sparse attention over full keys: MiniMax-M3 beyond its dense blocks", async () => {
    const keys = { ...attention(3, 64, 4, 128), leading_dense_block_count: 1 };
    const caches = await cachesOf("minimax-m3", { ...keys, "attention.indexer.key_length": 64 });
    expect(bytesOf(caches).every).toBe((3 * 4 * 256 + 2 * (64 + 128)) * 2);
  });
});
