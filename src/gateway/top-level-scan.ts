import { WantedMembers } from "./wanted-members.ts";

/** Where a value lies in the body: the bytes from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The body is no JSON object that can be routed; `at` counts bytes from 0. */
export class ScanError extends Error {
  override readonly name = "ScanError";
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** How parts that are pictures are named in the dialects. */
const PICTURES = new WantedMembers(["image", "image_url", "input_image"]);

const MAX_DEPTH = 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Bytes of a string that mean themselves. */
const ORDINARY = new Uint8Array(256).map((_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** The first byte from `at` on, before `stop`, that is not ordinary. */
function ordinaryEnd(body: Buffer, from: number, stop: number): number {
  let at = from;
  while (at < stop && ORDINARY[body[at] ?? 0] === 1) at++;
  return at;
}

/** What may come next. */
const VALUE = 0;
const KEY_OR_END = 1;
const KEY = 2;
const COLON = 3;
const COMMA_OR_END = 4;
const VALUE_OR_END = 5;
const DONE = 6;

/**
 * Reads a JSON text as bytes, checks its whole grammar and remembers where the wanted members of the outermost object
 * lie, without building any value. It can stop and go on at any byte outside of a number or a literal, so that a body
 * of many megabytes never holds the event loop. A wanted member that appears twice is refused: engines disagree about
 * which one counts, and the one that was routed by must be the one that is served.
 */
export class TopLevelScan {
  readonly #body: Buffer;
  readonly #wanted: WantedMembers;
  readonly spans = new Map<string, Span>();
  /** The byte after the opening brace. */
  bodyStart = 0;
  /** True while the outermost object has no member. */
  empty = true;
  /** Some value below the outermost object is a string that names a part which is a picture. */
  namesPictures = false;
  #at = 0;
  #expect = VALUE;
  /** One entry an open bracket: true for an object. */
  readonly #open: boolean[] = [];
  #stringStart = -1;
  #stringEscaped = false;
  #current: string | undefined;
  #valueStart = 0;

  constructor(body: Buffer, wanted: WantedMembers) {
    this.#body = body;
    this.#wanted = wanted;
  }

  /** Reads on until about `limit`; true when the whole body was read. Throws ScanError. */
  advance(limit: number): boolean {
    const end = this.#body.length;
    const stop = Math.min(limit, end);
    if (this.#stringStart >= 0) this.#string(stop);
    while (this.#at < stop && this.#stringStart < 0) this.#token(stop);
    if (this.#at < end) return false;
    if (this.#stringStart >= 0) throw new ScanError("the text ends inside a string", end);
    if (this.#expect !== DONE) throw new ScanError("the text ends before the object is closed", end);
    return true;
  }

  #token(stop: number): void {
    const byte = this.#body[this.#at] ?? 0;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at++;
      return;
    }
    switch (this.#expect) {
      case VALUE:
      case VALUE_OR_END:
        if (this.#open.length === 1) this.#valueStart = this.#at;
        this.#value(byte, stop);
        return;
      case KEY:
      case KEY_OR_END:
        if (byte === 0x7d && this.#expect === KEY_OR_END) this.#close();
        else if (byte === QUOTE) this.#openString(stop);
        else throw this.#unexpected("a member name in quotes");
        return;
      case COLON:
        if (byte !== 0x3a) throw this.#unexpected('":"');
        this.#at++;
        this.#expect = VALUE;
        return;
      case COMMA_OR_END:
        this.#separator(byte);
        return;
      default:
        throw this.#unexpected("the end of the text");
    }
  }

  #separator(byte: number): void {
    const inObject = this.#open.at(-1) === true;
    if (byte === 0x2c) {
      this.#at++;
      this.#expect = inObject ? KEY : VALUE;
    } else if (byte === (inObject ? 0x7d : 0x5d)) this.#close();
    else throw this.#unexpected(inObject ? '"," or "}"' : '"," or "]"');
  }

  #value(byte: number, stop: number): void {
    if (this.#open.length === 0 && byte !== 0x7b) throw this.#unexpected("an object");
    if (byte === QUOTE) this.#openString(stop);
    else if (byte === 0x7b || byte === 0x5b) this.#descend(byte === 0x7b);
    else if (byte === 0x5d && this.#expect === VALUE_OR_END) this.#close();
    else if (byte === 0x74) this.#literal("true");
    else if (byte === 0x66) this.#literal("false");
    else if (byte === 0x6e) this.#literal("null");
    else this.#number();
  }

  #descend(object: boolean): void {
    if (this.#open.length === MAX_DEPTH) {
      throw new ScanError(`the text is nested deeper than ${MAX_DEPTH} levels`, this.#at);
    }
    this.#open.push(object);
    this.#at++;
    if (this.#open.length === 1) this.bodyStart = this.#at;
    this.#expect = object ? KEY_OR_END : VALUE_OR_END;
  }

  #close(): void {
    this.#open.pop();
    this.#at++;
    this.#ended();
  }

  /** A value has ended at the current byte. */
  #ended(): void {
    if (this.#open.length === 1 && this.#current !== undefined) {
      this.spans.set(this.#current, { start: this.#valueStart, end: this.#at });
      this.#current = undefined;
    }
    this.#expect = this.#open.length === 0 ? DONE : COMMA_OR_END;
  }

  #openString(stop: number): void {
    this.#stringStart = this.#at;
    this.#stringEscaped = false;
    this.#at++;
    this.#string(stop);
  }

  #string(stop: number): void {
    const body = this.#body;
    let at = this.#at;
    for (;;) {
      at = ordinaryEnd(body, at, stop);
      if (at >= stop) break;
      const byte = body[at] ?? 0;
      if (byte === QUOTE) {
        this.#at = at + 1;
        this.#stringEnded();
        return;
      }
      if (byte === BACKSLASH) {
        this.#stringEscaped = true;
        at += this.#escape(at);
      } else throw new ScanError("a control character stands unescaped in a string", at);
    }
    this.#at = at;
  }

  /** Bytes of the escape at `at`. */
  #escape(at: number): number {
    const body = this.#body;
    const kind = body[at + 1];
    if (kind === undefined) throw new ScanError("the text ends inside a string", body.length);
    if (kind !== 0x75) {
      if (!'"\\/bfnrt'.includes(String.fromCharCode(kind)))
        throw new ScanError("unknown escape in a string", at);
      return 2;
    }
    for (let i = at + 2; i < at + 6; i++) {
      const digit = body[i];
      if (digit === undefined) throw new ScanError("the text ends inside a string", body.length);
      const lower = digit | 0x20;
      const hexadecimal = (digit >= 0x30 && digit <= 0x39) || (lower >= 0x61 && lower <= 0x66);
      if (!hexadecimal) throw new ScanError("malformed \\u escape in a string", at);
    }
    return 6;
  }

  #stringEnded(): void {
    const start = this.#stringStart;
    this.#stringStart = -1;
    if (this.#expect === VALUE || this.#expect === VALUE_OR_END) {
      if (!this.namesPictures && this.#open.length > 1) this.namesPictures = this.#namesPicture(start);
      this.#ended();
      return;
    }
    this.#expect = COLON;
    if (this.#open.length !== 1) return;
    this.empty = false;
    this.#current = this.#wantedKey(start);
    if (this.#current !== undefined && this.spans.has(this.#current)) {
      throw new ScanError(`the member "${this.#current}" appears twice`, start);
    }
  }

  #namesPicture(start: number): boolean {
    return PICTURES.at(this.#body, start + 1, this.#at - 1) !== undefined;
  }

  #wantedKey(start: number): string | undefined {
    if (this.#stringEscaped) {
      const name: unknown = JSON.parse(this.#body.toString("utf8", start, this.#at));
      return typeof name === "string" && this.#wanted.has(name) ? name : undefined;
    }
    return this.#wanted.at(this.#body, start + 1, this.#at - 1);
  }

  #literal(word: string): void {
    if (this.#body.toString("latin1", this.#at, this.#at + word.length) !== word)
      throw this.#unexpected("a value");
    this.#at += word.length;
    this.#ended();
  }

  #number(): void {
    const body = this.#body;
    let at = this.#at;
    const digits = (): boolean => {
      const first = at;
      while ((body[at] ?? 0) >= 0x30 && (body[at] ?? 0) <= 0x39) at++;
      return at > first;
    };
    if (body[at] === 0x2d) at++;
    if (body[at] === 0x30) at++;
    else if (!digits()) throw this.#unexpected("a value");
    if (body[at] === 0x2e) {
      at++;
      if (!digits()) throw new ScanError("malformed number", at);
    }
    if (((body[at] ?? 0) | 0x20) === 0x65) {
      at++;
      if (body[at] === 0x2b || body[at] === 0x2d) at++;
      if (!digits()) throw new ScanError("malformed number", at);
    }
    this.#at = at;
    this.#ended();
  }

  #unexpected(wanted: string): ScanError {
    const byte = this.#body[this.#at] ?? 0;
    const shown =
      byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16)}`;
    return new ScanError(`expected ${wanted}, found ${shown}`, this.#at);
  }
}
