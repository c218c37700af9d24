import type { ModelShape } from "../models/model-shape.ts";
import type { BlockPool } from "./block-pool.ts";
import type { DeviceRoom, EngineSettings, MemoryPart, MemoryPrediction, Wishes } from "./memory-model.ts";
import type { PagedEngine, RankWork } from "./paged-engine.ts";
import { type PipelineStage, pipelineStages } from "./pipeline-stages.ts";
import { rankWeights } from "./rank-weights.ts";
import { deviceMemory } from "./terms.ts";

/** One card's share of a paged engine: everything but the KV cache, and the room that is left for it. Bytes. */
export interface RankOutcome {
  readonly card: DeviceRoom;
  readonly parts: readonly MemoryPart[];
  /** Negative when the parts alone are more than the engine may take. */
  readonly kvRoom: number;
  readonly pool: BlockPool;
  /** Bytes of one token in the layers that attend to the whole context. */
  readonly tokenBytes: number;
}

export interface PagedOutcome {
  readonly ranks: readonly RankOutcome[];
  /** Blocks of the pool: the fewest that any rank has room for. */
  readonly blocks: number;
  readonly prediction: MemoryPrediction;
}

const EMPTY_STAGE: PipelineStage = { layers: [], first: true, last: true };

/** Computes a paged engine on exactly these cards: rank by rank, then the pool that all of them can hold. */
export function predictPaged(
  engine: PagedEngine,
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  wishes: Wishes = {},
): PagedOutcome {
  const stages = pipelineStages(shape, Math.max(1, settings.pipelineParallel));
  const seen: { readonly stage: PipelineStage; readonly outcome: RankOutcome }[] = [];
  const ranks = devices.map((card, index): RankOutcome => {
    const stage =
      stages[Math.min(stages.length - 1, Math.floor(index / settings.tensorParallel))] ?? EMPTY_STAGE;
    // Ranks of one stage on equal cards are alike, and there are up to 64 of them.
    const alike = seen.find(
      (each) =>
        each.stage === stage &&
        each.outcome.card.total === card.total &&
        each.outcome.card.free === card.free,
    );
    if (alike !== undefined) return { ...alike.outcome, card };
    const outcome = rankOutcome(engine, { shape, stage, settings, card, wishes });
    seen.push({ stage, outcome });
    return outcome;
  });
  const holding = ranks.filter((rank) => rank.pool.blockBytes > 0);
  const blocks =
    holding.length === 0
      ? 0
      : Math.max(0, Math.min(...holding.map((rank) => Math.floor(rank.kvRoom / rank.pool.blockBytes))));
  return { ranks, blocks, prediction: prediction(engine, settings, ranks, blocks) };
}

/** Requests of so many tokens that the pool holds at once. */
export const poolConcurrency = (
  { ranks, blocks }: Pick<PagedOutcome, "ranks" | "blocks">,
  contextTokens: number,
): number =>
  ranks
    .filter((rank) => rank.pool.blockBytes > 0)
    .reduce(
      (fewest, rank) => Math.min(fewest, blocks / Math.max(1, rank.pool.perRequest(contextTokens))),
      Number.POSITIVE_INFINITY,
    );

function rankOutcome(engine: PagedEngine, work: RankWork): RankOutcome {
  const { shape, stage, settings } = work;
  const parts = [...rankWeights(shape, stage, settings.tensorParallel), ...engine.parts(work)];
  const keeps = stage.layers.flatMap((layer) => layer.caches.map((cache) => engine.keep(cache, settings)));
  return {
    card: work.card,
    parts,
    kvRoom: Math.floor(settings.kvBytes ?? engine.kvRoom(work, parts)),
    pool: engine.pool(keeps, settings),
    tokenBytes: keeps.reduce((sum, keep) => sum + (keep.kind === "full" ? keep.tokenBytes : 0), 0),
  };
}

function prediction(
  engine: PagedEngine,
  settings: EngineSettings,
  ranks: readonly RankOutcome[],
  blocks: number,
): MemoryPrediction {
  const held = ranks.map((rank) => blocks * rank.pool.blockBytes);
  const served = poolConcurrency({ ranks, blocks }, settings.contextTokens);
  // Without attention a request takes nothing of the pool.
  const concurrency = Number.isFinite(served) ? served : settings.parallel;
  const devices = ranks.map((rank, index) =>
    deviceMemory([...rank.parts, { term: "kvCache", name: "KV cache", bytes: held[index] ?? 0 }]),
  );
  return {
    devices,
    host: deviceMemory(engine.host(settings, ranks.length)),
    kv: {
      bytesPerToken: Math.ceil(ranks.reduce((sum, rank) => sum + rank.tokenBytes, 0)),
      bytes: devices.reduce((sum, device) => sum + device.kvCache, 0),
      tokens: Math.floor(concurrency * settings.contextTokens),
      concurrency,
      type: settings.kvKeyType,
    },
    settings,
  };
}
