import type { UsageRow } from "../store/stored-key.ts";
import type { UsageEntry } from "./key-gate.ts";
import { dayOf } from "./limits/calendar.ts";
import type { Period } from "./limits/calendar.ts";

type Counted = { -readonly [K in keyof UsageRow]: UsageRow[K] };
/** Rows by key, model, service and day: looking names up costs less than making one name of them. */
type Rows = Map<string, Map<string, Map<string, Map<string, Counted>>>>;

const DAY = 86_400_000;

/** Entries put together to one row for each day, key, model and service, until they are taken out. */
export class UsageTally {
  #rows: Rows = new Map();
  #day: Period = dayOf(0);
  #empty = true;
  /** Where the last entry went: most often the next one goes there too. */
  #last: Counted | undefined;

  /** `now` in milliseconds since the epoch. */
  add(entry: UsageEntry, now: number): void {
    if (now >= this.#day.ends || now < this.#day.ends - DAY) this.#day = dayOf(now);
    const { key, model, service } = entry;
    const { name } = this.#day;
    const last = this.#last;
    const row =
      last !== undefined &&
      last.key === key &&
      last.model === model &&
      last.service === service &&
      last.day === name
        ? last
        : this.#row(name, key, model, service);
    this.#last = row;
    row.requests += entry.requests ?? 1;
    row.promptTokens += entry.promptTokens;
    row.completionTokens += entry.completionTokens;
    row.cachedTokens += entry.cachedTokens ?? 0;
  }

  get empty(): boolean {
    return this.#empty;
  }

  take(): readonly UsageRow[] {
    const rows = [...this.#rows.values()]
      .flatMap((models) => [...models.values()])
      .flatMap((services) => [...services.values()])
      .flatMap((days) => [...days.values()]);
    this.#rows = new Map();
    this.#last = undefined;
    this.#empty = true;
    return rows;
  }

  /** Adds rows that were put together elsewhere, or could not be written. */
  putBack(rows: readonly UsageRow[]): void {
    for (const row of rows) {
      const counted = this.#row(row.day, row.key, row.model, row.service);
      counted.requests += row.requests;
      counted.promptTokens += row.promptTokens;
      counted.completionTokens += row.completionTokens;
      counted.cachedTokens += row.cachedTokens;
    }
  }

  #row(day: string, key: string, model: string, service: string): Counted {
    const days = within(within(within(this.#rows, key), model), service);
    let row = days.get(day);
    if (row === undefined) {
      row = { day, key, model, service, requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
      days.set(day, row);
      this.#empty = false;
    }
    return row;
  }
}

function within<V>(maps: Map<string, Map<string, V>>, name: string): Map<string, V> {
  let found = maps.get(name);
  if (found === undefined) {
    found = new Map();
    maps.set(name, found);
  }
  return found;
}
