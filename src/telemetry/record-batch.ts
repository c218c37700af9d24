import type { RequestRecord } from "./request-record.ts";

/** Records that are worked off together, a few tenths of a millisecond at a time, and milliseconds that the first waits. */
const MOST = 128;
const WAIT = 100;

export type WorkOff = (record: RequestRecord, tries: number) => void;

/** Records that wait to be counted and written together, off the way of the requests that come meanwhile. */
export class RecordBatch {
  readonly #workOff: WorkOff;
  readonly #records: RequestRecord[] = [];
  /** Tries of each record when it ended: one that lost a race may add its own end later. */
  readonly #tries: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(workOff: WorkOff) {
    this.#workOff = workOff;
  }

  add(record: RequestRecord): void {
    this.#tries.push(record.tries?.length ?? 0);
    if (this.#records.push(record) >= MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), WAIT).unref();
  }

  /** Works off what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const records = this.#records.splice(0);
    const tries = this.#tries.splice(0);
    for (const [index, record] of records.entries()) this.#workOff(record, tries[index] ?? 0);
  }
}
