import type { z } from "zod";
import type { Answer, StreamEvents, StreamTopic } from "../../api/contract/index.ts";
import { STREAM_EVENTS } from "../../api/contract/index.ts";
import type { SseEvent } from "../../dialects/sse-reader.ts";

/** Milliseconds that ended requests count for what is typical of a service, and how many of them are kept. */
export const RECENT = 300_000;
const KEPT_REQUESTS = 5000;
const KEPT_EVENTS = 500;

type Status = Answer<"GET /api/status">;
type Hardware = Answer<"GET /api/hardware">;
type NodeEvents = Answer<"GET /api/events">["events"];
type RequestRows = Answer<"GET /api/requests">["requests"];

/** All that was heard of a node so far. What the key may not see, or an older node does not tell, is absent. */
export interface NodeState {
  readonly status: Status;
  readonly session?: Answer<"GET /api/session">;
  readonly hardware?: Hardware;
  readonly plan?: Answer<"GET /api/plan">["plan"];
  /** Oldest first. */
  readonly events: NodeEvents;
  /** Requests that ended lately, oldest first. */
  readonly requests?: RequestRows;
  /** Ended requests that were too many to be told one by one, by when that was said. */
  readonly untold: readonly { readonly time: number; readonly count: number }[];
  /** Requests that are being answered or wait; absent until the stream says so. */
  readonly open?: number;
}

type Told = (state: NodeState, json: unknown, now: number) => NodeState;

/** What is made of a message that is as its schema says; any other one changes nothing. */
const told =
  <T>(schema: z.ZodType<T>, apply: (state: NodeState, data: T, now: number) => NodeState): Told =>
  (state, json, now) => {
    const parsed = schema.safeParse(json);
    return parsed.success ? apply(state, parsed.data, now) : state;
  };

const TOLD: Readonly<Record<StreamTopic, Told>> = {
  status: told(STREAM_EVENTS.status, (state, status) => ({ ...state, status })),
  services: told(STREAM_EVENTS.services, (state, changes) => ({
    ...state,
    status: withServices(state.status, changes),
  })),
  hardware: told(STREAM_EVENTS.hardware, (state, hardware) => ({ ...state, hardware })),
  events: told(STREAM_EVENTS.events, (state, { events }) => ({
    ...state,
    events: joined(state.events, events).slice(-KEPT_EVENTS),
  })),
  requests: told(STREAM_EVENTS.requests, withRequests),
  open: told(STREAM_EVENTS.open, (state, { requests, total }) => ({
    ...state,
    open: total - requests.filter(isOwn).length,
  })),
  runs: (state) => state,
};

/** The state after a message of the stream; one that this version does not know changes nothing. `now` is in milliseconds. */
export function withMessage(state: NodeState, { event, data }: SseEvent, now: number): NodeState {
  return event !== undefined && isTopic(event) ? TOLD[event](state, parsedJson(data), now) : state;
}

/** A request to the node's own API, as this program makes them, by what the books call it. */
export const isOwn = ({ operation }: { readonly operation: string }): boolean => operation === "node";

const isTopic = (name: string): name is StreamTopic => Object.hasOwn(STREAM_EVENTS, name);

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withServices(status: Status, { services, gone, traffic }: StreamEvents["services"]): Status {
  const changed = new Map(services.map((service) => [service.name, service]));
  const kept = status.services
    .filter(({ name }) => !gone.includes(name))
    .map((service) => {
      const now = changed.get(service.name) ?? service;
      changed.delete(service.name);
      return now;
    });
  return {
    ...status,
    services: [...kept, ...changed.values()],
    traffic: { ...status.traffic, ...traffic },
  };
}

function withRequests(state: NodeState, ended: StreamEvents["requests"], now: number): NodeState {
  const known = new Set(state.requests?.map(({ id }) => id));
  const recent = [...(state.requests ?? []), ...ended.requests.filter(({ id }) => !known.has(id))].filter(
    ({ started, duration }) => started + duration > now - RECENT,
  );
  const untold = state.untold.filter(({ time }) => time > now - RECENT);
  return {
    ...state,
    requests: recent.slice(-KEPT_REQUESTS),
    untold: ended.skipped > 0 ? [...untold, { time: now, count: ended.skipped }] : untold,
  };
}

/** Events that a stream tells again after a break are there once. */
function joined(events: NodeEvents, more: NodeEvents): NodeEvents {
  const last = events.at(-1)?.seq ?? 0;
  return [...events, ...more.filter(({ seq }) => seq > last)];
}
