import type { ModelShape } from "../models/model-shape.ts";
import type { LlamaCppContext } from "./llama-cpp-context.ts";
import {
  type ComputeShare,
  foreignCacheBytes,
  type GraphModel,
  graphModel,
  indexerBytes,
} from "./llama-cpp-graph-model.ts";
import { cardGraph, crossingScan, hostGraph, lastBlock } from "./llama-cpp-share-graph.ts";
import type { EngineSettings } from "./memory-model.ts";

/** The compute buffers of one model under one set of settings; results of equal shares are remembered. */
export class ComputeBuffers {
  readonly #model: GraphModel;
  readonly #kinds: readonly number[];
  readonly #known = new Map<string, number>();

  constructor(shape: ModelShape, settings: EngineSettings, context: LlamaCppContext) {
    this.#model = graphModel(shape, settings, context);
    this.#kinds = blockKinds(this.#model);
  }

  /** Bytes that a card reserves for its share of the graph. */
  card(share: ComputeShare): number {
    const blocks = this.#representative(share);
    if (blocks.length === 0 && !share.output && share.borrowed === undefined) return 0;
    const kinds = blocks.map(([, kind]) => kind).join(",");
    const key = [
      kinds,
      share.output,
      share.cuda,
      share.copies,
      share.handedOver,
      share.borrowed,
      indexerBytes(this.#model, share) + foreignCacheBytes(this.#model, share),
      crossingScan(this.#model, share),
    ];
    const known = this.#known.get(key.join("|"));
    if (known !== undefined) return known;
    const bytes = cardGraph(
      this.#model,
      share,
      blocks.map(([block]) => block),
    ).bufferBytes();
    this.#known.set(key.join("|"), bytes);
    return bytes;
  }

  /**
   * Bytes that main memory reserves: the inputs of the graph, the rows of the embedding, and what is computed there.
   * `away` is a block on a card whose experts are computed here.
   */
  host(share: ComputeShare, away: number | undefined): number {
    const blocks = this.#representative(share).map(([block]) => block);
    return hostGraph(this.#model, share, blocks, away).bufferBytes();
  }

  /** Blocks whose kind follows another kind for the first time: the others repeat what is known. */
  #representative(share: ComputeShare): [block: number, kind: string][] {
    const { layers } = this.#model.shape;
    const last = lastBlock(this.#model.shape);
    const seen = new Set<string>();
    let previous = "";
    return share.blocks.flatMap((block) => {
      if (layers[block]?.draft === true) return [];
      const kind = `${this.#kinds[block]}${share.expertsAway(block) ? "a" : ""}${block === last ? "e" : ""}`;
      const pair = `${previous}>${kind}`;
      previous = kind;
      if (seen.has(pair)) return [];
      seen.add(pair);
      return [[block, kind] satisfies [number, string]];
    });
  }
}

/** A number for each block, the same for blocks that compute the same. */
function blockKinds({ shape, widths }: GraphModel): readonly number[] {
  const known = KINDS.get(shape);
  if (known !== undefined) return known;
  const numbers = new Map<string, number>();
  const kinds = shape.layers.map(({ caches }, index) => {
    const key = JSON.stringify([widths[index], caches]);
    const kind = numbers.get(key) ?? numbers.size;
    numbers.set(key, kind);
    return kind;
  });
  KINDS.set(shape, kinds);
  return kinds;
}

const KINDS = new WeakMap<ModelShape, readonly number[]>();
