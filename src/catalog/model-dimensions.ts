/** What one block of a model mixes tokens with. */
export type Mixer =
  /** Attention over all tokens. */
  | "full"
  /** Attention over the last tokens only. */
  | "window"
  /** A recurrent state: Mamba or linear attention. */
  | "state"
  /** Attention whose keys and values another block keeps. */
  | "shared"
  /** None: the block is a feed-forward part alone. */
  | "none";

/** Compressed keys and values (MLA), with the indexer of sparse attention (DSA) where there is one. */
export interface LatentAttention {
  /** Width of the compressed query; queries are not compressed when absent. */
  readonly queryRank?: number;
  readonly rank: number;
  /** Part of a query head without and with rotary position. */
  readonly plain: number;
  readonly rope: number;
  readonly value: number;
  readonly indexer?: { readonly heads: number; readonly length: number };
}

/** A recurrent mixer of the gated-delta-net kind (Qwen3-Next, Qwen3.5). */
export interface LinearAttention {
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyLength: number;
  readonly valueLength: number;
  readonly kernel: number;
}

export interface ExpertDimensions {
  readonly count: number;
  readonly used: number;
  /** Width of one expert. */
  readonly feedForward: number;
  /** Experts that every token passes, and their width together; 0 when absent. */
  readonly shared?: number;
  readonly sharedFeedForward?: number;
  /** The shared expert is weighed by a gate of its own. */
  readonly sharedGate?: boolean;
  /** First blocks that have a dense part instead. */
  readonly denseLayers?: number;
  /** The router adds a learnt bias (loads balanced without an auxiliary loss). */
  readonly routerBias?: boolean;
}

/**
 * A model by the numbers of its config.json: all that its parameters, bytes and caches follow from. Widths count
 * elements, lengths tokens.
 */
export interface ModelDimensions {
  /** `general.architecture` of its GGUF files. */
  readonly architecture: string;
  /** Class in `architectures` of config.json. */
  readonly className: string;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headLength: number;
  /** Width of the dense feed-forward part; 0 when every block has experts. */
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly trainedContext: number;
  readonly tied?: boolean;
  /** One mixer a block; all `full` when absent. */
  readonly mixers?: readonly Mixer[];
  readonly window?: number;
  readonly latent?: LatentAttention;
  readonly linear?: LinearAttention;
  /** Elements a state block keeps for a sequence, where no `linear` tells. */
  readonly state?: { readonly convolution: number; readonly recurrent: number };
  readonly experts?: ExpertDimensions;
  /** Parts that have biases. */
  readonly biases?: readonly ("query" | "output" | "experts")[];
  /** Norms over queries and keys: one head wide, or all heads wide. */
  readonly queryNorm?: "head" | "all";
  /** The query projection also yields a gate for the output. */
  readonly gatedAttention?: boolean;
  /** One learnt attention sink a head. */
  readonly sinks?: boolean;
  /** Norms a block has on the residual stream; 2 when absent. */
  readonly norms?: number;
  /** Query, key and value are one matrix, gate and up another. */
  readonly fused?: boolean;
  /** An encoder of BERT's kind: it attends within one batch and keeps nothing of it. */
  readonly encoder?: {
    readonly tokenTypes: number;
    /** Learnt positions; rotary ones when absent. */
    readonly positions?: number;
    /** Biases at every matrix, with queries, keys and values apart; none and one matrix for all three otherwise. */
    readonly biased: boolean;
    /** The feed-forward part has a gate. */
    readonly gated: boolean;
    readonly pooler?: boolean;
  };
  /** Blocks for multi-token prediction after the others, and what each carries besides a block's own tensors. */
  readonly draft?: {
    readonly layers: number;
    /** A copy of the embedding and of the head. */
    readonly ownEmbeddings: boolean;
    /** GGUF files hold them too. */
    readonly inGguf: boolean;
  };
  /** Parameters of vision tower and projector in the safetensors; a file of its own in GGUF. */
  readonly vision?: number;
  /** How the publisher's own safetensors are stored, where that is not bf16. */
  readonly native?: "fp8" | "mxfp4";
}

/** `everyNth(8, 4, "window")`: three windows, one full, and again. */
export const everyNth = (layers: number, interval: number, between: Mixer): Mixer[] =>
  Array.from({ length: layers }, (_, layer) => ((layer + 1) % interval === 0 ? "full" : between));
