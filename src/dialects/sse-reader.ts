const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** One event of a stream; `data` is the text of its data lines, joined by line feeds. */
export interface SseEvent {
  readonly data: string;
  readonly event?: string;
  readonly id?: string;
}

/** An event that is larger than the reader keeps. */
export class SseOverflow extends Error {
  constructor(limit: number) {
    super(`An event of the stream is larger than ${limit} bytes.`);
    this.name = "SseOverflow";
  }
}

/**
 * Reads server-sent events from chunks that may be split anywhere (WHATWG HTML, 9.2.6): lines end in CR, LF or CRLF,
 * comments are left out, data of several lines is one text. Text is decoded by whole lines, so a split inside a
 * character harms nothing. An event that is not ended by a blank line never comes out.
 */
export class SseReader {
  readonly #limit: number;
  /** Bytes of a line that has not ended, in pieces: a giant event is put together once. */
  #pieces: Buffer[] = [];
  #held = 0;
  #data: string[] = [];
  #event: string | undefined;
  #id: string | undefined;
  /** Bytes of the fields of the event so far. */
  #size = 0;
  #afterCr = false;
  #started = false;

  constructor(limit = 16 * 1024 * 1024) {
    this.#limit = limit;
  }

  /** True when nothing of an unfinished event is held. */
  get idle(): boolean {
    return this.#held === 0 && this.#data.length === 0 && this.#event === undefined;
  }

  /** The events that this chunk completes. Throws `SseOverflow` when one is larger than the limit. */
  push(chunk: Buffer): SseEvent[] {
    const events: SseEvent[] = [];
    if (this.#held > 0 && this.#started && chunk.indexOf(LF) < 0 && chunk.indexOf(CR) < 0) {
      this.#keep(chunk);
      return events;
    }
    const searched = this.#started ? this.#held : 0;
    let bytes = this.#held === 0 ? chunk : Buffer.concat([...this.#pieces, chunk]);
    this.#pieces = [];
    this.#held = 0;
    if (!this.#started) {
      if (bytes.length < BOM.length && BOM.subarray(0, bytes.length).equals(bytes)) {
        this.#keep(bytes);
        return events;
      }
      this.#started = true;
      if (BOM.equals(bytes.subarray(0, BOM.length))) bytes = bytes.subarray(BOM.length);
    }
    this.#readLines(bytes, searched, events);
    return events;
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    if (this.#held + this.#size > this.#limit) throw new SseOverflow(this.#limit);
  }

  /** No line ends before `searched`. */
  #readLines(bytes: Buffer, searched: number, events: SseEvent[]): void {
    let from = 0;
    let search = searched;
    let cr = bytes.indexOf(CR, search);
    for (;;) {
      if (this.#afterCr && from < bytes.length) {
        this.#afterCr = false;
        if (bytes[from] === LF) from++;
        search = Math.max(search, from);
      }
      if (cr >= 0 && cr < from) cr = bytes.indexOf(CR, from);
      const lf = bytes.indexOf(LF, search);
      const end = lf < 0 ? cr : cr < 0 ? lf : Math.min(lf, cr);
      if (end < 0) break;
      this.#afterCr = end === cr;
      this.#line(bytes, from, end, events);
      from = end + 1;
      search = from;
    }
    this.#keep(from === 0 ? bytes : bytes.subarray(from));
  }

  #line(bytes: Buffer, from: number, end: number, events: SseEvent[]): void {
    if (from === end) {
      this.#dispatch(events);
      return;
    }
    const line = bytes.toString("utf8", from, end);
    const colon = line.indexOf(":");
    if (colon === 0) return;
    this.#size += end - from;
    if (this.#size > this.#limit) throw new SseOverflow(this.#limit);
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #dispatch(events: SseEvent[]): void {
    const first = this.#data[0];
    if (first !== undefined) {
      events.push({
        data: this.#data.length === 1 ? first : this.#data.join("\n"),
        ...(this.#event === undefined || this.#event === "" ? {} : { event: this.#event }),
        ...(this.#id === undefined ? {} : { id: this.#id }),
      });
      this.#data = [];
    }
    this.#event = undefined;
    this.#size = 0;
  }
}
