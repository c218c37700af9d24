import { MalformedAnswer } from "./engine-error.ts";

/** Digits of a length; beyond them numbers are not exact. */
const MOST_DIGITS = 15;
/** Seconds that an engine may ask for an idle connection to be kept. */
const LONGEST_KEPT = 600;

/** How an answer's body is told from what follows it (RFC 9112, 6.3), and what becomes of its connection. */
export class ResponseFraming {
  /** Bytes of the body; -1 when no header says. */
  length = -1;
  chunked = false;
  /** The connection may take another request behind this answer. */
  keeps: boolean;
  /** Seconds that the engine keeps an idle connection; -1 when it does not say. */
  keptFor = -1;

  /** Of an answer of HTTP/1.`minor`; HTTP/1.0 is taken, and not trusted with a second request. */
  constructor(minor = 1) {
    this.keeps = minor === 1;
  }

  /** A header said that a body follows. */
  get has(): boolean {
    return this.chunked || this.length > 0;
  }

  /** Sees a header, its name in lower case. Throws MalformedAnswer for a length that is none or is in doubt. */
  field(name: string, value: string): void {
    switch (name) {
      case "content-length":
        this.#length(value);
        return;
      case "transfer-encoding":
        if (this.chunked || value.toLowerCase() !== "chunked") {
          throw new MalformedAnswer("its transfer-encoding is not chunked alone");
        }
        this.chunked = true;
        return;
      case "connection":
        if (value !== "keep-alive" && closes(value)) this.keeps = false;
        return;
      case "keep-alive":
        this.#keepAlive(value);
        return;
      default:
    }
  }

  /** All headers were seen. Throws MalformedAnswer where two of them contradict each other. */
  settle(status: number): void {
    if (this.chunked && this.length >= 0) {
      throw new MalformedAnswer("it has a content-length and a transfer-encoding");
    }
    if (status < 200) return;
    if (status === 204 || status === 304) {
      // What a length announces might come after all, and would be taken for the next answer.
      if (this.has) this.keeps = false;
      this.chunked = false;
      this.length = 0;
    } else if (!this.chunked && this.length < 0) this.keeps = false;
  }

  #length(value: string): void {
    // Twice, even when equal, is what llhttp refuses too.
    if (this.length >= 0) throw new MalformedAnswer("it has two content-lengths");
    if (value.length === 0 || value.length > MOST_DIGITS)
      throw new MalformedAnswer("its content-length is no number");
    let length = 0;
    for (let i = 0; i < value.length; i++) {
      const digit = value.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) throw new MalformedAnswer("its content-length is no number");
      length = length * 10 + digit;
    }
    this.length = length;
  }

  #keepAlive(value: string): void {
    const seconds = /(?:^|[\s,;])timeout=(\d{1,9})(?:$|[\s,;])/i.exec(value)?.[1];
    if (seconds !== undefined) this.keptFor = Math.min(Number(seconds), LONGEST_KEPT);
  }
}

const closes = (connection: string): boolean =>
  connection.split(",").some((option) => option.trim().toLowerCase() === "close");
