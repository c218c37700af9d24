import { request } from "undici";
import type { Dispatcher } from "undici";
import { OmniError } from "../core/index.ts";

/** An answer that may be another one when the request is sent again. */
export class BrokenAnswer extends Error {
  override readonly name = "BrokenAnswer";
}

export interface RangeAnswer {
  readonly status: number;
  /** Where the answer came from, after all redirects. */
  readonly url: URL;
  readonly range: ContentRange | undefined;
  /** Content-Length in bytes, where the server said it. */
  readonly length: number | undefined;
  readonly etag: string | undefined;
  readonly body: Dispatcher.ResponseData["body"];
}

interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly total: number;
}

interface RangeRequest {
  readonly agent: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  readonly offset: number;
  readonly length: number;
}

const MOST_REDIRECTS = 8;
const SILENCE_MS = 20_000;
const LONGEST_REQUEST_MS = 300_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS = new Set(["authorization", "cookie", "proxy-authorization"]);

/**
 * One GET of `length` bytes from `offset`, redirects followed. Credentials are sent to the first host only. Throws
 * `OmniError` `hub.unreachable` for redirects that lead nowhere, and whatever the connection throws.
 */
export async function requestRange(start: URL, ask: RangeRequest): Promise<RangeAnswer> {
  let url = start;
  let headers = ask.headers;
  const overall = AbortSignal.timeout(LONGEST_REQUEST_MS);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await request(url, {
      dispatcher: ask.agent,
      method: "GET",
      headers: {
        ...headers,
        range: `bytes=${ask.offset}-${ask.offset + ask.length - 1}`,
        // A compressed answer has other offsets than the file.
        "accept-encoding": "identity",
      },
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      signal: ask.signal === undefined ? overall : AbortSignal.any([ask.signal, overall]),
    });
    if (!REDIRECTS.has(response.statusCode)) return answerOf(response, url);
    await response.body.dump();
    const next = locationOf(response, url);
    if (next.host !== url.host) headers = withoutCredentials(headers);
    url = next;
  }
  throw new OmniError("hub.unreachable", `${start.host} redirects more than ${MOST_REDIRECTS} times.`);
}

/** Reads a body to its end. Throws `BrokenAnswer` when it is longer than `most` bytes. */
export async function readBody(body: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) throw new BrokenAnswer(`the answer is longer than the ${most} bytes it announced`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Ends an answer that is not wanted, with its connection. */
export function abandon(body: RangeAnswer["body"]): void {
  // Undici reports the end as an error, which is no news here.
  body.on("error", () => {}).destroy();
}

function locationOf(response: Dispatcher.ResponseData, url: URL): URL {
  const location = one(response.headers["location"]);
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

function answerOf(response: Dispatcher.ResponseData, url: URL): RangeAnswer {
  const { headers, statusCode: status, body } = response;
  const encoding = one(headers["content-encoding"]);
  if (status < 300 && encoding !== undefined && encoding !== "identity") {
    abandon(body);
    throw new OmniError("hub.no-ranges", `${url.host} compresses its answers (${encoding}), unasked.`);
  }
  const length = Number(one(headers["content-length"]) ?? Number.NaN);
  return {
    status,
    url,
    range: parseRange(one(headers["content-range"])),
    length: Number.isSafeInteger(length) ? length : undefined,
    etag: one(headers["etag"]),
    body,
  };
}

/** Source: RFC 9110, section 14.4; a 416 without first and last becomes an empty range. */
function parseRange(text: string | undefined): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(text ?? "");
  if (match === null) return undefined;
  const [first, last, total] = [Number(match[1] ?? 0), Number(match[2] ?? -1), Number(match[3])];
  const sound = [first, last, total].every(Number.isSafeInteger) && last < total;
  return sound ? { first, last, total } : undefined;
}

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
