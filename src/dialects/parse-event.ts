import type { JsonObject } from "./dialect.ts";
import { isObject } from "./fields.ts";
import type { WireError } from "./wire-error.ts";

const malformed = (what: string): WireError => ({
  status: 502,
  type: "server_error",
  code: "malformed_event",
  message: `The engine sent an event that is ${what}.`,
});

/** The JSON object of an event, or what to tell the client of one that is none. */
export function parseEvent(data: string): { readonly body: JsonObject } | { readonly failure: WireError } {
  try {
    const body: unknown = JSON.parse(data);
    return isObject(body) ? { body } : { failure: malformed("no JSON object") };
  } catch {
    return { failure: malformed("no JSON") };
  }
}
