import { gzip } from "node:zlib";
import { OMNI_METRICS } from "../catalog/index.ts";
import { metricsFormat, METRICS_MEDIA_TYPES, renderMetrics } from "../telemetry/index.ts";
import type { MetricsSnapshot } from "../telemetry/index.ts";
import type { Call } from "./call.ts";
import { sendText } from "./call.ts";

/** Bytes below which compression is not worth its time. */
const SMALL = 4096;
/** What carries names of keys. */
const OF_KEYS: ReadonlySet<string> = new Set([OMNI_METRICS.keyRequests.name, OMNI_METRICS.keyTokens.name]);

/**
 * Metrics in the form that the caller reads: Prometheus' text format or OpenMetrics, compressed where that is taken. A
 * Prometheus shows no key; who asks without one is told nothing about keys.
 */
export function sendMetrics(call: Call, snapshot: MetricsSnapshot): void {
  const { headers, method } = call.req;
  const shown =
    call.caller === undefined ? snapshot.filter(({ metric }) => !OF_KEYS.has(metric.name)) : snapshot;
  const format = metricsFormat(headers.accept);
  const type = METRICS_MEDIA_TYPES[format];
  const text = renderMetrics(shown, format);
  const extra = ["vary", "accept, accept-encoding", "cache-control", "no-store"];
  if (text.length < SMALL || !takesGzip(headers["accept-encoding"])) {
    sendText(call, 200, type, text, extra);
    return;
  }
  gzip(text, (error, body) => {
    if (call.res.destroyed) return;
    if (error !== null) {
      sendText(call, 200, type, text, extra);
      return;
    }
    const about = ["content-type", type, "content-length", String(body.length), "content-encoding", "gzip"];
    call.res.writeHead(200, [...about, ...call.headers, ...extra]);
    call.res.end(method === "HEAD" ? undefined : body);
  });
}

const takesGzip = (header: string | readonly string[] | undefined): boolean =>
  String(header ?? "")
    .split(",")
    .some((part) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(part));
