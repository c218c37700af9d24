import { useSyncExternalStore } from "react";

/** Where the console is: `#/services/oracle?since=1` is the view `services`, the rest `["oracle"]`, and a query. */
export interface HashRoute {
  readonly view: string;
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

function hashRouteOf(hash: string): HashRoute {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/").map(decoded);
  return { view, rest: rest.filter((part) => part !== ""), query: new URLSearchParams(search) };
}

/** A link to a place of the console, each part encoded. */
export function hashTo(
  view: string,
  rest: readonly string[] = [],
  query: Readonly<Record<string, string>> = {},
): string {
  const path = [view, ...rest].map(encodeURIComponent).join("/");
  const search = new URLSearchParams(query).toString();
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

let last = { hash: "", route: hashRouteOf("") };

function current(): HashRoute {
  if (last.hash !== location.hash) last = { hash: location.hash, route: hashRouteOf(location.hash) };
  return last.route;
}

export const useHashRoute = (): HashRoute => useSyncExternalStore(subscribe, current);

/** Puts the address of what is shown in the place of the last one: a filter is no step to go back by. */
export function replaceHash(hash: string): void {
  history.replaceState(undefined, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
