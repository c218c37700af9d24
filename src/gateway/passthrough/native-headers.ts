import type { Address } from "../../core/index.ts";
import { holdsSecret } from "./secret-mask.ts";

/** Headers that belong to one connection (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What stays here: the client's key for this gateway, its cookies, where it is, and what undici writes itself. */
const OURS: ReadonlySet<string> = new Set([
  "authorization",
  "x-api-key",
  "cookie",
  "host",
  "expect",
  "forwarded",
  "via",
  "origin",
  "referer",
  "x-request-id",
]);

const OURS_BEGINS = ["x-forwarded-", "x-real-", "x-omni-", "sec-", "access-control-"];

const isOurs = (name: string): boolean =>
  HOP_BY_HOP.has(name) || OURS.has(name) || OURS_BEGINS.some((begin) => name.startsWith(begin));

/** Names that a Connection header takes for its connection alone. */
const connectionNames = (value: string): string[] => value.toLowerCase().split(/[\s,]+/);

/** The head of a native request: what the client sent (`raw` is flat), without what is this gateway's, with what the address asks for. */
export function nativeRequestHeaders(raw: readonly string[], id: string, address: Address): string[] {
  const own = address.kind === "url" ? address.headers : {};
  const left = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const headers: string[] = ["x-request-id", id];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== "connection") continue;
    for (const name of connectionNames(raw[at + 1] ?? "")) left.add(name);
  }
  // The body is looked at for secrets, which is possible only while it is not compressed.
  if (address.kind === "url") left.add("accept-encoding");
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? "";
    if (!isOurs(name) && !left.has(name)) headers.push(name, raw[at + 1] ?? "");
  }
  for (const [name, value] of Object.entries(own)) headers.push(name, value);
  return headers;
}

/** The engine's own head for the client, flat; headers that hold a secret, or that speak for this gateway, are left out. */
export function nativeAnswerHeaders(
  received: Readonly<Record<string, string | string[] | undefined>>,
  address: Address,
  secrets: readonly string[],
): string[] {
  const connection = received["connection"];
  const left = new Set(typeof connection === "string" ? connectionNames(connection) : []);
  // A cookie of somebody else's API would be one of this gateway's for a browser.
  if (address.kind === "url") left.add("set-cookie");
  const headers: string[] = [];
  for (const [name, value] of Object.entries(received)) {
    if (isOurs(name) || left.has(name) || value === undefined) continue;
    for (const one of typeof value === "string" ? [value] : value) {
      if (!holdsSecret(one, secrets)) headers.push(name, one);
    }
  }
  return headers;
}
