import type { LayerCache } from "../model-shape.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** Elements of a state: of the last inputs, and of the recurrence itself. */
interface StateWidths {
  readonly convolution: number;
  readonly recurrent: number;
}

/** Mamba, Mamba-2 and the gated delta net, which llama.cpp describes by the same keys. */
function ssm(fields: HeaderFields, hasGroups = true): StateWidths {
  const kernel = fields.needed("ssm.conv_kernel");
  const inner = fields.needed("ssm.inner_size");
  const state = fields.needed("ssm.state_size");
  const groups = hasGroups ? fields.needed("ssm.group_count") : 0;
  return {
    convolution: Math.max(0, kernel - 1) * (inner + 2 * groups * state),
    recurrent: state * inner,
  };
}

const withoutGroups = (fields: HeaderFields): StateWidths => ssm(fields, false);

/** RWKV: the last tokens as they came in, and one matrix a head. */
const wkv = (fields: HeaderFields, { hidden }: Hyperparameters): StateWidths => ({
  convolution: (fields.count("token_shift_count") ?? 2) * hidden,
  recurrent: hidden * fields.needed("wkv.head_size"),
});

/** LFM2: a short convolution and nothing else. */
const shortConvolution = (fields: HeaderFields, { hidden }: Hyperparameters): StateWidths => ({
  convolution: hidden * Math.max(0, fields.needed("shortconv.l_cache") - 1),
  recurrent: 0,
});

/** Kimi's delta attention: convolutions of query, key and value, and one matrix a head. */
function deltaAttention(fields: HeaderFields, { heads }: Hyperparameters): StateWidths {
  const kernel = fields.needed("ssm.conv_kernel");
  const length = fields.needed("kda.head_dim");
  const first = heads[0] ?? 0;
  return { convolution: 3 * (kernel > 0 ? kernel - 1 : 3) * first * length, recurrent: length ** 2 * first };
}

/** MiniMax's lightning attention: one matrix a head. */
const lightning = (_: HeaderFields, { heads, keyLength }: Hyperparameters): StateWidths => ({
  convolution: 0,
  recurrent: keyLength ** 2 * (heads[0] ?? 0),
});

/** What is not here is an SSM with groups. Jamba and Mamba have none, whatever the file says. */
const WIDTHS: ReadonlyMap<string, (fields: HeaderFields, model: Hyperparameters) => StateWidths> = new Map([
  ["mamba", withoutGroups],
  ["jamba", withoutGroups],
  ["rwkv6", wkv],
  ["rwkv6qwen2", wkv],
  ["rwkv7", wkv],
  ["arwkv7", wkv],
  ["lfm2", shortConvolution],
  ["lfm2moe", shortConvolution],
  ["bailingmoe3", deltaAttention],
  ["kimi-k3", deltaAttention],
  ["kimi-linear", deltaAttention],
  ["minimax-01", lightning],
]);

/**
 * The state of one recurrent block, in elements a sequence (llama.cpp keeps them as F32). Throws `OmniError`
 * `model.malformed` for a missing key. Source: n_embd_r and n_embd_s in llama.cpp, src/llama-hparams.cpp.
 */
export function recurrentState(fields: HeaderFields, model: Hyperparameters, block: number): LayerCache {
  const widths = WIDTHS.get(fields.architecture)?.(fields, model) ?? ssm(fields);
  return {
    kind: "state",
    convolution: widths.convolution + phraseHistory(fields, model, block),
    recurrent: widths.recurrent,
  };
}

/** History of the n-gram embeddings of Qwen4-exp: one block has it. Source: ple_conv_state, the same file. */
function phraseHistory(fields: HeaderFields, model: Hyperparameters, block: number): number {
  if (fields.architecture !== "qwen4exp") return 0;
  const [holder] = fields.perLayer("ple.layers", 1) ?? [];
  if (holder !== block) return 0;
  const rows = (fields.needed("ple.conv_kernel") - 1) * fields.needed("ple.ngram_size");
  return Math.max(0, rows) * fields.needed("hyper_connection.count") * model.hidden;
}
