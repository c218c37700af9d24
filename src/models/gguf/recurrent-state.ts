import type { LayerCache } from "../model-shape.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** Which caches a block of an architecture with recurrent blocks has. */
export interface BlockKinds {
  readonly attention: boolean;
  readonly recurrent: boolean;
}

type Kinds = (fields: HeaderFields, model: Hyperparameters) => (block: number) => BlockKinds;

const RECURRENT: BlockKinds = { attention: false, recurrent: true };
const ATTENTION: BlockKinds = { attention: true, recurrent: false };

const always =
  (kinds: BlockKinds): Kinds =>
  () =>
  () =>
    kinds;

/** Blocks without key and value heads are recurrent. */
const byHeads: Kinds = (_, model) => (block) =>
  block < model.mainBlocks && model.kvHeads[block] === 0 ? RECURRENT : ATTENTION;

/** The file lists the recurrent blocks, or every nth attends. */
const byInterval =
  (interval: number): Kinds =>
  (fields, model) => {
    const listed = fields.perLayer("attention.recurrent_layers", model.blocks);
    const every = fields.count("full_attention_interval") ?? interval;
    return (block) => {
      const recurrent = listed === undefined ? (block + 1) % every !== 0 : listed[block] !== 0;
      return block < model.mainBlocks && recurrent ? RECURRENT : ATTENTION;
    };
  };

/** Blocks with a feed-forward part have neither; of the others those without key and value heads are recurrent. */
const nemotron: Kinds = (_, model) => (block) => {
  const mixer = model.feedForward[block] === 0;
  const recurrent = block < model.mainBlocks && model.kvHeads[block] === 0;
  return { attention: mixer && !recurrent, recurrent: mixer && recurrent };
};

/**
 * Architectures with recurrent blocks. Source: llm_arch_is_recurrent and llm_arch_is_hybrid in llama.cpp,
 * src/llama-arch.cpp; the layer filters of llama_model::create_memory in src/llama-model.cpp; is_recr_impl in
 * src/models/<name>.cpp, 2026-11.
 */
const KINDS: ReadonlyMap<string, Kinds> = new Map([
  ["mamba", always(RECURRENT)],
  ["mamba2", always(RECURRENT)],
  ["rwkv6", always(RECURRENT)],
  ["rwkv6qwen2", always(RECURRENT)],
  ["rwkv7", always(RECURRENT)],
  ["arwkv7", always(RECURRENT)],
  ["falcon-h1", always({ attention: true, recurrent: true })],
  ["jamba", byHeads],
  ["plamo2", byHeads],
  ["granitehybrid", byHeads],
  ["lfm2", byHeads],
  ["lfm2moe", byHeads],
  ["kimi-linear", byHeads],
  ["kimi-k3", byHeads],
  ["bailingmoe3", byHeads],
  ["nemotron_h", nemotron],
  ["nemotron_h_moe", nemotron],
  ["qwen3next", byInterval(4)],
  ["qwen35", byInterval(4)],
  ["qwen35moe", byInterval(4)],
  ["qwen4exp", byInterval(4)],
  ["minimax-01", byInterval(8)],
]);

/** Tells of each block which caches it has; `undefined` for architectures without recurrent blocks. */
export function blockKinds(
  fields: HeaderFields,
  model: Hyperparameters,
): ((block: number) => BlockKinds) | undefined {
  return KINDS.get(fields.architecture)?.(fields, model);
}

/**
 * The state of one recurrent block, in elements a sequence (llama.cpp keeps them as F32). Source: n_embd_r and n_embd_s in
 * llama.cpp, src/llama-hparams.cpp, and ple_conv_state for the block that has one.
 */
export function recurrentState(fields: HeaderFields, model: Hyperparameters, block: number): LayerCache {
  return {
    kind: "state",
    convolution: convolutionElements(fields, model) + phraseHistory(fields, model, block),
    recurrent: stateElements(fields, model),
  };
}

function convolutionElements(fields: HeaderFields, model: Hyperparameters): number {
  const number = (key: string): number => fields.count(key) ?? 0;
  const { hidden, heads } = model;
  if (number("wkv.head_size") > 0) return (fields.count("token_shift_count") ?? 2) * hidden;
  if (number("shortconv.l_cache") > 0) return hidden * (number("shortconv.l_cache") - 1);
  const kernel = fields.count("ssm.conv_kernel") ?? 0;
  if (number("kda.head_dim") > 0)
    return 3 * (kernel > 0 ? kernel - 1 : 3) * (heads[0] ?? 0) * number("kda.head_dim");
  if (kernel === 0) return 0;
  // Mamba and Jamba have no groups, whatever the file says.
  const groups = /^(?:mamba|jamba)$/.test(fields.architecture) ? 0 : number("ssm.group_count");
  return (kernel - 1) * (number("ssm.inner_size") + 2 * groups * number("ssm.state_size"));
}

function stateElements(fields: HeaderFields, model: Hyperparameters): number {
  const number = (key: string): number => fields.count(key) ?? 0;
  const heads = model.heads[0] ?? 0;
  if (number("wkv.head_size") > 0) return model.hidden * number("wkv.head_size");
  if (number("kda.head_dim") > 0) return number("kda.head_dim") ** 2 * heads;
  if (fields.architecture === "minimax-01") return model.keyLength ** 2 * heads;
  return number("ssm.state_size") * number("ssm.inner_size");
}

/** History of the n-gram embeddings of Qwen4-exp: one block has it. Source: ple_conv_state in src/llama-hparams.cpp. */
function phraseHistory(fields: HeaderFields, model: Hyperparameters, block: number): number {
  if (fields.architecture !== "qwen4exp") return 0;
  const [holder] = fields.perLayer("ple.layers", 1) ?? [];
  if (holder !== block) return 0;
  const rows = (fields.needed("ple.conv_kernel") - 1) * fields.needed("ple.ngram_size");
  return Math.max(0, rows) * fields.needed("hyper_connection.count") * model.hidden;
}
