/** Which share of a model's bytes a tensor belongs to. */
export type TensorGroup =
  | "embedding"
  | "output"
  | "other"
  | "attention"
  | "feedForward"
  | "experts"
  | "projector";

/** A tensor that follows from a model's dimensions, by the name llama.cpp gives it. */
export interface DescribedTensor {
  readonly name: string;
  /** As GGUF writes them: the length of a row first; a third counts experts or heads. */
  readonly dimensions: readonly number[];
  readonly group: TensorGroup;
  /** Block it belongs to, if any. */
  readonly layer?: number;
}

export const elementsOf = (tensor: { readonly dimensions: readonly number[] }): number =>
  tensor.dimensions.reduce((product, dimension) => product * dimension, 1);

/** Name and dimensions of a tensor, within its block. */
export type Row = readonly [name: string, ...dimensions: number[]];

/** Makes a block's tensor of its row. */
export const inBlock =
  (layer: number, group: TensorGroup) =>
  ([name, ...dimensions]: Row): DescribedTensor => ({
    name: `blk.${layer}.${name}`,
    dimensions,
    group,
    layer,
  });
