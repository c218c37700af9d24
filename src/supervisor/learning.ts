import type { EngineTook } from "../engines/engine.ts";
import type { MemoryTerms, PlannedService } from "../plan/plan.ts";
import type { Reading, Watch } from "../watch/reading.ts";
import type { CardIdentity } from "./memory-wait.ts";
import { findCard } from "./memory-wait.ts";
import type { RunningEngine } from "./running-engine.ts";

/** What a start really took, beside what was predicted. Bytes and milliseconds. */
export interface Measurement {
  readonly service: PlannedService;
  /** Kind of engine in the catalog. */
  readonly kind: string;
  readonly predicted: readonly MemoryTerms[];
  /** By the engine's own log. */
  readonly took: EngineTook;
  /** By the driver: what its processes hold of each card, or what became less free, where processes are not told. */
  readonly cards: readonly {
    readonly device: string;
    readonly bytes: number;
    readonly by: "process" | "difference";
  }[];
  /** From start to ready. */
  readonly loadTime: number;
}

/** Where measurements go to, and what earlier ones say. */
export interface Measured {
  record(measurement: Measurement): void;
  /** Milliseconds that loads of this service took; `undefined` where none was measured. */
  loadTime(service: string): number | undefined;
}

/** Looks at an engine that has just become ready. `before` is how the cards looked just before its start. */
export async function measure(
  engine: RunningEngine,
  loadTime: number,
  watch: Watch | undefined,
  cards: ReadonlyMap<string, CardIdentity>,
  before: Reading | undefined,
): Promise<Measurement> {
  const { service, driver, unit, prepared } = engine;
  const took = driver.readTook(unit.lastLines());
  const now = watch === undefined || watch.source === "none" ? undefined : await watch.lookNow();
  const own = now === undefined ? [] : await unit.processes();
  return {
    service,
    kind: prepared.kind,
    predicted: service.memory,
    took,
    cards:
      now === undefined ? [] : service.devices.flatMap((device) => held(device, cards, now, before, own)),
    loadTime,
  };
}

function held(
  device: string,
  cards: ReadonlyMap<string, CardIdentity>,
  now: Reading,
  before: Reading | undefined,
  own: readonly number[],
): Measurement["cards"] {
  const card = findCard(now.cards, cards.get(device));
  const bytes = (card?.holders ?? [])
    .filter(({ pid }) => own.includes(pid))
    .reduce((sum, holder) => sum + holder.bytes, 0);
  if (bytes > 0) return [{ device, bytes, by: "process" }];
  const free = before && findCard(before.cards, cards.get(device))?.memoryFree;
  if (free === undefined || card?.memoryFree === undefined || free <= card.memoryFree) return [];
  return [{ device, bytes: free - card.memoryFree, by: "difference" }];
}
