import type { HeaderFields } from "./header-fields.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** How an architecture of llama.cpp says which blocks see only a window, and how wide it is. */
interface WindowRule {
  /** Every nth block attends fully, where the file gives no pattern; absent: the file has to give one. */
  readonly fullEvery?: number;
  /** The full block is the first of its group, not the last. */
  readonly fullFirst?: boolean;
  /** Tokens where the file names none; absent: without that key there is no window at all. */
  readonly width?: number;
  /** Tokens whatever the file says, unless it says 0. */
  readonly fixed?: number;
  /** Only models with so many blocks have windows. */
  readonly blocks?: number;
}

/**
 * Architectures with sliding-window attention. What is not here attends fully, whatever keys the file has: llama.cpp
 * does not use the windows of Mistral and Phi-3 files. Source: load_arch_hparams of llama.cpp, src/models/<name>.cpp, and
 * load_swa_pattern in src/llama-model.cpp, 2026-11. A chunked window (Llama 4) is kept like a sliding one.
 */
const RULES: ReadonlyMap<string, WindowRule> = new Map([
  ["afmoe", { fullEvery: 4 }],
  ["cohere2", { fullEvery: 4 }],
  ["cohere2moe", { fullEvery: 4, fullFirst: true }],
  ["dflash", {}],
  ["dots3note", {}],
  ["exaone-moe", { fullEvery: 4, width: 128 }],
  ["exaone4", { fullEvery: 4, width: 4096, blocks: 64 }],
  ["gemma2", { fullEvery: 2, width: 4096 }],
  ["gemma3", { fullEvery: 6 }],
  ["gemma3n", { fullEvery: 5 }],
  ["gemma4", {}],
  ["gpt-oss", { fullEvery: 2 }],
  ["granite_swa", {}],
  ["laguna", { fullEvery: 4, fullFirst: true }],
  ["llama4", { fullEvery: 4, width: 8192, fixed: 8192 }],
  ["maple", {}],
  ["mellum", { fullEvery: 4 }],
  ["mimo2", {}],
  ["muse-glimmer", { fullEvery: 4 }],
  ["olmo2", { fullEvery: 4 }],
  ["plamo3", { fullEvery: 8 }],
  ["smallthinker", { fullEvery: 4, fullFirst: true, fixed: 4096 }],
  ["spark2_5", {}],
  ["step35", {}],
]);

export interface SlidingWindow {
  /** Tokens. */
  readonly width: number;
  /** One a block: true where it sees only the window. */
  readonly blocks: readonly boolean[];
}

const PATTERN = "attention.sliding_window_pattern";

/** The sliding window of a model, `undefined` when all blocks attend fully. Throws `model.malformed` for a missing pattern. */
export function slidingWindow(fields: HeaderFields, model: Hyperparameters): SlidingWindow | undefined {
  const { blocks, mainBlocks } = model;
  const given = fields.count("attention.sliding_window");
  // Source: src/models/lfm2.cpp: with the key, every block with attention has the window; src/models/dflash.cpp: so have the
  // drafts of DeepSeek-V4.
  const isDraft = fields.architecture === "dflash" && (fields.count("hyper_connection.count") ?? 0) > 0;
  if (fields.architecture === "lfm2" || isDraft)
    return given === undefined || given === 0
      ? undefined
      : { width: given, blocks: Array.from({ length: blocks }, (_, block) => isDraft || block < mainBlocks) };
  const rule = RULES.get(fields.architecture);
  if (rule === undefined || (rule.blocks !== undefined && rule.blocks !== mainBlocks)) return undefined;
  const width = given === 0 ? 0 : given === undefined ? rule.width : (rule.fixed ?? given);
  if (width === undefined || width === 0) return undefined;
  const listed = fields.flags(PATTERN, blocks);
  if (listed !== undefined) return { width, blocks: listed };
  const every = fields.count(PATTERN) ?? rule.fullEvery ?? fields.needed(PATTERN);
  const isFull = (block: number): boolean =>
    every !== 0 && block % every === (rule.fullFirst === true ? 0 : every - 1);
  return {
    width,
    blocks: Array.from({ length: blocks }, (_, block) => block < mainBlocks && !isFull(block)),
  };
}
