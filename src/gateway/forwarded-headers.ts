import type { IncomingHttpHeaders } from "node:http";

import type { Address } from "../core/index.ts";

/** Request headers that engines may see. Everything else, keys and cookies above all, stays here. */
const TO_ENGINE = ["accept", "user-agent", "traceparent", "tracestate", "openai-beta"] as const;

/** Answer headers that clients may see. Hop-by-hop headers and the engine's own server name stay here. */
const TO_CLIENT = [
  "content-type",
  "content-encoding",
  "cache-control",
  "retry-after",
  "openai-processing-ms",
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
] as const;

/** The head of the request to the engine, built fresh from the allowed headers and what its address asks for. */
export function requestHeaders(sent: IncomingHttpHeaders, id: string, address: Address): string[] {
  const headers = ["content-type", "application/json", "x-request-id", id];
  for (const name of TO_ENGINE) {
    const value = sent[name];
    if (typeof value === "string") headers.push(name, value);
  }
  if (address.kind === "url")
    for (const [name, value] of Object.entries(address.headers)) headers.push(name, value);
  return headers;
}

/** The engine's headers that the client gets, flat. */
export function answerHeaders(received: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const headers: string[] = [];
  for (const name of TO_CLIENT) {
    const value = received[name];
    if (typeof value === "string") headers.push(name, value);
    else if (value?.[0] !== undefined) headers.push(name, value[0]);
  }
  return headers;
}

/** A name as a header may carry it: outside of printable ASCII it is percent-encoded. */
export const headerSafe = (name: string): string =>
  /^[\x21-\x7e]+$/.test(name) ? name : encodeURIComponent(name.toWellFormed());
