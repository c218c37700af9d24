import { readdirSync } from "node:fs";
import { markOf } from "./process-identity.ts";

/** Milliseconds that one look serves every unit. */
const FRESH = 500;

/**
 * Which process belongs to which unit, for those who ask often and for every unit. A mark is read once for each process:
 * a look costs a listing of /proc and the environments of processes that are new.
 */
export class ProcessCensus {
  readonly #units = new Map<number, string | undefined>();
  #lookedAt = -Infinity;

  /** Processes that carry the unit's mark, also those that left its group. Empty where there is no /proc. */
  of(unit: string): readonly number[] {
    if (process.platform !== "linux") return [];
    if (performance.now() - this.#lookedAt > FRESH) this.#look();
    return [...this.#units].flatMap(([pid, marked]) => (marked === unit ? [pid] : []));
  }

  #look(): void {
    const living = new Set(readdirSync("/proc").map(Number).filter(Number.isInteger));
    for (const pid of this.#units.keys()) if (!living.has(pid)) this.#units.delete(pid);
    for (const pid of living) if (!this.#units.has(pid)) this.#units.set(pid, markOf(pid));
    this.#lookedAt = performance.now();
  }
}
