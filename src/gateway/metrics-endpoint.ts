import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { messageOf } from "../core/index.ts";
import { METRICS_MEDIA_TYPES, metricsFormat, renderMetrics } from "../telemetry/index.ts";
import type { MetricsSnapshot } from "../telemetry/index.ts";
import type { Call } from "./call.ts";
import { sendText } from "./call.ts";
import { sendError } from "./wire-error.ts";

const compress = promisify(gzip);
/** Bytes below which compression is not worth its time. */
const SMALL = 4096;

/** Figures of one process, or of all of them together where there are several. */
export type MetricsSource = () => MetricsSnapshot | Promise<MetricsSnapshot>;

/** `GET /metrics`: Prometheus' text format or OpenMetrics, as the Accept header prefers, compressed where it is taken. */
export function answerMetrics(source: MetricsSource, call: Call): void {
  answer(source, call).catch((thrown: unknown) => {
    if (call.res.headersSent || call.res.destroyed) return;
    const message = `The metrics cannot be read: ${messageOf(thrown)}.`;
    sendError(call, { status: 500, type: "server_error", code: "metrics_unreadable", message });
  });
}

async function answer(source: MetricsSource, call: Call): Promise<void> {
  const { headers, method } = call.req;
  const format = metricsFormat(headers.accept);
  const text = renderMetrics(await source(), format);
  const type = METRICS_MEDIA_TYPES[format];
  const vary = ["vary", "accept, accept-encoding", "cache-control", "no-store"];
  if (text.length < SMALL || !takesGzip(headers["accept-encoding"])) {
    sendText(call, 200, type, text, vary);
    return;
  }
  const body = await compress(text);
  const length = ["content-length", String(body.length), "content-encoding", "gzip"];
  call.res.writeHead(200, ["content-type", type, ...length, ...call.headers, ...vary]);
  call.res.end(method === "HEAD" ? undefined : body);
}

const takesGzip = (header: string | string[] | undefined): boolean =>
  String(header ?? "")
    .split(",")
    .some((part) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(part));
