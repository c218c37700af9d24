import type { Dispatcher } from "undici";
import { OmniError } from "../core/index.ts";
import { firstOf, getFollowing } from "./get-following.ts";

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
  readonly headers: Dispatcher.ResponseData["headers"];
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

const LONGEST_REQUEST_MS = 300_000;

/**
 * One GET of `length` bytes from `offset`, redirects followed. Throws what `getFollowing` does, and `OmniError`
 * `hub.no-ranges` for an answer that is compressed unasked.
 */
export async function requestRange(start: URL, ask: RangeRequest): Promise<RangeAnswer> {
  const { response, url } = await getFollowing(start, {
    ...ask,
    headers: {
      ...ask.headers,
      range: `bytes=${ask.offset}-${ask.offset + ask.length - 1}`,
      // A compressed answer has other offsets than the file.
      "accept-encoding": "identity",
    },
    timeout: LONGEST_REQUEST_MS,
  });
  return answerOf(response, url);
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

function answerOf(response: Dispatcher.ResponseData, url: URL): RangeAnswer {
  const { headers, statusCode: status, body } = response;
  const encoding = firstOf(headers["content-encoding"]);
  if (status < 300 && encoding !== undefined && encoding !== "identity") {
    abandon(body);
    throw new OmniError("hub.no-ranges", `${url.host} compresses its answers (${encoding}), unasked.`);
  }
  const length = Number(firstOf(headers["content-length"]) ?? Number.NaN);
  return {
    status,
    url,
    range: parseRange(firstOf(headers["content-range"])),
    length: Number.isSafeInteger(length) ? length : undefined,
    etag: firstOf(headers["etag"]),
    headers,
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
