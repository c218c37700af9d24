import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import { addAttention, addFeedForward, addMixer, type GraphRun } from "./llama-cpp-block-graph.ts";
import { isQuantizedCacheType } from "./llama-cpp-cache-types.ts";
import { Graph, type GraphValue } from "./llama-cpp-graph.ts";
import type { LlamaCppContext } from "./llama-cpp-context.ts";
import { cellsOf } from "./llama-cpp-kv-cache.ts";
import { type BlockWidths, blockWidths } from "./llama-cpp-widths.ts";
import type { EngineSettings } from "./memory-model.ts";

/** What one place computes of the model. */
export interface ComputeShare {
  /** Indices of the blocks in order. */
  readonly blocks: readonly number[];
  /** Whether a block's experts are computed in main memory although the block is on a card. */
  readonly expertsAway: (block: number) => boolean;
  readonly output: boolean;
  readonly cuda: boolean;
  /** Input copies: more than one when several cards work on successive batches at once. */
  readonly copies: number;
  /** The stream comes from another card, which has also begun the first norm of the next block. */
  readonly handedOver: boolean;
}

const F32 = 4;
const I32 = 4;

/**
 * Architectures that compute their last block for all tokens and pick rows behind the last norm; the others pick them
 * between attention and feed-forward part of the last block. Source: src/models/*.cpp (`inp_out_ids`).
 */
const LATE_ROWS: ReadonlySet<string> = new Set(
  "bailingmoe3 cohere2moe gemma4 gpt-oss hy_v3 nemotron_h nemotron_h_moe qwen35 qwen35moe qwen3next step35".split(
    " ",
  ),
);

/** The compute buffers of one model under one set of settings; results of equal shares are remembered. */
export class ComputeBuffers {
  readonly #shape: ModelShape;
  readonly #settings: EngineSettings;
  readonly #context: LlamaCppContext;
  readonly #widths: readonly BlockWidths[];
  readonly #kinds: readonly number[];
  readonly #known = new Map<string, number>();

  constructor(shape: ModelShape, settings: EngineSettings, context: LlamaCppContext) {
    this.#shape = shape;
    this.#settings = settings;
    this.#context = context;
    this.#widths = blockWidths(shape);
    const kinds = new Map<string, number>();
    this.#kinds = shape.layers.map((layer, index) => {
      const key = JSON.stringify([this.#widths[index], layer.caches]);
      const kind = kinds.get(key) ?? kinds.size;
      kinds.set(key, kind);
      return kind;
    });
  }

  /** Bytes that a card reserves for its share of the graph. */
  card(share: ComputeShare): number {
    const blocks = this.#representative(share);
    if (blocks.length === 0 && !share.output) return 0;
    const key = `${blocks.map(([, kind]) => kind).join()}|${String(share.output)}|${String(share.cuda)}|${share.copies}|${String(share.handedOver)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bytes = this.#graphOf(
      share,
      blocks.map(([block]) => block),
      false,
    ).bufferBytes();
    this.#known.set(key, bytes);
    return bytes;
  }

  /**
   * Bytes that main memory reserves: the inputs of the graph, the rows of the embedding, and what is computed there.
   * `away` are blocks on cards whose experts are computed here.
   */
  host(share: ComputeShare, away: readonly number[]): number {
    const graph = this.#graphOf(
      share,
      this.#representative(share).map(([block]) => block),
      true,
    );
    const last = away.at(-1);
    const widths = last === undefined ? undefined : this.#widths[last];
    if (widths !== undefined) {
      const input = graph.result(this.#rows(widths.hidden));
      graph.read(addFeedForward(graph, input, { ...widths, sharedWidth: 0 }, this.#context.tokens));
    }
    return graph.bufferBytes();
  }

  /** Blocks whose kind follows another kind for the first time: the others repeat what is known. */
  #representative(share: ComputeShare): [block: number, kind: string][] {
    const seen = new Set<string>();
    const last = this.#lastBlock();
    let previous = "";
    return share.blocks.flatMap((block) => {
      if (this.#shape.layers[block]?.draft === true) return [];
      const kind = `${this.#kinds[block]}${share.expertsAway(block) ? "a" : ""}${block === last ? "e" : ""}`;
      const pair = `${previous}>${kind}`;
      previous = kind;
      if (seen.has(pair)) return [];
      seen.add(pair);
      return [[block, kind] satisfies [number, string]];
    });
  }

  #graphOf(share: ComputeShare, blocks: readonly number[], isHost: boolean): Graph {
    const graph = new Graph();
    const { tokens } = this.#context;
    const hidden = this.#rows(this.#shape.hidden);
    if (isHost) {
      graph.kept(tokens * I32);
      graph.kept(hidden);
    }
    if (share.handedOver && share.copies > 1) this.#addInput(graph, hidden, share.copies);
    let stream = isHost ? graph.result(hidden) : this.#addInput(graph, hidden, share.copies);
    const masks = this.#addMasks(graph, isHost ? this.#allBlocks() : blocks, share.copies);
    const last = this.#lastBlock();
    for (const block of blocks) {
      const rows = block === last && !LATE_ROWS.has(this.#shape.architecture);
      stream = this.#addBlock(graph, stream, block, masks, share, rows);
    }
    if (share.output) this.#addHead(graph, stream, blocks.includes(last));
    else graph.read(stream);
    return graph;
  }

  /** The last norm and the logits, of the rows that are asked for. */
  #addHead(graph: Graph, stream: GraphValue, picked: boolean): void {
    const rows = this.#context.outputs * F32;
    const early = picked && !LATE_ROWS.has(this.#shape.architecture);
    const normed = graph.inPlace(early ? rows * this.#shape.hidden : this.#rows(this.#shape.hidden), stream);
    const asked = early ? normed : graph.result(rows * this.#shape.hidden, normed);
    graph.read(graph.result(rows * this.#shape.vocabulary, asked));
  }

  /** The last block of the main pass, which goes on with the rows that are asked for only. */
  #lastBlock(): number {
    return this.#shape.layers.findLastIndex(({ draft }) => draft !== true);
  }

  /** A value that comes from another place: read once, or kept in several copies when batches overlap. */
  #addInput(graph: Graph, bytes: number, copies: number): GraphValue {
    if (copies === 1) return graph.result(bytes);
    const kept = Array.from({ length: copies }, () => graph.kept(bytes));
    return kept[0] ?? 0;
  }

  #allBlocks(): number[] {
    return this.#shape.layers.map((_, index) => index);
  }

  /** One mask a kind of cache: which cells each token may look at. */
  #addMasks(graph: Graph, blocks: readonly number[], copies: number): Map<number, GraphValue> {
    const masks = new Map<number, GraphValue>();
    for (const block of blocks) {
      for (const cache of this.#shape.layers[block]?.caches ?? []) {
        const cells = cellsOf(cache, this.#context, this.#settings);
        const key = cache.kind === "window" ? 1 : 0;
        if (cells === 0 || masks.has(key)) continue;
        const bytes = cells * this.#context.tokens * (this.#settings.flashAttention ? 2 : F32);
        masks.set(key, this.#addInput(graph, bytes, copies));
      }
    }
    return masks;
  }

  #addBlock(
    graph: Graph,
    stream: GraphValue,
    block: number,
    masks: ReadonlyMap<number, GraphValue>,
    share: ComputeShare,
    picksRows: boolean,
  ): GraphValue {
    const widths = this.#widths[block];
    const layer = this.#shape.layers[block];
    if (widths === undefined || layer === undefined) return stream;
    const run = this.#run(share.cuda);
    const hidden = this.#rows(widths.hidden);
    const tokens = picksRows ? this.#context.outputs : this.#context.tokens;
    const bytes = widths.hidden * tokens * F32;
    let residual = stream;
    if (widths.attended > 0 || widths.mixerInner > 0) {
      const normed = graph.result(hidden, stream);
      const parts: GraphValue[] = [];
      for (const cache of layer.caches) {
        if (cache.kind === "state") parts.push(addMixer(graph, normed, widths, cache, run));
      }
      const cache = layer.caches.find(({ kind }) => kind !== "state");
      if (widths.attended > 0) {
        const mask = masks.get(cache?.kind === "window" ? 1 : 0) ?? normed;
        parts.push(addAttention(graph, normed, widths, cache, mask, run));
      }
      if (picksRows) {
        const mixed = parts.map((part) => graph.result(bytes, part));
        residual = graph.inPlace(bytes, ...mixed, graph.result(bytes, stream));
      } else residual = graph.inPlace(hidden, ...parts, stream);
    }
    if (widths.feedForward === 0 && widths.experts === 0) return residual;
    const normed = graph.result(bytes, residual);
    if (share.expertsAway(block)) {
      const chosen = graph.result(bytes * widths.expertsUsed, normed);
      const sum = graph.result(bytes, chosen);
      return graph.inPlace(bytes, sum, residual);
    }
    return graph.inPlace(bytes, addFeedForward(graph, normed, widths, tokens), residual);
  }

  #run(cuda: boolean): GraphRun {
    const { kvKeyType, kvValueType, flashAttention } = this.#settings;
    const unpacks = (type: EngineSettings["kvKeyType"]): boolean =>
      cuda && (isQuantizedCacheType(type) || type === "bf16");
    const scratch = (cache: LayerCache): number => {
      const cells = cellsOf(cache, this.#context, this.#settings) * this.#context.streams;
      if (cache.kind === "state") return 0;
      if (cache.kind === "latent") return unpacks(kvKeyType) ? cells * (cache.rank + cache.rope) * 2 : 0;
      const keys = unpacks(kvKeyType) ? cache.kvHeads * cache.keyLength : 0;
      const values = unpacks(kvValueType) ? cache.kvHeads * cache.valueLength : 0;
      return cells * (keys + values) * 2;
    };
    return {
      tokens: this.#context.tokens,
      sequences: this.#context.sequences,
      flashAttention,
      cells: (cache) => cellsOf(cache, this.#context, this.#settings),
      scratch,
    };
  }

  #rows(width: number): number {
    return width * this.#context.tokens * F32;
  }
}
