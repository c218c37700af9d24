import type { EventLog, NewEvent, NodeEvent } from "../../core/index.ts";
import type { ToParent } from "./protocol.ts";

/** The newest events that a worker holds itself. */
const HELD = 1000;

export interface PastEvents {
  after(seq: number, limit: number): readonly NodeEvent[];
  latest(limit: number): readonly NodeEvent[];
}

/**
 * The parent's events: what is recorded here goes there, and what happened there comes here, the newest held. Older ones
 * are read from the store, where `past` can.
 */
export class RemoteEvents implements EventLog {
  readonly #send: (message: ToParent) => void;
  readonly #past: PastEvents | undefined;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #held: NodeEvent[] = [];

  constructor(send: (message: ToParent) => void, past: PastEvents | undefined) {
    this.#send = send;
    this.#past = past;
  }

  /** The event as it was sent; its number, 0 here, is given by the parent. */
  record(event: NewEvent): NodeEvent {
    this.#send({ is: "event", event });
    return { ...event, seq: 0, time: Date.now() };
  }

  after(seq: number, limit: number): readonly NodeEvent[] {
    const first = this.#held[0]?.seq;
    if (this.#past !== undefined && (first === undefined || seq < first - 1)) {
      const past = this.#past.after(seq, limit);
      // What is on its way into the store and held here already must not be passed over.
      if (past.length >= limit || first === undefined) return past;
      const last = past.at(-1)?.seq ?? seq;
      return [...past, ...this.#held.filter((event) => event.seq > last)].slice(0, limit);
    }
    return this.#held.filter((event) => event.seq > seq).slice(0, limit);
  }

  latest(limit: number): readonly NodeEvent[] {
    return limit > this.#held.length && this.#past !== undefined
      ? this.#past.latest(limit)
      : this.#held.slice(-limit);
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  happened(events: readonly NodeEvent[]): void {
    const last = this.#held.at(-1)?.seq ?? -1;
    const fresh = events.filter((event) => event.seq > last);
    this.#held = [...this.#held, ...fresh].slice(-HELD);
    for (const event of fresh) for (const listener of this.#listeners) listener(event);
  }
}
