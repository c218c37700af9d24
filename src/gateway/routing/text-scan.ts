import type { Span } from "../top-level-scan.ts";
import { follows } from "./message-parts.ts";

/** What the texts of a JSON value consist of. Data of pictures, sounds and files is left out. */
export interface TextScan {
  /** Runs of ASCII letters in values. */
  words: number;
  /** Bytes, escapes counted as what they stand for. */
  bytes: number;
  /** Of these, bytes of characters beyond ASCII in values. */
  wideBytes: number;
  /** Tokens that tokenizers with a vocabulary of tens of thousands make of it at most. */
  most: number;
  /** Parts that are pictures, by address or as data. */
  images: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes that are looked at; of what is behind only the number counts. About 5 ms. */
const MOST_READ = 2 * 1024 * 1024;
const IMAGE_TYPES: ReadonlySet<string> = new Set(["image", "image_url", "input_image"]);
const DATA_KEYS = ["data", "file_data"] as const;
/** Bytes of a part's type that is worth a look. */
const TYPE_LENGTHS = { least: 5, most: 11 };

/** Kinds of bytes; what is not listed is OTHER. */
const OTHER = 0;
const LOWER = 1;
const UPPER = 2;
const WIDE = 3;
const SPACE = 4;
const SPECIAL = 5;
const KINDS = new Uint8Array(256).map((_, byte) => {
  if (byte === QUOTE || byte === BACKSLASH) return SPECIAL;
  if (byte === 0x20) return SPACE;
  if (byte >= 0x80) return WIDE;
  if (byte >= 0x61 && byte <= 0x7a) return LOWER;
  return byte >= 0x41 && byte <= 0x5a ? UPPER : OTHER;
});

/** Reads the texts of JSON values without building them. The bytes must have been checked to be JSON. */
export function scanText(bytes: Buffer, spans: readonly Span[]): Readonly<TextScan> {
  const seen: TextScan = { words: 0, bytes: 0, wideBytes: 0, most: 0, images: 0 };
  let read = 0;
  for (const { start, end } of spans) {
    let at = start;
    while (at < end && read + at - start < MOST_READ) {
      if (bytes[at] === QUOTE) at = readString(bytes, at, end, seen);
      else {
        seen.bytes++;
        seen.most++;
        at++;
      }
    }
    read += at - start;
    // What was not looked at: each byte may be a token.
    seen.bytes += end - at;
    seen.most += end - at;
  }
  return seen;
}

/** Reads the string that opens at `start`; the place behind its end. */
function readString(bytes: Buffer, start: number, limit: number, seen: TextScan): number {
  const behind = behindData(bytes, start, limit);
  if (behind !== undefined) return behind;
  const stop = Math.min(limit, start + MOST_READ);
  const before = seen.words;
  const wideBefore = seen.wideBytes;
  const end = readText(bytes, start + 1, stop, seen);
  if (end >= stop && stop < limit) {
    seen.bytes += limit - end;
    seen.most += limit - end;
    return limit;
  }
  if (isKey(bytes, end + 1, limit)) {
    // Names of members are in no prompt, or stand there for the marks of a template.
    seen.words = before;
    seen.wideBytes = wideBefore;
  } else {
    const length = end - start - 1;
    const short = length >= TYPE_LENGTHS.least && length <= TYPE_LENGTHS.most;
    if (short && isImageType(bytes, start, end)) seen.images++;
  }
  return end + 1;
}

/**
 * Reads what stands between quotes; the place of the closing one. What it counts for the most tokens was held against 14
 * tokenizers (Llama, Qwen, Gemma, GPT-2, DeepSeek, Command-R, Falcon, …): random letters make 0.54 tokens each, Chinese 0.76 a
 * byte with GPT-2 and 0.2 with newer ones, a digit or a sign at most one, and a space joins the word behind it.
 */
function readText(bytes: Buffer, from: number, stop: number, seen: TextScan): number {
  let at = from;
  let words = 0;
  let wide = 0;
  let single = 0;
  let pairs = 0;
  let escaped = 0;
  let run = 0;
  let inWord = false;
  for (; at < stop; at++) {
    const kind = KINDS[bytes[at] ?? 0] ?? OTHER;
    if (kind === LOWER) {
      run++;
      continue;
    }
    if (run > 0) {
      if (!inWord) words++;
      pairs += ((run * 9) >> 4) + 1;
      run = 0;
      inWord = true;
    }
    if (kind === UPPER) {
      if (!inWord) words++;
      inWord = true;
      single++;
      continue;
    }
    inWord = false;
    if (kind === WIDE) wide++;
    else if (kind === SPACE) single += isLetter(KINDS[bytes[at + 1] ?? 0] ?? OTHER) ? 0 : 1;
    else if (kind === OTHER) single++;
    else if (bytes[at] === QUOTE) break;
    else {
      at++;
      // `\u4e2d` are six bytes that stand for at most three; the other escapes are two for one.
      const unicode = bytes[at] === 0x75;
      if (unicode) at += 4;
      escaped += unicode ? 3 : 1;
      single += unicode ? 3 : 1;
    }
  }
  if (run > 0) {
    if (!inWord) words++;
    pairs += ((run * 9) >> 4) + 1;
  }
  seen.words += words;
  seen.wideBytes += wide;
  seen.bytes += at - from + 2 - escaped;
  seen.most += single + pairs + Math.ceil(wide * 0.8) + 2;
  return at;
}

const isLetter = (kind: number): boolean => kind === LOWER || kind === UPPER;

const isImageType = (bytes: Buffer, start: number, end: number): boolean =>
  IMAGE_TYPES.has(bytes.toString("latin1", start + 1, end)) && follows(bytes, start, "type");

/** The place behind a string that holds a picture, a sound or a file; `undefined` for any other string. */
function behindData(bytes: Buffer, start: number, limit: number): number | undefined {
  const first = bytes[start + 1];
  const isUrl = first === 0x64 && bytes.toString("latin1", start + 1, start + 6) === "data:";
  if (!isUrl && !DATA_KEYS.some((key) => follows(bytes, start, key))) return undefined;
  // Neither base64 nor the head of a data URL holds a quote; white space says that it is a text.
  const close = bytes.indexOf(QUOTE, start + 1);
  const head = bytes.toString("latin1", start + 1, Math.min(close, start + 200));
  return close < 0 || close >= limit || /[\s\\]/.test(head) ? undefined : close + 1;
}

function isKey(bytes: Buffer, behind: number, limit: number): boolean {
  let at = behind;
  while (at < limit && (bytes[at] ?? 0) <= 0x20) at++;
  return bytes[at] === 0x3a;
}
