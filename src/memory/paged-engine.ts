import { OmniError } from "../core/index.ts";
import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import type { BlockPool, LayerKeep } from "./block-pool.ts";
import type { DeviceRoom, EngineSettings, HostRoom, MemoryPart, Wishes } from "./memory-model.ts";
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
  readonly defaultFraction: number;
  /** Tokens of one block. */
  readonly blockTokens: number;
  /** Tokens of one step and requests at the same time when nobody says. */
  defaults(card: DeviceRoom): { readonly batchTokens: number; readonly sequences: number };
  /** Compute and overhead of one rank. */
  parts(work: RankWork): readonly MemoryPart[];
  /** Bytes that the pool of one rank gets, given its weights and parts; negative when these do not fit. */
  kvRoom(work: RankWork, parts: readonly MemoryPart[]): number;
  /** The largest fraction within the card's free memory, not above the default. */
  fractionWithin(card: DeviceRoom): number;
  /** Bytes of the card that are taken at a fraction, before the model is known; what `free` is compared with. */
  claimed(card: DeviceRoom, fraction: number): number;
  /** What one layer's cache keeps on one rank. */
  keep(cache: LayerCache, settings: EngineSettings): LayerKeep;
  pool(keeps: readonly LayerKeep[], settings: EngineSettings): BlockPool;
  /** Parts of main memory. */
  host(settings: EngineSettings, ranks: number): readonly MemoryPart[];
}

/** A request that has passed the checks every paged engine shares. */
export interface PagedRequest {
  readonly shape: ModelShape;
  readonly wishes: Wishes;
  readonly devices: readonly DeviceRoom[];
  readonly host: HostRoom;
}

/** The shape, or an error: nothing can be computed without it. @throws OmniError model.no-shape */
export function requirePagedShape(engine: PagedEngine, shape: ModelShape | undefined): ModelShape {
  if (shape !== undefined) return shape;
  throw new OmniError(
    "model.no-shape",
    `${engine.title}'s memory follows from the model's shape, and nothing tells it`,
  );
}
