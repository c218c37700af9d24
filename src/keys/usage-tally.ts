import type { UsageRow } from "../store/stored-key.ts";
import type { UsageEntry } from "./key-gate.ts";
import { dayOf } from "./limits/calendar.ts";

type Counted = { -readonly [K in keyof UsageRow]: UsageRow[K] };

/** Entries put together to one row for each day, key, model and service, until they are taken out. */
export class UsageTally {
  #rows = new Map<string, Counted>();
  #day = dayOf(0);

  /** `now` in milliseconds since the epoch. */
  add(entry: UsageEntry, now: number): void {
    if (now >= this.#day.ends || now < this.#day.ends - 86_400_000) this.#day = dayOf(now);
    const { key, model, service } = entry;
    const day = this.#day.name;
    const id = `${day}\n${key}\n${model}\n${service}`;
    let row = this.#rows.get(id);
    if (row === undefined) {
      row = { day, key, model, service, requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
      this.#rows.set(id, row);
    }
    row.requests += entry.requests ?? 1;
    row.promptTokens += entry.promptTokens;
    row.completionTokens += entry.completionTokens;
    row.cachedTokens += entry.cachedTokens ?? 0;
  }

  get empty(): boolean {
    return this.#rows.size === 0;
  }

  take(): readonly UsageRow[] {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    return rows;
  }

  /** Adds rows that were put together elsewhere, or could not be written. */
  putBack(rows: readonly UsageRow[]): void {
    for (const row of rows) {
      const id = `${row.day}\n${row.key}\n${row.model}\n${row.service}`;
      const now = this.#rows.get(id);
      if (now === undefined) this.#rows.set(id, { ...row });
      else {
        now.requests += row.requests;
        now.promptTokens += row.promptTokens;
        now.completionTokens += row.completionTokens;
        now.cachedTokens += row.cachedTokens;
      }
    }
  }
}
