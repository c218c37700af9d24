import type { NativeModel } from "./native.ts";

const REPLACEMENT = "\u{FFFD}";
/** A character of UTF-8 has at most four bytes, so at most four byte tokens can belong together. */
const LONGEST_PENDING = 4;

/** The printable signs by which vocabularies of GPT-2's kind write the 256 bytes. Source: OpenAI's gpt-2, encoder.py. */
const BYTES_OF_SIGNS: ReadonlyMap<string, number> = byteSigns();

function byteSigns(): Map<string, number> {
  const signs = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    signs.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return signs;
}

/**
 * The text of every token, read once from the vocabulary and kept. A token whose bytes are no whole
 * characters has no text of its own; `TextDecoder` joins it with its neighbours.
 */
export class TokenTexts {
  readonly #model: NativeModel;
  readonly #shown: ReadonlySet<number>;
  readonly #texts: (string | null | undefined)[] = [];
  /** An ordinary token put in front, because the first token of a text loses its leading space. */
  readonly #anchor: number;
  readonly #anchorLength: number;

  /** `shown` are control tokens whose text is wanted all the same, such as `[TOOL_CALLS]`. */
  constructor(model: NativeModel, shown: ReadonlySet<number> = new Set()) {
    this.#model = model;
    this.#shown = shown;
    this.#anchor = model.tokenize("a", false).at(-1) ?? 0;
    this.#anchorLength = model.detokenize(Uint32Array.of(this.#anchor), false).length;
  }

  /** The token's text, or `null` when it ends or begins inside a character. */
  of(token: number): string | null {
    const known = this.#texts[token];
    if (known !== undefined) return known;
    const text = this.join([token]);
    const whole = text.includes(REPLACEMENT) ? null : text;
    this.#texts[token] = whole;
    return whole;
  }

  /** The token's own bytes, also where they are no whole character. */
  bytes(token: number): Buffer {
    const text = this.of(token);
    if (text !== null) return Buffer.from(text);
    const written = this.#model.getTokenString(token);
    const single = /^<0x([0-9A-Fa-f]{2})>$/.exec(written)?.[1];
    if (single !== undefined) return Buffer.from(single, "hex");
    const bytes = Array.from(written, (sign) => BYTES_OF_SIGNS.get(sign));
    return bytes.includes(undefined) ? Buffer.from(this.join([token])) : Buffer.from(bytes.map(Number));
  }

  join(tokens: readonly number[]): string {
    const special = tokens.length === 1 && this.#shown.has(tokens[0] ?? -1);
    const all = this.#model.detokenize(Uint32Array.of(this.#anchor, ...tokens), special);
    return all.slice(this.#anchorLength);
  }
}

/** Turns a growing row of tokens into text without ever showing half a character. */
export class TextDecoder {
  readonly #texts: TokenTexts;
  #pending: number[] = [];

  constructor(texts: TokenTexts) {
    this.#texts = texts;
  }

  /** The text that became whole by this token; may be empty. */
  push(token: number): string {
    if (this.#pending.length === 0) {
      const text = this.#texts.of(token);
      if (text !== null) return text;
    }
    this.#pending.push(token);
    const text = this.#texts.join(this.#pending);
    if (text.endsWith(REPLACEMENT) && this.#pending.length < LONGEST_PENDING) return "";
    this.#pending = [];
    return text;
  }

  /** What is left when generation ends inside a character, shown as U+FFFD. */
  flush(): string {
    if (this.#pending.length === 0) return "";
    const text = this.#texts.join(this.#pending);
    this.#pending = [];
    return text;
  }
}
