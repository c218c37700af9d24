import type { Span } from "../top-level-scan.ts";

/** By what kinds of parts are named in the dialects, and the end that is looked for. */
const NAMES = {
  vision: [
    { name: "image_url", found: Buffer.from('image_url"') },
    { name: "input_image", found: Buffer.from('image"') },
    { name: "image", found: Buffer.from('image"') },
  ],
  audio: [{ name: "input_audio", found: Buffer.from('input_audio"') }],
} as const;

/**
 * Whether a JSON value holds a part `"type": "image_url"`, `"image"`, `"input_image"` (or audio), found without parsing. A
 * text that speaks of such parts has its quotes escaped and is not taken for one.
 */
export function namesPart(bytes: Buffer, span: Span, kind: keyof typeof NAMES): boolean {
  let last: Buffer | undefined;
  let at = -1;
  for (const { name, found } of NAMES[kind]) {
    // Names with the same end share the search: most bodies hold neither.
    if (found === last && at < 0) continue;
    last = found;
    at = bytes.indexOf(found, span.start);
    if (at >= span.end) at = -1;
    const lead = name.length + 1 - found.length;
    for (let here = at; here >= 0 && here < span.end; here = bytes.indexOf(found, here + 1)) {
      if (isNamed(bytes, here - lead, name) && follows(bytes, here - lead - 1, "type")) return true;
    }
  }
  return false;
}

/** Whether the string at the quote before `start` is `name`. */
const isNamed = (bytes: Buffer, start: number, name: string): boolean =>
  bytes[start - 1] === 0x22 && bytes.toString("latin1", start, start + name.length) === name;

/** Whether the value at `value` is that of a member `key`: `"key"`, white space and a colon lead up to it. */
export function follows(bytes: Buffer, value: number, key: string): boolean {
  const colon = backOver(bytes, value - 1);
  if (bytes[colon] !== 0x3a) return false;
  const end = backOver(bytes, colon - 1);
  const start = end - key.length - 1;
  return (
    bytes[end] === 0x22 &&
    start >= 0 &&
    bytes[start] === 0x22 &&
    bytes.toString("latin1", start + 1, end) === key
  );
}

/** The last byte at or before `at` that is no white space. */
function backOver(bytes: Buffer, at: number): number {
  let here = at;
  while (here >= 0 && (bytes[here] ?? 0) <= 0x20) here--;
  return here;
}
