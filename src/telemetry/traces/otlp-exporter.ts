import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { request, Pool } from "undici";
import { z } from "zod";
import { messageOf } from "../../core/index.ts";
import { attributes } from "./span.ts";
import type { OtlpSpan } from "./span.ts";
import type { SpanSink } from "./span-queue.ts";

const compress = promisify(gzip);

export interface OtlpOptions {
  /** Where the traces go, whole: `http://collector:4318/v1/traces`. */
  readonly url: URL;
  /** Values are secrets: they go to the collector and nowhere else. */
  readonly headers: Readonly<Record<string, string>>;
  /** Version of Omni and name of the node, told as the resource. */
  readonly version: string;
  readonly node: string;
  /** Most milliseconds of one try. */
  readonly timeout: number;
  readonly tries: number;
  /** Milliseconds before the second try; they double, and a collector's Retry-After goes before them. */
  readonly backoff: number;
  /** Told of spans that were given up, and why. */
  readonly lost: (spans: number, why: string) => void;
}

/** Statuses after which OTLP asks to try again (OTLP specification, "Failures", HTTP). */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const LONGEST_PAUSE = 30_000;
/** Bytes of a collector's answer that are read. */
const MOST_ANSWER = 64 * 1024;

/** What a collector says when it took a part only (ExportTraceServiceResponse); 64-bit numbers may be texts. */
const PARTIAL = z.object({
  partialSuccess: z.object({
    rejectedSpans: z.coerce.number().optional(),
    errorMessage: z.string().optional(),
  }),
});

/**
 * Sends spans to a collector by OTLP/HTTP in its JSON form. The official SDK was measured for this: 14 packages of 25 MB,
 * 27 MB of memory and 240 ms to load, 4 to 10 µs a span at the time of the request; here a request pays for a list's entry.
 */
export class OtlpExporter implements SpanSink {
  readonly #options: OtlpOptions;
  readonly #pool: Pool;
  readonly #ended = new AbortController();

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#pool = new Pool(options.url.origin, { connections: 1, connect: { timeout: options.timeout } });
  }

  async send(spans: readonly OtlpSpan[]): Promise<void> {
    if (spans.length === 0) return;
    try {
      const body = await compress(JSON.stringify(this.#message(spans)));
      const refused = await this.#deliver(body);
      if (refused !== undefined) this.#options.lost(spans.length, refused);
    } catch (error) {
      this.#options.lost(spans.length, messageOf(error));
    }
  }

  /** Ends tries and pauses at once. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#pool.destroy();
  }

  /** Why the collector did not take it, or `undefined`. */
  async #deliver(body: Buffer): Promise<string | undefined> {
    let why = "";
    for (let attempt = 1; attempt <= this.#options.tries; attempt++) {
      const answer = await this.#post(body);
      if (answer === undefined) return undefined;
      why = answer.why;
      if (!answer.again || attempt === this.#options.tries || this.#ended.signal.aborted) break;
      const wait = answer.after ?? this.#options.backoff * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
      await pause(Math.min(wait, LONGEST_PAUSE), undefined, { ref: false, signal: this.#ended.signal }).catch(
        () => undefined,
      );
    }
    return why;
  }

  async #post(
    body: Buffer,
  ): Promise<{ readonly why: string; readonly again: boolean; readonly after?: number } | undefined> {
    const { url, headers, timeout } = this.#options;
    try {
      const answer = await request(url, {
        dispatcher: this.#pool,
        method: "POST",
        headers: { ...headers, "content-type": "application/json", "content-encoding": "gzip" },
        body,
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal: AbortSignal.any([AbortSignal.timeout(timeout), this.#ended.signal]),
      });
      const { statusCode } = answer;
      const after = retryAfter(answer.headers["retry-after"]);
      const said = await readSome(answer.body);
      if (statusCode >= 200 && statusCode < 300) {
        this.#countRejected(said);
        return undefined;
      }
      const again = RETRYABLE.has(statusCode);
      return { why: `it answered ${statusCode}`, again, ...(after === undefined ? {} : { after }) };
    } catch (error) {
      // Of an error only its words: no header of ours is in them.
      return { why: messageOf(error), again: true };
    }
  }

  /** The collector took the message, and perhaps not all spans of it; those are not sent again (OTLP specification). */
  #countRejected(said: string): void {
    const { success, data } = PARTIAL.safeParse(parsed(said));
    const rejected = success ? (data.partialSuccess.rejectedSpans ?? 0) : 0;
    if (rejected > 0)
      this.#options.lost(rejected, data?.partialSuccess.errorMessage?.slice(0, 200) ?? "no reason");
  }

  #message(spans: readonly OtlpSpan[]): unknown {
    const { version, node } = this.#options;
    const resource = attributes({
      "service.name": "omni",
      "service.version": version,
      "service.instance.id": `${node}/${process.pid}`,
      "host.name": node,
    });
    return {
      resourceSpans: [
        {
          resource: { attributes: resource },
          scopeSpans: [{ scope: { name: "omni.gateway", version }, spans }],
        },
      ],
    };
  }
}

/** The beginning of an answer; the rest is not waited for. */
async function readSome(body: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    if (!(part instanceof Buffer)) continue;
    parts.push(part);
    bytes += part.length;
    if (bytes > MOST_ANSWER) break;
  }
  return Buffer.concat(parts).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Milliseconds that a Retry-After asks for: seconds, or a date. */
function retryAfter(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === "string" ? header.trim() : header?.[0]?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
