import { parseJson } from "../../engines/json-object.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import { messageOf } from "../../core/index.ts";
import type { StoredResponses } from "../../store/index.ts";
import type { Call } from "../call.ts";
import { sendJson } from "../call.ts";
import type { Endpoint } from "../surface.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest, sendError } from "../wire-error.ts";
import { objectsOf } from "./objects-of.ts";

const MOST_SHOWN = 80;

/** `/v1/responses/*`: a stored response, its input, its end; each only for the key that made it. */
export const storedResponses = (store: StoredResponses): Endpoint => ({
  GET: (call, rest) => guarded(call, () => get(store, call, rest)),
  DELETE: (call, rest) => guarded(call, () => remove(store, call, rest)),
  POST: (call, rest) => guarded(call, () => post(call, rest)),
});

function guarded(call: Call, answer: () => void): void {
  try {
    answer();
  } catch (thrown) {
    sendError(call, {
      status: 503,
      type: "server_error",
      code: "store_unavailable",
      message: `The store of responses cannot be used just now: ${messageOf(thrown)}.`,
      retryAfter: 1,
    });
  }
}

function get(store: StoredResponses, call: Call, rest: string): void {
  const { id, part, more } = parts(rest);
  const key = call.caller?.key;
  const stored = key === undefined || more !== undefined ? undefined : store.get(key, id);
  if (stored === undefined) sendError(call, notFound(id));
  else if (part === "input_items") sendItems(call, objectsOf(parseJson(stored.input)));
  else if (part !== undefined) sendError(call, noSuchPart(part));
  else if (call.query.get("stream") === "true") {
    sendError(
      call,
      badRequest(
        "unsupported_parameter",
        "stream=true is not supported here: a response that is stored is whole.",
        "stream",
      ),
    );
  } else sendJson(call, 200, parseJson(stored.answer));
}

function remove(store: StoredResponses, call: Call, rest: string): void {
  const { id, part } = parts(rest);
  const key = call.caller?.key;
  if (part !== undefined || key === undefined || !store.delete(key, id)) sendError(call, notFound(id));
  else sendJson(call, 200, { id, object: "response", deleted: true });
}

function post(call: Call, rest: string): void {
  const { part } = parts(rest);
  if (part !== "cancel") {
    sendError(call, noSuchPart(part ?? ""));
    return;
  }
  const message =
    "Only responses in the background can be cancelled, and this node makes none; close the connection.";
  sendError(call, badRequest("background_unsupported", message));
}

/** `/ID/PART` behind the prefix; an id that is no valid encoding names nothing. */
function parts(rest: string): { readonly id: string; readonly part?: string; readonly more?: string } {
  const [id = "", part, more] = rest.split("/");
  return {
    id: decoded(id),
    ...(part === undefined ? {} : { part }),
    ...(more === undefined ? {} : { more }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** One page of items, the newest first unless `order=asc`, as OpenAI lists them. */
function sendItems(call: Call, items: readonly JsonObject[]): void {
  const page = pageOf(items, call.query);
  if ("refused" in page) sendError(call, page.refused);
  else sendJson(call, 200, page);
}

interface Page {
  readonly object: "list";
  readonly data: readonly JsonObject[];
  readonly first_id: unknown;
  readonly last_id: unknown;
  readonly has_more: boolean;
}

function pageOf(
  items: readonly JsonObject[],
  query: URLSearchParams,
): Page | { readonly refused: WireError } {
  const order = query.get("order") ?? "desc";
  const limit = Number(query.get("limit") ?? 20);
  if (order !== "asc" && order !== "desc")
    return { refused: badRequest("invalid_input", "order is asc or desc.", "order") };
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    return { refused: badRequest("invalid_input", "limit is a number from 1 to 100.", "limit") };
  }
  const ordered = order === "asc" ? items : items.toReversed();
  const after = query.get("after");
  const start = after === null ? 0 : ordered.findIndex((item) => item["id"] === after) + 1;
  if (after !== null && start === 0) {
    return { refused: badRequest("invalid_input", `after names no item of this input.`, "after") };
  }
  const data = ordered.slice(start, start + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: start + data.length < ordered.length,
  };
}

const notFound = (id: string): WireError => ({
  status: 404,
  type: "invalid_request_error",
  code: "response_not_found",
  message: `There is no response "${id.slice(0, MOST_SHOWN)}" of this key: it was never stored, was deleted, or is older or more than this node keeps.`,
});

const noSuchPart = (part: string): WireError => ({
  status: 404,
  type: "invalid_request_error",
  code: "unknown_path",
  message: `A response has no "${part.slice(0, MOST_SHOWN)}"; there is input_items.`,
});
