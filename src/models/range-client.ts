import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { formatBytes, messageOf, OmniError } from "../core/index.ts";
import { withoutCredentials } from "./get-following.ts";
import { abandon, BrokenAnswer, readBody, requestRange } from "./range-request.ts";
import type { RangeAnswer } from "./range-request.ts";
import type { UrlOptions } from "./url-source.ts";

interface FetchedRange {
  /** Bytes of the whole file. */
  readonly total: number;
  readonly bytes: Uint8Array;
}

const ATTEMPTS = 4;
const RETRY_DELAY_MS = 300;
const CONNECT_TIMEOUT_MS = 10_000;
/** A file of a server that sends only whole files is read whole up to this size. */
const SMALL_FILE = 16 << 20;
/** So many bytes at least of each request that are not the last. */
const SMALLEST_PART = 16 << 10;
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Fetches byte ranges of one URL: follows it to where the file lies, tries again what may pass, and names what will not. */
export class RangeClient {
  /** The URL without query and credentials: signed URLs must not reach a log. */
  readonly name: string;
  readonly #url: URL;
  readonly #options: UrlOptions;
  readonly #agent = new Agent({ connections: 2, connect: { timeout: CONNECT_TIMEOUT_MS } });
  /** Where redirects led; signed and short-lived on some hubs. */
  #resolved: URL | undefined;
  /** The first answer's size and version, which all others must share. */
  #identity: { readonly total: number; readonly etag: string | undefined } | undefined;
  #whole: Uint8Array | undefined;
  #closed = false;

  constructor(url: string, options: UrlOptions) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
      throw new OmniError("hub.not-found", `${withoutQuery(url)} is no http or https URL.`);
    this.#url = parsed;
    this.#options = options;
    this.name = withoutQuery(`${parsed.protocol}//${parsed.host}${parsed.pathname}`);
  }

  /**
   * Up to `length` bytes from `offset`, fewer only at the end of the file. Throws `OmniError` `hub.*`, or the reason of the
   * signal.
   */
  async fetch(offset: number, length: number): Promise<FetchedRange> {
    for (let attempt = 1; ; attempt++) {
      this.#options.signal?.throwIfAborted();
      try {
        return await this.#attempt(offset, length);
      } catch (thrown) {
        this.#options.signal?.throwIfAborted();
        if (thrown instanceof OmniError) throw thrown;
        if (attempt === ATTEMPTS) throw this.#unreachable(thrown, attempt);
      }
      const delay = (this.#options.retryDelay ?? RETRY_DELAY_MS) * 2 ** (attempt - 1);
      await sleep(delay, undefined, { signal: this.#options.signal });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#agent.destroy();
  }

  async #attempt(offset: number, length: number): Promise<FetchedRange> {
    if (this.#whole !== undefined) return cut(this.#whole, offset, length);
    const answer = await this.#ask(offset, length);
    if (answer.status === 206) return this.#part(answer, offset, length);
    if (answer.status === 200) return this.#all(answer, offset, length);
    await answer.body.dump();
    if (answer.status === 416 && answer.range?.total === 0) return { total: 0, bytes: new Uint8Array(0) };
    throw this.#refusal(answer.status);
  }

  /** Asks where the last redirect led, and from the start again when that place has expired. */
  async #ask(offset: number, length: number): Promise<RangeAnswer> {
    const { headers = {}, signal } = this.#options;
    const ask = async (url: URL): Promise<RangeAnswer> => {
      const sent = url.host === this.#url.host ? headers : withoutCredentials(headers);
      return requestRange(url, { agent: this.#agent, headers: sent, signal, offset, length });
    };
    if (this.#resolved !== undefined) {
      const answer = await ask(this.#resolved);
      if (answer.status < 400 || TEMPORARY.has(answer.status)) return answer;
      await answer.body.dump();
      this.#resolved = undefined;
    }
    const answer = await ask(this.#url);
    if (answer.status < 400 && answer.url.href !== this.#url.href) this.#resolved = answer.url;
    return answer;
  }

  async #part(answer: RangeAnswer, offset: number, length: number): Promise<FetchedRange> {
    const { range } = answer;
    if (range === undefined || range.first !== offset || range.last >= offset + length) {
      abandon(answer.body);
      throw this.#noRanges(
        `answered another range than the one it was asked for (bytes ${offset} to ${offset + length - 1})`,
      );
    }
    this.#checkIdentity(range.total, answer);
    const bytes = await readBody(answer.body, range.last - range.first + 1);
    if (bytes.length !== range.last - range.first + 1)
      throw new BrokenAnswer(`the answer ended after ${bytes.length} bytes`);
    const complete = offset + bytes.length === Math.min(offset + length, range.total);
    if (complete) return { total: range.total, bytes };
    // A server may send less than it was asked for, but not a file in crumbs.
    if (bytes.length < SMALLEST_PART)
      throw this.#noRanges(`answers with ${bytes.length} bytes where ${length} were asked for`);
    const rest = await this.fetch(offset + bytes.length, length - bytes.length);
    return { total: range.total, bytes: Buffer.concat([bytes, rest.bytes]) };
  }

  /** The server ignored the range: a small file is kept whole, a large one refused before it is read. */
  async #all(answer: RangeAnswer, offset: number, length: number): Promise<FetchedRange> {
    if (answer.length === undefined || answer.length > SMALL_FILE) {
      abandon(answer.body);
      const size = answer.length === undefined ? "a file of unknown size" : formatBytes(answer.length);
      throw this.#noRanges(`ignores range requests and would send ${size} whole`);
    }
    this.#checkIdentity(answer.length, answer);
    const bytes = await readBody(answer.body, answer.length);
    if (bytes.length !== answer.length)
      throw new BrokenAnswer(`the answer ended after ${bytes.length} bytes`);
    this.#whole = bytes;
    return cut(bytes, offset, length);
  }

  #checkIdentity(total: number, answer: RangeAnswer): void {
    const { etag } = answer;
    this.#identity ??= { total, etag };
    const sameVersion =
      this.#identity.etag === etag || etag === undefined || this.#identity.etag === undefined;
    if (this.#identity.total === total && sameVersion) return;
    abandon(answer.body);
    throw new OmniError("hub.unreachable", `${this.name} changed while it was being read.`, {
      hint: "Try again; somebody is uploading a new version.",
    });
  }

  #refusal(status: number): Error {
    if (TEMPORARY.has(status)) return new BrokenAnswer(`it answers ${status}`);
    const said = `${this.#url.host} answers ${status} for ${this.name}.`;
    if (status === 401 || status === 403 || status === 407) return new OmniError("hub.denied", said);
    if (status === 404 || status === 410) return new OmniError("hub.not-found", said);
    return new OmniError("hub.unreachable", said);
  }

  #noRanges(what: string): OmniError {
    return new OmniError("hub.no-ranges", `The server of ${this.name} ${what}.`);
  }

  #unreachable(thrown: unknown, attempts: number): OmniError {
    return new OmniError(
      "hub.unreachable",
      `Cannot read ${this.name}, tried ${attempts} times: ${messageOf(thrown)}.`,
      { cause: thrown },
    );
  }
}

const cut = (whole: Uint8Array, offset: number, length: number): FetchedRange => ({
  total: whole.length,
  bytes: whole.subarray(offset, offset + length),
});

/** A password may hold any character but a slash. */
const withoutQuery = (url: string): string => url.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
