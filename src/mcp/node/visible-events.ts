import type { NodeEvent } from "../../core/index.ts";
import type { Caller } from "../../keys/index.ts";
import type { NodeAccess } from "./node-access.ts";

/** Events that are looked through for those that are asked for. */
const SCANNED = 2000;

export interface EventWish {
  /** The newest so many. */
  readonly limit: number;
  /** This severe or more. */
  readonly severity?: NodeEvent["severity"] | undefined;
  readonly service?: string | undefined;
}

const RANK = { info: 0, warning: 1, error: 2 } as const;

/**
 * The newest events that the caller may see, oldest first. Keys that may not change the node see what happened to
 * services, without details: what other keys did is not theirs, as at `/api/events`.
 */
export function visibleEvents(access: NodeAccess, caller: Caller, wish: EventWish): readonly NodeEvent[] {
  const least = RANK[wish.severity ?? "info"];
  const wanted = access.events
    .latest(SCANNED)
    .filter(
      (event) =>
        RANK[event.severity] >= least &&
        (wish.service === undefined || event.service === wish.service) &&
        (caller.admin || isOfServices(event)),
    );
  const newest = wanted.slice(-wish.limit);
  return caller.admin ? newest : newest.map(({ data: _details, ...event }) => event);
}

const isOfServices = ({ service, kind, data }: NodeEvent): boolean =>
  service !== undefined && kind.startsWith("service.") && data?.["key"] === undefined;

/** `2026-11-22 14:03:01Z warning service.crashed oracle: …` */
export const eventLine = ({ time, severity, kind, service, message }: NodeEvent): string =>
  `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z ${severity} ${kind}${service === undefined ? "" : ` ${service}`}: ${message}`;
