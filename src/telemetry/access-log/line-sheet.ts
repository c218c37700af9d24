import { plain } from "./line-parts.ts";

const FIRST_SIZE = 80 * 1024;
/** A sheet that had to grow for a slow disk is not kept at that size. */
const KEPT_SIZE = 256 * 1024;
/** Bytes of a UTF-16 unit in UTF-8 at most. */
const UNIT_BYTES = 3;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Characters up to which a loop is faster than a call. */
const SHORT = 14;
/** Whole numbers up to here are written digit by digit. */
const MOST_WHOLE = 2 ** 31;

/**
 * Lines as bytes, put together part by part where they lie when they are written: no text of a line is ever made, which
 * would have to be looked through, copied and thrown away again. What is not plain ASCII takes the long way.
 */
export class LineSheet {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  #spare: Buffer | undefined;
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Takes back what was put behind `length`. */
  cut(length: number): void {
    this.#length = length;
  }

  /** What was put so far; the sheet begins anew. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = this.#spare ?? Buffer.allocUnsafeSlow(FIRST_SIZE);
    this.#spare = undefined;
    this.#length = 0;
    return taken;
  }

  /** Uses the memory of something again that was taken and is written now. */
  reuse(taken: Buffer): void {
    if (taken.buffer.byteLength <= KEPT_SIZE) this.#spare = Buffer.from(taken.buffer);
  }

  bytes(part: Buffer): void {
    this.#make(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  /** Text that is ASCII. */
  ascii(text: string): void {
    const { length } = text;
    this.#make(length);
    if (length > SHORT) {
      this.#length += this.#bytes.write(text, this.#length, "latin1");
      return;
    }
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < length; index++) bytes[at++] = text.charCodeAt(index);
    this.#length = at;
  }

  /** Any text, what ends a line or colours a terminal replaced. */
  plain(text: string): void {
    if (isPlain(text)) this.ascii(text);
    else this.#unusual(plain(text));
  }

  /** A text as a JSON string, quotes included. */
  quoted(text: string): void {
    if (!isPlain(text)) {
      this.#unusual(JSON.stringify(text));
      return;
    }
    this.#make(1);
    this.#bytes[this.#length++] = QUOTE;
    this.ascii(text);
    this.#make(1);
    this.#bytes[this.#length++] = QUOTE;
  }

  /** A number as JSON has it. */
  number(value: number): void {
    if (value >= 0 && value < MOST_WHOLE && Number.isInteger(value)) this.#whole(value, 1);
    else this.ascii(Number.isFinite(value) ? String(value) : "null");
  }

  /** A number with three decimals at most, as JSON has it: of milliseconds, microseconds are enough. */
  thousandths(value: number): void {
    const all = Math.round(value * 1000);
    if (!(all >= 0 && all < MOST_WHOLE)) {
      this.number(all / 1000);
      return;
    }
    const whole = Math.floor(all / 1000);
    let rest = all - whole * 1000;
    this.#whole(whole, 1);
    if (rest === 0) return;
    let digits = 3;
    for (; rest % 10 === 0; digits--) rest /= 10;
    this.ascii(".");
    this.#whole(rest, digits);
  }

  /** A whole number of at least so many digits. */
  digits(value: number, digits: number): void {
    this.#whole(value, digits);
  }

  #whole(value: number, least: number): void {
    const known = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : digitsOf(value);
    const digits = known < least ? least : known;
    this.#make(digits);
    const bytes = this.#bytes;
    const start = this.#length;
    let rest = value;
    for (let at = start + digits - 1; at > start; at--) {
      const more = Math.floor(rest / 10);
      bytes[at] = ZERO + rest - more * 10;
      rest = more;
    }
    bytes[start] = ZERO + rest;
    this.#length = start + digits;
  }

  #unusual(text: string): void {
    this.#make(text.length * UNIT_BYTES);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Sees that so many bytes more fit. */
  #make(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function digitsOf(value: number): number {
  let digits = 4;
  for (let power = 10_000; power <= value; power *= 10) digits++;
  return digits;
}

/** Whether a text is ASCII that needs no escape anywhere. */
function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
  }
  return true;
}
