import type { EventLog } from "../../core/index.ts";

/** Milliseconds in which the same refusal is one event. */
const QUIET = 60_000;
const MOST = 1000;

/** Refusals that an operator should see, each kind for each key and server once a minute. */
export class RefusalLog {
  readonly #events: EventLog;
  readonly #now: () => number;
  readonly #last = new Map<string, number>();

  constructor(events: EventLog, now: () => number) {
    this.#events = events;
    this.#now = now;
  }

  say(key: string, server: string, code: string, message: string): void {
    const about = JSON.stringify([key, server, code]);
    const now = this.#now();
    if (now - (this.#last.get(about) ?? Number.NEGATIVE_INFINITY) < QUIET) return;
    if (this.#last.size >= MOST) this.#last.clear();
    this.#last.set(about, now);
    this.#events.record({
      kind: "mcp.call-refused",
      severity: "warning",
      message: `A request of the key ${key} was refused: ${message} (${code})`,
      data: { key, server, code },
    });
  }
}
