import { present } from "../core/index.ts";
import type { CardLook, CardSample, LostCard, SeenCard } from "./card-sample.ts";
import type { CardFault, CardReading } from "./reading.ts";

interface Entry {
  /** What was last read; a card that was lost from the beginning has only its names. */
  readonly sample: CardSample;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
  readonly lost?: {
    readonly since: number;
    readonly reason: string;
    readonly toldByKernel: boolean;
    /** Clock that never jumps: only what was read later says that it is back. */
    readonly at: number;
  };
  /** Samples in a row that were read since it was lost. */
  readonly good: number;
  /** When the newest sample was read. */
  readonly at: number;
  readonly lastXid?: number;
}

/** Good looks in a row until a card that the kernel gave up counts as back: the driver may still tell old values. */
const GOOD_LOOKS = 3;
/** Cards that are remembered; one machine has at most a few dozen. */
const MOST_CARDS = 256;

const placeName = (pci: string): string => `PCI-${pci}`;

/** Milliseconds since the epoch, and on a clock that never jumps. */
export interface Moment {
  readonly time: number;
  readonly steady: number;
}

/** Who the cards are and how they were: makes of looks the readings, and of their differences the faults. */
export class CardBook {
  #entries = new Map<string, Entry>();

  /** Takes a look in. */
  take(
    look: CardLook,
    now: Moment,
  ): { readonly cards: readonly CardReading[]; readonly faults: readonly CardFault[] } {
    const faults: CardFault[] = [];
    const missing = new Set(this.#entries.keys());
    for (const sample of look.cards) {
      missing.delete(sample.uuid);
      faults.push(...this.#seen(sample, now.time));
    }
    for (const lost of look.lost) {
      const uuid = this.#nameOf(lost);
      if (uuid === undefined) continue;
      missing.delete(uuid);
      faults.push(...this.lose(uuid, lost.reason, now, false));
    }
    if (look.complete)
      for (const uuid of missing)
        faults.push(...this.lose(uuid, "the driver does not list it any more", now, false));
    return { cards: this.#readings(look, now.time), faults };
  }

  /** Marks a card as lost; a fault when it was not. */
  lose(uuid: string, reason: string, now: Moment, toldByKernel: boolean): CardFault[] {
    const entry = this.#entries.get(uuid);
    if (entry === undefined) return [];
    const first = entry.lost ?? { since: now.time, reason, toldByKernel };
    this.#entries.set(uuid, { ...entry, good: 0, lost: { ...first, at: now.steady } });
    return entry.lost === undefined ? [{ kind: "lost", uuid, reason }] : [];
  }

  /** Remembers the last Xid of a card. */
  xid(uuid: string, xid: number): void {
    const entry = this.#entries.get(uuid);
    if (entry !== undefined) this.#entries.set(uuid, { ...entry, lastXid: xid });
  }

  uuidAt(pci: string): string | undefined {
    return [...this.#entries].find(([, { sample }]) => sample.pci === pci)?.[0];
  }

  pciOf(uuid: string): string | undefined {
    return this.#entries.get(uuid)?.sample.pci;
  }

  #seen({ at, ...sample }: SeenCard, time: number): CardFault[] {
    const { uuid } = sample;
    const entry = this.#entries.get(uuid);
    // What was read before the loss, or is told a second time, says nothing of now.
    if (entry?.lost !== undefined && at <= Math.max(entry.lost.at, entry.at)) return [];
    // One that was first heard of by its address has a name now.
    if (entry === undefined && sample.pci !== undefined) this.#entries.delete(placeName(sample.pci));
    if (entry === undefined && this.#entries.size >= MOST_CARDS) return [];
    const holders = sample.holders ?? entry?.sample.holders;
    const kept = holders === undefined ? sample : { ...sample, holders };
    const good = (entry?.good ?? 0) + 1;
    const still = entry?.lost !== undefined && entry.lost.toldByKernel && good < GOOD_LOOKS;
    this.#entries.set(uuid, {
      sample: kept,
      readAt: time,
      at,
      good,
      ...present({ lastXid: entry?.lastXid, lost: still ? entry.lost : undefined }),
    });
    return entry?.lost !== undefined && !still ? [{ kind: "back", uuid }] : [];
  }

  /** The identity of a card that may only be known by its address; one that never told its own gets its address for it. */
  #nameOf(lost: LostCard): string | undefined {
    const known = lost.uuid ?? (lost.pci === undefined ? undefined : this.uuidAt(lost.pci));
    const uuid = known ?? (lost.pci === undefined ? undefined : placeName(lost.pci));
    if (uuid !== undefined && !this.#entries.has(uuid) && this.#entries.size < MOST_CARDS)
      this.#entries.set(uuid, {
        sample: { uuid, name: "NVIDIA GPU", ...present({ pci: lost.pci }) },
        readAt: 0,
        at: -Infinity,
        good: 0,
      });
    return uuid;
  }

  /** Every card ever seen, in the order of the bus, so that a lost one does not move the others. */
  #readings(look: CardLook, time: number): CardReading[] {
    const seen = new Set(look.cards.map(({ uuid }) => uuid));
    return [...this.#entries.values()]
      .toSorted((a, b) => (a.sample.pci ?? "~").localeCompare(b.sample.pci ?? "~", "en"))
      .map(({ sample, lost, lastXid, readAt }, index) => ({
        ...sample,
        index,
        ...present({
          lastXid,
          lost: lost === undefined ? undefined : { since: lost.since, reason: lost.reason },
          asOf: seen.has(sample.uuid) || readAt === 0 || readAt >= time ? undefined : readAt,
        }),
      }));
  }
}
