import { setTimeout as sleep } from "node:timers/promises";
import type { MemoryTerm } from "../board/holdings.ts";
import type { Engine } from "./engine.ts";
import type { EngineEnd } from "./engine-end.ts";

/** What an engine says and does when a card (by its own number, or main memory: -1) has no `bytes` left. */
export type NoRoom = (card: number, bytes: number) => EngineEnd;

/** Steps in which weights appear on a card. */
const SLICE = 150;
const MOST_SLICES = 20;

/** Takes one term of every card and of main memory at once. Throws what `noRoom` gives for the first without room. */
export function takeTerm(engine: Engine, term: MemoryTerm, noRoom: NoRoom): void {
  for (const [device, terms] of Object.entries(engine.settings.memory))
    take(engine, device, term, terms[term] ?? 0, noRoom);
}

/** Takes bytes of one device. Throws what `noRoom` gives when they are not free. */
export function take(engine: Engine, device: string, term: MemoryTerm, bytes: number, noRoom: NoRoom): void {
  if (engine.board === undefined || bytes <= 0 || isElsewhere(engine, device)) return;
  const name = engine.settings.kind;
  if (!engine.board.hold(device, bytes, { term, name })) throw noRoom(engine.cards.indexOf(device), bytes);
  const key = `${device} ${term}`;
  engine.taken.set(key, (engine.taken.get(key) ?? 0) + bytes);
}

/** On the processor by mistake: no card is touched. */
const isElsewhere = (engine: Engine, device: string): boolean =>
  device !== "cpu" && engine.faults.find("on-processor") !== undefined;

/** Takes the weights piece by piece within `ms`, as engines over PyTorch do. */
export async function loadWeights(engine: Engine, ms: number, noRoom: NoRoom): Promise<void> {
  const slices = Math.max(1, Math.min(MOST_SLICES, Math.ceil(ms / SLICE)));
  for (let slice = 0; slice < slices; slice++) {
    for (const [device, { weights = 0 }] of Object.entries(engine.settings.memory)) {
      const upTo = (part: number): number => Math.round((weights * part) / slices);
      take(engine, device, "weights", upTo(slice + 1) - upTo(slice), noRoom);
    }
    await pass(engine, ms / slices);
  }
}

/** Lets loading time pass; for ever where it was told to hang. */
export async function pass(engine: Engine, ms: number): Promise<void> {
  if (engine.faults.find("hang-at-load") !== undefined)
    await new Promise<never>(() => setInterval(() => {}, 1e9));
  if (ms > 0) await sleep(ms);
}

/** The fault of running out of memory while loading: as if the largest card had no room for its weights. */
export function failAtLoad(engine: Engine, noRoom: NoRoom): void {
  if (engine.faults.take("oom-at-load") === undefined) return;
  const first = engine.cards[0] ?? "cpu";
  throw noRoom(engine.cards.length === 0 ? -1 : 0, engine.settings.memory[first]?.weights ?? 0);
}
