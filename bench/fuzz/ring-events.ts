import type { EventLog, NewEvent, NodeEvent } from "../../src/core/index.ts";
import { secretIn } from "./judge.ts";

const KEPT = 1_000;

/** Events as a node keeps them, the newest thousand; each is looked through for secrets. */
export class RingEvents implements EventLog {
  readonly #kept: NodeEvent[] = [];
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #leaked: (text: string) => void;
  #seq = 0;

  constructor(leaked: (text: string) => void) {
    this.#leaked = leaked;
  }

  record(event: NewEvent): NodeEvent {
    const recorded = { ...event, seq: ++this.#seq, time: Date.now() };
    const text = JSON.stringify(recorded);
    if (secretIn(text) !== undefined) this.#leaked(text);
    this.#kept.push(recorded);
    if (this.#kept.length > 2 * KEPT) this.#kept.splice(0, KEPT);
    for (const listener of this.#listeners) listener(recorded);
    return recorded;
  }

  after(seq: number, limit: number): readonly NodeEvent[] {
    return this.#kept.filter((event) => event.seq > seq).slice(0, limit);
  }

  latest(limit: number): readonly NodeEvent[] {
    return this.#kept.slice(-limit);
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
