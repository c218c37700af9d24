import type { PlainHead } from "./plain-request-head.ts";

const LENGTH_NAME = "\r\ncontent-length:";
const ZERO = 0x30;
const NINE = 0x39;
const MOST_DIGITS = 15;
/** Longer heads are read anew each time. */
const LONGEST = 2_048;
const MOST_KNOWN = 64;

/**
 * A head that was read before. Clients repeat theirs byte for byte but for the length of the body, so that most heads need
 * no reading: the bytes before and behind the digits of the length are compared, and only the digits are read.
 */
export class KnownHead {
  readonly #head: PlainHead;
  /** A copy, so that the body it came with can be freed. */
  readonly #bytes: Buffer;
  readonly #digits: number;
  readonly #behind: number;

  private constructor(head: PlainHead, bytes: Buffer, digits: number, behind: number) {
    this.#head = head;
    this.#bytes = bytes;
    this.#digits = digits;
    this.#behind = behind;
  }

  /** Of a head that was read from the beginning of `bytes`, with `digits` and `behind` its length's digits. */
  static of(head: PlainHead, bytes: Buffer, digits: number, behind: number): KnownHead {
    const copy = Buffer.allocUnsafeSlow(head.size);
    bytes.copy(copy, 0, 0, head.size);
    return new KnownHead(head, copy, digits, behind);
  }

  /** The head that `bytes` begin with, when it is this one but for the length of its body. */
  match(bytes: Buffer): PlainHead | undefined {
    const known = this.#bytes;
    const digits = this.#digits;
    if (bytes.length < digits) return undefined;
    if (known.compare(bytes, 0, digits, 0, digits) !== 0) return undefined;
    let length = 0;
    let at = digits;
    for (; at < bytes.length; at++) {
      const code = bytes[at] ?? 0;
      if (code < ZERO || code > NINE) break;
      length = length * 10 + code - ZERO;
    }
    const size = at + known.length - this.#behind;
    if (size > bytes.length || !isPlainLength(bytes, digits, at)) return undefined;
    if (known.compare(bytes, at, size, this.#behind, known.length) !== 0) return undefined;
    const head = this.#head;
    if (length === head.length) return head;
    const headers = Object.freeze({ ...head.headers, "content-length": String(length) });
    return { url: head.url, path: head.path, headers, size, length, close: head.close, kin: head.kin };
  }
}

const isBlank = (code: number | undefined): boolean => code === 0x20 || code === 0x09;

/** One form for each number, as in the reader of heads. */
const isPlainLength = (bytes: Buffer, from: number, to: number): boolean =>
  to > from && to - from <= MOST_DIGITS && (bytes[from] !== ZERO || to - from === 1);

/**
 * Lets connections with the same head share it, so that an open connection costs no copy of its own. It is found by the hash
 * of the whole: how long a search takes tells nothing of another client's secret.
 */
export class KnownHeads {
  readonly #known = new Map<string, KnownHead>();

  /** The known head for one that was just read from the beginning of `bytes`; `undefined` where it is not worth it. */
  share(head: PlainHead, bytes: Buffer): KnownHead | undefined {
    if (head.size > LONGEST) return undefined;
    const text = bytes.toString("latin1", 0, head.size);
    // Names come once, and no value holds a line's end: this is the line.
    let digits = text.toLowerCase().indexOf(LENGTH_NAME) + LENGTH_NAME.length;
    while (isBlank(bytes[digits])) digits++;
    const behind = digits + String(head.length).length;
    const key = text.slice(0, digits) + text.slice(behind);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const found = KnownHead.of(head, bytes, digits, behind);
    this.#known.set(key, found);
    return found;
  }
}
