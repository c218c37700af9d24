import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { OtlpExporter } from "./otlp-exporter.ts";
import { otlpUrl } from "./otlp-url.ts";
import { SpanQueue } from "./span-queue.ts";
import { Tracer } from "./tracer.ts";

export interface TracingOptions {
  /** `http://collector:4318`. */
  readonly otlp: string;
  /** Headers for the collector, secrets resolved. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Share of requests that are traced where their client did not decide, 0 to 1. */
  readonly sampling: number;
  /** Name of the node. */
  readonly node?: string;
  /** Milliseconds that spans wait for their batch. */
  readonly interval?: number;
  /** Milliseconds of one try, and before the second one. */
  readonly timeout?: number;
  readonly backoff?: number;
}

/** Requests whose spans wait, and those of a batch: the bounds of OpenTelemetry's own SDKs. */
const MOST_WAITING = 2048;
const BATCH = 512;
const TRIES = 5;

interface Tracing {
  readonly tracer: Tracer;
  /** Sends what waits, for at most `time` milliseconds. */
  close(time: number): Promise<void>;
}

/** Traces to one collector. `lost` is told of spans that did not arrive. Throws OmniError `telemetry.otlp`. */
export function createTracing(
  options: TracingOptions,
  version: string,
  lost: (spans: number, why: string) => void,
): Tracing {
  const url = otlpUrl(options.otlp);
  const exporter = new OtlpExporter({
    url,
    headers: options.headers ?? {},
    version,
    node: options.node ?? hostname(),
    timeout: options.timeout ?? 10_000,
    tries: TRIES,
    backoff: options.backoff ?? 1000,
    lost: (spans, why) => lost(spans, `the collector at ${url.host} did not take them: ${why}`),
  });
  const queue = new SpanQueue({
    sink: exporter,
    interval: options.interval ?? 5000,
    most: MOST_WAITING,
    batch: BATCH,
    dropped: (spans) => lost(spans, `requests end faster than ${url.host} takes their spans`),
  });
  return {
    tracer: new Tracer(options.sampling, queue),
    async close(time) {
      const over = new AbortController();
      const late = pause(time, undefined, { signal: over.signal }).catch(() => undefined);
      await Promise.race([queue.close(), late]);
      over.abort();
      await exporter.close();
    },
  };
}
