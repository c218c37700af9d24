import { OmniError } from "../../core/index.ts";
import type { GgufTensor } from "../gguf-header.ts";
import type { HeaderFields } from "./header-fields.ts";

/** What the caches follow from, by the names and defaults of llama.cpp. Lists have one value a block. */
export interface Hyperparameters {
  /** Blocks of the file, those for multi-token prediction included. */
  readonly blocks: number;
  /** Blocks of the main pass. */
  readonly mainBlocks: number;
  readonly hidden: number;
  readonly heads: readonly number[];
  readonly kvHeads: readonly number[];
  readonly feedForward: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
  /** Widths of the heads in blocks with a sliding window. */
  readonly windowKeyLength: number;
  readonly windowValueLength: number;
}

/** Source: LLAMA_MAX_LAYERS in llama.cpp, src/llama-hparams.h. */
export const MOST_BLOCKS = 512;

/**
 * Reads what all architectures share. Throws `OmniError` `model.malformed` for what llama.cpp would refuse.
 * Source: llama_model_base::load_hparams in llama.cpp, src/llama-model.cpp.
 */
export function readHyperparameters(fields: HeaderFields, tensors: readonly GgufTensor[]): Hyperparameters {
  const blocks = fields.needed("block_count");
  if (blocks === 0 || blocks > MOST_BLOCKS)
    throw new OmniError(
      "model.malformed",
      `${fields.path} claims ${blocks} layers; llama.cpp reads 1 to ${MOST_BLOCKS}.`,
    );
  const draftBlocks = readDraftBlocks(fields, blocks, tensors);
  const none = Array.from({ length: blocks }, () => 0);
  const hidden = fields.needed("embedding_length");
  const heads = fields.perLayer("attention.head_count", blocks) ?? none;
  const first = heads[0] ?? 0;
  const headLength = first === 0 ? 0 : Math.floor(hidden / first);
  // llama.cpp asks the first block whether there is attention at all, except for PLaMo-2, whose first block is recurrent.
  const hasHeads = first > 0 || fields.architecture === "plamo2";
  const keyLength = hasHeads ? (fields.count("attention.key_length") ?? headLength) : 0;
  const valueLength = hasHeads ? (fields.count("attention.value_length") ?? headLength) : 0;
  return {
    blocks,
    // A file of nothing but such blocks is a draft model of its own.
    mainBlocks: draftBlocks === blocks ? blocks : blocks - draftBlocks,
    hidden,
    heads,
    kvHeads: fields.perLayer("attention.head_count_kv", blocks) ?? heads,
    feedForward: fields.perLayer("feed_forward_length", blocks) ?? none,
    keyLength,
    valueLength,
    windowKeyLength: fields.count("attention.key_length_swa") ?? keyLength,
    windowValueLength: fields.count("attention.value_length_swa") ?? valueLength,
  };
}

function readDraftBlocks(fields: HeaderFields, blocks: number, tensors: readonly GgufTensor[]): number {
  const claimed = fields.count("nextn_predict_layers") ?? 0;
  if (claimed > blocks)
    throw new OmniError(
      "model.malformed",
      `${fields.path} claims ${claimed} blocks for multi-token prediction of ${blocks} in all.`,
    );
  // Source: src/models/deepseek4.cpp: files without the tensors of these blocks have none, whatever the key says.
  const first = `blk.${blocks - claimed}.nextn.eh_proj.weight`;
  const isAbsent = fields.architecture === "deepseek4" && !tensors.some(({ name }) => name === first);
  return isAbsent ? 0 : claimed;
}
