import { everyNth } from "../../catalog/model-dimensions.ts";
import type { Mixer } from "../../catalog/model-dimensions.ts";
import { layersOf } from "./config.ts";
import type { TextConfig } from "./config.ts";

/** A block's mixers: one, or attention beside a state (Falcon-H1). */
export type BlockMixers = readonly Mixer[];

/** What `layer_types` and its relatives call a block. Source: ALLOWED_LAYER_TYPES of transformers, configuration_utils.py. */
const NAMED: ReadonlyMap<string, Mixer> = new Map([
  ["full_attention", "full"],
  ["attention", "full"],
  ["global_attention", "full"],
  ["sliding_attention", "window"],
  ["local_attention", "window"],
  ["chunked_attention", "window"],
  ["linear_attention", "state"],
  ["mamba", "state"],
  ["mamba2", "state"],
  ["recurrent", "state"],
  ["conv", "state"],
  ["hybrid", "full"],
  ["mlp", "none"],
  ["moe", "none"],
]);

/** Nemotron-H writes a letter a block: `-` and `E` are dense and expert parts, which keep nothing. */
const LETTERS: ReadonlyMap<string, Mixer> = new Map([
  ["M", "state"],
  ["*", "full"],
]);

/**
 * What each block mixes tokens with, from whichever of its many spellings config.json uses: lists of names, Nemotron's
 * pattern of letters, periods, windows that only some blocks have. Blocks that share another's keys and values keep none.
 */
export function configMixers(text: TextConfig): BlockMixers[] {
  const layers = layersOf(text) ?? 0;
  const mixers = explicit(text, layers) ?? periodic(text, layers) ?? windowed(text, layers);
  const shared = text.num_kv_shared_layers ?? 0;
  const beside = hasStateBeside(text);
  return mixers.map((mixer, layer) => {
    if (layer >= layers - shared) return ["shared"];
    return beside ? [mixer, "state"] : [mixer];
  });
}

/** Falcon-H1 runs attention and Mamba side by side in every block. */
const hasStateBeside = (text: TextConfig): boolean => text.model_type === "falcon_h1";

function explicit(text: TextConfig, layers: number): Mixer[] | undefined {
  const types = text.layer_types ?? text.layers_block_type;
  if (types !== undefined && types.length >= layers)
    return types.slice(0, layers).map((type) => NAMED.get(type) ?? "full");
  if (text.hybrid_override_pattern !== undefined)
    return text.hybrid_override_pattern
      .replaceAll("|", "")
      .split("")
      .map((letter) => LETTERS.get(letter) ?? "none");
  const blocks = text.block_configs;
  if (blocks !== undefined)
    return blocks.map(({ attention }) =>
      attention.no_op === true || attention.replace_with_linear === true ? "none" : "full",
    );
  // MiMo-V2: 1 is a window.
  const hybrid = text.hybrid_layer_pattern;
  if (hybrid !== undefined && hybrid.length >= layers)
    return hybrid.slice(0, layers).map((kind) => (kind === 1 ? "window" : "full"));
  // MiniMax-Text-01: 0 is lightning attention, which keeps a state.
  const list = text.attn_type_list;
  if (list !== undefined && list.length >= layers)
    return list.slice(0, layers).map((kind) => (kind === 0 ? "state" : "full"));
  return undefined;
}

function periodic(text: TextConfig, layers: number): Mixer[] | undefined {
  const chosen = (isFull: (layer: number) => boolean): Mixer[] =>
    Array.from({ length: layers }, (_, layer) => (isFull(layer) ? "full" : "state"));
  if (text.full_attention_interval !== undefined && text.full_attention_interval > 0)
    return everyNth(layers, text.full_attention_interval, "state");
  const kimi = text.linear_attn_config?.full_attn_layers;
  // Kimi-Linear counts blocks from one.
  if (kimi !== undefined) return chosen((layer) => kimi.includes(layer + 1));
  if (text.full_attn_idxs !== undefined) {
    const full = text.full_attn_idxs;
    return chosen((layer) => full.includes(layer));
  }
  const period = text.attn_layer_period;
  if (period !== undefined && period > 0)
    return chosen((layer) => layer % period === (text.attn_layer_offset ?? 0));
  return /^(?:mamba2?|falcon_mamba)$/.test(text.model_type ?? "") ? chosen(() => false) : undefined;
}

function windowed(text: TextConfig, layers: number): Mixer[] {
  const all = (mixer: Mixer): Mixer[] => Array.from({ length: layers }, () => mixer);
  if (windowOf(text) === undefined) return all("full");
  const ropeless = text.no_rope_layers;
  // Llama 4 marks blocks without rotary position, which attend fully, by 0.
  if (text.attention_chunk_size !== undefined && ropeless !== undefined && ropeless.length >= layers)
    return ropeless.slice(0, layers).map((rope) => (rope === 0 ? "full" : "window"));
  const pattern = text.sliding_window_pattern ?? text._sliding_window_pattern;
  if (pattern !== undefined && pattern > 0) return everyNth(layers, pattern, "window");
  const first = text.use_sliding_window === true ? (text.max_window_layers ?? 0) : 0;
  return Array.from({ length: layers }, (_, layer) => (layer < first ? "full" : "window"));
}

/** Tokens of the sliding window or chunk, where the model uses one. */
export function windowOf(text: TextConfig): number | undefined {
  if (text.use_sliding_window === false) return undefined;
  const window = text.sliding_window ?? text.attention_chunk_size;
  return window === 0 ? undefined : window;
}
