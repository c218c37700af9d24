import { KIB } from "../../core/index.ts";
import type { ReceivedHeaders } from "./engine-handler.ts";
import { EngineError, MalformedAnswer } from "./engine-error.ts";
import { CR, LF, SPACE, VALUE } from "./response-characters.ts";
import type { FieldPlaces } from "./response-fields.ts";
import { readField } from "./response-fields.ts";
import { ResponseFraming } from "./response-framing.ts";
import type { KnownAnswers } from "./response-known.ts";

/** Bytes of all heads of one answer, the interim ones included. */
const LARGEST_HEAD = 64 * KIB;
/** `HTTP/1.1 200`, behind which a blank and a reason may follow. */
const STATUS_LINE = 12;
const PREFIX = Buffer.from("HTTP/1.");

/**
 * Reads the heads of answers, one after the other, however their bytes are cut into reads. Strict: what RFC 9112 leaves to
 * the reader's mercy (line feeds alone, folded lines, blanks before a colon, lengths in doubt) is no answer.
 */
export class ResponseHead {
  /** Valid once `take` found the head whole. */
  status = 0;
  headers: ReceivedHeaders = {};
  framing = new ResponseFraming();
  readonly #known: KnownAnswers;
  #minor = 1;
  /** The bytes of a head that is not whole yet. */
  #held: Buffer | undefined;
  readonly #places: FieldPlaces = [];
  /** Where the next line begins; 0 while the status line has not been read. */
  #line = 0;
  /** Bytes of this answer's interim heads. */
  #before = 0;

  constructor(known: KnownAnswers) {
    this.#known = known;
  }

  /**
   * Reads on in `bytes` from `from` to `end`. Returns where the body begins when the head is whole now, else -1: all bytes were
   * taken then, and none is kept without a copy. Throws MalformedAnswer, or EngineError for a head that is too large.
   */
  take(bytes: Buffer, from: number, end: number): number {
    if (this.#held === undefined && this.#before === 0) {
      const size = this.#known.match(bytes, from, end);
      const { found } = this.#known;
      if (size > 0 && found !== undefined) {
        ({ status: this.status, headers: this.headers, framing: this.framing } = found);
        return from + size;
      }
    }
    let at = from;
    for (;;) {
      const next = this.#take(bytes, at, end);
      if (next < 0 || this.status >= 200) {
        if (next >= 0) this.#before = 0;
        return next;
      }
      // An interim answer (RFC 9110, 15.2): another head follows.
      if (this.framing.has) throw new MalformedAnswer("an interim answer has a body");
      if (this.status === 101) throw new MalformedAnswer("it switches to a protocol that nobody asked for");
      this.#before += next - at;
      at = next;
    }
  }

  #take(bytes: Buffer, from: number, end: number): number {
    const held = this.#held;
    if (held === undefined && from === end) return -1;
    const head = held === undefined ? bytes : Buffer.concat([held, bytes.subarray(from, end)]);
    const begin = held === undefined ? from : 0;
    const stop = held === undefined ? end : head.length;
    const found = this.#read(head, begin, stop);
    if (found < 0) {
      if (this.#before + stop - begin > LARGEST_HEAD) throw tooLarge();
      this.#held = held === undefined ? Buffer.from(bytes.subarray(from, end)) : head;
      this.#line = this.#line === 0 ? 0 : this.#line - begin;
      if (begin > 0)
        for (let i = 0; i < this.#places.length; i++) this.#places[i] = (this.#places[i] ?? 0) - begin;
      return -1;
    }
    if (this.#before + found - begin > LARGEST_HEAD) throw tooLarge();
    this.#held = undefined;
    this.#line = 0;
    this.#settle(head, begin, found);
    this.#places.length = 0;
    return held === undefined ? found : from + found - held.length;
  }

  /** Reads whole lines; where the body begins, or -1. */
  #read(head: Buffer, begin: number, end: number): number {
    if (this.#line === 0) {
      const next = this.#statusLine(head, begin, end);
      if (next < 0) return -1;
      this.#line = next;
    }
    for (;;) {
      const next = readField(head, this.#line, end, this.#places);
      if (next > end) return -1;
      if (next < 0) return -next;
      this.#line = next;
    }
  }

  /** Where the first header line begins, or -1 while the status line is not whole. */
  #statusLine(head: Buffer, begin: number, end: number): number {
    const most = Math.min(end - begin, PREFIX.length);
    for (let i = 0; i < most; i++)
      if (head[begin + i] !== PREFIX[i]) throw new MalformedAnswer("it does not begin with HTTP/1.1");
    if (end - begin <= STATUS_LINE) return -1;
    const minor = (head[begin + 7] ?? 0) - 48;
    if ((minor !== 0 && minor !== 1) || head[begin + 8] !== SPACE) {
      throw new MalformedAnswer("its version is neither HTTP/1.1 nor HTTP/1.0");
    }
    let status = 0;
    for (let i = 9; i < STATUS_LINE; i++) {
      const digit = (head[begin + i] ?? 0) - 48;
      if (digit < 0 || digit > 9) throw new MalformedAnswer("its status is not three digits");
      status = status * 10 + digit;
    }
    if (status < 100) throw new MalformedAnswer("its status is below 100");
    let at = begin + STATUS_LINE;
    if (head[at] === SPACE) while (at < end && VALUE[head[at] ?? 0] === 1) at++;
    if (at >= end) return -1;
    if (head[at] !== CR) throw new MalformedAnswer("its status line is malformed");
    if (at + 1 >= end) return -1;
    if (head[at + 1] !== LF) throw new MalformedAnswer("its status line does not end with a line feed");
    this.#minor = minor;
    this.status = status;
    return at + 2;
  }

  /** The head's strings, and what they say of its body. */
  #settle(head: Buffer, begin: number, end: number): void {
    const text = head.toString("latin1", begin, end);
    const places = this.#places;
    const headers: Record<string, string | string[] | undefined> = {};
    const framing = new ResponseFraming(this.#minor);
    for (let i = 0; i + 3 < places.length; i += 4) {
      const from = (places[i] ?? 0) - begin;
      const name = text.slice(from, (places[i + 1] ?? 0) - begin).toLowerCase();
      const value = text.slice((places[i + 2] ?? 0) - begin, (places[i + 3] ?? 0) - begin);
      framing.field(name, value);
      add(headers, name, value);
    }
    const { status } = this;
    framing.settle(status);
    this.headers = headers;
    this.framing = framing;
    if (status >= 200) this.#known.learn({ status, headers, framing }, head, begin, end);
  }
}

function add(headers: Record<string, string | string[] | undefined>, name: string, value: string): void {
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else if (typeof known === "string") headers[name] = [known, value];
  else if (Array.isArray(known)) known.push(value);
  // `constructor` and its like, which every object has.
  else Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
}

const tooLarge = (): EngineError =>
  new EngineError("UND_ERR_HEADERS_OVERFLOW", `its head is larger than ${LARGEST_HEAD / KIB} KiB`);
