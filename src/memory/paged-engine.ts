import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import type { BlockPool, LayerKeep } from "./block-pool.ts";
import type { DeviceRoom, EngineSettings, MemoryPart, Wishes } from "./memory-model.ts";
import type { PipelineStage } from "./pipeline-stages.ts";

/** Work of one rank: what its parts and its KV cache are computed from. */
export interface RankWork {
  readonly shape: ModelShape;
  readonly stage: PipelineStage;
  readonly settings: EngineSettings;
  readonly card: DeviceRoom;
  readonly wishes: Wishes;
}

/**
 * What differs between engines that divide a model over cards by tensor and pipeline and keep KV cache in a pool that is
 * allocated at start (vLLM, SGLang, TensorRT-LLM). Bytes and tokens.
 */
export interface PagedEngine {
  readonly title: string;
  /** Tokens of one block. */
  readonly blockTokens: number;
  /** Tokens of one step and requests at the same time when nobody says. */
  defaults(card: DeviceRoom, ranks: number): { readonly batchTokens: number; readonly sequences: number };
  /** Compute and overhead of one rank. */
  parts(work: RankWork): readonly MemoryPart[];
  /** Bytes that the pool of one rank gets, given its weights and parts; negative when these do not fit. */
  kvRoom(work: RankWork, parts: readonly MemoryPart[]): number;
  /** The largest fraction within the card's free memory, not above the default for so many ranks. */
  fractionWithin(card: DeviceRoom, ranks: number): number;
  /** Fractions to try when the default leaves too little, rising; what the rest must hold is still checked. */
  readonly tighterFractions?: readonly number[];
  /** Bytes of the card that the engine's budget is made of; what `free` is compared with. */
  claimed(card: DeviceRoom, fraction: number): number;
  /** What the fraction is a share of, for a person: `0.95 of 94.97 GiB`. */
  share(card: DeviceRoom, fraction: number): string;
  /** What one layer's cache keeps on one rank. */
  keep(cache: LayerCache, settings: EngineSettings): LayerKeep;
  pool(keeps: readonly LayerKeep[], settings: EngineSettings): BlockPool;
  /** Parts of main memory. */
  host(settings: EngineSettings, ranks: number): readonly MemoryPart[];
}
