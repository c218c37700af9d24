/** Bytes that are read once from front to back. Positions and lengths are bytes from the beginning. */
export interface ForwardReader {
  readonly position: number;
  /** At least `least` bytes if there are so many, without moving on; shorter only at the end. `least` is small: it is held in memory. */
  peek(least: number): Promise<Buffer>;
  /** Moves on; answers how far it came, which is less than asked only at the end. */
  skip(length: number): Promise<number>;
}

/** Bytes that a reader keeps when they pass by, whichever way they are passed. */
export interface Captured {
  readonly from: number;
  /** Bytes from `from` on, as far as they have passed without a gap. */
  bytes(): Buffer;
}

/** Reads a stream front to back; what is passed is let go, so memory stays at one chunk and what is captured. */
export class StreamReader implements ForwardReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffered: Buffer = Buffer.alloc(0);
  #ended = false;
  #position = 0;
  #capture: { readonly from: number; readonly to: number; readonly parts: Buffer[] } | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get position(): number {
    return this.#position;
  }

  /** Keeps the bytes of `[from, to)` that pass from now on; a new call forgets the last. The caller bounds the range. */
  capture(from: number, to: number): Captured {
    const parts: Buffer[] = [];
    this.#capture = { from, to, parts };
    return { from: Math.max(from, this.#position), bytes: () => Buffer.concat(parts) };
  }

  async peek(least: number): Promise<Buffer> {
    while (this.#buffered.length < least && !this.#ended) await this.#fill();
    return this.#buffered;
  }

  async skip(length: number): Promise<number> {
    let left = length;
    while (left > 0) {
      if (this.#buffered.length === 0) {
        if (this.#ended) break;
        await this.#fill();
      }
      const step = Math.min(left, this.#buffered.length);
      this.#keep(this.#buffered.subarray(0, step));
      this.#buffered = this.#buffered.subarray(step);
      this.#position += step;
      left -= step;
    }
    return length - left;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#chunks.return?.();
  }

  async #fill(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) {
      this.#ended = true;
      return;
    }
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
  }

  #keep(passing: Buffer): void {
    const capture = this.#capture;
    if (capture === undefined) return;
    const start = Math.max(capture.from - this.#position, 0);
    const end = Math.min(capture.to - this.#position, passing.length);
    // Copied, because a slice would hold the whole chunk.
    if (start < end) capture.parts.push(Buffer.from(passing.subarray(start, end)));
  }
}
