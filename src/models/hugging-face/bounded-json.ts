const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const BACKSLASH = 92;

/** Deeper nesting than any model's files have; what is parsed costs memory for each level. */
const MOST_DEPTH = 64;
/**
 * Values in one file: the index of the largest models names some 200 000 tensors, a tokenizer's configuration a million
 * things. A file of 64 MB could hold 32 million lists, which as objects are gigabytes.
 */
const MOST_VALUES = 1 << 21;

/** A JSON text that may be parsed, or why it may not. */
export type BoundedJson = { readonly text: string } | { readonly refusal: string };

/**
 * Goes through a JSON text once, before it is parsed: counts what parsing would build, and writes null in place of
 * `NaN` and `Infinity`, which Python writes and JSON does not have. Takes time and memory in proportion to the text.
 */
export function boundedJson(text: string): BoundedJson {
  const pieces: string[] = [];
  let [depth, values, copied] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === COMMA) values++;
    else if (isOpener(code)) {
      depth++;
      values++;
    } else if (isCloser(code)) depth--;
    else {
      const length = wordOfPython(text, at, code);
      if (length === 0) continue;
      const from = text.charCodeAt(at - 1) === MINUS ? at - 1 : at;
      pieces.push(text.slice(copied, from), "null");
      at += length - 1;
      copied = at + 1;
    }
    if (depth > MOST_DEPTH) return { refusal: `nests deeper than ${MOST_DEPTH} levels` };
    if (values > MOST_VALUES) return { refusal: `holds more than ${MOST_VALUES} values` };
  }
  return { text: copied === 0 ? text : pieces.join("") + text.slice(copied) };
}

/** The offset after the closing quote of the string that begins at `start`; the end of the text when there is none. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

/** `[` or `{`. */
export const isOpener = (code: number): boolean => code === 91 || code === 123;
/** `]` or `}`. */
export const isCloser = (code: number): boolean => code === 93 || code === 125;

function wordOfPython(text: string, at: number, code: number): number {
  if (code === 78 && text.startsWith("NaN", at)) return 3;
  return code === 73 && text.startsWith("Infinity", at) ? 8 : 0;
}
