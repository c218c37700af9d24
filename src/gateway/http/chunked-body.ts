import { MalformedAnswer } from "./engine-error.ts";
import { CR, EQUALS, HEX, LF, SEMICOLON, TOKEN } from "./response-characters.ts";
import type { FieldPlaces } from "./response-fields.ts";
import { readField } from "./response-fields.ts";

/** Digits of a chunk's size: 2^48 bytes. */
const MOST_DIGITS = 12;
/** Bytes of a line with a chunk's size and its extensions, and of all trailers. */
const LONGEST_LINE = 1024;
const MOST_TRAILERS = 16 * 1024;

/** A trailer that would say how the body ends, which has ended (RFC 9110, 6.5.1). */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

const SIZE = 0;
const EXTENSION = 1;
const EXTENSION_NAME = 2;
const EXTENSION_VALUE = 3;
const EXTENSION_IN_VALUE = 4;
const SIZE_LF = 5;
const DATA = 6;
const DATA_CR = 7;
const DATA_LF = 8;
const TRAILERS = 9;

/** Takes the chunks' framing (RFC 9112, 7.1) away from a body, however it is cut into reads. Extensions and trailers are skipped. */
export class ChunkedBody {
  /** The last chunk and the trailers have been read. */
  done = false;
  /** Where `take` stopped: behind the body when `done`. */
  position = 0;
  /** Where the data lies that `take` found, as long as it is one piece. */
  pieceFrom = 0;
  pieceEnd = 0;
  #state = SIZE;
  #digits = 0;
  #size = 0;
  #line = 0;
  #trailers: Buffer | undefined;

  /**
   * The data among the bytes from `from` to `end`: a copy of its pieces, or `undefined` where there is one or none, which
   * then lies from `pieceFrom` to `pieceEnd`. Throws MalformedAnswer for framing that is none.
   */
  take(bytes: Buffer, from: number, end: number): Buffer | undefined {
    let joined: Buffer | undefined;
    let used = 0;
    let at = from;
    this.pieceFrom = this.pieceEnd = from;
    while (at < end && !this.done) {
      if (this.#state !== DATA) {
        at = this.#state === TRAILERS ? this.#readTrailers(bytes, at, end) : this.#frame(bytes[at] ?? 0, at);
        continue;
      }
      const part = Math.min(this.#size, end - at);
      if (this.pieceEnd === this.pieceFrom) {
        this.pieceFrom = at;
        this.pieceEnd = at + part;
      } else {
        if (joined === undefined) {
          joined = Buffer.allocUnsafe(end - this.pieceFrom);
          used = bytes.copy(joined, 0, this.pieceFrom, this.pieceEnd);
        }
        used += bytes.copy(joined, used, at, at + part);
      }
      at += part;
      this.#size -= part;
      if (this.#size === 0) this.#state = DATA_CR;
    }
    this.position = at;
    return joined?.subarray(0, used);
  }

  /** One byte of the framing between data. */
  #frame(byte: number, at: number): number {
    switch (this.#state) {
      case SIZE:
        this.#sizeByte(byte);
        break;
      case EXTENSION:
      case EXTENSION_VALUE:
        if (TOKEN[byte] !== 1) throw new MalformedAnswer("a chunk's extension is no token");
        this.#state = this.#state === EXTENSION ? EXTENSION_NAME : EXTENSION_IN_VALUE;
        this.#count();
        break;
      case EXTENSION_NAME:
      case EXTENSION_IN_VALUE:
        this.#extensionByte(byte);
        break;
      case SIZE_LF:
        if (byte !== LF) throw new MalformedAnswer("a chunk's size does not end with a line feed");
        this.#state = this.#size === 0 ? TRAILERS : DATA;
        this.#digits = 0;
        this.#line = 0;
        break;
      case DATA_CR:
        if (byte !== CR) throw new MalformedAnswer("a chunk is longer than its size");
        this.#state = DATA_LF;
        break;
      default:
        if (byte !== LF) throw new MalformedAnswer("a chunk is longer than its size");
        this.#state = SIZE;
    }
    return at + 1;
  }

  #sizeByte(byte: number): void {
    const digit = HEX[byte] ?? 255;
    if (digit < 16) {
      if (++this.#digits > MOST_DIGITS) throw new MalformedAnswer("a chunk's size is too large");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw new MalformedAnswer("a chunk has no size");
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION;
    else throw new MalformedAnswer("a chunk's size is no number");
  }

  #extensionByte(byte: number): void {
    this.#count();
    if (TOKEN[byte] === 1) return;
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION;
    else if (byte === EQUALS && this.#state === EXTENSION_NAME) this.#state = EXTENSION_VALUE;
    else throw new MalformedAnswer("a chunk's extension is no token");
  }

  #count(): void {
    if (++this.#line > LONGEST_LINE) throw new MalformedAnswer("a chunk's extensions are too long");
  }

  /** Where the body ends, or `end` when the trailers go on. */
  #readTrailers(bytes: Buffer, from: number, end: number): number {
    const held = this.#trailers;
    const all = held === undefined ? bytes : Buffer.concat([held, bytes.subarray(from, end)]);
    const shift = held === undefined ? 0 : from - held.length;
    const stop = end - shift;
    let line = held === undefined ? from : 0;
    const places: FieldPlaces = [];
    for (;;) {
      const next = readField(all, line, stop, places);
      if (next < 0) {
        refuseFraming(all, places);
        this.done = true;
        return shift - next;
      }
      if (next > stop) break;
      line = next;
    }
    const begin = held === undefined ? from : 0;
    if (stop - begin > MOST_TRAILERS) throw new MalformedAnswer("its trailers are too long");
    this.#trailers = Buffer.from(all.subarray(begin, stop));
    return end;
  }
}

function refuseFraming(bytes: Buffer, places: FieldPlaces): void {
  for (let i = 0; i + 1 < places.length; i += 4) {
    if (FRAMING.has(bytes.toString("latin1", places[i], places[i + 1]).toLowerCase())) {
      throw new MalformedAnswer("a trailer changes how the body is framed");
    }
  }
}
