import type { SparseTensor, SparseValue } from "../sparse-gguf.ts";

/** What llama.cpp's quantizer takes instead where rows are no whole number of 256. Source: llama-quant.cpp. */
const NARROW_ROWS: Readonly<Record<string, string>> = {
  Q4_K: "Q5_0",
  Q5_K: "Q5_1",
  Q6_K: "Q8_0",
  IQ4_XS: "IQ4_NL",
};

/** A matrix or a stack of matrices. */
export function weight(name: string, type: string, ...dimensions: number[]): SparseTensor {
  const narrow = (dimensions[0] ?? 0) % 256 !== 0;
  return { name: `${name}.weight`, type: narrow ? (NARROW_ROWS[type] ?? type) : type, dimensions };
}

/** A norm, bias or other small tensor, which llama.cpp's converter leaves in F32. */
export const small = (name: string, ...dimensions: number[]): SparseTensor => ({
  name,
  type: "F32",
  dimensions,
});

export const norm = (name: string, width: number): SparseTensor => small(`${name}.weight`, width);

/** Tensors of each block, named `blk.N.…`. */
export const blocks = (
  count: number,
  block: (index: number, name: (part: string) => string) => readonly SparseTensor[],
): SparseTensor[] =>
  Array.from({ length: count }, (_, index) => block(index, (part) => `blk.${index}.${part}`)).flat();

/** Embedding, last norm and, unless tied, the output head. */
export const ends = (
  width: number,
  vocabulary: number,
  types: { readonly embedding: string; readonly output?: string },
): SparseTensor[] => [
  weight("token_embd", types.embedding, width, vocabulary),
  norm("output_norm", width),
  ...(types.output === undefined ? [] : [weight("output", types.output, width, vocabulary)]),
];

/** Metadata that every model has. `none` makes llama.cpp invent as many tokens as `vocab_size` says. */
export const common = (of: {
  readonly context: number;
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
}): Record<string, SparseValue> => ({
  "tokenizer.ggml.model": "none",
  vocab_size: of.vocabulary,
  context_length: of.context,
  embedding_length: of.width,
  block_count: of.layers,
});

/** Metadata of attention with grouped heads. */
export const heads = (of: {
  readonly query: number;
  readonly keyValue: number | readonly number[];
  readonly length: number;
}): Record<string, SparseValue> => ({
  "attention.head_count": of.query,
  "attention.head_count_kv": of.keyValue,
  "attention.key_length": of.length,
  "attention.value_length": of.length,
  "rope.dimension_count": of.length,
});

export const rmsEpsilon: Record<string, SparseValue> = {
  "attention.layer_norm_rms_epsilon": { float: 1e-5 },
};

/** Matrices of attention with a key and value head for each group of query heads. */
export const attention = (
  name: (part: string) => string,
  of: {
    readonly type: string;
    readonly width: number;
    readonly query: number;
    readonly keyValue: number;
    readonly length: number;
    /** Norms of each head's queries and keys. */
    readonly norms?: boolean;
    /** The query's matrix yields a gate as well. */
    readonly gate?: boolean;
  },
): SparseTensor[] => [
  weight(name("attn_q"), of.type, of.width, of.query * of.length * (of.gate === true ? 2 : 1)),
  weight(name("attn_k"), of.type, of.width, of.keyValue * of.length),
  weight(name("attn_v"), of.type, of.width, of.keyValue * of.length),
  weight(name("attn_output"), of.type, of.query * of.length, of.width),
  ...(of.norms === true ? [norm(name("attn_q_norm"), of.length), norm(name("attn_k_norm"), of.length)] : []),
];

/** Gate, up and down of a dense feed-forward part. */
export const feedForward = (
  name: (part: string) => string,
  type: string,
  width: number,
  inner: number,
): SparseTensor[] => [
  weight(name("ffn_gate"), type, width, inner),
  weight(name("ffn_down"), type, inner, width),
  weight(name("ffn_up"), type, width, inner),
];

/** Router and stacked experts. */
export const experts = (
  name: (part: string) => string,
  of: { readonly type: string; readonly width: number; readonly inner: number; readonly count: number },
): SparseTensor[] => [
  weight(name("ffn_gate_inp"), "F32", of.width, of.count),
  weight(name("ffn_gate_exps"), of.type, of.width, of.inner, of.count),
  weight(name("ffn_down_exps"), of.type, of.inner, of.width, of.count),
  weight(name("ffn_up_exps"), of.type, of.width, of.inner, of.count),
];

/** Experts that every token passes, as one. */
export const sharedExperts = (
  name: (part: string) => string,
  type: string,
  width: number,
  inner: number,
): SparseTensor[] => [
  weight(name("ffn_gate_shexp"), type, width, inner),
  weight(name("ffn_down_shexp"), type, inner, width),
  weight(name("ffn_up_shexp"), type, width, inner),
];

export interface Mamba {
  readonly kernel: number;
  readonly inner: number;
  readonly state: number;
  /** Rank of the time step, or heads of Mamba 2. */
  readonly rank: number;
  readonly groups: number;
}

export const mambaMetadata = (of: Mamba): Record<string, SparseValue> => ({
  "ssm.conv_kernel": of.kernel,
  "ssm.inner_size": of.inner,
  "ssm.state_size": of.state,
  "ssm.time_step_rank": of.rank,
  "ssm.group_count": of.groups,
});

/** Mixer of Mamba 1. */
export const mamba1 = (
  name: (part: string) => string,
  type: string,
  width: number,
  of: Mamba,
): SparseTensor[] => [
  weight(name("ssm_in"), type, width, 2 * of.inner),
  weight(name("ssm_conv1d"), "F32", of.kernel, of.inner),
  small(name("ssm_conv1d.bias"), of.inner),
  weight(name("ssm_x"), type, of.inner, of.rank + 2 * of.state),
  weight(name("ssm_dt"), "F32", of.rank, of.inner),
  small(name("ssm_dt.bias"), of.inner),
  small(name("ssm_a"), of.state, of.inner),
  small(name("ssm_d"), of.inner),
  weight(name("ssm_out"), type, of.inner, width),
];

/** Mixer of Mamba 2. */
export const mamba2 = (
  name: (part: string) => string,
  type: string,
  width: number,
  of: Mamba,
): SparseTensor[] => {
  const channels = of.inner + 2 * of.groups * of.state;
  return [
    weight(name("ssm_in"), type, width, of.inner + channels + of.rank),
    weight(name("ssm_conv1d"), "F32", of.kernel, channels),
    small(name("ssm_conv1d.bias"), channels),
    small(name("ssm_dt.bias"), of.rank),
    small(name("ssm_a"), 1, of.rank),
    small(name("ssm_d"), 1, of.rank),
    weight(name("ssm_norm"), "F32", of.inner / of.groups, of.groups),
    weight(name("ssm_out"), type, of.inner, width),
  ];
};
