import { describe, expect, it } from "vitest";
import { sparseSource } from "../../../test/fakes/sparse-model.ts";
import type { SparseModel } from "../../../test/fakes/sparse-model.ts";
import type { LayerShape } from "../model-shape.ts";
import { readGgufShapeFrom } from "./read-gguf-shape.ts";

const layersOf = async (
  architecture: string,
  keys: NonNullable<SparseModel["keys"]>,
): Promise<readonly LayerShape[]> => (await readGgufShapeFrom([sparseSource({ architecture, keys })])).layers;

/** `a` where a block attends, `s` where it has a state, `b` for both, `-` for neither. */
const pattern = (layers: readonly LayerShape[]): string =>
  layers
    .map(({ caches }) => {
      const state = caches.some(({ kind }) => kind === "state");
      return caches.length === 0 ? "-" : !state ? "a" : caches.length > 1 ? "b" : "s";
    })
    .join("");

const stateOf = (layers: readonly LayerShape[]): unknown =>
  layers.flatMap((layer) => layer.caches).find((cache) => cache.kind === "state");

const state = (convolution: number, recurrent: number) => ({ kind: "state", convolution, recurrent });

describe("recurrent blocks", () => {
  it("of Qwen3.5-9B: 8 of 32 attend, 32 768 bytes a token", async () => {
    const layers = await layersOf("qwen35", {
      block_count: 33,
      nextn_predict_layers: 1,
      embedding_length: 4096,
      "attention.head_count": 16,
      "attention.head_count_kv": 4,
      "attention.key_length": 256,
      "attention.value_length": 256,
      "ssm.conv_kernel": 4,
      "ssm.inner_size": 4096,
      "ssm.state_size": 128,
      "ssm.group_count": 16,
      full_attention_interval: 4,
    });
    expect(pattern(layers)).toBe(`${"sssa".repeat(8)}a`);
    expect(layers[32]?.draft).toBe(true);
    const kept = layers.slice(0, 32).flatMap(({ caches }) => caches);
    const full = kept.filter((cache) => cache.kind === "full");
    expect(
      full.reduce((sum, cache) => sum + 2 * cache.kvHeads * (cache.keyLength + cache.valueLength), 0),
    ).toBe(32_768);
    expect(stateOf(layers)).toEqual(state(3 * (4096 + 2 * 16 * 128), 128 * 4096));
  });

  it("of a file that lists them", async () => {
    const keys = {
      block_count: 4,
      "attention.head_count": 4,
      "attention.recurrent_layers": [true, false, false, true],
      "ssm.conv_kernel": 4,
      "ssm.inner_size": 256,
      "ssm.state_size": 16,
      "ssm.group_count": 2,
    };
    expect(pattern(await layersOf("qwen3next", keys))).toBe("saas");
  });

  const mamba = { "ssm.conv_kernel": 4, "ssm.inner_size": 8192, "ssm.state_size": 16, "ssm.group_count": 8 };
  const models: readonly (readonly [
    name: string,
    architecture: string,
    keys: NonNullable<SparseModel["keys"]>,
    blocks: string,
    state: unknown,
  ])[] = [
    [
      "Mamba, which knows no groups",
      "mamba",
      { block_count: 3, ...mamba },
      "sss",
      state(3 * 8192, 16 * 8192),
    ],
    ["Mamba 2", "mamba2", { block_count: 2, ...mamba }, "ss", state(3 * (8192 + 2 * 8 * 16), 16 * 8192)],
    [
      "Jamba",
      "jamba",
      { block_count: 4, "attention.head_count": 32, "attention.head_count_kv": [0, 0, 8, 0], ...mamba },
      "ssas",
      state(24_576, 131_072),
    ],
    [
      "Falcon-H1",
      "falcon-h1",
      { block_count: 2, "attention.head_count": 8, "attention.head_count_kv": 2, ...mamba },
      "bb",
      state(3 * (8192 + 256), 131_072),
    ],
    [
      "Nemotron-H",
      "nemotron_h",
      {
        block_count: 4,
        "attention.head_count": 8,
        "attention.head_count_kv": [0, 0, 2, 0],
        feed_forward_length: [0, 512, 0, 512],
        ...mamba,
      },
      "s-a-",
      state(3 * (8192 + 256), 131_072),
    ],
    [
      "LFM2",
      "lfm2",
      {
        block_count: 3,
        embedding_length: 2048,
        "attention.head_count": 32,
        "attention.head_count_kv": [0, 0, 8],
        "shortconv.l_cache": 3,
      },
      "ssa",
      state(4096, 0),
    ],
    [
      "RWKV 7",
      "rwkv7",
      { block_count: 2, embedding_length: 4096, "wkv.head_size": 64 },
      "ss",
      state(8192, 262_144),
    ],
    [
      "a model of Qwen made recurrent",
      "rwkv6qwen2",
      { block_count: 1, embedding_length: 4096, "wkv.head_size": 64, token_shift_count: 1 },
      "s",
      state(4096, 262_144),
    ],
    [
      "Kimi Linear",
      "kimi-linear",
      {
        block_count: 4,
        "attention.head_count": 32,
        "attention.head_count_kv": [0, 0, 0, 1],
        "attention.kv_lora_rank": 512,
        "attention.key_length": 576,
        "attention.key_length_mla": 192,
        "attention.value_length_mla": 128,
        "ssm.conv_kernel": 4,
        "kda.head_dim": 128,
      },
      "sssa",
      state(3 * 3 * 32 * 128, 128 * 128 * 32),
    ],
    [
      "MiniMax-01",
      "minimax-01",
      {
        block_count: 8,
        "attention.head_count": 64,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
      },
      "sssssssa",
      state(0, 128 * 128 * 64),
    ],
  ];
  it.each(models)("of %s", async (_, architecture, keys, blocks, expected) => {
    const layers = await layersOf(architecture, keys);
    expect(pattern(layers)).toBe(blocks);
    expect(stateOf(layers)).toEqual(expected);
  });

  it("of Qwen4-exp: one block keeps the history of its n-grams too", async () => {
    const layers = await layersOf("qwen4exp", {
      block_count: 4,
      "attention.head_count": 4,
      "attention.indexer.key_length": 32,
      "hyper_connection.count": 4,
      "ple.layers": [1],
      "ple.conv_kernel": 4,
      "ple.ngram_size": 3,
      "ssm.conv_kernel": 4,
      "ssm.inner_size": 256,
      "ssm.state_size": 16,
      "ssm.group_count": 2,
    });
    const convolutions = layers.flatMap(({ caches }) =>
      caches.flatMap((cache) => (cache.kind === "state" ? [cache.convolution] : [])),
    );
    expect(convolutions).toEqual([960, 960 + 3 * 3 * 4 * 64, 960]);
    expect(layers[3]?.caches[1]).toEqual({ kind: "full", kvHeads: 1, keyLength: 32, valueLength: 0 });
  });

  it("of LFM2 with a window: all that attend have it", async () => {
    const layers = await layersOf("lfm2", {
      block_count: 2,
      "attention.head_count": 4,
      "attention.head_count_kv": [0, 4],
      "attention.sliding_window": 512,
      "shortconv.l_cache": 3,
    });
    expect(layers[1]?.caches).toEqual([
      { kind: "window", window: 512, kvHeads: 4, keyLength: 16, valueLength: 16 },
    ]);
  });

  it("is refused when a key is missing", async () => {
    await expect(layersOf("mamba2", { block_count: 2 })).rejects.toThrow(/mamba2\.ssm\.conv_kernel/);
  });
});
