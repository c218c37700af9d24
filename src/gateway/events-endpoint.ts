import type { EventLog, NodeEvent } from "../core/index.ts";
import type { Call, StreamedCall } from "./call.ts";
import { sendJson } from "./call.ts";
import { badRequest, sendError } from "./wire-error.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const BATCH = 200;

/** `GET /api/events?after=SEQ&limit=N`: without `after` the newest, oldest first in either case. */
export function answerEvents(log: EventLog, call: Call): void {
  const limit = wholeNumber(call.query.get("limit")) ?? DEFAULT_LIMIT;
  const after = wholeNumber(call.query.get("after"));
  if (Number.isNaN(limit) || limit < 1 || limit > MAX_LIMIT) {
    sendError(
      call,
      badRequest("invalid_limit", `limit must be a whole number from 1 to ${MAX_LIMIT}.`, "limit"),
    );
  } else if (Number.isNaN(after)) {
    sendError(
      call,
      badRequest("invalid_after", "after must be the seq of an event, a whole number.", "after"),
    );
  } else {
    const events = after === undefined ? log.latest(limit) : log.after(after, limit);
    sendJson(call, 200, { events, last: events.at(-1)?.seq ?? after ?? 0 });
  }
}

/** `undefined` when absent, NaN when malformed. */
function wholeNumber(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * `GET /api/events/stream`: events as they happen, resumed after `Last-Event-ID` or `?after=`, else from now on.
 * Nothing is buffered here for a slow reader: it reads on from the log at its own pace.
 */
export class EventStreams {
  readonly #log: EventLog;
  readonly #heartbeat: number;
  readonly #ends = new Set<() => void>();

  constructor(log: EventLog, heartbeat: number) {
    this.#log = log;
    this.#heartbeat = heartbeat;
  }

  follow(call: StreamedCall): void {
    const { res } = call;
    const resume = wholeNumber(call.req.headers["last-event-id"]?.toString() ?? call.query.get("after"));
    let cursor =
      resume === undefined || Number.isNaN(resume) ? (this.#log.latest(1).at(-1)?.seq ?? 0) : resume;
    res.writeHead(200, [
      "content-type",
      "text/event-stream; charset=utf-8",
      "cache-control",
      "no-store",
      ...call.headers,
    ]);
    if (call.req.method === "HEAD") {
      res.end();
      return;
    }
    res.write(": events of the node\n\n");
    let blocked = false;
    const pump = (): void => {
      // Between its end and its close a stream is still told of events.
      while (!blocked && !res.destroyed && !res.writableEnded) {
        const batch = this.#log.after(cursor, BATCH);
        const last = batch.at(-1);
        if (last === undefined) return;
        cursor = last.seq;
        blocked = !res.write(batch.map(sseEvent).join(""));
      }
    };
    res.on("drain", () => {
      blocked = false;
      pump();
    });
    const unsubscribe = this.#log.subscribe(pump);
    const beat = setInterval(() => {
      if (!blocked && !res.writableEnded) res.write(": still here\n\n");
    }, this.#heartbeat);
    const end = (): void => void res.end();
    this.#ends.add(end);
    res.once("close", () => {
      unsubscribe();
      clearInterval(beat);
      this.#ends.delete(end);
    });
    pump();
  }

  /** Ends every stream in good order. */
  close(): void {
    for (const end of this.#ends) end();
  }
}

const sseEvent = (event: NodeEvent): string => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
