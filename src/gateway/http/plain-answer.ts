import { STATUS_CODES } from "node:http";

import { AnswerHeaders } from "./answer-headers.ts";
import { Listeners } from "./listeners.ts";
import type { AnswerOutlet } from "./request-head.ts";

/** Up to here bytes are copied behind their head, so that both are one write. */
const COPY_MOST = 32_768;
export const KEEP_LINE = "Connection: keep-alive\r\n";
const CLOSE_LINE = "Connection: close\r\n";
const LAST_CHUNK = "0\r\n\r\n";
const CHUNKED = /(?:^|\W)chunked(?:$|\W)/i;
const DIGITS = /^[0-9]{1,15}$/;

/** Header lines that every answer has, unless it brings its own. */
export interface StandingLines {
  readonly date: string;
  /** What is said of a connection that is kept. */
  readonly keeps: string;
}

/** The connection below an answer. */
export interface AnswerLine {
  /** Bytes that were given to `send` and wait for a client that reads slowly. */
  readonly writableLength: number;
  readonly lines: StandingLines;
  /** The connection is to end with this answer. */
  readonly closes: boolean;
  /** Sends bytes, the last ones with `last`; false when the client is behind. */
  send(bytes: Buffer, last: boolean): boolean;
  sendAll(parts: readonly Buffer[], last: boolean): boolean;
  /** Nothing is left to send. */
  sent(): void;
  destroy(): void;
}

/** How the end of the body is told: by its length, by a last chunk, by nothing since there is none, or by the connection's end. */
type Framing = "open" | "length" | "chunked" | "none" | "connection";

/** One answer, written as node:http writes it; the head goes out with the first bytes behind it. */
export class PlainAnswer implements AnswerOutlet {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  /** The connection ends after this answer. */
  last: boolean;
  readonly #line: AnswerLine;
  /** The head while it waits for the first bytes of the body. */
  #head = "";
  #framing: Framing = "open";
  /** Bytes of the body still to come, where its length was told. */
  #left = 0;
  #behind = false;
  #close: Listeners | undefined;
  #drain: Listeners | undefined;

  constructor(line: AnswerLine, last: boolean) {
    this.#line = line;
    this.last = last;
  }

  get writableLength(): number {
    return this.#line.writableLength;
  }

  /** Throws as node:http does: a head that went out, a status or a header that is none. */
  writeHead(status: number, headers: readonly string[]): this {
    if (this.headersSent) throw new Error("Cannot write headers after they are sent to the client");
    if (!(status >= 100 && status <= 999)) throw new RangeError(`Invalid status code: ${status}`);
    const own = new AnswerHeaders(headers);
    this.#framing = framingOf(status, own);
    if (this.#framing === "length") this.#left = Number(own.length);
    this.last = this.last || this.#line.closes || own.closes || this.#framing === "connection";
    this.statusCode = status;
    this.headersSent = true;
    const { lines } = this.#line;
    const date = own.date ? "" : lines.date;
    const connection = own.connection ? "" : this.last ? CLOSE_LINE : own.keeps ? KEEP_LINE : lines.keeps;
    const end = this.#framing === "open" ? "" : "\r\n";
    this.#head = statusLine(status) + own.text + date + connection + end;
    return this;
  }

  write(bytes: Buffer | string): boolean {
    if (this.writableEnded || this.destroyed) return false;
    if (!this.headersSent) this.writeHead(this.statusCode, []);
    if (this.#framing === "open") this.#settle(`Transfer-Encoding: chunked\r\n\r\n`, "chunked");
    const taken = this.#send(bytes, false);
    if (!taken) this.#behind = true;
    return taken;
  }

  writePart(bytes: Buffer, from: number, end: number): boolean {
    const size = end - from;
    const settled =
      this.#framing === "chunked" && this.#head === "" && !this.writableEnded && !this.destroyed;
    if (!settled || size === 0 || size > COPY_MOST) return this.write(Buffer.from(bytes.subarray(from, end)));
    const taken = this.#line.send(chunkOf(bytes, size, false, from), false);
    if (!taken) this.#behind = true;
    return taken;
  }

  end(bytes: Buffer | string = ""): this {
    if (this.writableEnded || this.destroyed) return this;
    if (!this.headersSent) this.writeHead(this.statusCode, []);
    if (this.#framing === "open") {
      const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
      this.#settle(`Content-Length: ${size}\r\n\r\n`, "length");
      this.#left = size;
    }
    this.writableEnded = true;
    this.#send(bytes, true);
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#line.destroy();
    return this;
  }

  once(event: "close" | "drain", listener: () => void): this {
    if (event === "close") (this.#close ??= new Listeners()).add(listener);
    else (this.#drain ??= new Listeners()).add(listener);
    return this;
  }

  off(event: "close" | "drain", listener: () => void): this {
    (event === "close" ? this.#close : this.#drain)?.remove(listener);
    return this;
  }

  /** The client caught up. */
  drained(): void {
    if (!this.#behind || this.writableEnded) return;
    this.#behind = false;
    this.#drain?.tell();
  }

  /** Nothing more happens to it: all of it was handed to the system, or the connection is gone. */
  closed(finished: boolean): void {
    this.writableFinished = finished;
    this.destroyed = true;
    const listeners = this.#close;
    this.#close = this.#drain = undefined;
    listeners?.tell();
  }

  #settle(lines: string, framing: Framing): void {
    this.#head += lines;
    this.#framing = framing;
  }

  #send(bytes: Buffer | string, last: boolean): boolean {
    const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
    let before = this.#head;
    if (this.#framing === "chunked" && before === "" && size > 0 && size <= COPY_MOST) {
      return this.#line.send(chunkOf(bytes, size, last), last);
    }
    let after = "";
    if (this.#framing === "chunked") {
      if (size > 0) {
        before += `${size.toString(16)}\r\n`;
        after = last ? `\r\n${LAST_CHUNK}` : "\r\n";
      } else if (last) after = LAST_CHUNK;
    } else if (this.#framing === "none" || !this.#fits(size, last)) {
      return this.#write(before, "", 0, "", last);
    }
    return this.#write(before, bytes, size, after, last);
  }

  /** Whether so many bytes are within the length that was told; where they are not, the connection cannot be used again. */
  #fits(size: number, last: boolean): boolean {
    if (this.#framing !== "length") return true;
    const fits = size <= this.#left;
    if (fits) this.#left -= size;
    if (!fits || (last && this.#left > 0)) this.last = true;
    return fits;
  }

  #write(before: string, bytes: Buffer | string, size: number, after: string, last: boolean): boolean {
    const all = before.length + size + after.length;
    this.#head = "";
    if (all === 0) {
      if (last) this.#line.sent();
      return true;
    }
    if (typeof bytes !== "string" && size > COPY_MOST) {
      const parts = [Buffer.from(before, "latin1"), bytes, Buffer.from(after, "latin1")];
      return this.#line.sendAll(parts, last);
    }
    const out = Buffer.allocUnsafe(all);
    let at = before === "" ? 0 : out.write(before, 0, "latin1");
    at += typeof bytes === "string" ? out.write(bytes, at) : bytes.copy(out, at);
    if (after !== "") out.write(after, at, "latin1");
    return this.#line.send(out, last);
  }
}

const USUAL = "HTTP/1.1 200 OK\r\n";
const statusLine = (status: number): string =>
  status === 200 ? USUAL : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;

function framingOf(status: number, own: AnswerHeaders): Framing {
  if (own.length !== undefined && own.transfer !== undefined) {
    throw new TypeError("an answer has a Content-Length or a Transfer-Encoding, not both");
  }
  if (status === 204 || status === 304 || status < 200) return "none";
  if (own.length !== undefined) {
    if (!DIGITS.test(own.length)) throw new TypeError(`Invalid Content-Length: ${own.length}`);
    return "length";
  }
  if (own.transfer === undefined) return "open";
  return CHUNKED.test(own.transfer) ? "chunked" : "connection";
}

const CR = 13;
const LF = 10;
const ZERO = 48;
const A_LESS_TEN = 87;

/**
 * One chunk as it is on the wire, of `size` bytes from `from` on, with the last chunk behind it where nothing more comes. Most
 * events of streams are one.
 */
function chunkOf(bytes: Buffer | string, size: number, last: boolean, from = 0): Buffer {
  let at = 1;
  for (let rest = size >> 4; rest > 0; rest >>= 4) at++;
  const out = Buffer.allocUnsafe(at + size + (last ? 4 + LAST_CHUNK.length : 4));
  for (let place = at - 1, rest = size; place >= 0; place--, rest >>= 4) {
    const digit = rest & 15;
    out[place] = digit + (digit < 10 ? ZERO : A_LESS_TEN);
  }
  out[at++] = CR;
  out[at++] = LF;
  at += typeof bytes === "string" ? out.write(bytes, at) : bytes.copy(out, at, from, from + size);
  out[at++] = CR;
  out[at++] = LF;
  if (last) out.write(LAST_CHUNK, at, "latin1");
  return out;
}
