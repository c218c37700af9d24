import type { IncomingMessage, ServerResponse } from "node:http";

import { wireErrorType } from "../dialects/index.ts";
import type { Caller, KeyGate, KeyRefusal } from "../keys/index.ts";
import type { Meter } from "../telemetry/index.ts";
import { CLIENT_GONE } from "../telemetry/index.ts";
import type { NameGuard } from "./access.ts";
import { presentedKey } from "./access.ts";
import { guarded } from "./answering.ts";
import type { Call, StreamedCall } from "./call.ts";
import { familyOfPath } from "./family.ts";
import type { AnswerOutlet, RequestBody, RequestHead } from "./http/request-head.ts";
import { NodeBody } from "./read-body.ts";
import { requestId } from "./request-id.ts";
import type { Surface } from "./surface.ts";
import { allowedMethods, serve } from "./surface.ts";
import { badRequest, sendError } from "./wire-error.ts";

const NO_QUERY = new URLSearchParams();

interface DoorOptions {
  readonly surface: Surface;
  readonly names: NameGuard;
  readonly keys: KeyGate;
  readonly meter: Meter;
}

/** Where every request comes in: names, keys, cross-origin rules, then the surface. */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** A request as node:http reads it. */
  enter(req: IncomingMessage, res: ServerResponse): void {
    const { surface, names, keys } = this.#options;
    const found = keys.identify(presentedKey(req.headers));
    const call: StreamedCall = {
      ...this.#call(req, new NodeBody(req), res, callerIn(found)),
      req,
      res,
    };
    this.#record(call, performance.now(), req.socket.bytesWritten);
    if (hasTwoHosts(req)) {
      sendError(call, badRequest("invalid_http", "The request has more than one Host header."));
      return;
    }
    if (isForeign(call, names)) return;
    const place = surface.find(call.path);
    if (place === undefined) surface.notFound(call);
    else if (isPreflight(req)) preflight(call, allowedMethods(place.endpoint));
    else if (place.endpoint.open === true) {
      call.note.quiet = true;
      guarded(call, () => serve(place.endpoint, call, place.rest));
    } else if ("status" in found && place.endpoint.beyondKeys !== true) unauthorized(call, found);
    else if (place.endpoint.admin === true && call.caller?.admin !== true) {
      refuse(call, "admin_required", "This is for keys that may change the node (admin: true).");
    } else guarded(call, () => serve(place.endpoint, call, place.rest));
  }

  /** Whether `enterPlain` serves a POST to this path (without its query). */
  takes(path: string): boolean {
    return this.#options.surface.whole(path) !== undefined;
  }

  /** A POST to a path that `takes` accepts, with one Host, as Omni's own reader gives it. */
  enterPlain(req: RequestHead, body: RequestBody, res: AnswerOutlet): void {
    const { surface, names, keys } = this.#options;
    const began = performance.now();
    const sentBefore = req.socket.bytesWritten;
    const found = keys.identify(presentedKey(req.headers), req.kin);
    const refused = "status" in found;
    const call = this.#call(req, body, res, refused ? undefined : found);
    if (!isForeign(call, names)) {
      const whole = surface.whole(call.path);
      if (whole === undefined) surface.notFound(call);
      else if (refused && !surface.isBeyondKeys(call.path)) unauthorized(call, found);
      else guarded(call, () => whole(call));
    }
    // Most are with an exchange by now, which writes its own record.
    if (call.note.exchanged !== true) this.#record(call, began, sentBefore);
  }

  #call(req: RequestHead, body: RequestBody, res: AnswerOutlet, caller: Caller | undefined): Call {
    const url = req.url ?? "/";
    const mark = url.indexOf("?");
    const typed = mark < 0 ? url : url.slice(0, mark);
    const path = typed.length > 1 && typed.endsWith("/") ? typed.replace(/\/+$/, "") || "/" : typed;
    const id = requestId(req.headers["x-request-id"]);
    const family = familyOfPath(path);
    const headers = ["x-request-id", id];
    // Where Anthropic's clients look for it.
    if (family === "anthropic") headers.push("request-id", id);
    const { origin } = req.headers;
    if (this.#options.names.listsOrigin(origin))
      headers.push("access-control-allow-origin", origin, "vary", "origin");
    const query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1));
    return { req, body, res, id, path, query, caller, headers, family, note: {} };
  }

  /** What is answered here and now leaves a record too; an exchange writes its own. */
  #record(call: Call, began: number, sentBefore: number): void {
    const started = Date.now();
    const { req, res, note } = call;
    res.once("close", () => {
      // Who looks whether the node lives would fill the log.
      if (note.exchanged === true || (note.quiet === true && res.statusCode < 400)) return;
      const refused = note.error !== undefined;
      this.#options.meter.finished({
        id: call.id,
        started,
        method: req.method ?? "",
        path: call.path.slice(0, MAX_PATH),
        operation: "node",
        status: res.headersSent ? res.statusCode : CLIENT_GONE,
        outcome: refused ? "refused" : res.writableFinished ? "answered" : "abandoned",
        key: call.caller?.key ?? note.key ?? "none",
        stream: false,
        attempts: 0,
        continued: 0,
        duration: performance.now() - began,
        queued: 0,
        bytesIn: Number(req.headers["content-length"] ?? 0),
        bytesOut: req.socket.bytesWritten - sentBefore,
        ...(note.error === undefined ? {} : { error: note.error }),
      });
    });
  }
}

const callerIn = (found: Caller | KeyRefusal): Caller | undefined => ("status" in found ? undefined : found);

/** Answers what comes by a name that is not the node's, or from a page that may not call it. */
function isForeign(call: Call, names: NameGuard): boolean {
  const { host, origin } = call.req.headers;
  if (!names.allowsHost(host)) refuse(call, "host_not_allowed", HOST_NOT_ALLOWED);
  else if (!names.allowsOrigin(origin)) refuse(call, "origin_not_allowed", ORIGIN_NOT_ALLOWED);
  else return false;
  return true;
}

const MAX_PATH = 200;
const HOST_NOT_ALLOWED =
  "The Host header names no host of this node; use 127.0.0.1 or localhost, or have its owner list the name (gateway.allowedHosts).";
const ORIGIN_NOT_ALLOWED =
  "Pages of other origins may not call this node; its owner can list them (gateway.cors).";

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

function unauthorized(call: Call, { status, code, message, retryAfter }: KeyRefusal): void {
  const error = { status, type: wireErrorType(status), code, message };
  sendError(call, retryAfter === undefined ? error : { ...error, retryAfter }, [
    "www-authenticate",
    "Bearer",
  ]);
}

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
