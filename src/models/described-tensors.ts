import type { ModelDimensions } from "../catalog/model-dimensions.ts";
import { inBlock } from "./described-tensor.ts";
import type { DescribedTensor, Row } from "./described-tensor.ts";
import { encoderTensors } from "./encoder-tensors.ts";

/**
 * Every tensor of a model of these dimensions, in llama.cpp's order of blocks. Source: the `create_tensor` calls of
 * llama.cpp src/models/*.cpp and the modules of transformers' modeling_*.py.
 */
export function describedTensors(model: ModelDimensions, format: "gguf" | "safetensors"): DescribedTensor[] {
  const { hidden, vocabulary } = model;
  if (model.encoder !== undefined) return encoderTensors(model, model.encoder, format);
  const tensors: DescribedTensor[] = [
    { name: "token_embd.weight", dimensions: [hidden, vocabulary], group: "embedding" },
    { name: "output_norm.weight", dimensions: [hidden], group: "other" },
  ];
  if (model.tied !== true)
    tensors.push({ name: "output.weight", dimensions: [hidden, vocabulary], group: "output" });
  for (let layer = 0; layer < model.layers; layer++) tensors.push(...blockTensors(model, layer));
  const { draft } = model;
  if (draft !== undefined && (format === "safetensors" || draft.inGguf)) {
    for (let extra = 0; extra < draft.layers; extra++) {
      const layer = model.layers + extra;
      tensors.push(...blockTensors(model, layer), ...draftTensors(model, layer));
    }
  }
  if (model.vision !== undefined && format === "safetensors")
    tensors.push({ name: "v.tower", dimensions: [model.vision], group: "projector" });
  return tensors;
}

function blockTensors(model: ModelDimensions, layer: number): DescribedTensor[] {
  const mixer = model.mixers?.[layer] ?? "full";
  const attention = mixer === "none" ? [] : [...mixerTensors(model, mixer), ...attentionNorms(model)];
  const isExpertLayer = model.experts !== undefined && layer >= (model.experts.denseLayers ?? 0);
  return [
    ...attention.map(inBlock(layer, "attention")),
    ...feedForwardTensors(model, isExpertLayer).map(inBlock(layer, "feedForward")),
    ...(isExpertLayer ? expertTensors(model).map(inBlock(layer, "experts")) : []),
  ];
}

function mixerTensors(model: ModelDimensions, mixer: string): Row[] {
  if (mixer === "state" && model.linear !== undefined) return linearTensors(model.hidden, model.linear);
  return model.latent === undefined ? headTensors(model) : latentTensors(model, model.latent);
}

function attentionNorms({ hidden, norms = 2 }: ModelDimensions): Row[] {
  const row: Row = ["attn_norm.weight", hidden];
  return norms > 2 ? [row, ["post_attention_norm.weight", hidden]] : [row];
}

/** Multi-head or grouped-query attention. */
function headTensors(model: ModelDimensions): Row[] {
  const { hidden, headLength } = model;
  const queries = model.heads * headLength * (model.gatedAttention === true ? 2 : 1);
  const keys = model.kvHeads * headLength;
  const rows: Row[] =
    model.fused === true
      ? [["attn_qkv.weight", hidden, queries + 2 * keys]]
      : [
          ["attn_q.weight", hidden, queries],
          ["attn_k.weight", hidden, keys],
          ["attn_v.weight", hidden, keys],
        ];
  rows.push(["attn_output.weight", model.heads * headLength, hidden]);
  if (model.biases?.includes("query") === true)
    rows.push(["attn_q.bias", queries], ["attn_k.bias", keys], ["attn_v.bias", keys]);
  if (model.biases?.includes("output") === true) rows.push(["attn_output.bias", hidden]);
  if (model.queryNorm === "head")
    rows.push(["attn_q_norm.weight", headLength], ["attn_k_norm.weight", headLength]);
  if (model.queryNorm === "all")
    rows.push(["attn_q_norm.weight", model.heads * headLength], ["attn_k_norm.weight", keys]);
  if (model.sinks === true) rows.push(["attn_sinks.weight", model.heads]);
  return rows;
}

/** MLA: compressed queries and keys; keys and values are expanded a head at a time. */
function latentTensors(model: ModelDimensions, latent: NonNullable<ModelDimensions["latent"]>): Row[] {
  const { hidden, heads } = model;
  const { queryRank, rank, plain, rope, value, indexer } = latent;
  const rows: Row[] =
    queryRank === undefined
      ? [["attn_q.weight", hidden, heads * (plain + rope)]]
      : [
          ["attn_q_a.weight", hidden, queryRank],
          ["attn_q_a_norm.weight", queryRank],
          ["attn_q_b.weight", queryRank, heads * (plain + rope)],
        ];
  rows.push(
    ["attn_kv_a_mqa.weight", hidden, rank + rope],
    ["attn_kv_a_norm.weight", rank],
    ["attn_k_b.weight", plain, rank, heads],
    ["attn_v_b.weight", rank, value, heads],
    ["attn_output.weight", heads * value, hidden],
  );
  if (indexer !== undefined)
    rows.push(
      ["indexer.k_norm.weight", indexer.length],
      ["indexer.k_norm.bias", indexer.length],
      ["indexer.proj.weight", hidden, indexer.heads],
      ["indexer.attn_k.weight", hidden, indexer.length],
      ["indexer.attn_q_b.weight", queryRank ?? hidden, indexer.heads * indexer.length],
    );
  return rows;
}

function linearTensors(hidden: number, linear: NonNullable<ModelDimensions["linear"]>): Row[] {
  const keys = linear.keyHeads * linear.keyLength;
  const values = linear.valueHeads * linear.valueLength;
  return [
    ["attn_qkv.weight", hidden, 2 * keys + values],
    ["attn_gate.weight", hidden, values],
    ["ssm_conv1d.weight", linear.kernel, 2 * keys + values],
    ["ssm_dt.bias", linear.valueHeads],
    ["ssm_a", linear.valueHeads],
    ["ssm_beta.weight", hidden, linear.valueHeads],
    ["ssm_alpha.weight", hidden, linear.valueHeads],
    ["ssm_norm.weight", linear.valueLength],
    ["ssm_out.weight", values, hidden],
  ];
}

/** Architectures that call the norm before the feed-forward part by where it stands. */
const LATE_NORM: ReadonlySet<string> = new Set(["glm4moe", "gpt-oss", "qwen35", "qwen35moe"]);

function feedForwardTensors(model: ModelDimensions, isExpertLayer: boolean): Row[] {
  const { hidden, feedForward, experts, norms = 2 } = model;
  const norm = LATE_NORM.has(model.architecture) ? "post_attention_norm.weight" : "ffn_norm.weight";
  const rows: Row[] = [[norm, hidden]];
  if (norms > 2) rows.push(["post_ffw_norm.weight", hidden]);
  if (!isExpertLayer || experts === undefined)
    return model.fused === true
      ? [...rows, ["ffn_down.weight", feedForward, hidden], ["ffn_up.weight", hidden, 2 * feedForward]]
      : [
          ...rows,
          ["ffn_down.weight", feedForward, hidden],
          ["ffn_gate.weight", hidden, feedForward],
          ["ffn_up.weight", hidden, feedForward],
        ];
  rows.push(["ffn_gate_inp.weight", hidden, experts.count]);
  if (experts.routerBias === true)
    rows.push([model.architecture === "gpt-oss" ? "ffn_gate_inp.bias" : "exp_probs_b.bias", experts.count]);
  const shared = experts.sharedFeedForward ?? (experts.shared ?? 0) * experts.feedForward;
  if (shared > 0)
    rows.push(
      ["ffn_down_shexp.weight", shared, hidden],
      ["ffn_gate_shexp.weight", hidden, shared],
      ["ffn_up_shexp.weight", hidden, shared],
    );
  if (experts.sharedGate === true) rows.push(["ffn_gate_inp_shexp.weight", hidden]);
  return rows;
}

function expertTensors({ hidden, experts, biases }: ModelDimensions): Row[] {
  if (experts === undefined) return [];
  const { count, feedForward } = experts;
  const rows: Row[] = [
    ["ffn_down_exps.weight", feedForward, hidden, count],
    ["ffn_gate_exps.weight", hidden, feedForward, count],
    ["ffn_up_exps.weight", hidden, feedForward, count],
  ];
  if (biases?.includes("experts") === true)
    rows.push(
      ["ffn_down_exps.bias", hidden, count],
      ["ffn_gate_exps.bias", feedForward, count],
      ["ffn_up_exps.bias", feedForward, count],
    );
  return rows;
}

/** What a block for multi-token prediction has beside a block's own tensors. */
function draftTensors(model: ModelDimensions, layer: number): DescribedTensor[] {
  const { hidden, vocabulary } = model;
  const rows: Row[] = [
    ["nextn.eh_proj.weight", 2 * hidden, hidden],
    ["nextn.enorm.weight", hidden],
    ["nextn.hnorm.weight", hidden],
    ["nextn.shared_head_norm.weight", hidden],
  ];
  if (model.draft?.ownEmbeddings === true)
    rows.push(
      ["nextn.embed_tokens.weight", hidden, vocabulary],
      ["nextn.shared_head_head.weight", hidden, vocabulary],
    );
  return rows.map(inBlock(layer, "feedForward"));
}
