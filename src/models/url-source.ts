import { formatBytes, OmniError } from "../core/index.ts";
import type { ByteSource } from "./byte-source.ts";
import { checkRange } from "./check-range.ts";
import { RangeClient } from "./range-client.ts";

export interface UrlOptions {
  /** Sent to the URL's own host; credentials among them never to another one that it redirects to. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Bytes that may be fetched in all; a header of any model is far smaller than the default of 256 MiB. */
  readonly mostBytes?: number;
  /** First wait before a request is tried again, doubled each time; 300 ms by default. */
  readonly retryDelay?: number;
}

const FIRST_BLOCK = 1 << 20;
const LARGEST_BLOCK = 8 << 20;
const MOST_BYTES = 256 << 20;

/**
 * Opens a file behind an http or https URL for reading parts of it by range requests (RFC 9110, section 14). Reads
 * ahead in blocks of 1 MiB that double while reading goes on forward. Throws `OmniError` `hub.not-found`,
 * `hub.denied`, `hub.unreachable` or `hub.no-ranges`; `model.malformed` when more than `mostBytes` would be read.
 */
export async function openUrl(url: string, options: UrlOptions = {}): Promise<ByteSource> {
  const client = new RangeClient(url, options);
  try {
    const source = new UrlSource(client, options.mostBytes ?? MOST_BYTES);
    await source.start();
    return source;
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

class UrlSource implements ByteSource {
  readonly name: string;
  readonly #client: RangeClient;
  readonly #mostBytes: number;
  #size = 0;
  #fetched = 0;
  /** The last block: bytes of the file from `#start` on. */
  #block: Uint8Array = new Uint8Array(0);
  #start = 0;
  #nextBlock = FIRST_BLOCK;
  /** Reads wait for each other: they share the block. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(client: RangeClient, mostBytes: number) {
    this.#client = client;
    this.name = client.name;
    this.#mostBytes = mostBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Fetches the first block, which tells the size. */
  async start(): Promise<void> {
    const { total, bytes } = await this.#client.fetch(0, Math.min(FIRST_BLOCK, this.#mostBytes));
    this.#size = total;
    this.#block = bytes;
    this.#fetched = bytes.length;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const mine = this.#turn.then(() => this.#read(offset, length));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this.name, this.#size, offset, length);
    if (this.#start <= offset && offset + length <= this.#end) return this.#slice(offset, length);
    const inBlock = this.#start <= offset && offset <= this.#end;
    const kept = inBlock ? this.#block.subarray(offset - this.#start) : new Uint8Array(0);
    // Reading on from the block means that more will be wanted; a jump means that it may not.
    this.#nextBlock = inBlock ? Math.min(this.#nextBlock * 2, LARGEST_BLOCK) : FIRST_BLOCK;
    const from = offset + kept.length;
    const missing = offset + length - from;
    const room = this.#mostBytes - this.#fetched;
    if (missing > room) throw this.#tooMuch(missing);
    const wanted = Math.min(Math.max(missing, this.#nextBlock), room, this.#size - from);
    const { bytes } = await this.#client.fetch(from, wanted);
    this.#fetched += bytes.length;
    this.#block = Buffer.concat([kept, bytes]);
    this.#start = offset;
    return this.#slice(offset, length);
  }

  get #end(): number {
    return this.#start + this.#block.length;
  }

  #slice(offset: number, length: number): Uint8Array {
    return this.#block.slice(offset - this.#start, offset - this.#start + length);
  }

  #tooMuch(missing: number): OmniError {
    return new OmniError(
      "model.malformed",
      `${this.name} wants ${formatBytes(this.#fetched + missing)} read for its header; Omni reads at most ${formatBytes(this.#mostBytes)}.`,
    );
  }
}
