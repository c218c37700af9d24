import type { EventLog, NewEvent, NodeEvent } from "../../src/core/index.ts";

/** An event log that forgets everything at the end of the test. */
export class MemoryEventLog implements EventLog {
  readonly events: NodeEvent[] = [];
  readonly #listeners = new Set<(event: NodeEvent) => void>();

  record(event: NewEvent): NodeEvent {
    const recorded = { ...event, seq: this.events.length + 1, time: Date.now() };
    this.events.push(recorded);
    for (const listener of this.#listeners) listener(recorded);
    return recorded;
  }

  after(seq: number, limit: number): readonly NodeEvent[] {
    return this.events.slice(seq, seq + limit);
  }

  latest(limit: number): readonly NodeEvent[] {
    return this.events.slice(-limit);
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  kinds(): string[] {
    return this.events.map((event) => event.kind);
  }
}
