import type { RequestRecord } from "../request-record.ts";
import type { SpanQueue } from "./span-queue.ts";
import { requestSpans } from "./request-spans.ts";
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent } from "./trace-context.ts";

/** Requests in flight that are remembered; the oldest are forgotten beyond, and decided anew at their end. */
const MOST_OPEN = 20_000;

/** A request whose trace was decided before its end, because an engine was told of it. */
interface OpenTrace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly tries: string[];
}

/**
 * Decides which requests are traced and makes their spans. A client's sampled flag is followed, both ways; of the rest a
 * share is taken. The decision stands for all of a request's tries.
 */
export class Tracer {
  readonly #share: number;
  readonly #queue: SpanQueue;
  /** `null`: decided against. */
  readonly #open = new Map<string, OpenTrace | null>();

  /** `share` of requests without a decision of their client, 0 to 1. */
  constructor(share: number, queue: SpanQueue) {
    this.#share = share;
    this.#queue = queue;
  }

  /** `traceparent` for the next try of a request; `undefined` when it is not traced. */
  traceparent(id: string, received: string | undefined): string | undefined {
    let trace = this.#open.get(id);
    if (trace === undefined) {
      trace = this.#decide(received);
      this.#remember(id, trace);
    }
    if (trace === null) return undefined;
    const span = newSpanId();
    trace.tries.push(span);
    return formatTraceparent(trace.traceId, span);
  }

  finished(record: RequestRecord): void {
    const known = this.#open.get(record.id);
    if (known !== undefined) this.#open.delete(record.id);
    const trace = known === undefined ? this.#decide(record.traceparent) : known;
    if (trace === null) return;
    const { traceId, spanId, parentId, tries } = trace;
    const ids = { traceId, spanId, tries, ...(parentId === undefined ? {} : { parentId }) };
    this.#queue.add(() => requestSpans(record, ids, newSpanId));
  }

  #decide(received: string | undefined): OpenTrace | null {
    const context = parseTraceparent(received);
    if (context === undefined ? Math.random() >= this.#share : !context.sampled) return null;
    return {
      traceId: context?.traceId ?? newTraceId(),
      spanId: newSpanId(),
      parentId: context?.parentId,
      tries: [],
    };
  }

  #remember(id: string, trace: OpenTrace | null): void {
    if (this.#open.size >= MOST_OPEN) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest);
        break;
      }
    }
    this.#open.set(id, trace);
  }
}
