import type { StreamEvents, StreamTopic } from "../../../src/api/contract/index.ts";

export type Status = StreamEvents["status"];
export type Service = Status["services"][number];
export type Hardware = StreamEvents["hardware"];
export type Reading = NonNullable<Hardware["reading"]>;
export type Card = Reading["cards"][number];
export type NodeEvent = StreamEvents["events"]["events"][number];
export type RequestRow = StreamEvents["requests"]["requests"][number];
export type OpenRequest = StreamEvents["open"]["requests"][number];
export type Run = StreamEvents["runs"]["runs"][number];

/** Whether the stream is there. Times are milliseconds since the epoch. */
export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  | { readonly kind: "lost"; readonly since: number; readonly why: string }
  /** The key may not follow the node; its status is asked for instead. */
  | { readonly kind: "reduced" };

/** What the console knows of the node from its stream. */
export interface LiveState {
  readonly connection: Connection;
  readonly status: Status | undefined;
  readonly hardware: Hardware | undefined;
  /** Looks at cards and machine since the console was opened, oldest first. */
  readonly readings: readonly Reading[];
  /** Oldest first. */
  readonly events: readonly NodeEvent[];
  /** `seq` of the last one, for going on after a cut. */
  readonly lastEvent: number | undefined;
  /** Oldest first, since the console was opened. */
  readonly requests: readonly RequestRow[];
  readonly open: StreamEvents["open"];
  readonly runs: readonly Run[];
}

export const NO_STATE: LiveState = {
  connection: { kind: "connecting" },
  status: undefined,
  hardware: undefined,
  readings: [],
  events: [],
  lastEvent: undefined,
  requests: [],
  open: { requests: [], total: 0 },
  runs: [],
};

/** Events and requests that are kept for looking at; older ones are asked for. */
const MOST = 5000;

/** The state after one message of the stream. */
export function withMessage<Topic extends StreamTopic>(
  state: LiveState,
  topic: Topic,
  data: StreamEvents[Topic],
): LiveState {
  const apply = APPLY[topic] as (state: LiveState, data: StreamEvents[Topic]) => LiveState;
  return apply(state, data);
}

const APPLY: { readonly [Topic in StreamTopic]: (state: LiveState, data: StreamEvents[Topic]) => LiveState } =
  {
    status: (state, status) => ({ ...state, status }),
    services: (state, { services, gone, traffic }) =>
      state.status === undefined
        ? state
        : {
            ...state,
            status: {
              ...state.status,
              services: changed(state.status.services, services, gone),
              traffic: { ...state.status.traffic, ...traffic },
            },
          },
    hardware: (state, hardware) => ({ ...state, hardware, readings: looked(state.readings, hardware) }),
    events: (state, { events }) => {
      const last = events.at(-1)?.seq;
      const known = state.lastEvent ?? -1;
      if (last === undefined || last === known) return state;
      // Numbers only grow within a state folder: these are of a node that has begun another one.
      if (last < known) return { ...state, events: newest(events), lastEvent: last };
      const fresh = events.filter(({ seq }) => seq > known);
      return { ...state, events: newest([...state.events, ...fresh]), lastEvent: last };
    },
    requests: (state, { requests }) => ({ ...state, requests: newest([...state.requests, ...requests]) }),
    open: (state, open) => ({ ...state, open }),
    runs: (state, { runs }) => ({
      ...state,
      runs: [
        ...state.runs.filter((run) => !runs.some((one) => one.spec === run.spec && one.id === run.id)),
        ...runs,
      ],
    }),
  };

const newest = <T>(all: readonly T[]): readonly T[] => (all.length > MOST ? all.slice(-MOST) : all);

/** Looks that are kept: an hour of them, one every few seconds. */
const MOST_LOOKS = 1200;

function looked(before: readonly Reading[], { reading }: Hardware): readonly Reading[] {
  if (reading === null || reading.time <= (before.at(-1)?.time ?? 0)) return before;
  return [...before, reading].slice(-MOST_LOOKS);
}

/** In the order that they had; new ones come last. */
function changed(
  before: readonly Service[],
  news: readonly Service[],
  gone: readonly string[],
): readonly Service[] {
  const fresh = new Map(news.map((service) => [service.name, service]));
  const kept = before
    .filter(({ name }) => !gone.includes(name))
    .map((service) => fresh.get(service.name) ?? service);
  const names = new Set(before.map(({ name }) => name));
  return [...kept, ...news.filter(({ name }) => !names.has(name))];
}
