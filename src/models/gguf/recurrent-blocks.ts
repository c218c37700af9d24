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
