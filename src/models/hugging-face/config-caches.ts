import type { Mixer } from "../../catalog/model-dimensions.ts";
import { keys } from "../gguf/compressed-attention.ts";
import { linearState } from "../layer-caches.ts";
import type { LayerCache } from "../model-shape.ts";
import { configMixers, windowOf } from "./config-mixers.ts";
import { compressedCaches } from "./config-compressed.ts";
import { headsOf } from "./config-heads.ts";
import { layersOf } from "./config.ts";
import type { TextConfig } from "./config.ts";

/**
 * What each block keeps, by the same formulas as `layerCaches`, and those of Mamba, lightning attention, KDA and short
 * convolutions. Encoders keep nothing. Source: facts of llama.cpp's llama-memory-recurrent.cpp and vLLM's
 * mamba_utils.py (MambaStateShapeCalculator).
 */
export function configCaches(text: TextConfig): LayerCache[][] {
  if (/bert|roberta/.test(text.model_type ?? ""))
    return Array.from({ length: layersOf(text) ?? 0 }, () => []);
  const ratios = text.compress_ratios;
  if (ratios !== undefined) return compressedCaches(text, ratios);
  return configMixers(text).map((mixers, layer) => [
    ...mixers.flatMap((mixer) => cacheOf(text, mixer, layer) ?? []),
    ...blockIndexer(text, layer),
  ]);
}

/** MiniMax-M3 chooses blocks of tokens by keys of their own, beside full keys and values. */
function blockIndexer({ sparse_attention_config: sparse }: TextConfig, layer: number): LayerCache[] {
  const isSparse = sparse?.sparse_attention_freq?.[layer] === 1;
  return isSparse ? [keys(sparse.sparse_index_dim ?? 0)] : [];
}

function cacheOf(text: TextConfig, mixer: Mixer, layer: number): LayerCache | undefined {
  if (mixer === "none" || mixer === "shared") return undefined;
  if (mixer === "state") return stateOf(text);
  if (text.kv_lora_rank !== undefined && text.kv_lora_rank > 0)
    return latentOf(text, text.kv_lora_rank, layer);
  return attentionOf(text, mixer, layer);
}

function latentOf(text: TextConfig, rank: number, layer: number): LayerCache {
  const sharesIndexer = text.indexer_types?.[layer] === "shared";
  return {
    kind: "latent",
    rank,
    rope: text.qk_rope_head_dim ?? 64,
    indexer: sharesIndexer ? 0 : (text.index_head_dim ?? 0),
  };
}

function attentionOf(text: TextConfig, mixer: "full" | "window", layer: number): LayerCache {
  const { heads, kvHeads, length } = headsOf(text);
  const window = windowOf(text);
  if (mixer === "window" && window !== undefined)
    return {
      kind: "window",
      window,
      kvHeads: text.swa_num_key_value_heads ?? kvHeads,
      keyLength: text.swa_head_dim ?? length,
      valueLength: text.swa_v_head_dim ?? text.v_head_dim ?? length,
    };
  // Gemma 4: full blocks have fewer and wider heads than those with a window.
  const isMixed = text.global_head_dim !== undefined;
  const group = text.block_configs?.[layer]?.attention.n_heads_in_group;
  const own = group === undefined || group === 0 ? kvHeads : Math.floor(heads / group);
  return {
    kind: "full",
    kvHeads: isMixed ? (text.num_global_key_value_heads ?? own) : own,
    keyLength: text.global_head_dim ?? length,
    valueLength: text.global_head_dim ?? text.v_head_dim ?? length,
  };
}

function stateOf(text: TextConfig): LayerCache {
  const { hidden, heads, length } = headsOf(text);
  if (text.conv_L_cache !== undefined)
    return { kind: "state", convolution: Math.max(0, text.conv_L_cache - 1) * hidden, recurrent: 0 };
  const kimi = text.linear_attn_config;
  if (kimi !== undefined) {
    const [count = 0, width = 0] = [kimi.num_heads, kimi.head_dim];
    const kernel = Math.max(1, kimi.short_conv_kernel_size ?? 4);
    return { kind: "state", convolution: 3 * (kernel - 1) * count * width, recurrent: count * width * width };
  }
  if (text.linear_num_value_heads !== undefined)
    return {
      kind: "state",
      ...linearState({
        keyHeads: text.linear_num_key_heads ?? 0,
        valueHeads: text.linear_num_value_heads,
        keyLength: text.linear_key_head_dim ?? 0,
        valueLength: text.linear_value_head_dim ?? 0,
        kernel: text.linear_conv_kernel_dim ?? 4,
      }),
    };
  if (text.attn_type_list !== undefined)
    return { kind: "state", convolution: 0, recurrent: heads * length * length };
  return mambaState(text, hidden);
}

/** `(kernel − 1) × (inner + 2 × groups × state)` and `inner × state`; Mamba 1 convolves the inner part alone. */
function mambaState(text: TextConfig, hidden: number): LayerCache {
  const kernel = Math.max(1, text.conv_kernel ?? text.mamba_d_conv ?? 4);
  const state = text.ssm_state_size ?? text.mamba_d_state ?? text.state_size ?? 16;
  const heads = text.mamba_num_heads ?? text.mamba_n_heads;
  const width = text.mamba_head_dim ?? text.mamba_d_head;
  const expanded = hidden * (text.mamba_expand ?? text.expand ?? 2);
  const inner = text.mamba_d_ssm ?? (heads === undefined || width === undefined ? expanded : heads * width);
  const groups = heads === undefined ? 0 : (text.n_groups ?? text.mamba_n_groups ?? 1);
  return {
    kind: "state",
    convolution: (kernel - 1) * (inner + 2 * groups * state),
    recurrent: inner * state,
  };
}
