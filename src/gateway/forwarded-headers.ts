import type { IncomingHttpHeaders } from "node:http";

import type { Address } from "../core/index.ts";

/** Request headers that engines may see. Everything else, keys and cookies above all, stays here. */
const TO_ENGINE = [
  "accept",
  "user-agent",
  "tracestate",
  "openai-beta",
  "anthropic-version",
  "anthropic-beta",
] as const;

/** Answer headers that clients may see. Hop-by-hop headers and the engine's own server name stay here. */
const TO_CLIENT: ReadonlySet<string> = new Set([
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
]);

/** The head of the request to the engine, built fresh from the allowed headers and what its address asks for. */
export function requestHeaders(
  sent: IncomingHttpHeaders,
  id: string,
  address: Address,
  traceparent: string | undefined,
  contentType = "application/json",
): string[] {
  const headers = ["content-type", contentType, "x-request-id", id];
  for (const name of TO_ENGINE) {
    const value = sent[name];
    if (typeof value === "string") headers.push(name, value);
  }
  const trace = traceparent ?? sent["traceparent"];
  if (typeof trace === "string") headers.push("traceparent", trace);
  if (address.kind === "url")
    for (const [name, value] of Object.entries(address.headers)) headers.push(name, value);
  return headers;
}

/** The engine's headers that the client gets, flat. `own` when the body is Omni's own making: it is not encoded then. */
export function answerHeaders(
  received: Readonly<Record<string, string | string[] | undefined>>,
  own: boolean,
): string[] {
  const headers: string[] = [];
  for (const name of Object.keys(received)) {
    if (!TO_CLIENT.has(name) || (own && name === "content-encoding")) continue;
    const value = received[name];
    if (typeof value === "string") headers.push(name, value);
    else if (value?.[0] !== undefined) headers.push(name, value[0]);
  }
  return headers;
}

/** A name as a header may carry it: outside of printable ASCII it is percent-encoded. */
export const headerSafe = (name: string): string =>
  /^[\x21-\x7e]+$/.test(name) ? name : encodeURIComponent(name.toWellFormed());
