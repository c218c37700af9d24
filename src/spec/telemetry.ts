import { z } from "zod";
import { withFacts } from "./scalars/facts.ts";
import { path, url } from "./scalars/identities.ts";
import { bytes, duration, fraction, whole } from "./scalars/quantities.ts";
import { secret } from "./scalars/secret.ts";
import { DEFAULTS } from "./default-values.ts";

const D = DEFAULTS.telemetry;

/** What is measured, written down, sent elsewhere, and for how long it is kept. */
export const telemetrySchema = z.strictObject({
  metrics: z
    .strictObject({
      enabled: z
        .boolean()
        .optional()
        .describe("Serve Prometheus metrics.")
        .meta({ default: D.metrics.enabled }),
      path: path("/metrics").optional().describe("Path on the gateway.").meta({ default: D.metrics.path }),
      serviceMonitor: z
        .boolean()
        .optional()
        .describe("Render a ServiceMonitor (Kubernetes).")
        .meta({ default: false }),
      alerts: z.boolean().optional().describe("Render alert rules.").meta({ default: true }),
      dashboard: z.boolean().optional().describe("Render a Grafana dashboard.").meta({ default: true }),
    })
    .optional()
    .describe("Metrics.")
    .meta({ default: {} }),
  logs: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warning", "error"])
        .optional()
        .describe("Least severity that is written.")
        .meta({ default: D.logs.level }),
      format: z
        .enum(["text", "json"])
        .optional()
        .describe("Form of a line.")
        .meta({ default: D.logs.format }),
      file: path("/var/log/omni/omni.log").optional().describe("File; standard error when absent."),
      access: z
        .boolean()
        .optional()
        .describe("Write a line for each request, without contents.")
        .meta({ default: D.logs.access }),
      maxSize: bytes()
        .optional()
        .describe("Size at which a file is rotated.")
        .meta({ default: D.logs.maxSize }),
      keep: whole(0, 1000, 5)
        .optional()
        .describe("Rotated files that are kept.")
        .meta({ default: D.logs.keep }),
    })
    .optional()
    .describe("Logs.")
    .meta({ default: {} }),
  traces: z
    .strictObject({
      otlp: url(["http", "https"], "http://otel-collector:4318").describe("OTLP endpoint."),
      headers: z
        .record(z.string().min(1), z.union([z.string(), secret()]))
        .optional()
        .describe("Headers of the exporter."),
      sampling: fraction()
        .optional()
        .describe("Share of requests that are traced.")
        .meta({ default: D.traces.sampling }),
    })
    .optional()
    .describe("Traces; none when absent."),
  retention: z
    .strictObject({
      events: duration().optional().describe("Events.").meta({ default: D.retention.events }),
      requests: duration()
        .optional()
        .describe("Requests, one by one.")
        .meta({ default: D.retention.requests }),
      usage: duration()
        .optional()
        .describe("Usage by key, model and day.")
        .meta({ default: D.retention.usage }),
      measurements: duration()
        .optional()
        .describe("Measurements of cards and engines.")
        .meta({ default: D.retention.measurements }),
      audit: duration().optional().describe("Audit of tool calls.").meta({ default: D.retention.audit }),
    })
    .optional()
    .describe("How long things are kept.")
    .meta({ default: {} }),
  keepContent: withFacts(
    z.union([
      z.literal(false),
      z.strictObject({
        retention: duration().describe("How long contents are kept."),
        maxSize: bytes().describe("Most bytes of contents that are kept."),
      }),
    ]),
    { expected: "false, or a map with retention and maxSize", example: "{ retention: 7d, maxSize: 1GiB }" },
  )
    .optional()
    .describe("Keep the contents of requests and answers.")
    .meta({ default: D.keepContent }),
});
