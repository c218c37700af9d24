/** What a tensor of a Hugging Face model is for, by its name. */
export type TensorPlace =
  | { readonly group: "embedding" | "output" | "other" | "projector" }
  | {
      readonly group: "attention" | "feedForward" | "experts";
      readonly layer: number;
      /** Belongs to multi-token prediction, whose blocks are counted from 0. */
      readonly draft: boolean;
    };

/** Towers for images and sound, and what joins them to the language model. */
const PROJECTOR =
  /(?:^|\.)(?:visual|vision|vision_tower|vision_model|vision_encoder|vit|vpm|resampler|audio_tower|audio_encoder|multi_modal_projector|mm_projector|vision_projection|embed_vision|embed_audio|image_newline|mlp1|aligner|connector|sam_model|projector|embed_tokens_extend)(?:\.|$)/;
const BLOCK = /(?:^|\.)(?:layers|mtp_layers|mtp|h|blocks|layer)\.(\d+)\.(.+)$/s;
const DRAFT = /(?:^|\.)mtp(?:_layers|_block)?\./;
/** What only a block for multi-token prediction has. */
const DRAFT_ONLY = /^(?:eh_proj|enorm|hnorm|shared_head|embed_tokens)\b/;
const EXPERTS = /(?:^|\.)experts\./;
const FEED_FORWARD =
  /(?:^|\.)(?:mlp|feed_forward|ffn|block_sparse_moe|moe|shared_experts?|shared_mlp|intermediate|router|gate)\.|post_attention_layernorm|pre_feedforward|post_feedforward|post_mlp|ln_2|ffn_norm|pre_ff_layernorm/;
/** Nemotron-H calls every block's content a mixer; these are the ones that are no attention. */
const MIXER_FEED_FORWARD =
  /^mixer\.(?:up_proj|down_proj|gate_proj|gate|shared_experts|fc1_latent_proj|fc2_latent_proj)\b/;
const EMBEDDING =
  /(?:^|\.)(?:embed_tokens|embed|wte|word_embeddings|tok_embeddings|embed_in|embeddings|token_embd)\.(?:weight|qweight|weight_packed|weight_scale|scales|qzeros)$/;
const HEAD = /(?:^|\.)(?:lm_head|embed_out|output|head)\.[\w.]+$/;

/**
 * Where a tensor belongs. Names are those of transformers' modules and of the checkpoints that differ from them (GPT-2,
 * BERT, Nemotron-H, Mixtral, Qwen's `mtp.*`); a block of a tower counts to the tower.
 */
export function tensorPlace(name: string): TensorPlace {
  if (PROJECTOR.test(name)) return { group: "projector" };
  const block = BLOCK.exec(name);
  if (block === null) {
    if (DRAFT.test(name)) return { group: "feedForward", layer: 0, draft: true };
    if (EMBEDDING.test(name)) return { group: "embedding" };
    return { group: HEAD.test(name) ? "output" : "other" };
  }
  const [, layer = "0", rest = ""] = block;
  return { group: blockGroup(rest), layer: Number(layer), draft: DRAFT.test(name) };
}

function blockGroup(rest: string): "attention" | "feedForward" | "experts" {
  if (EXPERTS.test(rest)) return "experts";
  if (MIXER_FEED_FORWARD.test(rest)) return "feedForward";
  if (/^(?:self_attn|attention|attn|linear_attn|mixer|mamba|self_attention)\b/.test(rest))
    // BERT keeps its output projection below attention.
    return "attention";
  return FEED_FORWARD.test(rest) || DRAFT_ONLY.test(rest) || rest.startsWith("output.")
    ? "feedForward"
    : "attention";
}
