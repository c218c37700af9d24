import type { IncomingMessage, ServerResponse } from "node:http";

import type { Caller } from "../keys/caller.ts";
import type { KeyRing, NameGuard } from "./access.ts";
import type { Call } from "./call.ts";
import { requestId } from "./request-id.ts";
import type { Surface } from "./surface.ts";
import { allowedMethods, serve } from "./surface.ts";
import { badRequest, sendError } from "./wire-error.ts";

const EVERYONE: Caller = { key: "local", admin: true, upstream: true, priority: 5 };
const NO_QUERY = new URLSearchParams();

/** Where every request comes in: names, keys, cross-origin rules, then the surface. */
export class Door {
  readonly #surface: Surface;
  readonly #names: NameGuard;
  readonly #keys: KeyRing;

  constructor(surface: Surface, names: NameGuard, keys: KeyRing) {
    this.#surface = surface;
    this.#names = names;
    this.#keys = keys;
  }

  enter(req: IncomingMessage, res: ServerResponse): void {
    const call = this.#call(req, res);
    if (hasTwoHosts(req)) {
      sendError(call, badRequest("invalid_http", "The request has more than one Host header."));
      return;
    }
    if (!this.#names.allowsHost(req.headers.host)) {
      refuse(
        call,
        "host_not_allowed",
        "The Host header names no host of this node; use 127.0.0.1 or localhost.",
      );
      return;
    }
    if (!this.#names.allowsOrigin(req.headers.origin)) {
      refuse(
        call,
        "origin_not_allowed",
        "Pages of other origins may not call this node; its owner can list them.",
      );
      return;
    }
    const found = this.#surface.find(call.path);
    if (found === undefined) this.#surface.notFound(call);
    else if (isPreflight(req)) preflight(call, allowedMethods(found.endpoint));
    else if (call.caller === undefined && found.endpoint.open !== true) unauthorized(call);
    else serve(found.endpoint, call, found.rest);
  }

  #call(req: IncomingMessage, res: ServerResponse): Call {
    const url = req.url ?? "/";
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const id = requestId(req.headers["x-request-id"]);
    const headers = ["x-request-id", id];
    const { origin } = req.headers;
    if (this.#names.listsOrigin(origin))
      headers.push("access-control-allow-origin", origin, "vary", "origin");
    return {
      req,
      res,
      id,
      path: path.length > 1 && path.endsWith("/") ? path.replace(/\/+$/, "") || "/" : path,
      query: mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1)),
      caller: this.#keys.allows(req.headers) ? EVERYONE : undefined,
      headers,
    };
  }
}

/** Node keeps the first of several; a proxy before this one may have looked at another (RFC 9112, 3.2: answer 400). */
function hasTwoHosts(req: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  return hosts > 1;
}

const refuse = (call: Call, code: string, message: string): void =>
  sendError(call, { status: 403, type: "permission_error", code, message });

const unauthorized = (call: Call): void =>
  sendError(
    call,
    {
      status: 401,
      type: "authentication_error",
      code: "invalid_api_key",
      message: "This node asks for a key: send Authorization: Bearer KEY, or x-api-key: KEY.",
    },
    ["www-authenticate", "Bearer"],
  );

const isPreflight = (req: IncomingMessage): boolean =>
  req.method === "OPTIONS" && req.headers["access-control-request-method"] !== undefined;

/** The headers that browsers need before they send; only an origin that the owner listed gets leave. */
function preflight(call: Call, methods: string): void {
  const asked = call.req.headers["access-control-request-headers"];
  const listed = call.headers.includes("access-control-allow-origin");
  const leave = listed
    ? [
        "access-control-allow-methods",
        methods,
        "access-control-allow-headers",
        typeof asked === "string" ? asked : "authorization, content-type",
        "access-control-max-age",
        "600",
      ]
    : [];
  call.res.writeHead(204, ["allow", methods, ...call.headers, ...leave]);
  call.res.end();
}
