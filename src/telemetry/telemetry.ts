import { OMNI_METRICS } from "../catalog/index.ts";
import type { NewEvent } from "../core/index.ts";
import { AccessLog } from "./access-log/access-log.ts";
import type { AccessLogOptions } from "./access-log/access-log.ts";
import { safePath } from "./access-log/safe-path.ts";
import { LoopDelay } from "./metrics/loop-delay.ts";
import type { MetricNames } from "./metrics/known-names.ts";
import { buildSamples, processSamples } from "./metrics/process-samples.ts";
import { Registry } from "./metrics/registry.ts";
import type { Collector } from "./metrics/registry.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import type { MetricsSnapshot } from "./metrics/snapshot.ts";
import { RecordBatch } from "./record-batch.ts";
import { LossNotices } from "./loss-notices.ts";
import type { Loss } from "./loss-notices.ts";
import type { Meter, RequestRecord } from "./request-record.ts";
import { createTracing } from "./traces/tracing.ts";
import type { TracingOptions } from "./traces/tracing.ts";

/** Keeps requests one by one. Throws nothing and waits for nothing. */
export interface RequestSink {
  record(record: RequestRecord): void;
}

export interface TelemetryOptions {
  /** Version of Omni. */
  readonly version: string;
  /** Names that metrics may carry. */
  readonly names: MetricNames;
  /** False counts nothing. */
  readonly metrics: boolean;
  /** `telemetry.logs` of the spec; no access log when absent or `access` is false. */
  readonly logs?: AccessLogOptions & { readonly access: boolean };
  /** `telemetry.traces` of the spec with its secrets resolved; no traces when absent. */
  readonly traces?: TracingOptions;
  /** Rows of requests: the store's table, or what sends records to the process that has it. */
  readonly requests?: RequestSink;
  /** Where losses of telemetry itself are told, at most once a minute and kind. */
  readonly tell: (event: NewEvent) => void;
}

/** What the gateway did, as metrics, traces and lines of a log. One a process. */
export interface Telemetry {
  readonly meter: Meter;
  /** All figures of this process now; those of several are one by `mergeSnapshots`. */
  snapshot(): MetricsSnapshot;
  /** Figures that others keep, asked for at each snapshot; the returned function ends that. */
  addCollector(collector: Collector): () => void;
  /** Counts what telemetry elsewhere could not keep up with, and tells it. */
  lost(kind: Loss, count: number, why: string): void;
  /** The names of another spec. */
  rename(names: MetricNames): void;
  /** Writes and sends what waits, for at most `time` milliseconds. */
  close(time: number): Promise<void>;
}

/** Telemetry as the spec wants it. Throws OmniError `telemetry.otlp` where traces shall go where Omni cannot send them. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { version, logs, names, requests, tell } = options;
  const registry = new Registry();
  const losses = new LossNotices(registry.counter(OMNI_METRICS.telemetryDropped), tell);
  const tracing =
    options.traces === undefined
      ? undefined
      : createTracing(options.traces, version, (count, why) => losses.lost("span", count, why));
  const log =
    logs?.access === true
      ? new AccessLog(logs, (lines, why) => losses.lost("access_log", lines, why))
      : undefined;
  const metrics = options.metrics ? new RequestMetrics(registry, names) : undefined;
  const loop = options.metrics ? new LoopDelay(registry.histogram(OMNI_METRICS.loopDelay).of()) : undefined;
  registry.add({ collect: () => [...buildSamples(version), ...processSamples()] });
  const batch = new RecordBatch((record, tries) => {
    try {
      metrics?.finished(record);
      log?.finished(record, tries);
    } catch (error) {
      unexpected(error);
    }
  });
  const batched = metrics !== undefined || log !== undefined;

  return {
    meter: {
      finished(record): void {
        try {
          if (batched) batch.add(record);
          loop?.busy();
          tracing?.tracer.finished(record);
          requests?.record(record.path.includes("?") ? { ...record, path: safePath(record.path) } : record);
        } catch (error) {
          unexpected(error);
        }
      },
      interToken: (service, time) => metrics?.interToken(service, time),
      traceparent: (id, received) => tracing?.tracer.traceparent(id, received),
    },
    snapshot() {
      batch.flush();
      return registry.snapshot();
    },
    addCollector: (collector) => registry.add(collector),
    lost: (kind, count, why) => losses.lost(kind, count, why),
    rename(next) {
      batch.flush();
      metrics?.rename(next);
    },
    async close(time) {
      batch.flush();
      loop?.stop();
      await Promise.all([log?.close(time), tracing?.close(time)]);
      losses.close();
    },
  };
}

/** A request has its answer by now; what is wrong here is for the owner of the code, not for a client. */
function unexpected(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
