import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import { displayName } from "../shown.ts";

/** No width, count or length of any model comes near; what is beyond it is damage. */
const MOST = 1_000_000_000;
const whole = z.int().min(0).max(MOST);
/** Wrong kinds are as good as absent: publishers write `null`, lists a layer, or a text where most write a number. */
const number = whole.optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);
const numbers = z.array(whole).max(4096).optional().catch(undefined);
const words = z.array(z.string().max(64)).max(4096).optional().catch(undefined);
const word = z.string().max(4096).optional().catch(undefined);

/** Every name under which config.json files give the same number, ours first. Source: transformers' `attribute_map`s. */
const FIELDS = {
  num_hidden_layers: number,
  n_layer: number,
  num_layers: number,
  n_layers: number,
  hidden_size: number,
  n_embd: number,
  d_model: number,
  num_attention_heads: number,
  n_head: number,
  num_key_value_heads: number,
  num_kv_heads: number,
  multi_query: flag,
  head_dim: number,
  attention_head_dim: number,
  intermediate_size: number,
  n_inner: number,
  ffn_hidden_size: number,
  vocab_size: number,
  max_position_embeddings: number,
  n_positions: number,
  max_sequence_length: number,
  tie_word_embeddings: flag,
  model_type: word,
  architectures: words,
  // Latent attention
  kv_lora_rank: number,
  qk_rope_head_dim: number,
  qk_nope_head_dim: number,
  v_head_dim: number,
  index_head_dim: number,
  indexer_types: words,
  compress_ratios: numbers,
  sparse_attention_config: z
    .object({ sparse_index_dim: number, sparse_attention_freq: numbers })
    .optional()
    .catch(undefined),
  // Windows
  sliding_window: number,
  use_sliding_window: flag,
  max_window_layers: number,
  sliding_window_pattern: number,
  _sliding_window_pattern: number,
  attention_chunk_size: number,
  no_rope_layers: numbers,
  layer_types: words,
  full_attention_interval: number,
  num_kv_shared_layers: number,
  hybrid_layer_pattern: numbers,
  swa_num_key_value_heads: number,
  swa_head_dim: number,
  swa_v_head_dim: number,
  global_head_dim: number,
  num_global_key_value_heads: number,
  // Recurrent blocks
  hybrid_override_pattern: word,
  layers_block_type: words,
  attn_layer_period: number,
  attn_layer_offset: number,
  attn_type_list: numbers,
  linear_conv_kernel_dim: number,
  linear_key_head_dim: number,
  linear_num_key_heads: number,
  linear_num_value_heads: number,
  linear_value_head_dim: number,
  linear_attn_config: z
    .object({
      full_attn_layers: numbers,
      head_dim: number,
      num_heads: number,
      short_conv_kernel_size: number,
    })
    .optional()
    .catch(undefined),
  mamba_num_heads: number,
  mamba_n_heads: number,
  mamba_head_dim: number,
  mamba_d_head: number,
  mamba_d_state: number,
  mamba_d_conv: number,
  mamba_n_groups: number,
  mamba_d_ssm: number,
  mamba_expand: number,
  n_groups: number,
  ssm_state_size: number,
  state_size: number,
  conv_kernel: number,
  expand: number,
  conv_L_cache: number,
  full_attn_idxs: numbers,
  block_configs: z
    .array(
      z.object({
        attention: z.object({ n_heads_in_group: number, no_op: flag, replace_with_linear: flag }),
      }),
    )
    .max(4096)
    .optional()
    .catch(undefined),
  // Experts
  num_experts: number,
  num_local_experts: number,
  n_routed_experts: number,
  num_experts_per_tok: number,
  top_k_experts: number,
  moe_topk: number,
  num_experts_per_token: number,
  n_shared_experts: number,
  num_shared_experts: number,
  shared_expert_intermediate_size: number,
  moe_intermediate_size: number,
  is_encoder_decoder: flag,
};

const TEXT = z.object(FIELDS);
/** What config.json says of the language model, the outer level filling what the inner one leaves out. */
export type TextConfig = z.infer<typeof TEXT>;

const LEVEL = z.record(z.string(), z.unknown());

export interface ParsedConfig {
  readonly text: TextConfig;
  /** `quantization_config`, where there is one. */
  readonly quantization: unknown;
  /** Class of the whole model, in lower case; the model type when no class is named. */
  readonly architecture: string;
}

/** Multimodal models keep the language model's numbers one level down. */
const TEXT_LEVELS = ["text_config", "llm_config", "language_config", "thinker_config"] as const;

/**
 * Parses config.json. Throws `OmniError` `model.malformed` when it is no object, and `model.unsupported` when it
 * describes no language model (no number of layers, or an encoder with a decoder).
 */
export function parseConfig(json: unknown, name: string): ParsedConfig {
  const outer = LEVEL.safeParse(json);
  if (!outer.success) throw new OmniError("model.malformed", `${name} is no JSON object.`);
  const merged = { ...outer.data, ...inner(outer.data) };
  const text = TEXT.parse({ ...defaultsOf(merged["model_type"]), ...merged });
  const outermost = TEXT.parse(outer.data);
  if (text.is_encoder_decoder === true)
    throw new OmniError(
      "model.unsupported",
      `${name} describes an encoder with a decoder, not a language model.`,
    );
  if (layersOf(text) === undefined)
    throw new OmniError(
      "model.unsupported",
      `${name} gives no num_hidden_layers, so it is no language model.`,
    );
  return {
    text: { ...text, tie_word_embeddings: outermost.tie_word_embeddings ?? text.tie_word_embeddings },
    quantization: outer.data["quantization_config"] ?? merged["quantization_config"],
    architecture:
      displayName(
        outermost.architectures?.[0] ?? outermost.model_type ?? text.model_type ?? "",
      )?.toLowerCase() ?? "unknown",
  };
}

/** The innermost level, found at most two deep (Qwen-Omni nests it twice). */
function inner(level: Record<string, unknown>, depth = 0): Record<string, unknown> {
  for (const key of TEXT_LEVELS) {
    const found = LEVEL.safeParse(level[key]);
    if (found.success) return { ...found.data, ...(depth < 2 ? inner(found.data, depth + 1) : {}) };
  }
  return {};
}

/** Blocks of the model; those of Nemotron are as many as its pattern has letters or words. */
export const layersOf = (text: TextConfig): number | undefined =>
  text.num_hidden_layers ??
  text.n_layer ??
  text.num_layers ??
  text.n_layers ??
  text.layers_block_type?.length ??
  text.hybrid_override_pattern?.length;

/** Numbers that publishers leave out because transformers' class has them. Source: configuration_gemma3.py and the like. */
function defaultsOf(modelType: unknown): Record<string, unknown> {
  if (modelType === "gemma3_text")
    return {
      hidden_size: 2304,
      num_hidden_layers: 26,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      head_dim: 256,
      intermediate_size: 9216,
      vocab_size: 262_208,
      max_position_embeddings: 131_072,
      sliding_window: 4096,
      sliding_window_pattern: 6,
    };
  if (modelType === "gemma2") return { sliding_window_pattern: 2, sliding_window: 4096, head_dim: 256 };
  if (modelType === "cohere2") return { sliding_window_pattern: 4 };
  return modelType === "llama4_text" ? { attention_chunk_size: 8192, sliding_window_pattern: 4 } : {};
}
