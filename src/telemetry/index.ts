/**
 * Telemetry: what the gateway did, told in three ways: metrics for Prometheus, spans for a collector, lines of a log; and
 * rows of requests for the store. It takes records of requests that have ended and never their contents, costs a request a
 * few microseconds and never waits for a disk or a network.
 * Never here: what a request meant, or any decision about one.
 */
export { METRICS_MEDIA_TYPES, metricsFormat, renderMetrics } from "./metrics/exposition.ts";
export type { MetricNames } from "./metrics/known-names.ts";
export { watchEjections } from "./metrics/ejections.ts";
export { gatewaySamples, machineSamples, serviceSamples } from "./metrics/node-samples.ts";
export type { Sample } from "./metrics/registry.ts";
export { mergeSnapshots } from "./metrics/snapshot.ts";
export type { MetricsSnapshot } from "./metrics/snapshot.ts";
export { createContentKeeper, KEEPS_NOTHING } from "./requests/content-keeper.ts";
export type { ContentKeeper, ContentTee } from "./requests/content-keeper.ts";
export { CLIENT_GONE } from "./request-record.ts";
export type { Meter, RequestOutcome, RequestRecord } from "./request-record.ts";
export { serverTiming } from "./server-timing.ts";
export { createTelemetry } from "./telemetry.ts";
export type { RequestSink, Telemetry, TelemetryOptions } from "./telemetry.ts";
