import type { CardFault, CardReading, Reading, Watch } from "../../src/watch/reading.ts";

const GIB = 2 ** 30;

/** Cards that hold what the test says. */
export class FakeWatch implements Watch {
  readonly source = "nvml";
  readonly cards: Map<string, CardReading>;
  /** How often somebody wanted to know it now. */
  looks = 0;
  readonly #readings = new Set<(reading: Reading) => void>();
  readonly #faults = new Set<(fault: CardFault) => void>();

  /** Cards of 10 GiB by their UUID, all free. */
  constructor(uuids: readonly string[]) {
    this.cards = new Map(
      uuids.map((uuid, index) => [
        uuid,
        { uuid, index, name: "Fake 10G", memoryTotal: 10 * GIB, memoryUsed: 0, memoryFree: 10 * GIB },
      ]),
    );
  }

  /** Process `pid` holds so many GiB of a card, and nobody else anything. */
  take(uuid: string, gib: number, pid = 4711): void {
    const card = this.cards.get(uuid);
    if (card === undefined) throw new Error(`no card ${uuid}`);
    const bytes = gib * GIB;
    const holders = bytes === 0 ? [] : [{ pid, bytes }];
    this.cards.set(uuid, { ...card, memoryUsed: bytes, memoryFree: 10 * GIB - bytes, holders });
  }

  tell(fault: CardFault): void {
    for (const listener of this.#faults) listener(fault);
  }

  get listeners(): number {
    return this.#readings.size + this.#faults.size;
  }

  latest(): Reading {
    return {
      time: Date.now(),
      cards: [...this.cards.values()],
      host: { memoryTotal: 64 * GIB, memoryAvailable: 60 * GIB, disks: [] },
    };
  }

  lookNow(): Promise<Reading> {
    this.looks++;
    return Promise.resolve(this.latest());
  }

  recent(): readonly Reading[] {
    return [this.latest()];
  }

  onReading(listener: (reading: Reading) => void): () => void {
    this.#readings.add(listener);
    return () => void this.#readings.delete(listener);
  }

  onFault(listener: (fault: CardFault) => void): () => void {
    this.#faults.add(listener);
    return () => void this.#faults.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
