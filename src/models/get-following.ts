import { request } from "undici";
import type { Dispatcher } from "undici";
import { OmniError } from "../core/index.ts";

interface FollowedGet {
  readonly agent: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole, redirects and body included. */
  readonly timeout: number;
}

const MOST_REDIRECTS = 8;
const SILENCE_MS = 20_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS = new Set(["authorization", "cookie", "proxy-authorization"]);

/**
 * One GET, redirects followed, and where it ended. Credentials are sent to the first host only, and nothing leads from
 * https to http. Throws `OmniError` `hub.unreachable` for redirects that lead nowhere, and whatever the connection throws.
 */
export async function getFollowing(
  start: URL,
  ask: FollowedGet,
): Promise<{ readonly response: Dispatcher.ResponseData; readonly url: URL }> {
  let url = start;
  let { headers } = ask;
  const overall = AbortSignal.timeout(ask.timeout);
  const signal = ask.signal === undefined ? overall : AbortSignal.any([ask.signal, overall]);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await request(url, {
      dispatcher: ask.agent,
      method: "GET",
      headers,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      signal,
    });
    if (!REDIRECTS.has(response.statusCode)) return { response, url };
    await response.body.dump();
    const next = locationOf(response, url);
    if (next.host !== url.host) headers = withoutCredentials(headers);
    url = next;
  }
  throw new OmniError("hub.unreachable", `${start.host} redirects more than ${MOST_REDIRECTS} times.`);
}

function locationOf(response: Dispatcher.ResponseData, url: URL): URL {
  const location = firstOf(response.headers["location"]);
  if (location === undefined || !URL.canParse(location, url))
    throw new OmniError("hub.unreachable", `${url.host} redirects to nowhere.`);
  const next = new URL(location, url);
  const sound = next.protocol === "https:" || (next.protocol === "http:" && url.protocol === "http:");
  if (sound) return next;
  throw new OmniError(
    "hub.unreachable",
    `${url.host} redirects from ${url.protocol}// to ${next.protocol}//, which Omni does not follow.`,
  );
}

/** The headers that another host may see. */
export const withoutCredentials = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())));

/** A header's value, the first where it stands twice. */
export const firstOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
