import { describe, expect, it } from "vitest";
import { findModelFamily } from "../../catalog/index.ts";
import { layerCaches } from "../layer-caches.ts";
import type { LayerCache } from "../model-shape.ts";
import { configCaches } from "./config-caches.ts";
import { parseConfig } from "./config.ts";

const caches = (config: Record<string, unknown>): LayerCache[][] =>
  configCaches(parseConfig(config, "config.json").text);
const kinds = (config: Record<string, unknown>): string =>
  caches(config)
    .map((layer) => layer.map(({ kind }) => kind.charAt(0)).join("+") || "-")
    .join("");
const known = (name: string): LayerCache[][] => {
  const dimensions = findModelFamily(name)?.dimensions;
  if (dimensions === undefined) throw new Error(`${name} is not in the catalog`);
  return layerCaches(dimensions);
};
const BASE = { num_hidden_layers: 4, hidden_size: 512, num_attention_heads: 8, num_key_value_heads: 2 };

describe("caches from a published config.json", () => {
  it("of latent attention and its indexer", () => {
    const v3 = {
      num_hidden_layers: 61,
      hidden_size: 7168,
      num_attention_heads: 128,
      num_key_value_heads: 128,
      kv_lora_rank: 512,
      qk_rope_head_dim: 64,
    };
    expect(caches(v3)).toEqual(known("DeepSeek-V3"));
    expect(caches({ ...v3, index_head_dim: 128 })).toEqual(known("DeepSeek-V3.2"));
    const shared = caches({
      ...v3,
      num_hidden_layers: 2,
      index_head_dim: 128,
      indexer_types: ["full", "shared"],
    });
    expect(shared.flat().map((cache) => cache.kind === "latent" && cache.indexer)).toEqual([128, 0]);
  });

  it("of hybrids", () => {
    const linear = {
      linear_conv_kernel_dim: 4,
      linear_key_head_dim: 128,
      linear_num_key_heads: 16,
      linear_num_value_heads: 32,
      linear_value_head_dim: 128,
    };
    const qwen = {
      num_hidden_layers: 32,
      hidden_size: 4096,
      num_attention_heads: 16,
      num_key_value_heads: 4,
      head_dim: 256,
      ...linear,
    };
    expect(caches({ text_config: { ...qwen, full_attention_interval: 4 } })).toEqual(known("Qwen3.5-9B"));
    const types = Array.from({ length: 32 }, (_, layer) =>
      layer % 4 === 3 ? "full_attention" : "linear_attention",
    );
    expect(caches({ ...qwen, layer_types: types })).toEqual(known("Qwen3.5-9B"));
    // Jamba: one block of attention in eight, the fifth.
    expect(
      kinds({ ...BASE, num_hidden_layers: 8, attn_layer_period: 8, attn_layer_offset: 4, mamba_d_state: 16 }),
    ).toBe("ssssfsss");
    expect(kinds({ ...BASE, model_type: "falcon_h1", mamba_d_ssm: 1024, mamba_n_heads: 16 })).toBe(
      "f+sf+sf+sf+s",
    );
    expect(
      kinds({ ...BASE, linear_attn_config: { full_attn_layers: [4], num_heads: 4, head_dim: 64 } }),
    ).toBe("sssf");
    expect(kinds({ ...BASE, layer_types: ["conv", "conv", "full_attention", "conv"], conv_L_cache: 3 })).toBe(
      "ssfs",
    );
  });

  it("of Nemotron-H and Mamba", () => {
    const nemotron = {
      num_hidden_layers: 8,
      hidden_size: 2688,
      num_attention_heads: 32,
      num_key_value_heads: 2,
      head_dim: 128,
      hybrid_override_pattern: "MEM*EM-E",
      mamba_num_heads: 64,
      mamba_head_dim: 64,
      n_groups: 8,
      ssm_state_size: 128,
      conv_kernel: 4,
    };
    expect(kinds(nemotron)).toBe("s-sf-s--");
    expect(caches(nemotron)[0]).toEqual([
      { kind: "state", convolution: 3 * (4096 + 2 * 8 * 128), recurrent: 4096 * 128 },
    ]);
    const mamba = {
      model_type: "mamba",
      num_hidden_layers: 1,
      hidden_size: 2560,
      state_size: 16,
      conv_kernel: 4,
      expand: 2,
    };
    expect(caches(mamba)).toEqual([[{ kind: "state", convolution: 3 * 5120, recurrent: 5120 * 16 }]]);
  });

  it("of sliding windows, in each of their spellings", () => {
    const gemma = {
      model_type: "gemma3",
      text_config: {
        model_type: "gemma3_text",
        num_hidden_layers: 62,
        hidden_size: 5376,
        num_attention_heads: 32,
        num_key_value_heads: 16,
        head_dim: 128,
        sliding_window: 1024,
      },
    };
    expect(caches(gemma)).toEqual(known("Gemma-3-27B"));
    const types = ["sliding_attention", "full_attention", "sliding_attention", "full_attention"];
    expect(kinds({ ...BASE, sliding_window: 128, layer_types: types })).toBe("wfwf");
    expect(kinds({ ...BASE, sliding_window: 4096 })).toBe("wwww");
    expect(kinds({ ...BASE, sliding_window: 4096, use_sliding_window: false, max_window_layers: 2 })).toBe(
      "ffff",
    );
    expect(kinds({ ...BASE, sliding_window: 4096, use_sliding_window: true, max_window_layers: 3 })).toBe(
      "fffw",
    );
    expect(kinds({ ...BASE, model_type: "llama4_text" })).toBe("wwwf");
    expect(kinds({ ...BASE, model_type: "gemma2" })).toBe("wfwf");
  });

  it("of blocks that share, skip or widen their keys", () => {
    expect(kinds({ ...BASE, num_kv_shared_layers: 3 })).toBe("f---");
    expect(kinds({ ...BASE, model_type: "bert" })).toBe("----");
    const gemma4 = {
      ...BASE,
      num_hidden_layers: 2,
      head_dim: 256,
      global_head_dim: 512,
      num_global_key_value_heads: 1,
      sliding_window: 512,
      layer_types: ["sliding_attention", "full_attention"],
    };
    expect(caches(gemma4)).toEqual([
      [{ kind: "window", window: 512, kvHeads: 2, keyLength: 256, valueLength: 256 }],
      [{ kind: "full", kvHeads: 1, keyLength: 512, valueLength: 512 }],
    ]);
    const puzzle = {
      ...BASE,
      num_hidden_layers: 2,
      block_configs: [{ attention: { n_heads_in_group: 8 } }, { attention: { no_op: true } }],
    };
    expect(caches(puzzle)).toEqual([[{ kind: "full", kvHeads: 1, keyLength: 64, valueLength: 64 }], []]);
  });

  it("of windows with heads of their own, and of keys that are compressed or chosen by others", () => {
    const mimo = {
      ...BASE,
      num_hidden_layers: 2,
      head_dim: 192,
      v_head_dim: 128,
      sliding_window: 128,
      swa_num_key_value_heads: 8,
      hybrid_layer_pattern: [0, 1],
    };
    expect(caches(mimo)).toEqual([
      [{ kind: "full", kvHeads: 2, keyLength: 192, valueLength: 128 }],
      [{ kind: "window", window: 128, kvHeads: 8, keyLength: 192, valueLength: 128 }],
    ]);
    const v4 = {
      num_hidden_layers: 3,
      hidden_size: 4096,
      num_attention_heads: 64,
      num_key_value_heads: 1,
      head_dim: 512,
      index_head_dim: 128,
      sliding_window: 128,
      compress_ratios: [0, 4, 128],
    };
    expect(kinds(v4)).toBe("ww+f+f+s+sw+f+s");
    const perToken = caches(v4).map((layer) =>
      layer.reduce((sum, cache) => sum + (cache.kind === "full" ? cache.keyLength : 0), 0),
    );
    expect(perToken).toEqual([0, 512 / 4 + 128 / 4, 512 / 128]);
    const m3 = { sparse_index_dim: 128, sparse_attention_freq: [0, 1, 1, 1] };
    expect(kinds({ ...BASE, sparse_attention_config: m3 })).toBe("ff+ff+ff+f");
  });

  it("of models whose blocks are told by their pattern alone", () => {
    const { num_hidden_layers: _, ...rest } = BASE;
    const words = ["mamba", "moe", "attention", "mlp"];
    expect(kinds({ ...rest, layers_block_type: words, mamba_num_heads: 8, mamba_head_dim: 64 })).toBe("s-f-");
    expect(() => caches({ ...BASE, is_encoder_decoder: true })).toThrow(/an encoder with a decoder/);
    expect(() => caches(rest)).toThrow(/gives no num_hidden_layers/);
  });
});
