import type { EngineDialect } from "../../engines/surface.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import { asCount, asList, asObject, isGiven, parseObject } from "./fields.ts";

const PROBE = "omni probes this";
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LETTER_U = 0x75;

export type Kind = "text" | "reasoning";

/**
 * What the events of one engine have in common that carry one piece of text each: they differ in that text alone. An
 * event of the same shape holds nothing else that the first had not, and so need not be parsed, or looked at at all.
 */
export class DeltaShape {
  readonly kind: Kind;
  /** Bytes from the beginning of such an event to its text. */
  readonly before: number;
  /** Bytes from the quote behind the text to the end. */
  readonly after: number;
  /** All bytes of such an event but its text. */
  readonly #fixed: Buffer;

  private constructor(kind: Kind, before: string, after: string) {
    this.kind = kind;
    this.before = before.length;
    this.after = after.length;
    // Not of the pool: a stream may be open for hours, and would keep what lies beside it there.
    this.#fixed = Buffer.allocUnsafeSlow(before.length + after.length);
    this.#fixed.write(before + after, "latin1");
  }

  /** The shape of a raw event (a character a byte) with its blank line; `undefined` when it carries anything but one text. */
  static of(lane: EngineDialect, event: string): DeltaShape | undefined {
    const data = event.indexOf("data:");
    if (data < 0 || event.includes("data:", data + 5)) return undefined;
    for (const [kind, key] of KEYS[lane]) {
      const at = event.lastIndexOf(`"${key}":`);
      const open = at < 0 ? -1 : event.indexOf('"', at + key.length + 3);
      if (open < 0 || event.slice(at + key.length + 3, open).trim() !== "") continue;
      const close = closingQuote(event, open + 1);
      // An empty text is that of a first event, which comes once.
      if (close === undefined || close === open + 1) continue;
      // Whether that place is the delta's text, and nothing else is said: asked of the parser, with another text there.
      const probe = parseObject(event.slice(data + 5, open + 1) + PROBE + event.slice(close));
      if (probe !== undefined && onlyText(lane, probe, key) === PROBE) {
        return new DeltaShape(kind, event.slice(0, open + 1), event.slice(close));
      }
    }
    return undefined;
  }

  /**
   * The end of the event of this shape that begins at `from`; negative where it is another, has no text, or goes on behind
   * `end`. A loop here is quicker than two native comparisons, whose calls take more than the bytes do.
   */
  endOf(bytes: Buffer, from: number, end: number): number {
    const { before } = this;
    const fixed = this.#fixed;
    const all = fixed.length;
    if (end - from <= all) return -1;
    let i = 0;
    for (; i + 3 < before; i += 4) {
      const at = from + i;
      const differ =
        ((bytes[at] ?? 0) ^ (fixed[i] ?? 0)) |
        ((bytes[at + 1] ?? 0) ^ (fixed[i + 1] ?? 0)) |
        ((bytes[at + 2] ?? 0) ^ (fixed[i + 2] ?? 0)) |
        ((bytes[at + 3] ?? 0) ^ (fixed[i + 3] ?? 0));
      if (differ !== 0) return -1;
    }
    for (; i < before; i++) if (bytes[from + i] !== fixed[i]) return -1;
    const close = textEnd(bytes, from + before, end);
    if (close <= from + before || end - close < this.after) return -1;
    for (let at = close; i < all; i++, at++) if (bytes[at] !== fixed[i]) return -1;
    return close + this.after;
  }
}

/** The quote that ends the text of a JSON string; negative where it has none before `end`, or holds what no JSON string may. */
export function textEnd(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at;
    if (byte < SPACE) return -1;
    if (byte === BACKSLASH) {
      at = escapeEnd(bytes, at + 1);
      if (at < 0) return -1;
    }
  }
  return -1;
}

/** The last byte of an escape; negative where it is none, or the text ends within it. */
function escapeEnd(bytes: Buffer, at: number): number {
  if (bytes[at] !== LETTER_U) return (bytes[at] ?? 0) < SPACE ? -1 : at;
  for (let digit = at + 1; digit <= at + 4; digit++) {
    const byte = bytes[digit] ?? 0;
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) return -1;
  }
  return at + 4;
}

const KEYS: Readonly<Record<EngineDialect, readonly (readonly [Kind, string])[]>> = {
  chat: [
    ["text", "content"],
    ["reasoning", "reasoning_content"],
    ["reasoning", "reasoning"],
  ],
  completions: [["text", "text"]],
  messages: [
    ["text", "text"],
    ["reasoning", "thinking"],
  ],
};

function closingQuote(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return undefined;
}

/** The text under that name, where the event says nothing else. */
function onlyText(lane: EngineDialect, event: JsonObject, key: string): unknown {
  if (isGiven(event["error"]) || isGiven(event["usage"]) || event["type"] === "error") return undefined;
  if (lane === "messages") {
    const delta = event["type"] === "content_block_delta" ? asObject(event["delta"]) : undefined;
    return delta?.["type"] === `${key}_delta` ? delta[key] : undefined;
  }
  const choices = asList(event["choices"]);
  const choice = asObject(choices[0]);
  if (choices.length !== 1 || choice === undefined || (asCount(choice["index"]) ?? 0) !== 0) return undefined;
  if (isGiven(choice["logprobs"]) || isGiven(choice["finish_reason"])) return undefined;
  if (lane === "completions") return choice[key];
  const delta = asObject(choice["delta"]) ?? {};
  const others = Object.entries(delta).filter(
    ([name, value]) => name !== key && name !== "role" && isGiven(value),
  );
  return others.length === 0 ? delta[key] : undefined;
}
