import type { LayerShape, ModelShape, TensorShape } from "../models/model-shape.ts";

/** Widths of what a block computes for one token, in elements. What the block does not have is 0. */
export interface BlockWidths {
  readonly hidden: number;
  readonly heads: number;
  /** Width of one head's keys; 0 without attention. */
  readonly keyLength: number;
  /** All query heads together; a gate that is computed with them included. */
  readonly query: number;
  /** All query heads together as they meet the keys. */
  readonly attended: number;
  /** Result of all heads. */
  readonly attention: number;
  /** Query, key and value come from one matrix. */
  readonly fusedQuery: boolean;
  /** Input projection of a recurrent mixer. */
  readonly mixerInput: number;
  /** Inner width of a recurrent mixer. */
  readonly mixerInner: number;
  /** The mixer is a scan of Mamba, not linear attention. */
  readonly scans: boolean;
  /** Rank through which the queries go; 0 when they come from one matrix. */
  readonly queryRank: number;
  /** Queries of an indexer that chooses which tokens to attend to, and its heads. */
  readonly indexerQuery: number;
  readonly indexerHeads: number;
  readonly feedForward: number;
  readonly gated: boolean;
  /** Gate and up come from one matrix. */
  readonly fusedGate: boolean;
  readonly experts: number;
  readonly expertsUsed: number;
  readonly expertWidth: number;
  readonly sharedWidth: number;
}

/**
 * Widths of every block: from its tensors where the file named them, else from the dimensions of the whole model.
 * The second dimension of a matrix in GGUF is what it yields.
 */
export function blockWidths(shape: ModelShape): readonly BlockWidths[] {
  const known = WIDTHS.get(shape);
  if (known !== undefined) return known;
  const tensors = tensorsByBlock(shape.tensors ?? []);
  const widths = shape.layers.map((layer, index) => widthsOf(shape, layer, tensors.get(index)));
  WIDTHS.set(shape, widths);
  return widths;
}

/** A fit asks thousands of times about one model, and reading its tensors' names is most of an answer. */
const WIDTHS = new WeakMap<ModelShape, readonly BlockWidths[]>();

type BlockTensors = ReadonlyMap<string, readonly number[]>;

function tensorsByBlock(tensors: readonly TensorShape[]): ReadonlyMap<number, BlockTensors> {
  const blocks = new Map<number, Map<string, readonly number[]>>();
  for (const { name, dimensions } of tensors) {
    const match = /^blk\.(\d+)\.(.+)\.weight$/.exec(name);
    if (match === null) continue;
    const index = Number(match[1]);
    const block = blocks.get(index) ?? new Map<string, readonly number[]>();
    blocks.set(index, block.set(match[2] ?? "", dimensions));
  }
  return blocks;
}

function widthsOf(shape: ModelShape, layer: LayerShape, tensors: BlockTensors | undefined): BlockWidths {
  const yields = (part: string): number => tensors?.get(part)?.[1] ?? 0;
  const takes = (part: string): number => tensors?.get(part)?.[0] ?? 0;
  const attention = layer.caches.find(
    ({ kind }) => kind === "full" || kind === "window" || kind === "latent",
  );
  const state = layer.caches.find(({ kind }) => kind === "state");
  const keyLength =
    attention?.kind === "full" || attention?.kind === "window" ? attention.keyLength : shape.headLength;
  const valueLength =
    attention?.kind === "full" || attention?.kind === "window" ? attention.valueLength : shape.headLength;
  // Without a cache of its own a block may still attend, to another's; a norm alone is no attention.
  const hasQueries =
    tensors === undefined ? layer.weights.attention > shape.hidden * 1024 : yields("attn_q") > 0;
  const sharesCache = attention === undefined && state === undefined && hasQueries;
  const attends = attention !== undefined || sharesCache;
  const fused = yields("attn_qkv");
  const query = attends ? yields("attn_q") || yields("attn_q_b") || shape.heads * keyLength : 0;
  const heads = attends ? Math.max(1, Math.round(query / keyLength) || shape.heads) : 0;
  const routed = layer.weights.experts > 0;
  const expertDown = tensors?.get("ffn_down_exps");
  return {
    hidden: shape.hidden,
    heads: Math.min(heads, shape.heads),
    keyLength: attends ? (attention === undefined && takes("attn_q_norm")) || keyLength : 0,
    query: fused > 0 && attends ? fused : query,
    attended: attends ? shape.heads * keyLength : 0,
    attention: attends ? takes("attn_output") || shape.heads * valueLength : 0,
    fusedQuery: fused > 0 && attends,
    mixerInput: state === undefined ? 0 : mixerInput(tensors, yields),
    mixerInner: state === undefined ? 0 : takes("ssm_out") || takes("attn_output") || shape.hidden * 2,
    scans: state !== undefined && attention === undefined && yields("ssm_in") > 0,
    queryRank: yields("attn_q_a"),
    indexerQuery: yields("indexer.attn_q_b"),
    indexerHeads: yields("indexer.proj"),
    feedForward: takes("ffn_down") || (routed || tensors !== undefined ? 0 : shape.feedForward),
    gated: tensors === undefined || yields("ffn_gate") > 0 || yields("ffn_up") > takes("ffn_down"),
    fusedGate: yields("ffn_up") > takes("ffn_down"),
    experts: routed ? (expertDown?.[2] ?? shape.experts?.count ?? 0) : 0,
    expertsUsed: routed ? (shape.experts?.used ?? 0) : 0,
    expertWidth: routed ? (expertDown?.[0] ?? shape.experts?.feedForward ?? 0) : 0,
    sharedWidth: yields("ffn_up_shexp") || (tensors === undefined && routed ? sharedFallback(shape) : 0),
  };
}

function mixerInput(tensors: BlockTensors | undefined, yields: (part: string) => number): number {
  if (tensors === undefined) return 0;
  return yields("ssm_in") || yields("attn_qkv") + yields("attn_gate");
}

const sharedFallback = (shape: ModelShape): number =>
  (shape.experts?.shared ?? 0) * (shape.experts?.feedForward ?? 0);
