import { MIB, formatBytes } from "../core/index.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { CardReading, Reading } from "../watch/reading.ts";

/** How a card of the plan is found among the cards of the machine: by the first of these that is known. */
export interface CardIdentity {
  readonly uuid?: string;
  readonly pci?: string;
  readonly index?: number;
  /** Model of the card. */
  readonly name: string;
}

/** A card that has less free memory than a service needs. Bytes. */
export interface Shortfall {
  readonly device: string;
  readonly needed: number;
  readonly free: number;
  readonly holders: readonly { readonly pid: number; readonly bytes: number }[];
}

/** A prediction is no better than this: what it is off by must not keep a start back. */
const TOLERANCE = 0.03;
const LEAST_TOLERANCE = 256 * MIB;

/** The card of the machine that a device of the plan is; `undefined` where it is not to be found. */
export function findCard(
  cards: readonly CardReading[],
  identity: CardIdentity | undefined,
): CardReading | undefined {
  if (identity === undefined) return undefined;
  const { uuid, pci, index } = identity;
  if (uuid !== undefined) return cards.find((card) => card.uuid === uuid);
  if (pci !== undefined) return cards.find((card) => card.pci === pci);
  return index === undefined ? undefined : cards.find((card) => card.index === index);
}

/** Cards on which a service would not find what the plan says it takes. Those that tell nothing are trusted. */
export function shortfalls(
  service: PlannedService,
  reading: Reading,
  cards: ReadonlyMap<string, CardIdentity>,
): readonly Shortfall[] {
  return service.memory.flatMap(({ device, total }) => {
    const card = findCard(reading.cards, cards.get(device));
    if (card?.memoryFree === undefined || card.lost !== undefined) return [];
    const needed = total - Math.max(LEAST_TOLERANCE, total * TOLERANCE);
    if (card.memoryFree >= needed) return [];
    return [{ device, needed: total, free: card.memoryFree, holders: card.holders ?? [] }];
  });
}

/** `gpu0 has 3.00 GiB free of the 10.00 GiB needed; process 4711 holds 20.00 GiB`. */
export function describeShortfall({ device, needed, free, holders }: Shortfall): string {
  const held = holders
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ pid, bytes }) => `process ${pid} holds ${formatBytes(bytes)}`);
  const who = held.length === 0 ? "" : `; ${held.join(", ")}`;
  return `${device} has ${formatBytes(free)} free of the ${formatBytes(needed)} needed${who}`;
}
