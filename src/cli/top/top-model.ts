import { quantile } from "../../acceptance/statistics.ts";
import type { Answer } from "../../api/contract/index.ts";
import { deviceNames, holdingsOf } from "./card-holders.ts";
import type { Holding } from "./card-holders.ts";
import { isOwn, RECENT } from "./node-state.ts";
import type { NodeState } from "./node-state.ts";

type Reading = NonNullable<Answer<"GET /api/hardware">["reading"]>;
type Service = Answer<"GET /api/status">["services"][number];
type RequestRow = Answer<"GET /api/requests">["requests"][number];
type NodeEvent = Answer<"GET /api/events">["events"][number];

/** How the node is heard. */
export type Link =
  | { readonly state: "live" }
  /** Asked again and again, because there is no stream for this reader. */
  | { readonly state: "polled"; readonly why: string }
  | { readonly state: "lost"; readonly since: number; readonly why: string };

export type TopCard = Reading["cards"][number] & {
  /** The plan's name for it. */
  readonly device?: string;
  readonly holdings: readonly Holding[];
};

export type TopService = Service & {
  /** Milliseconds to the first token, median of the requests of the last five minutes. */
  readonly ttft?: number;
  /** Tokens a second that one answer came at, median of the last five minutes. */
  readonly tokensPerSecond?: number;
};

/** What one frame shows. Times are milliseconds since the epoch, memory is bytes. */
export interface TopModel {
  readonly time: number;
  readonly link: Link;
  readonly node: {
    readonly name?: string;
    readonly version: string;
    readonly url: string;
    /** Milliseconds. */
    readonly uptime: number;
    readonly simulated: boolean;
    readonly stopping: boolean;
  };
  readonly requests: {
    readonly open: number;
    /** Requests that ended within the last minute, and completion tokens of theirs by second. */
    readonly perMinute?: number;
    readonly tokensPerSecond?: number;
  };
  readonly cards: readonly TopCard[];
  readonly host?: Reading["host"];
  readonly services: readonly TopService[];
  /** Oldest first. */
  readonly events: readonly NodeEvent[];
}

const MINUTE = 60_000;

/** What a frame shows of all that was heard. `now` is in milliseconds since the epoch. */
export function topModel(state: NodeState, link: Link, now: number): TopModel {
  const { status, session, hardware, events } = state;
  const names = deviceNames(state);
  const reading = hardware?.reading ?? undefined;
  const recent = (state.requests ?? []).filter((row) => !isOwn(row) && endOf(row) > now - RECENT);
  return {
    time: now,
    link,
    node: {
      ...(session === undefined ? {} : { name: session.node }),
      version: status.version,
      url: status.url,
      uptime: Math.max(0, now - status.started),
      simulated: session?.simulated ?? status.services.some(({ simulated }) => simulated === true),
      stopping: status.stopping,
    },
    requests: {
      open: state.open ?? status.services.reduce((sum, { inFlight }) => sum + (inFlight ?? 0), 0),
      ...(state.requests === undefined ? {} : minuteOf(recent, state.untold, now)),
    },
    cards: (reading?.cards ?? []).map((card) => {
      const device = names.get(card.uuid);
      return {
        ...card,
        ...(device === undefined ? {} : { device }),
        holdings: holdingsOf(state, card, device),
      };
    }),
    ...(reading === undefined ? {} : { host: reading.host }),
    services: status.services.map((service) => ({
      ...service,
      ...paceOf(recent.filter((row) => row.service === service.name)),
    })),
    events,
  };
}

const endOf = ({ started, duration }: RequestRow): number => started + duration;

function minuteOf(
  rows: readonly RequestRow[],
  untold: NodeState["untold"],
  now: number,
): { readonly perMinute: number; readonly tokensPerSecond: number } {
  const ended = rows.filter((row) => endOf(row) > now - MINUTE);
  const more = untold.filter(({ time }) => time > now - MINUTE).reduce((sum, { count }) => sum + count, 0);
  const tokens = ended.reduce((sum, { completionTokens }) => sum + (completionTokens ?? 0), 0);
  return { perMinute: ended.length + more, tokensPerSecond: tokens / 60 };
}

function paceOf(rows: readonly RequestRow[]): Pick<TopService, "ttft" | "tokensPerSecond"> {
  const ttft = quantile(
    rows.flatMap(({ firstToken }) => (firstToken === undefined ? [] : [firstToken])),
    0.5,
  );
  const tokensPerSecond = quantile(
    rows.flatMap(({ duration, firstToken, completionTokens = 0 }) =>
      firstToken === undefined || completionTokens < 2 || duration <= firstToken
        ? []
        : [((completionTokens - 1) * 1000) / (duration - firstToken)],
    ),
    0.5,
  );
  return {
    ...(ttft === undefined ? {} : { ttft }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
  };
}
