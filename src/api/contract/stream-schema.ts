import { z } from "zod";
import { hardware } from "./hardware-schema.ts";
import { service, status, traffic } from "./node-schema.ts";
import { nodeEvent, requestRow } from "./request-schema.ts";
import { run } from "./runbook-schema.ts";
import { count, instant, listOf, text } from "./shapes.ts";

/** A request that is being answered. */
const openRequest = z
  .object({
    id: text,
    started: instant,
    operation: text,
    key: text,
    route: text.exactOptional(),
    /** Where it is now; absent while it waits. */
    service: text.exactOptional(),
    stream: z.boolean(),
    attempts: count,
    /** Milliseconds to the first token, once it came. */
    firstToken: count.exactOptional(),
  })
  .meta({ id: "OpenRequest" });

export const streamQuery = z.object({
  /** Names of events, by commas: what the reader wants; all when absent. */
  topics: text.exactOptional(),
  /** `seq` of the last event that the reader has, as the header Last-Event-ID. */
  after: z.coerce.number().int().min(0).exactOptional(),
});

/**
 * What `/api/stream` carries. Whoever connects gets `status` and `hardware` whole and the events after its last one, the newest where it has none; from
 * then on only what changed, put together over a moment, so that a busy node costs a reader no more than a quiet one.
 */
export const STREAM_EVENTS = {
  /** The whole node: first, and whenever routes, findings or the URL changed. */
  status,
  /** Services that changed, and those that are gone. */
  services: z.object({
    services: listOf(service),
    gone: listOf(text),
    traffic: z.record(text, traffic),
  }),
  /** The newest look at cards and machine. */
  hardware,
  /** Happenings, oldest first; the id of the message is the last `seq`. `skipped` older ones were too many to send. */
  events: z.object({ events: listOf(nodeEvent), skipped: count }),
  /** Requests that ended since the last message, oldest first; `skipped` more were too many to send. */
  requests: z.object({ requests: listOf(requestRow), skipped: count }),
  /** Those that are being answered or wait, the oldest first, at most 200; `total` of them. */
  open: z.object({ requests: listOf(openRequest), total: count }),
  /** The newest run of each spec that changed. */
  runs: z.object({ runs: listOf(run) }),
} as const;

export type StreamEvents = {
  readonly [Name in keyof typeof STREAM_EVENTS]: z.output<(typeof STREAM_EVENTS)[Name]>;
};
export type StreamTopic = keyof StreamEvents;
