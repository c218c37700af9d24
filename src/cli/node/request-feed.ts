import type { RequestRow } from "../../store/index.ts";
import type { RequestRecord, RequestSink } from "../../telemetry/index.ts";

/** Requests that end, for whoever listens, on their way to where they are kept. */
export interface RequestFeed extends RequestSink {
  /** The returned function ends it. */
  listen(listener: (row: RequestRow) => void): () => void;
}

export function requestFeed(kept: RequestSink): RequestFeed {
  const listeners = new Set<(row: RequestRow) => void>();
  return {
    record(record) {
      kept.record(record);
      if (listeners.size === 0) return;
      const row = rowOf(record);
      for (const listener of listeners) listener(row);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Of a record what its row holds. */
const rowOf = ({ traceparent: _trace, tries: _tries, ...row }: RequestRecord): RequestRow => row;
