import type { Dispatcher } from "undici";
import { messageOf, OmniError } from "../../core/index.ts";
import { firstOf, withoutCredentials } from "../../models/get-following.ts";
import { BrokenAnswer, requestRange } from "../../models/range-request.ts";
import type { RangeAnswer } from "../../models/range-request.ts";
import { WANT_DIGEST } from "./stated-digest.ts";

/** Where the bytes of one file come from. */
export interface Origin {
  /** `https://host/owner/repo/...`, without query, for messages. */
  readonly name: string;
  /** An answer to a request for bytes from `from` up to `to`. Throws `BusyOrigin`, `BrokenAnswer` or `OmniError` `hub.*`. */
  ask(from: number, to: number, signal: AbortSignal): Promise<RangeAnswer>;
}

/** The server asks for patience. */
export class BusyOrigin extends Error {
  override readonly name = "BusyOrigin";
  /** Milliseconds; absent where it did not say. */
  readonly wait: number | undefined;
  constructor(message: string, wait: number | undefined) {
    super(message);
    this.wait = wait;
  }
}

const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);
/** What stores answer when the signature of an address is no longer valid. */
const EXPIRED = new Set([400, 401, 403, 404, 410]);
const LONGEST_PATIENCE = 300_000;

interface OriginOptions {
  readonly agent: Dispatcher;
  /** Credentials among them are sent to the first host only. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A file behind an address of the hub. Where that redirects to is kept for all further requests and asked for again, once
 * for all connections, when the store does not honour it any more.
 */
export function openOrigin(url: URL, { agent, headers }: OriginOptions): Origin {
  const name = `${url.protocol}//${url.host}${url.pathname}`;
  const way: { resolved?: URL | undefined; resolving?: Promise<unknown> | undefined } = {};
  const request = async (at: URL, from: number, to: number, signal: AbortSignal): Promise<RangeAnswer> => {
    const own = at.host === url.host ? headers : withoutCredentials(headers);
    return requestRange(at, {
      agent,
      headers: { ...own, ...WANT_DIGEST },
      signal,
      offset: from,
      length: to - from,
    });
  };
  const resolve = async (from: number, to: number, signal: AbortSignal): Promise<RangeAnswer> => {
    const asked = request(url, from, to, signal);
    way.resolving = asked
      .catch(() => {})
      .finally(() => {
        way.resolving = undefined;
      });
    const answer = await asked;
    if (answer.status < 300) way.resolved = answer.url;
    return answer;
  };
  return {
    name,
    ask: async (from, to, signal) => {
      while (way.resolved === undefined && way.resolving !== undefined) await way.resolving;
      const known = way.resolved;
      if (known === undefined || known.href === url.href)
        return checked(await resolve(from, to, signal), name);
      const answer = await request(known, from, to, signal);
      if (!EXPIRED.has(answer.status)) return checked(answer, name);
      await answer.body.dump();
      // Another connection may have renewed it meanwhile.
      if (way.resolved === known) way.resolved = undefined;
      while (way.resolving !== undefined) await way.resolving;
      const renewed = way.resolved;
      return checked(
        renewed === undefined ? await resolve(from, to, signal) : await request(renewed, from, to, signal),
        name,
      );
    },
  };
}

async function checked(answer: RangeAnswer, name: string): Promise<RangeAnswer> {
  const { status, url } = answer;
  if (status === 200 || status === 206) return answer;
  const wait = patience(firstOf(answer.headers["retry-after"]));
  await answer.body.dump().catch((thrown: unknown) => {
    throw new BrokenAnswer(messageOf(thrown));
  });
  const said = `${url.host} answers ${status} for ${name}.`;
  if (TEMPORARY.has(status)) throw new BusyOrigin(`it answers ${status}`, wait);
  if (status === 401 || status === 403 || status === 407) throw new OmniError("hub.denied", said);
  if (status === 404 || status === 410) throw new OmniError("hub.not-found", said);
  throw new BrokenAnswer(`it answers ${status}`);
}

/** Retry-After in milliseconds: seconds or a date. Source: RFC 9110, section 10.2.3. */
function patience(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? Math.min(Math.max(milliseconds, 0), LONGEST_PATIENCE) : undefined;
}
