import type { SparseTensor, SparseValue } from "../sparse-gguf.ts";

/** A matrix or a stack of matrices. */
export const weight = (name: string, type: string, ...dimensions: number[]): SparseTensor => ({
  name: `${name}.weight`,
  type,
  dimensions,
});

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
