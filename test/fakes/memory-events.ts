import type { EventLog, NewEvent, NodeEvent } from "../../src/core/index.ts";

/** An event log that forgets when the process ends. */
export function memoryEvents(): EventLog & { readonly all: readonly NodeEvent[] } {
  const all: NodeEvent[] = [];
  const listeners = new Set<(event: NodeEvent) => void>();
  return {
    all,
    record(event: NewEvent): NodeEvent {
      const recorded = { ...event, seq: all.length + 1, time: Date.now() };
      all.push(recorded);
      for (const listener of listeners) listener(recorded);
      return recorded;
    },
    after: (seq, limit) => all.filter((event) => event.seq > seq).slice(0, limit),
    latest: (limit) => all.slice(-limit),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
