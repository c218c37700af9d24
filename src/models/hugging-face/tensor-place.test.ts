import { describe, expect, it } from "vitest";
import { tensorPlace } from "./tensor-place.ts";

/** `group` or `group layer`, with `draft` before it. */
function place(name: string): string {
  const found = tensorPlace(name);
  if (!("layer" in found)) return found.group;
  return `${found.draft ? "draft " : ""}${found.group} ${found.layer}`;
}

describe("names of tensors", () => {
  it.each([
    // Names as published checkpoints have them.
    ["model.embed_tokens.weight", "embedding"],
    ["transformer.wte.weight", "embedding"],
    ["backbone.embeddings.weight", "embedding"],
    ["model.language_model.embed_tokens.weight", "embedding"],
    ["embed.weight", "embedding"],
    ["lm_head.weight", "output"],
    ["lm_head.weight_scale", "output"],
    ["head.weight", "output"],
    ["model.norm.weight", "other"],
    ["rotary_emb.inv_freq", "other"],
    ["model.layers.3.self_attn.q_proj.weight", "attention 3"],
    ["model.layers.3.self_attn.indexer.wk.weight", "attention 3"],
    ["model.layers.3.self_attn.sinks", "attention 3"],
    ["model.layers.3.input_layernorm.weight", "attention 3"],
    ["model.layers.3.linear_attn.in_proj_qkv.weight", "attention 3"],
    ["model.layers.3.mamba.in_proj.weight", "attention 3"],
    ["model.layers.3.conv.in_proj.weight", "attention 3"],
    ["transformer.h.11.attn.c_attn.weight", "attention 11"],
    ["encoder.layer.2.attention.self.query.weight", "attention 2"],
    ["encoder.layer.2.intermediate.dense.weight", "feedForward 2"],
    ["encoder.layer.2.output.dense.weight", "feedForward 2"],
    ["transformer.h.11.mlp.c_fc.weight", "feedForward 11"],
    ["model.layers.3.mlp.gate_proj.weight", "feedForward 3"],
    ["model.layers.3.mlp.gate.e_score_correction_bias", "feedForward 3"],
    ["model.layers.3.mlp.router.weight", "feedForward 3"],
    ["model.layers.3.mlp.shared_experts.up_proj.weight", "feedForward 3"],
    ["model.layers.3.mlp.shared_expert_gate.weight", "feedForward 3"],
    ["model.layers.3.block_sparse_moe.gate.weight", "feedForward 3"],
    ["model.layers.3.feed_forward.shared_expert.down_proj.weight", "feedForward 3"],
    ["model.layers.3.post_attention_layernorm.weight", "feedForward 3"],
    ["model.layers.3.mlp.experts.17.down_proj.weight", "experts 3"],
    ["model.layers.3.mlp.experts.gate_up_proj_blocks", "experts 3"],
    ["model.layers.3.block_sparse_moe.experts.7.w1.weight", "experts 3"],
    ["language_model.model.layers.3.feed_forward.experts.gate_up_proj", "experts 3"],
    ["backbone.layers.5.mixer.in_proj.weight", "attention 5"],
    ["backbone.layers.5.mixer.q_proj.weight", "attention 5"],
    ["backbone.layers.5.mixer.up_proj.weight", "feedForward 5"],
    ["backbone.layers.5.mixer.gate.weight", "feedForward 5"],
    ["backbone.layers.5.mixer.experts.3.up_proj.weight", "experts 5"],
    ["mtp.layers.0.self_attn.q_proj.weight", "draft attention 0"],
    ["model.mtp_layers.0.mlp.up_proj.weight", "draft feedForward 0"],
    ["mtp.0.ffn.experts.4.w1.weight", "draft experts 0"],
    ["mtp.fc.weight", "draft feedForward 0"],
    ["model.layers.61.eh_proj.weight", "feedForward 61"],
    ["model.layers.61.embed_tokens.weight", "feedForward 61"],
    ["model.visual.blocks.0.attn.qkv.weight", "projector"],
    ["vision_tower.vision_model.encoder.layers.4.mlp.fc1.weight", "projector"],
    ["multi_modal_projector.linear_1.weight", "projector"],
    ["model.embed_tokens_extend.image_embed.img_processor.encoder.layers.0.mlp.fc1.weight", "projector"],
  ])("%s is %s", (name, expected) => {
    expect(place(name)).toBe(expected);
  });
});
