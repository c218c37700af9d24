const NEWLINE = 10;
const RETURN = 13;

/** Cuts a byte stream into lines of bounded length, without copying what is whole in one chunk. */
export class MessageLines {
  readonly #most: number;
  #parts: Buffer[] = [];
  #size = 0;

  /** `most` bytes of one line. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Calls `onLine` with every line that ends in `chunk`; false when a line is longer than allowed. */
  push(chunk: Buffer, onLine: (line: string) => void): boolean {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      const upTo = end === -1 ? chunk.length : end;
      if (this.#size + upTo - from > this.#most) return false;
      if (end === -1) break;
      onLine(this.#line(chunk, from, end));
      from = end + 1;
    }
    if (from < chunk.length) {
      this.#parts.push(chunk.subarray(from));
      this.#size += chunk.length - from;
    }
    return true;
  }

  #line(chunk: Buffer, from: number, end: number): string {
    let bytes = chunk;
    let start = from;
    let stop = end;
    if (this.#parts.length > 0) {
      bytes = Buffer.concat([...this.#parts, chunk.subarray(from, end)]);
      start = 0;
      stop = bytes.length;
      this.#parts = [];
      this.#size = 0;
    }
    if (stop > start && bytes[stop - 1] === RETURN) stop -= 1;
    return bytes.toString("utf8", start, stop);
  }
}
