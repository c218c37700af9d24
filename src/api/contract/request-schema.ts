import { z } from "zod";
import { bytes, count, duration, instant, listOf, text } from "./shapes.ts";

/** One happening of the node: `NodeEvent` of the core. */
export const nodeEvent = z
  .object({
    seq: count,
    time: instant,
    severity: z.enum(["info", "warning", "error"]),
    kind: text,
    service: text.exactOptional(),
    message: text,
    data: z.record(text, z.unknown()).exactOptional(),
  })
  .meta({ id: "NodeEvent" });

/** A request that has ended, numbers and names only: `RequestRow` of the store. */
export const requestRow = z
  .object({
    id: text,
    started: instant,
    method: text,
    path: text,
    operation: text,
    status: count,
    outcome: text,
    key: text,
    route: text.optional(),
    service: text.optional(),
    engine: text.optional(),
    model: text.optional(),
    stream: z.boolean(),
    attempts: count,
    continued: count,
    duration,
    queued: duration,
    firstToken: duration.optional(),
    promptTokens: count.optional(),
    completionTokens: count.optional(),
    cachedTokens: count.optional(),
    bytesIn: bytes,
    bytesOut: bytes,
    error: text.optional(),
  })
  .meta({ id: "Request" });

/** Usage of one key of one model through one service on one day. */
export const usageRow = z
  .object({
    day: text,
    key: text,
    model: text,
    service: text,
    requests: count,
    promptTokens: count,
    completionTokens: count,
    cachedTokens: count,
  })
  .meta({ id: "Usage" });

export const eventsQuery = z.object({
  after: z.coerce.number().int().min(0).exactOptional(),
  limit: z.coerce.number().int().min(1).max(1000).exactOptional(),
});

export const requestsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).exactOptional(),
  before: z.coerce.number().int().min(0).exactOptional(),
  key: text.exactOptional(),
  route: text.exactOptional(),
  service: text.exactOptional(),
  model: text.exactOptional(),
  outcome: text.exactOptional(),
  id: text.exactOptional(),
});

export const events = z.object({ events: listOf(nodeEvent), last: count });
export const requests = z.object({ requests: listOf(requestRow) });
