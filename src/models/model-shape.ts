/** Bytes of one block's tensors by what they are for: the units in which engines move weights between devices. */
export interface BlockWeights {
  /** Attention or the recurrent mixer, with its norms, biases and indexer. */
  readonly attention: number;
  /** Everything of the feed-forward part that is not a routed expert: dense layers, shared experts, router, norms. */
  readonly feedForward: number;
  /** Routed experts. */
  readonly experts: number;
}

/** What a block keeps for every token (or, for a state, for every sequence). Widths count elements, not bytes. */
export type LayerCache =
  /** Keys and values of every token (multi-head or grouped-query attention). */
  | {
      readonly kind: "full";
      readonly kvHeads: number;
      readonly keyLength: number;
      readonly valueLength: number;
    }
  /** The same for the last `window` tokens only. */
  | {
      readonly kind: "window";
      readonly window: number;
      readonly kvHeads: number;
      readonly keyLength: number;
      readonly valueLength: number;
    }
  /** One compressed latent a token (MLA): `rank` plus `rope` elements, and `indexer` key elements with DSA (else 0). */
  | { readonly kind: "latent"; readonly rank: number; readonly rope: number; readonly indexer: number }
  /** A state of constant size a sequence (SSM, linear attention): elements of the convolution and the recurrent part. */
  | { readonly kind: "state"; readonly convolution: number; readonly recurrent: number };

/** One transformer block. A block may hold several caches (attention beside an SSM) or none (KV shared with another). */
export interface LayerShape {
  readonly weights: BlockWeights;
  readonly caches: readonly LayerCache[];
  /** A block for multi-token prediction (MTP, NextN): no part of the main pass, and loaded only by engines that use it. */
  readonly draft?: boolean;
}

/** How weights are stored, as far as kernels care. */
export type WeightScheme =
  | "f32"
  | "f16"
  | "bf16"
  | "gguf"
  | "w4a16-gptq"
  | "w4a16-awq"
  | "w4a16"
  | "w8a16"
  | "int8"
  | "fp8"
  | "mxfp4"
  | "nvfp4"
  | "bnb-4bit"
  | "bnb-8bit";

export interface QuantizationShape {
  readonly scheme: WeightScheme;
  /** As people write it: `Q4_K_M`, `W4A16`, `FP8`, `BF16`. */
  readonly name: string;
  /** The value of `quant_method` in config.json (`compressed-tensors`, `gptq`, …), where there is one. */
  readonly method?: string;
  /** Bits a parameter over the whole file. */
  readonly bitsPerWeight: number;
}

/** One tensor, or the parts of one that engines treat as one. */
export interface TensorShape {
  readonly name: string;
  readonly type: string;
  readonly dimensions: readonly number[];
  readonly bytes: number;
}

export interface ExpertShape {
  /** Routed experts a layer. */
  readonly count: number;
  /** Experts used for a token. */
  readonly used: number;
  /** Experts that every token passes. */
  readonly shared: number;
  /** Width of one expert. */
  readonly feedForward: number;
}

/**
 * What a model is, whatever file it came from: all that memory, placement and the gates need to know. Sizes are bytes,
 * widths count elements, lengths are tokens.
 */
export interface ModelShape {
  readonly name?: string;
  /** As GGUF's `general.architecture` or the lower-cased class of config.json names it. */
  readonly architecture: string;
  readonly format: "gguf" | "safetensors";
  /** Where it was read: exact for a file or hub, computed from published dimensions for the catalog and the spec. */
  readonly origin: "file" | "hub" | "catalog" | "spec";
  /** Logical parameters, packed ones counted singly, scales and zero points not at all. */
  readonly parameters: number;
  /** Of these, parameters of routed experts. */
  readonly expertParameters: number;
  /** Tensor bytes of all files together. */
  readonly weightBytes: number;
  /** Bytes on disk. */
  readonly fileBytes: number;
  readonly quantization: QuantizationShape;
  /** Input embedding, bytes. */
  readonly embeddingBytes: number;
  /** Output head, bytes; 0 when tied, because it is then the embedding. */
  readonly outputBytes: number;
  readonly tiedEmbeddings: boolean;
  /** What belongs to no block and is neither embedding nor head: final norms, rope factors, position tables. */
  readonly otherBytes: number;
  readonly layers: readonly LayerShape[];
  readonly hidden: number;
  /** Query heads; the most of any layer. */
  readonly heads: number;
  /** Key and value heads; the most of any layer, 1 for a latent, 0 without attention. */
  readonly kvHeads: number;
  /** Width of a query head; the most of any layer. */
  readonly headLength: number;
  /** Width of the dense feed-forward part; the most of any layer, 0 when all blocks have experts only. */
  readonly feedForward: number;
  readonly vocabulary: number;
  /** Longest context the model was trained for. */
  readonly trainedContext: number;
  readonly experts?: ExpertShape;
  /** Multimodal projector that is loaded with it, bytes. */
  readonly projectorBytes: number;
  readonly chatTemplate?: string;
  /** Every tensor, where the file named them; rules by tensor name (`-ot`) need it. */
  readonly tensors?: readonly TensorShape[];
}
