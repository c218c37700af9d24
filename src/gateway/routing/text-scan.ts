import type { Span } from "../top-level-scan.ts";
import { follows } from "./message-parts.ts";

/** What the texts of a JSON value consist of. */
export interface TextScan {
  /** Runs of ASCII letters in values. */
  readonly words: number;
  /** Bytes of everything but pictures and other data, escapes counted as what they stand for. */
  readonly bytes: number;
  /** Of these, bytes of characters beyond ASCII in values. */
  readonly wideBytes: number;
  /** Parts that are pictures, by address or as data. */
  readonly images: number;
}

type Seen = { -readonly [Key in keyof TextScan]: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes that are looked at; of what is behind only the number counts. About 3 ms. */
const MOST_READ = 2 * 1024 * 1024;
const IMAGE_TYPES: ReadonlySet<string> = new Set(["image", "image_url", "input_image"]);
const DATA_KEYS = ["data", "file_data"] as const;
/** Bytes of a part's type that is worth a look. */
const TYPE_LENGTHS = { least: 5, most: 11 };

/** Reads the texts of JSON values without building them. The bytes must have been checked to be JSON. */
export function scanText(bytes: Buffer, spans: readonly Span[]): TextScan {
  const seen: Seen = { words: 0, bytes: 0, wideBytes: 0, images: 0 };
  let left = MOST_READ;
  for (const { start, end } of spans) {
    let at = start;
    while (at < end && seen.bytes < left) {
      if (bytes[at] === QUOTE) at = readString(bytes, at, end, seen);
      else {
        seen.bytes++;
        at++;
      }
    }
    // What was not looked at: each byte may be a token.
    const unread = Math.max(0, end - at);
    seen.bytes += unread;
    left += unread;
  }
  return seen;
}

/** Reads the string that opens at `start`; the place behind its end. */
function readString(bytes: Buffer, start: number, limit: number, seen: Seen): number {
  const behind = behindData(bytes, start, limit);
  if (behind !== undefined) return behind;
  let at = start + 1;
  let words = 0;
  let wide = 0;
  let escaped = 0;
  let inWord = false;
  const stop = Math.min(limit, start + MOST_READ);
  for (; at < stop; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) break;
    if (byte === BACKSLASH) {
      inWord = false;
      at++;
      // `\u4e2d` are six bytes that stand for at most three; the other escapes are two for one.
      const unicode = bytes[at] === 0x75;
      if (unicode) at += 4;
      escaped += unicode ? 3 : 1;
      continue;
    }
    if (byte >= 0x80) wide++;
    const lower = byte | 0x20;
    const letter = lower >= 0x61 && lower <= 0x7a;
    if (letter && !inWord) words++;
    inWord = letter;
  }
  seen.bytes += at + 1 - start - escaped;
  if (at >= stop) {
    seen.words += words;
    seen.bytes += limit - at;
    return limit;
  }
  if (isKey(bytes, at + 1, limit)) return at + 1;
  seen.words += words;
  seen.wideBytes += wide;
  const length = at - start - 1;
  if (length >= TYPE_LENGTHS.least && length <= TYPE_LENGTHS.most && isImageType(bytes, start, at))
    seen.images++;
  return at + 1;
}

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
