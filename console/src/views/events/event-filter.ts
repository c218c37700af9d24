import type { NodeEvent } from "../../live/live-state.ts";

/** Which events are shown. Every member is what the address says, empty for all. */
export interface EventFilter {
  readonly severity: "" | "warning" | "error";
  /** How a kind begins: `request.`, `service.ready`. */
  readonly kind: string;
  readonly service: string;
  /** Words of the message or of its data, in any case. */
  readonly text: string;
  /** Minutes back from now. */
  readonly minutes: string;
}

export const NO_FILTER: EventFilter = { severity: "", kind: "", service: "", text: "", minutes: "" };

export function filterOf(query: URLSearchParams): EventFilter {
  const severity = query.get("severity");
  const minutes = query.get("minutes") ?? "";
  return {
    severity: severity === "warning" || severity === "error" ? severity : "",
    kind: query.get("kind") ?? "",
    service: query.get("service") ?? "",
    text: query.get("text") ?? "",
    minutes: /^\d{1,6}$/.test(minutes) ? minutes : "",
  };
}

/** The filter as the query of an address, without what filters nothing. */
export const filterQuery = (filter: EventFilter): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));

const WEIGHT = { info: 0, warning: 1, error: 2 } as const;

/** Whether an event is shown; `now` is milliseconds since the epoch. */
export function passes(event: NodeEvent, filter: EventFilter, now: number): boolean {
  const { severity, kind, service, text, minutes } = filter;
  if (severity !== "" && WEIGHT[event.severity] < WEIGHT[severity]) return false;
  if (!event.kind.startsWith(kind)) return false;
  if (service !== "" && event.service !== service) return false;
  if (minutes !== "" && event.time < now - Number(minutes) * 60_000) return false;
  return text === "" || mentions(event, text.toLowerCase());
}

function mentions({ message, kind, data }: NodeEvent, wanted: string): boolean {
  if (message.toLowerCase().includes(wanted) || kind.includes(wanted)) return true;
  return data !== undefined && JSON.stringify(data).toLowerCase().includes(wanted);
}
