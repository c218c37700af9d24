import type { NewEvent } from "../core/index.ts";
import type { Family } from "./metrics/registry.ts";
import type { Counter } from "./metrics/series.ts";

/** What telemetry can lose. */
export type Loss = "access_log" | "span" | "request_row" | "content";

const NAMES: Readonly<Record<Loss, string>> = {
  access_log: "lines of the access log",
  span: "spans of traces",
  request_row: "rows of requests",
  content: "contents of requests",
};

/** Milliseconds between two events about the same kind. */
const QUIET = 60_000;

/** Counts what was lost, and says so at once and then at most once a minute: a full disk must not fill the event log too. */
export class LossNotices {
  readonly #counts: Family<Counter>;
  readonly #tell: (event: NewEvent) => void;
  readonly #pending = new Map<Loss, { count: number; why: string; timer: NodeJS.Timeout }>();

  constructor(counts: Family<Counter>, tell: (event: NewEvent) => void) {
    this.#counts = counts;
    this.#tell = tell;
  }

  lost(kind: Loss, count: number, why: string): void {
    this.#counts.of(kind).add(count);
    const pending = this.#pending.get(kind);
    if (pending !== undefined) {
      pending.count += count;
      pending.why = why;
      return;
    }
    this.#say(kind, count, why);
    const timer = setTimeout(() => this.#over(kind), QUIET).unref();
    this.#pending.set(kind, { count: 0, why, timer });
  }

  /** Says what has not been said. */
  close(): void {
    for (const kind of this.#pending.keys()) this.#over(kind);
  }

  #over(kind: Loss): void {
    const pending = this.#pending.get(kind);
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    this.#pending.delete(kind);
    if (pending.count > 0) this.#say(kind, pending.count, pending.why);
  }

  #say(kind: Loss, count: number, why: string): void {
    this.#tell({
      severity: "warning",
      kind: "telemetry.lost",
      message: `Lost ${NAMES[kind]}: ${count}; ${why}`,
      data: { what: kind, count },
    });
  }
}
