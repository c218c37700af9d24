import type { Call, StreamedCall } from "./call.ts";
import { sendText } from "./call.ts";
import { nearest } from "../core/index.ts";
import { sendError } from "./wire-error.ts";

type Handler = (call: StreamedCall, rest: string) => void;

/** What an endpoint may have a handler of its own for; HEAD comes with GET. */
export const METHODS = ["GET", "POST", "DELETE"] as const;

/** One path of the gateway and what each method does there. `rest` is what follows the prefix of a path that ends in `*`. */
export interface Endpoint extends Readonly<Partial<Record<(typeof METHODS)[number], Handler>>> {
  /** True for what anyone may see, key or not. */
  readonly open?: boolean;
  /** True where a request that shows no key of the node is let in too: the endpoint looks for itself who asks. */
  readonly beyondKeys?: boolean;
  /** True for what only keys with `admin` may do. */
  readonly admin?: boolean;
  /** POST of a body that is read as a whole: it needs nothing of node:http. */
  readonly whole?: (call: Call) => void;
  /** Takes every method that has no handler of its own, OPTIONS too. */
  readonly any?: Handler;
}

/** Every path of the gateway, in one table: `/v1/models/*` matches what begins so. */
export class Surface {
  readonly #exact = new Map<string, Endpoint>();
  readonly #prefixes: { readonly prefix: string; readonly endpoint: Endpoint }[] = [];

  constructor(endpoints: Readonly<Record<string, Endpoint>>) {
    for (const [path, endpoint] of Object.entries(endpoints)) {
      if (path.endsWith("*")) this.#prefixes.push({ prefix: path.slice(0, -1), endpoint });
      else this.#exact.set(path, endpoint);
    }
  }

  /** The endpoint of a path without trailing slashes, and the rest behind its prefix. */
  find(path: string): { readonly endpoint: Endpoint; readonly rest: string } | undefined {
    const endpoint = this.#exact.get(path);
    if (endpoint !== undefined) return { endpoint, rest: "" };
    for (const { prefix, endpoint } of this.#prefixes) {
      if (path.startsWith(prefix) && path.length > prefix.length) {
        return { endpoint, rest: path.slice(prefix.length) };
      }
    }
    return undefined;
  }

  /** Who serves a POST to this path whose body is read as a whole, and which needs nothing of node:http. */
  whole(path: string): Endpoint["whole"] {
    const endpoint = this.#exact.get(path);
    // What is for few, or for all, is decided at the one place that knows of it.
    return endpoint?.admin === true || endpoint?.open === true ? undefined : endpoint?.whole;
  }

  /** Whether a request to this path is let in without a key. */
  isBeyondKeys(path: string): boolean {
    return this.#exact.get(path)?.beyondKeys === true;
  }

  /** 404 that names the nearest path. */
  notFound(call: Call): void {
    const shown = call.path.slice(0, 200);
    const meant = nearest(shown, this.#exact.keys());
    const guess = meant === undefined ? "" : ` Did you mean ${meant}?`;
    const message = `No such path: ${call.req.method} ${shown}.${guess}`;
    sendError(call, { status: 404, type: "invalid_request_error", code: "unknown_path", message });
  }
}

/** All paths of several tables; what a later one has for a path of an earlier one is added, or stands in its place. */
export function joinedEndpoints(
  ...tables: readonly Readonly<Record<string, Endpoint>>[]
): Readonly<Record<string, Endpoint>> {
  const joined: Record<string, Endpoint> = {};
  for (const table of tables)
    for (const [path, endpoint] of Object.entries(table))
      joined[path] = { ...withoutPost(joined[path], endpoint), ...endpoint };
  return joined;
}

/** There are two ways to take a POST: who has one of them takes the place of both. */
function withoutPost(earlier: Endpoint | undefined, later: Endpoint): Endpoint {
  if (earlier === undefined || (later.POST === undefined && later.whole === undefined)) return earlier ?? {};
  const { POST: _post, whole: _whole, ...rest } = earlier;
  return rest;
}

/** HEAD comes with GET, OPTIONS with everything. */
export const allowedMethods = (endpoint: Endpoint): string =>
  endpoint.any === undefined
    ? [
        ...METHODS.filter(
          (method) => endpoint[method] !== undefined || (method === "POST" && endpoint.whole !== undefined),
        ).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])),
        "OPTIONS",
      ].join(", ")
    : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** Calls the endpoint, or answers OPTIONS and methods that it does not know. */
export function serve(endpoint: Endpoint, call: StreamedCall, rest: string): void {
  const method = call.req.method ?? "";
  const asked = method === "HEAD" ? "GET" : METHODS.find((known) => known === method);
  if (asked === "POST" && endpoint.whole !== undefined) {
    endpoint.whole(call);
    return;
  }
  const handler = (asked === undefined ? undefined : endpoint[asked]) ?? endpoint.any;
  if (handler !== undefined) {
    handler(call, rest);
    return;
  }
  const allow = allowedMethods(endpoint);
  if (method === "OPTIONS") {
    sendText(call, 204, "text/plain", "", ["allow", allow]);
  } else {
    const message = `${method} is not possible on ${call.path}; it takes ${allow}.`;
    sendError(call, { status: 405, type: "invalid_request_error", code: "method_not_allowed", message }, [
      "allow",
      allow,
    ]);
  }
}
