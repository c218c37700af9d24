import type { RequestRow } from "../../live/live-state.ts";

/** Whether it was asked of the node itself, as this console and `./omni status` do, and of no model. */
export const isOwn = ({ operation }: Pick<RequestRow, "operation">): boolean => operation === "node";

/** What is asked for by name; empty for all. */
export type RequestFilter = Readonly<Record<FilterName, string>>;

export const FILTER_NAMES = ["key", "route", "service", "model", "outcome", "id"] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

const filled = (value: (name: FilterName) => string): RequestFilter => ({
  key: value("key"),
  route: value("route"),
  service: value("service"),
  model: value("model"),
  outcome: value("outcome"),
  id: value("id"),
});

export const NO_FILTER = filled(() => "");
export const filterOf = (query: URLSearchParams): RequestFilter => filled((name) => query.get(name) ?? "");

/** The filter without what filters nothing: as the node and the address take it. */
export const filterQuery = (filter: RequestFilter): Partial<Record<FilterName, string>> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));

/** Whether a request that came by the stream belongs to what is shown. */
export const passes = (row: RequestRow, filter: RequestFilter): boolean =>
  FILTER_NAMES.every((name) => filter[name] === "" || row[name] === filter[name]);
