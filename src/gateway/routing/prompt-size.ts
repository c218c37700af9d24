import type { Ask, Operation } from "../ask.ts";
import type { Span } from "../top-level-scan.ts";
import { namesPart } from "./message-parts.ts";
import { scanText } from "./text-scan.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** Members of a body that become the prompt, by operation. Where there are none, length does not decide. */
const TEXT: Readonly<Partial<Record<Operation, readonly string[]>>> = {
  chat: ["messages", "tools"],
  completions: ["prompt"],
  messages: ["system", "messages", "tools"],
  responses: ["instructions", "input", "tools"],
};
const ANSWER_LIMITS = ["max_tokens", "max_completion_tokens", "max_output_tokens"] as const;
/**
 * Tokens that a chat template adds by itself: role marks, a date, a default system prompt, how to call tools. The longest of
 * those that are common (harmony, Llama 3.1 with tools) stay below.
 */
const TEMPLATE = 256;
/** Bytes that make one token, cautiously: English has about four, other scripts, code and JSON have fewer. */
const BYTES_A_TOKEN = 3;
/** Share of the most tokens that a text of code, JSON or numbers has with most tokenizers at most; prose has 0.45. */
const LIKELY_OF_MOST = 0.55;
/** Tokens of a picture: a small one, a usual one, and the largest that Qwen2-VL takes (16 384). */
const IMAGE = { least: 16, likely: 1_500, most: 16_384 };
/** Bytes of one script's letters that one token may stand for, in the mean of a text; CJK and Indic tokens are longest. */
const WIDE_BYTES_A_TOKEN = 16;
/** Of the words of a text, those that certainly are in the prompt: ids and names of parts may be left out by a template. */
const SURE_WORDS = 0.9;

/** Whether the length of a prompt of this kind is to be compared with a window. */
export const hasLength = (ask: Ask): boolean => TEXT[ask.operation] !== undefined;

const textSpans = (ask: Ask): Span[] =>
  (TEXT[ask.operation] ?? []).flatMap((member) => ask.spans.get(member) ?? []);

/**
 * Bounds of a prompt from the size of its text members alone, in a microsecond: no tokenizer that falls back to bytes makes
 * more tokens than there are bytes, whatever the language.
 */
export function roughBounds(ask: Ask): TokenBounds {
  const members = TEXT[ask.operation];
  if (members === undefined) return NOTHING;
  let bytes = 0;
  let pictures = false;
  for (const member of members) {
    const span = ask.spans.get(member);
    if (span === undefined) continue;
    bytes += span.end - span.start;
    if (
      ask.pictureless !== true &&
      (member === "messages" || member === "input") &&
      namesPart(ask.bytes, span, "vision")
    )
      pictures = true;
  }
  const likely = Math.ceil(bytes / BYTES_A_TOKEN);
  return { least: 0, most: pictures ? Infinity : bytes + TEMPLATE, likely };
}

/**
 * Bounds of a prompt from its text, read once: at least one token a word (tokenizers of language models split a text into
 * words before they look for tokens), at most what large vocabularies make of letters, signs and other scripts; pictures and
 * other data are counted apart. Only `least` is certain for any tokenizer: a request is refused by it and by nothing else.
 */
export function readBounds(ask: Ask): TokenBounds {
  if (!hasLength(ask)) return NOTHING;
  const { words, bytes, wideBytes, most, images } = scanText(ask.bytes, textSpans(ask));
  const least =
    Math.floor(words * SURE_WORDS) + Math.floor(wideBytes / WIDE_BYTES_A_TOKEN) + images * IMAGE.least;
  return {
    least,
    most: Math.max(least, most) + TEMPLATE + images * IMAGE.most,
    likely:
      Math.max(least, Math.ceil(bytes / BYTES_A_TOKEN), Math.ceil(most * LIKELY_OF_MOST)) +
      images * IMAGE.likely,
  };
}

/**
 * Bounds of a prompt of which a tokenizer counted `counted` tokens in the first `share` (0 to 1] of its text. What a template
 * adds and what pictures take stays unknown.
 */
export function countedBounds(read: TokenBounds, counted: number, share: number): TokenBounds {
  const whole = share >= 1 ? counted : Math.ceil(counted / share);
  const most = share >= 1 ? Math.min(read.most, counted + TEMPLATE + Math.ceil(counted / 16)) : read.most;
  const least = Math.max(read.least, counted);
  return { least, most: Math.max(least, most), likely: Math.max(least, whole) };
}

/** Tokens that the answer may have at most, as the client says it. */
export function answerLimit(ask: Ask): number | undefined {
  for (const member of ANSWER_LIMITS) {
    const span = ask.spans.get(member);
    const value = span === undefined ? Number.NaN : wholeNumber(ask.bytes, span);
    if (value > 0) return value;
  }
  return undefined;
}

/** Of bytes that are known to be a JSON value; NaN where it is no plain whole number. */
function wholeNumber(bytes: Buffer, { start, end }: Span): number {
  if (end - start > 12) return Number.NaN;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const NOTHING: TokenBounds = { least: 0, most: 0, likely: 0 };
