import type { Requests } from "../store/index.ts";
import { internalError } from "./answering.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import { badRequest, sendError } from "./wire-error.ts";

const USUAL = 100;
const MOST = 1000;
const FILTERS = ["key", "route", "service", "model", "outcome", "id"] as const;

/** `GET /api/requests?limit=&before=&key=…`: the newest requests, without contents, newest first. */
export function answerRequests(requests: Requests, call: Call): void {
  const limit = numberOf(call, "limit") ?? USUAL;
  const before = numberOf(call, "before");
  if (limit === "none" || before === "none" || limit < 1 || limit > MOST) {
    const message = `limit is a number from 1 to ${MOST}, before a time in milliseconds.`;
    sendError(call, badRequest("invalid_query", message));
    return;
  }
  const filter = Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = call.query.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  requests.latest(limit, before === undefined ? filter : { ...filter, before }).then(
    (rows) => sendJson(call, 200, { requests: rows }),
    (thrown: unknown) => sendError(call, internalError(thrown)),
  );
}

/** `none` for what is no number. */
function numberOf(call: Call, name: string): number | "none" | undefined {
  const text = call.query.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : "none";
}
